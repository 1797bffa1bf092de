"""The network as free-running integrate-and-fire neurons, step by step, with gradients: what `encode-free` compiles.

A staircase of clip range λ and T levels becomes a neuron with threshold λ that starts at λ / 2, receives the same
current at every one of T steps, and whose spikes weigh λ. A count of n spikes then stands for n λ / T, as in the
staircase. The derivative of a spike by its membrane is replaced by that of an arctangent (Fang et al. 2021; surrogate
gradients: Neftci et al. 2019).
"""

from __future__ import annotations

from math import pi
from typing import Final, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from neurocuda.training.interception import Arguments, Function, Interception, NamedArguments, Rectifier
from neurocuda.training.staircase import Staircase, by_channel, require_channels
from neurocuda.training.weight_grid import WeightGrid

SHARPNESS: Final = 2.0
"""Of the arctangent; its steepest slope is half of that."""

_MAX_POOLINGS: Final = frozenset[Function]({F.max_pool2d, torch.max_pool2d, F.adaptive_max_pool2d})


class _Context(Protocol):
    """What torch keeps between the forward and the backward pass."""

    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class Spike(torch.autograd.Function):
    """1 where x >= 0, else 0; backwards the slope of atan(π/2 α x) / π, α / 2 / (1 + (π/2 α x)²)."""

    @staticmethod
    def forward(ctx: _Context, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(x)
        return (x >= 0).to(x)

    @staticmethod
    def backward(ctx: _Context, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (x,) = ctx.saved_tensors
        return gradient * (SHARPNESS / 2) / (1 + (pi / 2 * SHARPNESS * x) ** 2)


def fired(x: Tensor) -> Tensor:
    """`Spike` of a tensor."""
    return cast(Tensor, Spike.apply(x))  # pyright: ignore[reportUnknownMemberType]


class SpikingSteps(Interception):
    """Steps of one batch: membranes, and what poolings have counted, live as long as this does.

    `spikes` holds the spikes of the latest step by layer, each 0 or 1.
    """

    def __init__(self, staircases: list[Staircase], grid: WeightGrid | None) -> None:
        super().__init__()
        self.spikes: list[Tensor] = []
        self._staircases = staircases
        self._grid = grid
        self._membranes: dict[int, Tensor] = {}
        self._received: dict[int, Tensor] = {}
        self._pooled: dict[int, Tensor] = {}
        self._poolings = 0

    def begin_step(self) -> None:
        """The network runs once more from its input to its output."""
        self.calls, self._poolings, self.spikes = 0, 0, []

    def activate(self, index: int, call: Rectifier) -> Tensor:
        """Integrates the current, fires where the membrane reaches the threshold, and takes that off."""
        layer = self._staircases[index]
        require_channels(call.input, layer.log_clip)
        threshold = by_channel(layer.clip, call.input)
        membrane = self._membranes.get(index, threshold / 2) + call.input
        spikes = fired((membrane - threshold) / threshold)
        self._membranes[index] = membrane - threshold * spikes
        self.spikes.append(spikes)
        sent = call.replaced(threshold * spikes)
        if self._grid is not None:
            self._grid.note(sent, layer.clip)
        return sent

    def compute(self, function: Function, args: Arguments, kwargs: NamedArguments) -> object:
        """Maxima are taken of what has been received so far, as `snn.running_max_pool2d` does."""
        if function in _MAX_POOLINGS and isinstance(args[0], Tensor):
            return self._running_maximum(function, args[0], args[1:], kwargs)
        return self._plainly(function, args, kwargs)

    def _plainly(self, function: Function, args: Arguments, kwargs: NamedArguments) -> object:
        return function(*args, **kwargs) if self._grid is None else self._grid.compute(function, args, kwargs)

    def _running_maximum(self, function: Function, x: Tensor, rest: Arguments, kwargs: NamedArguments) -> Tensor:
        index = self._poolings
        self._poolings += 1
        received = self._received[index] + x if index in self._received else x
        pooled = cast(Tensor, self._plainly(function, (received, *rest), kwargs))
        new = pooled - self._pooled[index] if index in self._pooled else pooled
        self._received[index], self._pooled[index] = received, pooled
        return new
