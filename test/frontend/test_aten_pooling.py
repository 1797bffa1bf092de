"""Pooling, imported, against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
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
    (nn.MaxPool2d(2), (3, 8, 9)),
    (nn.MaxPool2d(3, stride=2, padding=1), (3, 8, 9)),
    (nn.MaxPool2d((3, 2), stride=1, dilation=2), (3, 8, 9)),
    (nn.MaxPool2d(3, stride=2, padding=0, ceil_mode=True), (3, 8, 9)),
    (nn.MaxPool2d(2, stride=2, padding=0, ceil_mode=True), (3, 7, 8)),
    (nn.MaxPool2d(2, stride=2, padding=1, ceil_mode=True), (3, 7, 6)),
    (nn.MaxPool2d(3, stride=3, padding=1, ceil_mode=True), (3, 7, 9)),
    (nn.MaxPool2d(2, stride=3, padding=1, ceil_mode=True), (3, 8, 7)),
    (nn.MaxPool1d(3, stride=2, padding=1), (3, 9)),
    (nn.MaxPool1d(2, ceil_mode=True), (3, 9)),
    (nn.AvgPool2d(2), (3, 8, 9)),
    (nn.AvgPool2d(3, stride=2, padding=1), (3, 8, 9)),
    (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (3, 8, 9)),
    (nn.AvgPool2d(2, ceil_mode=True), (3, 7, 8)),
    (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (3, 8, 8)),
    (nn.AvgPool2d(3, 2, 1, ceil_mode=True), (3, 7, 7)),
    (nn.AvgPool1d(3, stride=2, padding=1), (3, 9)),
    (nn.AdaptiveAvgPool2d(1), (3, 8, 9)),
    (nn.AdaptiveAvgPool2d((4, 3)), (3, 8, 9)),
    (nn.AdaptiveAvgPool2d((3, 5)), (3, 8, 9)),
    (nn.AdaptiveAvgPool2d((6, None)), (3, 3, 3)),
    (nn.AdaptiveAvgPool1d(3), (3, 9)),
    (nn.AdaptiveAvgPool1d(4), (3, 9)),
    (nn.AdaptiveMaxPool2d((2, 3)), (3, 8, 9)),
    (nn.AdaptiveMaxPool1d(1), (3, 9)),
    (Function(lambda x: x.amax((-1, -2))), (3, 8, 9)),
    (Function(lambda x: x.amax(-1, keepdim=True)), (3, 8, 9)),
    (Function(lambda x: x.amax(2)), (3, 9)),
    (Function(lambda x: F.max_pool2d(x, 2, return_indices=True)[0]), (3, 8, 8)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


def names(module: ModuleOp) -> list[str]:
    return [op.name for op in module.walk() if op.name.startswith("ann.")]


def test_global_pooling_is_an_average_pool(agrees: Callable[..., ModuleOp]) -> None:
    assert names(agrees(nn.AdaptiveAvgPool2d(1), (3, 4, 4))) == ["ann.input", "ann.average_pool2d"]


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (nn.AvgPool2d(3, 2, 1, ceil_mode=True), (3, 8, 8), "part of the padding"),
        (nn.AdaptiveMaxPool2d(3), (3, 8, 8), "differ in size"),
        (Function(lambda x: F.max_pool2d(x, 2, return_indices=True)[1].float()), (3, 8, 8), "not available"),
        (Function(lambda x: x.amax(1)), (3, 8, 8), "over channels"),
        (nn.AvgPool3d(2), (3, 8, 8, 8), "two-dimensional"),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
