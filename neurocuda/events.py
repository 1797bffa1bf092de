"""Counts events, which say when and where something was, in frames, which say how often it was where at every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import InputError
from neurocuda.images import Array, InputSpec, one_per_input

if TYPE_CHECKING:
    import torch

Events: TypeAlias = "torch.Tensor | Array | Mapping[str, torch.Tensor | Array]"
"""Integers, one row per event: the time step, then the index in the input's shape. A tensor or an array, or one per
input name."""

WHAT = "events"


def as_frames(events: Events, spec: InputSpec, steps: int) -> list[Array]:
    """How many events every input has at each of these steps: one (steps, *shape) float32 array per input.

    Raises:
        InputError: a name, a shape or a type is wrong, or an event lies outside.
    """
    listed = one_per_input(events, spec, WHAT)
    return [_frames(rows, (steps, *shape[1:])) for rows, shape in zip(listed, spec.shapes, strict=True)]


def _frames(rows: Array, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if rows.ndim != 2 or rows.shape[1] != len(shape):
        raise InputError(
            f"{WHAT}: expected rows of {len(shape)} integers, the step and an index in {shape[1:]}, found an array of "
            f"shape {rows.shape}"
        )
    if rows.dtype.kind not in "iu":
        raise InputError(f"{WHAT}: expected integers, found {rows.dtype}")
    outside = ((rows < 0) | (rows >= np.array(shape))).any(axis=1)
    if outside.any():
        first = int(outside.argmax())
        raise InputError(f"{WHAT}: event {first}, {rows[first].tolist()}, lies outside of {shape} (steps, input)")
    frames = np.zeros(shape, np.float32)
    np.add.at(frames, tuple(rows.T), 1)
    return frames
