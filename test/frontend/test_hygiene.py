"""Models and inputs that cannot be used: one clear message each; and the user's model is left alone."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from neurocuda.errors import InputError, ModelError, NeuroCudaError, NeuroCudaWarning, UnsupportedModelError
from neurocuda.frontend import hygiene
from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten()).eval()


class Function(nn.Module):
    """A module around a function, in evaluation mode."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.function = function
        self.eval()

    def forward(self, x: Tensor) -> object:
        return self.function(x)


def imported(model: nn.Module, shape: tuple[int, ...] = (3, 6, 6)) -> None:
    import_torch(model, input_shape=shape, context=create_context())


class Raising(nn.Module):
    """A model whose own code fails."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        del x
        raise self.reason


@pytest.mark.parametrize("reason", [Exception("odd"), OSError("odd"), SystemExit("odd"), KeyError("odd")])
def test_whatever_a_model_raises_is_told(reason: BaseException) -> None:
    with pytest.raises(InputError, match=r"the model does not run on inputs of shape \(1, 3, 6, 6\): '?odd") as caught:
        imported(Raising(reason))
    assert type(caught.value.__cause__) is type(reason)


def test_sparse_parameters_are_named() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).eval()
    weight = cast(Tensor, model[0].weight).detach().to_sparse()
    setattr(model[0], "weight", nn.Parameter(weight, requires_grad=False))  # noqa: B010
    with pytest.raises(ModelError, match=r"a weight is sparse; make it dense with .to_dense\(\): '0.weight'"):
        imported(model, (3,))


def test_a_model_elsewhere_is_copied_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(_: nn.Module) -> bool:
        return True

    monkeypatch.setattr(hygiene, "_elsewhere", elsewhere)
    model = network()
    with pytest.warns(NeuroCudaWarning, match="the model is not on the CPU: a copy on the CPU in evaluation mode"):
        assert hygiene.usable(model) is not model


def test_distributed_models_are_unwrapped(tmp_path: Path) -> None:
    place = f"file://{tmp_path / 'rendezvous'}"
    torch.distributed.init_process_group("gloo", init_method=place, rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(network())
        with pytest.warns(NeuroCudaWarning, match="is wrapped in DistributedDataParallel"):
            imported(wrapped.eval())
    finally:
        torch.distributed.destroy_process_group()


# Copies and warnings.


def parallel(model: nn.Module) -> nn.Module:
    return cast(nn.Module, nn.DataParallel(model))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (network(), None),
        (network().train(), "training mode"),
        (parallel(network()), "wrapped in DataParallel"),
        (parallel(network().train()), "DataParallel and is in training mode"),
    ],
)
def test_a_copy_is_compiled_and_said(close: Callable[..., None], model: nn.Module, words: str | None) -> None:
    inner = cast(nn.Module, getattr(model, "module", model))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        context = create_context()
        module = import_torch(model, input_shape=(3, 6, 6), context=context)
    said = [str(warning.message) for warning in caught if issubclass(warning.category, NeuroCudaWarning)]
    assert len(said) == (words is not None)
    assert all(words is not None and words in message for message in said)
    images = torch.randn(2, 3, 6, 6)
    expected = copy.deepcopy(inner).eval()(images)
    (found,) = interpret(module, weights_of(context), [images.numpy()])
    close(found, expected)


def test_the_model_is_left_alone() -> None:
    model = network().train()
    before = copy.deepcopy(model.state_dict())
    attributes = [set(vars(module)) for module in model.modules()]
    with pytest.warns(NeuroCudaWarning):
        imported(model)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert attributes == [set(vars(module)) for module in model.modules()]
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_model_on_a_gpu_is_copied() -> None:
    model = network().cuda()
    with pytest.warns(NeuroCudaWarning, match="not on the CPU"):
        imported(model)
    assert all(parameter.is_cuda for parameter in model.parameters())


# Weights.


def broken(value: float, *names: str) -> nn.Module:
    model = network()
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    with torch.no_grad():
        for name in names:
            tensors[name].view(-1)[0] = value
    return model


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_all_broken_parameters_are_named(value: float) -> None:
    with pytest.raises(ModelError, match=r"NaN or infinity: '0.weight', '1.bias'$"):
        imported(broken(value, "0.weight", "1.bias"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_broken_statistics_are_named(value: float) -> None:
    with pytest.raises(ModelError, match=r"NaN or infinity: '1.running_var'$"):
        imported(broken(value, "1.running_var"))


def test_statistics_of_minus_infinity_are_refused_where_they_are_used() -> None:
    with pytest.raises(UnsupportedModelError, match=r"running mean '1.running_mean' holds NaN or infinity"):
        imported(broken(float("-inf"), "1.running_mean"))


@pytest.mark.parametrize("variance", [-1.0, -1e-5])
def test_variances_without_a_root_are_refused(variance: float) -> None:
    model = network()
    cast(nn.BatchNorm2d, model[1]).running_var = torch.tensor([1.0, variance, 1.0, 1.0])  # pyright: ignore[reportIndexIssue]
    reason = r"`aten._native_batch_norm_legit_no_training` \(1\): its running variance plus epsilon is not positive"
    with pytest.raises(UnsupportedModelError, match=reason):
        imported(model)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_other_dtypes_are_refused(dtype: torch.dtype) -> None:
    model = nn.Sequential(nn.Linear(4, 4, dtype=dtype), nn.Linear(4, 4)).eval()
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(ModelError, match=rf"is {name}, not float32; .*: '0.weight', '0.bias'$"):
        imported(model, (4,))


def test_weights_without_values_are_refused() -> None:
    with pytest.raises(ModelError, match="no values yet"):
        imported(nn.LazyLinear(4).eval(), (4,))
    with pytest.raises(ModelError, match="no values yet"):
        imported(nn.Linear(4, 4, device="meta").eval(), (4,))


# What torch cannot export.


def early_exit(x: Tensor) -> Tensor:
    return x.relu() if x.sum() > 0 else x


def test_control_flow_that_depends_on_the_data() -> None:
    with pytest.raises(ModelError, match=r"control flow depends on the data.*test_hygiene.py") as caught:
        imported(Function(early_exit), (4,))
    assert "\n" not in str(caught.value)


def conditional(x: Tensor) -> Tensor:
    cond = cast(Callable[..., Tensor], torch.cond)
    return cond(x.sum() > 0, torch.relu, torch.neg, (x,))


def by_number(x: Tensor) -> Tensor:
    return x * x.sum().item()


def by_mask(x: Tensor) -> Tensor:
    return x[x > 0]


@pytest.mark.parametrize(
    ("function", "reason"),
    [(conditional, "depends on the data"), (by_number, "depends on the data"), (by_mask, "picked by an index tensor")],
)
def test_graphs_that_depend_on_the_data(function: Callable[[Tensor], Tensor], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        imported(Function(function), (4,))


def test_a_scripted_model_is_refused() -> None:
    with pytest.raises(ModelError, match="is TorchScript"):
        imported(torch.jit.ScriptModule())


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += x.sum()
        return x + self.calls


def test_state_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="changes 'calls' while it runs"):
        imported(Counting().eval(), (4,))


RESULTS: list[tuple[Callable[[Tensor], object], str]] = [
    (lambda x: torch.ones(x.shape[1]), "does not depend on the input"),
    (lambda x: {"images": len(x)}, "returns no tensor"),
    (lambda x: x.argmax(1), "`aten.argmax`.*no importer"),
]


@pytest.mark.parametrize(("function", "reason"), RESULTS)
def test_results_that_are_no_network(function: Callable[[Tensor], object], reason: str) -> None:
    with pytest.raises(NeuroCudaError, match=reason):
        imported(Function(function), (4,))


def test_a_block_without_gradients_is_nothing() -> None:
    def forward(x: Tensor) -> Tensor:
        with torch.no_grad():
            x = x.relu()
        return x + 1

    imported(Function(forward), (4,))


def test_something_else_than_a_model() -> None:
    with pytest.raises(ModelError, match=r"expected a torch\.nn\.Module"):
        import_torch("resnet18", context=create_context())  # pyright: ignore[reportArgumentType]


def test_failures_are_quiet(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(ModelError):
        imported(Function(early_exit), (4,))
    with pytest.raises(InputError):
        imported(network(), (1, 6, 6))
    out, err = capfd.readouterr()
    assert out == err == ""
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_logging_works_again_afterwards() -> None:
    imported(network())
    assert logging.root.manager.disable == logging.NOTSET
    assert torch.is_grad_enabled()
