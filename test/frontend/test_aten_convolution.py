"""Convolutions, imported, against torch."""

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
    (nn.Conv2d(3, 4, 3), (3, 8, 9)),
    (nn.Conv2d(3, 4, 3, bias=False), (3, 8, 9)),
    (nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2), (4, 8, 9)),
    (nn.Conv2d(4, 8, 3, padding=1, groups=4), (4, 5, 5)),
    (nn.Conv2d(3, 4, 4, padding="same", dilation=(1, 2)), (3, 8, 9)),
    (nn.Conv2d(3, 4, 3, padding="valid"), (3, 8, 9)),
    (nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), (3, 8, 8)),
    (nn.Conv1d(3, 4, 3), (3, 9)),
    (nn.Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2), (4, 9)),
    (nn.Conv1d(3, 4, 4, padding="same", bias=False), (3, 9)),
    (
        Weighted(lambda x, w: torch.convolution(x, w, None, [2, 2], [1, 1], [1, 1], False, [0, 0], 1), 4, 3, 3, 3),
        (3, 8, 8),
    ),
    (Weighted(lambda x, w: F.conv2d(x, w * 2 + 1, stride=2), 4, 3, 3, 3), (3, 8, 8)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (nn.ConvTranspose2d(3, 4, 3), (3, 8, 8), "transposed"),
        (nn.ConvTranspose1d(3, 4, 3), (3, 8), "transposed"),
        (nn.Conv3d(3, 4, 3), (3, 8, 8, 8), "two-dimensional"),
        (nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), (3, 8, 8), "pads with reflect"),
        (Function(lambda x: F.conv2d(x, x[:1])), (3, 8, 8), "along the batch axis|batch"),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
