"""Normalisation, imported, against torch."""

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


def named(value: object) -> str:
    """The name of a case."""
    return str(value).replace("\n", "")[:60]


CASES: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.BatchNorm1d(4), (4,)),
    (nn.BatchNorm1d(4), (4, 7)),
    (nn.BatchNorm2d(4, eps=0.1), (4, 3, 5)),
    (nn.BatchNorm2d(4, affine=False), (4, 3, 5)),
    (Function(lambda x: F.batch_norm(x, torch.ones(4), torch.full((4,), 2.0))), (4, 3, 5)),
    (nn.LayerNorm(8), (8,)),
    (nn.LayerNorm([5, 8], eps=0.1), (3, 5, 8)),
    (nn.LayerNorm(8, elementwise_affine=False), (5, 8)),
    (nn.LayerNorm(8, bias=False), (5, 8)),
    (Function(lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2)), (4, 3, 5)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (nn.BatchNorm2d(4, track_running_stats=False), (4, 3, 3), "statistics of the images it is given"),
        (nn.GroupNorm(2, 4), (4, 3, 3), "anew for every image"),
        (nn.InstanceNorm2d(4), (4, 3, 3), "anew for every image"),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
