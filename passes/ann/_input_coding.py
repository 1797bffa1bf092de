"""How the network's input becomes integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import Statistics, statistics_of

Field = NDArray[np.float64]

PIXELS = 256
"""The number of points on the grid of an 8-bit image."""


@dataclass(frozen=True)
class InputCoding:
    """Per channel: step and shift in the input's own units, scale and offset in the network's; the range of counts."""

    step: Field
    shift: Field
    scale: Field
    offset: Field
    bounds: tuple[int, int]


def coding_of(op: ann.InputOp, weights: WeightStore) -> InputCoding | None:
    """How an input is coded: pixels by their preprocessing, others by their statistics; None without either."""
    if op.mean is not None and op.std is not None:
        mean, std = (weights.array(constant).astype(np.float64) for constant in (op.mean, op.std))
        return of_pixels(mean, std)
    statistics = statistics_of(op, weights)
    return None if statistics is None else of_statistics(statistics)


def of_pixels(mean: Field, std: Field) -> InputCoding:
    """uint8 pixels p that stand for (p / 255 - mean) / std count from the pixel nearest to zero: padding is zero."""
    zero = np.clip(np.rint(255 * mean), 0, 255)
    scale = 1 / (255 * std)
    bounds = (-int(zero.max()), 255 - int(zero.min()))
    return InputCoding(np.ones_like(zero), zero, scale, (zero - 255 * mean) * scale, bounds)


def of_statistics(statistics: Statistics) -> InputCoding:
    """Values on a grid of pixels keep their exact values; others are rounded to 8 bits."""
    return _rounded(statistics) if statistics.grid is None else _on_grid(statistics.grid)


def _on_grid(grid: Field) -> InputCoding:
    """Values first + k step count from the point nearest to zero: padding is zero to half a step."""
    step, first, points = grid.T
    zero = np.rint(-first / step)
    shift = first + zero * step
    spare = PIXELS - points
    bounds = (int((-zero - spare).min()), int((points - 1 - zero + spare).max()))
    return InputCoding(step, shift, step, shift, bounds)


def _rounded(statistics: Statistics) -> InputCoding:
    """8 bits, one step for the whole input: unsigned where nothing is negative, else symmetric."""
    low, high = float(statistics.minimum.min()), float(statistics.maximum.max())
    bounds = (0, 255) if low >= 0 else (-127, 127)
    step = max(abs(low), abs(high)) / bounds[1] or 1.0
    steps, zeros = np.full(len(statistics.minimum), step), np.zeros(len(statistics.minimum))
    return InputCoding(steps, zeros, steps, zeros, bounds)
