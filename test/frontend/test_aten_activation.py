"""Activation functions, imported, against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.ann import ops as ann
from neurocuda.errors import UnsupportedModelError


class Function(nn.Module):
    """A module around a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def named(value: object) -> str:
    """The name of a case."""
    return str(value).replace("\n", "")[:60]


CASES: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.ReLU(), (8,)),
    (nn.ReLU(inplace=True), (3, 5)),
    (nn.Threshold(0.0, 0.0), (8,)),
    (nn.ReLU6(), (8,)),
    (nn.Hardtanh(-0.5, 0.75), (8,)),
    (Function(lambda x: x.clamp(0, 0.9)), (8,)),
    (Function(lambda x: x.clamp(min=0.25)), (8,)),
    (Function(lambda x: x.clamp(0.25, 0.9)), (8,)),
    (nn.Hardtanh(0.25, 0.5), (8,)),
    (Function(lambda x: x.clamp(0.9, 0.25)), (8,)),
    (Function(lambda x: torch.minimum(x, torch.tensor(0.25))), (8,)),
    (Function(lambda x: torch.minimum(torch.full((4, 8), 0.25), x)), (4, 8)),
    (Function(lambda x: torch.maximum(torch.tensor(-0.25), x)), (8,)),
    (Function(lambda x: torch.maximum(x, torch.zeros_like(x))), (8,)),
    (Function(lambda x: x + torch.maximum(x.new_ones(x.shape), torch.tensor(2.0))), (8,)),
    (Function(lambda x: x.clamp_(max=0.25)), (8,)),
    (Function(lambda x: x.clamp_min(-0.25)), (8,)),
    (Function(lambda x: torch.clamp(x, torch.tensor(-0.25), torch.tensor(0.5))), (8,)),
    (nn.LeakyReLU(0.1), (8,)),
    (nn.PReLU(), (4, 3, 3)),
    (nn.PReLU(4), (4, 3, 3)),
    (nn.PReLU(4), (4,)),
    (nn.SiLU(), (8,)),
    (nn.GELU(), (8,)),
    (nn.GELU("tanh"), (8,)),
    (nn.Sigmoid(), (8,)),
    (nn.Tanh(), (8,)),
    (nn.Hardswish(), (8,)),
    (nn.Hardsigmoid(), (8,)),
    (nn.Softmax(1), (8,)),
    (nn.Softmax(-1), (2, 8)),
    (nn.Softmax2d(), (4, 3, 3)),
    (nn.LogSoftmax(-2), (4, 3)),
    (Function(lambda x: F.softmax(x, dim=1, dtype=torch.float32)), (8,)),
    (nn.Identity(), (8,)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


def test_clamp_at_zero_is_a_relu(agrees: Callable[..., ModuleOp]) -> None:
    module = agrees(Function(lambda x: x.clamp(min=0)), (8,))
    assert any(isinstance(op, ann.ReluOp) for op in module.walk())


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Function(lambda x: torch.minimum(x, torch.arange(8.0))), "not one number"),
        (Function(lambda x: torch.clamp(x, torch.arange(8.0))), "not one number"),
        (Function(lambda x: torch.maximum(x, 2 * x)), "depend on the input"),
    ],
    ids=named,
)
def test_bounds_that_are_not_one_number_are_refused(
    agrees: Callable[..., ModuleOp], model: nn.Module, reason: str
) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, (8,))


@pytest.mark.parametrize("model", [nn.ELU(), nn.SELU(), nn.Mish(), nn.Softplus(), nn.Threshold(0.1, 0.0)], ids=str)
def test_curves_without_an_operation_are_refused(agrees: Callable[..., ModuleOp], model: nn.Module) -> None:
    with pytest.raises(UnsupportedModelError, match=r"has no operation|jumps"):
        agrees(model, (8,))
