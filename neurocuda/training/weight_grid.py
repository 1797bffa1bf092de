"""Weights rounded in training as `quantize-weights` will round them, with gradients passed straight through.

A weight in the integer network reads counts, so it is multiplied by what a count of its input channel stands for before
it is rounded. The grid here is therefore one of (input channel, output channel), and equals the compiler's wherever a
neuron layer has one synapse and reads staircases, directly or through pooling, padding and flattening. A residual sum
shares one unit between its branches, which is not seen here: there the compiler rounds once more.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.weak import WeakIdKeyDictionary

from neurocuda.training.interception import Arguments, Function, NamedArguments
from neurocuda.training.staircase import channel_axis

SYNAPSES: Final = frozenset[Function]({torch.conv2d, F.linear})
_BY_CHANNEL: Final = frozenset[Function](
    {F.max_pool2d, torch.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d, F.dropout, F.pad}
)
_RESHAPES: Final = frozenset[Function]({torch.flatten, Tensor.flatten, Tensor.view, Tensor.reshape, torch.reshape})


def on_grid(weight: Tensor, scale: Tensor | None, bits: int, groups: int = 1) -> Tensor:
    """The weight rounded to whole multiples of one unit per output channel (axis 0), the largest 2^(bits-1) - 1.

    `scale` is what a count of every input channel (axis 1) stands for; None where it is the same for all.
    """
    with torch.no_grad():
        factor = torch.ones(()) if scale is None else _columns(weight, scale, groups)
        scaled = weight * factor.to(weight)
        largest = 2 ** (bits - 1) - 1
        top = scaled.abs().flatten(1).amax(1).reshape(-1, *[1] * (weight.dim() - 1))
        unit = torch.where(top > 0, top, 1.0) / largest
        error = (scaled / unit).round() * unit / factor.to(weight) - weight
    return weight + error


def _columns(weight: Tensor, scale: Tensor, groups: int) -> Tensor:
    """One factor per output channel and input channel of its group, to broadcast onto the weight."""
    by_group = scale.reshape(groups, -1).repeat_interleave(len(weight) // groups, 0)
    return by_group.reshape(*by_group.shape, *[1] * (weight.dim() - 2))


class WeightGrid:
    """Follows what a count stands for from staircases to the synapses that read them, during one run of a network."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._scales = cast("MutableMapping[Tensor, Tensor]", WeakIdKeyDictionary())

    def note(self, counts: Tensor, unit: Tensor) -> None:
        """A staircase gave `counts` times `unit`, (1,) or (channels,)."""
        self._scales[counts] = unit.detach()

    def compute(self, function: Function, args: Arguments, kwargs: NamedArguments) -> object:
        """The result of a call, with weights on the grid."""
        if function in SYNAPSES and len(args) > 1:
            return self._synapse(function, args, kwargs)
        result = function(*args, **kwargs)
        scale = self._scale(args[0]) if args else None
        if scale is not None and isinstance(result, Tensor):
            self._carry(function, cast(Tensor, args[0]), scale, result)
        return result

    def _scale(self, value: object) -> Tensor | None:
        return self._scales.get(value) if isinstance(value, Tensor) else None

    def _synapse(self, function: Function, args: Arguments, kwargs: NamedArguments) -> object:
        x, weight = cast(tuple[Tensor, Tensor], tuple(args[:2]))
        groups = x.shape[1] // weight.shape[1] if function is torch.conv2d else 1
        scale = self._scale(x)
        several = scale is not None and scale.numel() > 1
        return function(x, on_grid(weight, scale if several else None, self._bits, groups), *args[2:], **kwargs)

    def _carry(self, function: Function, x: Tensor, scale: Tensor, result: Tensor) -> None:
        if function in _BY_CHANNEL and result.shape[: x.dim() - 2] == x.shape[: x.dim() - 2]:
            self._scales[result] = scale
        elif function in _RESHAPES and result.dim() == 2 and x.dim() == 4:
            axis = channel_axis(x)
            self._scales[result] = scale.expand(x.shape[axis]).repeat_interleave(x.shape[2] * x.shape[3])
