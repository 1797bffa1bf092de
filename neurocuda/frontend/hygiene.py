"""What a user's model must be before it is exported. The model itself is never changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Final, cast

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from neurocuda.errors import ModelError, warn

_REMEDIES: Final = {
    torch.float64: "convert it with model.float()",
    torch.float16: "convert it with model.float()",
    torch.bfloat16: "convert it with model.float()",
}


_WRAPPERS: Final = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def usable(model: nn.Module) -> nn.Module:
    """The model itself where it can be exported as it is; else a copy on the CPU, in evaluation mode, unwrapped.

    Warns:
        NeuroCudaWarning: what the copy differs in.

    Raises:
        ModelError: it is TorchScript, or its weights have no values, another dtype than float32, NaN or infinity.
    """
    inner = _checked(model)
    changes = {
        f"is wrapped in {type(cast(object, model)).__name__}": isinstance(model, _WRAPPERS),
        "is in training mode": _in_training(inner),
        "is not on the CPU": _elsewhere(inner),
    }
    differences = [change for change, applies in changes.items() if applies]
    if differences:
        warn(f"the model {' and '.join(differences)}: a copy on the CPU in evaluation mode is compiled")
        inner = _copied(inner)
    return inner


def copied(model: nn.Module) -> nn.Module:
    """A copy on the CPU, in evaluation mode, unwrapped.

    Raises:
        ModelError: it cannot be copied, is TorchScript, or its weights are unusable as for `usable`.
    """
    return _copied(_checked(model))


def _checked(model: nn.Module) -> nn.Module:
    """The model without what wraps it."""
    inner = _unwrapped(model)
    if isinstance(inner, torch.jit.ScriptModule):
        raise ModelError("the model is TorchScript, which cannot be exported; give the nn.Module that it was made from")
    require_values(_tensors(inner))
    return inner


def _in_training(model: nn.Module) -> bool:
    return any(module.training for module in model.modules())


def _elsewhere(model: nn.Module) -> bool:
    return any(tensor.device.type != "cpu" for _, tensor in _tensors(model))


def _unwrapped(model: nn.Module) -> nn.Module:
    while isinstance(model, _WRAPPERS):
        model = cast(nn.Module, model.module)
    return cast(nn.Module, getattr(model, "_orig_mod", model))  # what torch.compile was given


def _copied(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(model).cpu().eval()
    except (RuntimeError, TypeError) as reason:
        raise ModelError(
            f"the model cannot be copied ({_line(reason)}); call model.eval() and model.cpu() yourself"
        ) from None


def _tensors(model: nn.Module) -> list[tuple[str, torch.Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]


def require_values(tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Checks parameters and buffers.

    Minus infinity may stand in buffers: attention masks hold it.

    Raises:
        ModelError: names all that have no values, are sparse, have another dtype than float32, NaN or infinity.
    """
    tensors = list(tensors)
    _refuse("has no values yet; run the model once, or load weights", tensors, _without_values)
    _refuse("is sparse; make it dense with .to_dense()", tensors, _is_sparse)
    for dtype in sorted(
        {tensor.dtype for _, tensor in tensors if tensor.is_floating_point() or tensor.is_complex()}, key=str
    ):
        if dtype != torch.float32:
            name, remedy = str(dtype).removeprefix("torch."), _REMEDIES.get(dtype, "use float32 weights")
            _refuse(f"is {name}, not float32; {remedy}", tensors, lambda tensor, dtype=dtype: tensor.dtype == dtype)
    _refuse("holds NaN or infinity", tensors, _not_finite)


def _refuse(reason: str, tensors: list[tuple[str, torch.Tensor]], bad: Callable[[torch.Tensor], bool]) -> None:
    names = [f"'{name}'" for name, tensor in tensors if bad(tensor)]
    if names:
        raise ModelError(f"a weight {reason}: {', '.join(names)}")


def _without_values(tensor: torch.Tensor) -> bool:
    return isinstance(tensor, UninitializedParameter) or tensor.is_meta


def _is_sparse(tensor: torch.Tensor) -> bool:
    return tensor.layout != torch.strided


def _not_finite(tensor: torch.Tensor) -> bool:
    if not tensor.is_floating_point():
        return False
    if isinstance(tensor, nn.Parameter):
        return not bool(torch.isfinite(tensor).all())
    return bool((torch.isnan(tensor) | torch.isposinf(tensor)).any())


def _line(reason: BaseException) -> str:
    return str(reason).strip().partition("\n")[0]
