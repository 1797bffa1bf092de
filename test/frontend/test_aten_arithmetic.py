"""Sums, products and means, imported, against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import UnsupportedModelError


class Function(nn.Module):
    """A module around a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Weighted(nn.Module):
    """A module around a function of the input and a weight."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


def named(value: object) -> str:
    """The name of a case."""
    return str(value).replace("\n", "")[:60]


CASES: list[tuple[nn.Module, tuple[int, ...]]] = [
    (Function(lambda x: x + x.relu()), (8,)),
    (Function(lambda x: torch.add(x, x.relu(), alpha=2)), (8,)),
    (Function(lambda x: x - x.relu()), (8,)),
    (Function(lambda x: torch.sub(x, x.relu(), alpha=0.5)), (8,)),
    (Function(lambda x: x + 1), (8,)),
    (Function(lambda x: 2 - x), (8,)),
    (Function(lambda x: x - 2), (8,)),
    (Function(lambda x: -x), (8,)),
    (Function(lambda x: x * 2.5), (8,)),
    (Function(lambda x: x / 3), (8,)),
    (Function(lambda x: x.add_(1).mul_(2).sub_(0.5).div_(4)), (8,)),
    (Weighted(lambda x, w: x * w, 4, 1, 1), (4, 3, 3)),
    (Weighted(lambda x, w: w * x + w, 1, 4, 1, 1), (4, 3, 3)),
    (Weighted(lambda x, w: w - x, 3), (4, 3, 3)),
    (Weighted(lambda x, w: x / (w.abs() + 1), 3), (4, 3)),
    (Weighted(lambda x, w: torch.rsub(x, w, alpha=2), 3), (4, 3)),
    (Weighted(lambda x, w: torch.add(w, x, alpha=2), 3), (4, 3)),
    (Weighted(lambda x, w: x + w, 5, 3), (1, 3)),
    (Weighted(lambda x, w: x * w, 5, 3), (1, 3)),
    (Weighted(lambda x, w: x.unsqueeze(1) * w, 5, 3), (3,)),
    (Function(lambda x: x * torch.sigmoid(x.mean((2, 3), keepdim=True))), (4, 3, 3)),
    (Function(lambda x: x * x), (8,)),
    (Function(lambda x: x**2 + x.square()), (8,)),
    (Function(lambda x: x.mean((2, 3))), (4, 3, 5)),
    (Function(lambda x: x.mean(-1)), (4, 3, 5)),
    (Function(lambda x: x.mean([-2], keepdim=True)), (4, 3, 5)),
    (Function(lambda x: x.mean(1)), (4, 3, 5)),
    (Function(lambda x: x.mean(2)), (4, 3)),
    (Function(lambda x: x.mean((1, 2, 3))), (4, 3, 5)),
    (Function(lambda x: x.permute(0, 2, 3, 1).mean((1, 2))), (4, 3, 5)),
    (Function(lambda x: x.sum((2, 3))), (4, 3, 5)),
    (Function(lambda x: x.sum(1, keepdim=True)), (4, 3, 5)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


def names(module: ModuleOp) -> list[str]:
    return [op.name for op in module.walk() if op.name.startswith("ann.")]


def test_mean_over_the_image_is_an_average_pool(agrees: Callable[..., ModuleOp]) -> None:
    module = agrees(Function(lambda x: x.mean((2, 3))), (4, 3, 3))
    assert names(module) == ["ann.input", "ann.average_pool2d", "ann.reshape"]


def test_a_constant_factor_is_an_affine(agrees: Callable[..., ModuleOp]) -> None:
    assert names(agrees(Weighted(lambda x, w: w * x, 4, 1, 1), (4, 3, 3))) == ["ann.input", "ann.affine"]


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (Function(lambda x: x / x.relu()), (8,), "divisor depends"),
        (Function(lambda x: torch.where(x > 0, x, 0 * x)), (8,), "compares activations"),
        (Function(lambda x: x**3), (8,), "power 3"),
        (Function(lambda x: torch.div(x, 2, rounding_mode="floor")), (8,), "it rounds"),
        (Function(lambda x: x + 1e39), (8,), "NaN or infinity"),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
