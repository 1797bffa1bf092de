"""The staircase activation: a relu in as many levels as a spiking neuron has spikes to say it with."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from neurocuda.errors import InputError, OptionError

MOST_LEVELS = 2**15
"""As many as `quantize-activations` takes."""


class _Context(Protocol):
    """What torch keeps between the forward and the backward pass."""

    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


@torch.library.custom_op("neurocuda::staircase", mutates_args=())
def staircase(x: Tensor, clip: Tensor, levels: int) -> Tensor:
    """u clip(floor(x / u + 1/2), 0, levels) with u = clip / levels (Bu et al. 2022, QCFS).

    `clip` has one element, or one per channel: axis 1 of vectors and images, the last axis of sequences. The importer
    knows this operation by its name and takes clip range and levels as they are.

    Gradients pass the rounding straight through: one where 0 <= x <= clip, else zero; by the clip range, what one
    more unit of it adds to the result, which is the rounding error inside the range and one above it.
    """
    unit = by_channel(clip, x) / levels
    return (x / unit + 0.5).floor().clamp(0, levels) * unit


@staircase.register_fake  # pyright: ignore[reportUnknownMemberType]
def _shape(x: Tensor, clip: Tensor, levels: int) -> Tensor:  # noqa: ARG001
    return torch.empty_like(x)


def _keep(ctx: _Context, inputs: tuple[Tensor, Tensor, int], output: Tensor) -> None:
    """Nothing that an activation in place would overwrite."""
    x, clip, _ = inputs
    wide = by_channel(clip, x)
    inside = (x >= 0) & (x <= wide)
    ctx.save_for_backward(inside, (output - torch.where(inside, x, 0)) / wide, clip)


def _backward(ctx: _Context, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
    inside, by_clip, clip = ctx.saved_tensors
    axis = channel_axis(gradient)
    others = [other for other in range(gradient.dim()) if other != axis or clip.numel() == 1]
    return gradient * inside, (gradient * by_clip).sum(others).reshape(clip.shape), None


staircase.register_autograd(_backward, setup_context=_keep)  # pyright: ignore[reportUnknownMemberType, reportArgumentType]


class Staircase(nn.Module):
    """The staircase as a module with a trainable clip range.

    The parameter is the logarithm of the clip range, so that no step of an optimizer makes it zero or negative.

    Args:
        clip: the clip range to start with: one positive number, or one per channel.
        levels: the number of levels above zero: T, the most spikes that stand for it.

    Raises:
        OptionError: a clip range is not positive, or there are no levels.
    """

    def __init__(self, clip: Tensor, levels: int) -> None:
        super().__init__()
        if not 1 <= levels <= MOST_LEVELS:
            raise OptionError(f"a staircase has 1 ... {MOST_LEVELS} levels, not {levels}")
        if clip.dim() > 1 or not bool((torch.isfinite(clip) & (clip > 0)).all()):
            raise OptionError("clip ranges are positive numbers, a single one or one per channel")
        self.levels = levels
        self.log_clip = nn.Parameter(clip.detach().float().reshape(-1).log())

    @property
    def clip(self) -> Tensor:
        """The clip ranges, always positive."""
        return self.log_clip.exp()

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`, (batch, channels, ...) or (batch, tokens, channels)."""
        require_channels(x, self.log_clip)
        return cast(Tensor, staircase(x, self.clip, self.levels))

    def extra_repr(self) -> str:
        return f"levels={self.levels}, channels={self.log_clip.numel()}"


def channel_axis(x: Tensor) -> int:
    """The axis of channels, as the IR counts them: 1, but the last of a sequence."""
    return 2 if x.dim() == 3 else 1


def by_channel(values: Tensor, x: Tensor) -> Tensor:
    """One value, or one per channel, to broadcast onto `x`."""
    shape = [1] * x.dim()
    shape[channel_axis(x)] = values.numel()
    return values.reshape(shape)


def require_channels(x: Tensor, values: Tensor) -> None:
    """Checks that there is one value, or one per channel of `x`.

    Raises:
        InputError: there are others.
    """
    channels = x.shape[channel_axis(x)] if x.dim() > 1 else 0
    if values.numel() not in (1, channels):
        shape = tuple(x.shape)
        raise InputError(f"a staircase for {values.numel()} channels got an input of shape {shape}, batch first")
