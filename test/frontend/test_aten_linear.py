"""Matrix products, imported, against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
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
    (nn.Linear(8, 4), (8,)),
    (nn.Linear(8, 4, bias=False), (5, 8)),
    (Weighted(lambda x, w: x @ w, 8, 4), (8,)),
    (Weighted(lambda x, w: torch.mm(x, w), 8, 4), (8,)),
    (Weighted(lambda x, w: w @ x, 4, 8), (8, 5)),
    (Weighted(lambda x, w: torch.matmul(x, w.t()), 4, 8), (5, 8)),
    (Weighted(lambda x, w: torch.addmm(w[0], x, w, beta=2, alpha=0.5), 8, 8), (8,)),
    (Weighted(lambda x, w: x @ w, 8), (5, 8)),
    (Weighted(lambda x, w: x @ w, 8), (8,)),
    (Weighted(lambda x, w: torch.mv(x.relu(), w), 8), (8,)),
    (Weighted(lambda x, w: F.linear(x, w), 8), (5, 8)),
    (Function(lambda x: x @ x.transpose(1, 2)), (3, 4)),
    (Function(lambda x: torch.bmm(x, x.mT)), (3, 4)),
    (Function(lambda x: torch.baddbmm(x, x, x)), (4, 4)),
    (Weighted(lambda x, w: torch.einsum("bij,kj->bik", x, w), 5, 4), (3, 4)),
    (Weighted(lambda x, w: F.linear(x.permute(1, 0, 2), w).permute(1, 0, 2), 5, 4), (3, 4)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (Function(lambda x: x @ x.t()), (4,), "batch"),
        (Function(lambda x: x.t() @ x), (4,), "batch"),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
