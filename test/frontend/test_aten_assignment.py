"""Assignments to parts of tensors, imported, against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import UnsupportedModelError


class Assigning(nn.Module):
    """Changes a copy of the input, or the tensor that `start` makes of the input."""

    def __init__(
        self, change: Callable[[Tensor, Tensor], object], start: Callable[[Tensor], Tensor] = Tensor.clone
    ) -> None:
        super().__init__()
        self.change, self.start = change, start

    def forward(self, x: Tensor) -> Tensor:
        y = self.start(x)
        self.change(y, x)
        return y


class Transposed(nn.Module):
    """The first two axes change places."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(0, 1)


def channel(y: Tensor, x: Tensor) -> None:
    y[:, 0] = x[:, 1]


def last_column(y: Tensor, x: Tensor) -> None:
    y[..., -1] = x[..., 0] * 2


def rows(y: Tensor, x: Tensor) -> None:
    y[:, :, 1:] = x[:, :, :-1]


def every_second_row(y: Tensor, x: Tensor) -> None:
    y[:, :, 1::2] = x[:, :, ::2]


def corner(y: Tensor, x: Tensor) -> None:
    y[:, 1, :2, 1:3] = x[:, 0, 2:4, :2]


def broadcast(y: Tensor, x: Tensor) -> None:
    y[:, 1:] = x[:, :1]


def number(y: Tensor, _: Tensor) -> None:
    y[:, 1] = 0.5


def constant(y: Tensor, _: Tensor) -> None:
    y[:, :, 0] = torch.arange(3.0)


def added(y: Tensor, x: Tensor) -> None:
    y[:, 0, ::2] += x[:, 1, ::2]


def everything(y: Tensor, x: Tensor) -> None:
    y[:] = x * 2


def middle_channels(y: Tensor, x: Tensor) -> None:
    y[:, 1:4] = x


def one_image(y: Tensor, x: Tensor) -> None:
    y[0] = x[0]


def permuted(y: Tensor, x: Tensor) -> None:
    y[1] = x[:, 0]


SHAPE = (3, 4, 3)
CHANGES = [
    channel,
    last_column,
    rows,
    every_second_row,
    corner,
    broadcast,
    number,
    constant,
    added,
    everything,
]


@pytest.mark.parametrize("change", CHANGES)
def test_agrees(agrees: Callable[..., ModuleOp], change: Callable[[Tensor, Tensor], object]) -> None:
    agrees(Assigning(change), SHAPE)


def test_zeros_with_a_part_assigned_are_padding(agrees: Callable[..., ModuleOp]) -> None:
    """A shortcut that adds channels."""
    agrees(Assigning(middle_channels, lambda x: torch.zeros(x.shape[0], 6, *SHAPE[1:])), SHAPE)


def test_the_batch_may_lie_behind_the_axis(agrees: Callable[..., ModuleOp]) -> None:
    agrees(nn.Sequential(Assigning(permuted, lambda x: x.transpose(0, 1).clone()), Transposed()), SHAPE)


def test_a_tensor_may_be_overwritten_whole(agrees: Callable[..., ModuleOp]) -> None:
    agrees(Assigning(lambda y, x: y.copy_(x * 2)), SHAPE)


def test_one_image_is_not_assigned(agrees: Callable[..., ModuleOp]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"works along the batch axis"):
        agrees(Assigning(one_image), SHAPE)


def test_places_picked_by_an_index_are_refused(agrees: Callable[..., ModuleOp]) -> None:
    with pytest.raises(UnsupportedModelError, match=r"index_put.*picked by an index tensor"):
        agrees(Assigning(lambda y, x: y.__setitem__((slice(None), torch.tensor([0, 2])), x[:, :2])), SHAPE)
