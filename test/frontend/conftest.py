"""Compares an imported network with torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import numpy as np
import pytest
import torch
from torch import nn
from xdsl.dialects.builtin import ModuleOp

from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.meaning import Array

Agreement: TypeAlias = Callable[..., ModuleOp]
Closeness: TypeAlias = Callable[..., None]


@pytest.fixture
def agrees() -> Agreement:
    """Imports a model for images of the given shapes (without a batch axis) and compares it with torch."""
    return check_agreement


def check_agreement(model: nn.Module, *shapes: Sequence[int], rtol: float = 1e-4) -> ModuleOp:
    context = create_context()
    model = _shaken(model).eval()
    module = import_torch(model, [torch.randn(1, *shape) for shape in shapes], context=context)
    module.verify()
    for batch in (1, 3):
        inputs = [torch.randn(batch, *shape) * 2 for shape in shapes]
        with torch.no_grad():
            expected = cast("torch.Tensor | Sequence[torch.Tensor]", model(*(tensor.clone() for tensor in inputs)))
        listed = [expected] if isinstance(expected, torch.Tensor) else expected
        found = interpret(module, weights_of(context), [tensor.numpy() for tensor in inputs])
        for want, have in zip(listed, found, strict=True):
            assert_close(have, want, rtol)
    return module


@pytest.fixture
def close() -> Closeness:
    """Compares float32 arrays with what torch computed."""
    return assert_close


def assert_close(found: Array, expected: torch.Tensor, rtol: float = 1e-4) -> None:
    assert found.shape == tuple(expected.shape)
    assert found.dtype == np.float32
    difference = np.abs(found.astype(np.float64) - expected.detach().double().numpy())
    assert difference.max(initial=0) <= rtol * float(expected.detach().abs().amax())


def _shaken(model: nn.Module) -> nn.Module:
    """Parameters and statistics that differ everywhere, so that none can be left out unnoticed."""
    torch.default_generator.manual_seed(0)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.is_floating_point() and name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif tensor.is_floating_point() and name.rpartition(".")[2] in ("weight", "bias", "running_mean"):
                tensor.normal_(0, 0.5)
    return model
