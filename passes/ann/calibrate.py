"""Runs images through the network and writes down what every activation did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import Pointwise
from neurocuda.errors import InputError, ModelError
from neurocuda.ir.arrays import read_arrays
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import BINS, IMAGES, LARGEST, STATISTICS, Statistics, by_channel, named_images

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Floats = NDArray[np.float64]

PIXELS = 256
"""The number of points on the grid of an 8-bit image."""

EVIDENCE = 16
"""How often each point of a grid must have been seen on average."""

BATCH = 64
"""Images that run at once."""

OBSERVED = (ann.InputOp, ann.NeuronOp, ann.RelayOp, ann.LayerNormOp)
"""Operations whose values are looked at, besides activation functions, unless they run on the host."""


@dataclass(frozen=True)
class CalibratePass(NeuroPass):
    """
    Runs images through the network and writes one statistics attribute on every input and activation.

    `images` is an `.npz` file with one array per input, batch axis first; without it the images are the arrays that
    the module attribute `nc.calibration` names; without either, statistics that are there already stay. Per channel:
    minimum, maximum, mean, variance and a histogram. An input whose values lie on an even grid (pixels, however
    normalised) is recognised, so that nothing is rounded.

    Before:
        builtin.module attributes {nc.calibration = [dense<[[-1.0], [1.0]]> : tensor<2x1xf32>]} {
          func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
            %y = ann.relu %x : tensor<1xf32> -> tensor<1xf32>
            func.return %y : tensor<1xf32>
          }
        }

    After:
        %y = ann.relu %x {nc.statistics = {minimum = dense<0.000000e+00> : tensor<1xf32>,
                                           maximum = dense<1.000000e+00> : tensor<1xf32>, ...}}
    """

    name = "calibrate"
    promise = Equal()

    images: str | None = None

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        if self.images is None and IMAGES not in module.attributes and _are_annotated(module):
            return
        images = self._images(module, weights)
        from neurocuda.reference.interpreter import interpret

        found: dict[Operation, Accumulator] = {}

        def observe(op: Operation, values: Array) -> None:
            if _is_observed(op):
                _require_numbers(op, values)
                found.setdefault(op, Accumulator(grid=isinstance(op, ann.InputOp))).add(by_channel(values))

        for batch in _batches(images):
            interpret(module, weights, batch, observe)
        for op, accumulator in found.items():
            op.attributes[STATISTICS] = accumulator.statistics().attribute(weights)

    def _images(self, module: ModuleOp, weights: WeightStore) -> list[Array]:
        if self.images is not None:
            return list(read_arrays(Path(self.images)).values())
        images = named_images(module, weights)
        if not images:
            raise InputError(_missing(module))
        return images


def _missing(module: ModuleOp) -> str:
    """What is unknown without images."""
    unknown = [op for op in module.walk() if _is_observed(op) and STATISTICS not in op.attributes]
    places = "; ".join(dict.fromkeys(user_location(op) for op in unknown if user_location(op)))
    why = f", and batch norms do not tell what layers say in {places}" if places else ""
    return f'calibrate: no images{why}; give some, to nc-opt as calibrate{{images="images.npz"}}'


def _require_numbers(op: Operation, values: Array) -> None:
    """
    Raises:
        ModelError: a value is NaN, infinite, or so large that it soon would be.
    """
    import numpy as np

    if not np.abs(values).max(initial=0) <= LARGEST:
        raise ModelError(
            f"calibrate: `{op.name}` ({user_location(op)}) gives NaN or values beyond {LARGEST:.0e} on the calibration "
            "images; look for overflowing weights or images that were not normalised"
        )


def _is_observed(op: Operation) -> bool:
    return (isinstance(op, OBSERVED) or op.has_trait(Pointwise)) and isinstance(op.parent_op(), FuncOp)


def _are_annotated(module: ModuleOp) -> bool:
    """Whether every activation has statistics already."""
    observed = [op for op in module.walk() if _is_observed(op)]
    return bool(observed) and all(STATISTICS in op.attributes for op in observed)


def _batches(images: Sequence[Array]) -> Iterator[list[Array]]:
    if not images or not len(images[0]):
        raise InputError("calibrate: there are no calibration images")
    for start in range(0, len(images[0]), BATCH):
        yield [array[start : start + BATCH] for array in images]


class Accumulator:
    """Extremes, moments and a histogram per channel, batch by batch, and the values seen where a grid is looked for.

    The histogram starts with the first batch's range; whenever a value falls outside, the range doubles and
    neighbouring bins are joined, so that one pass over the images is enough.
    """

    def __init__(self, *, grid: bool) -> None:
        self.grid = grid
        self.count = 0

    def add(self, rows: Array) -> None:
        """Takes the values of one batch, (channels, values)."""
        import numpy as np

        wide = rows.astype(np.float64)
        low, high = wide.min(axis=1), wide.max(axis=1)
        if not self.count:
            self._start(low, high)
        self.minimum, self.maximum = np.minimum(self.minimum, low), np.maximum(self.maximum, high)
        self.count += wide.shape[1]
        self.total += wide.sum(axis=1)
        self.squares += np.square(wide).sum(axis=1)
        self._widen(low, high)
        self._fill(wide)
        self.seen = [_more(seen, row) for seen, row in zip(self.seen, rows, strict=True)]

    def _start(self, low: Floats, high: Floats) -> None:
        import numpy as np

        self.minimum, self.maximum = low, high
        self.total, self.squares = np.zeros(len(low)), np.zeros(len(low))
        self.first, self.span = low, high - low
        self.histogram = np.zeros((len(low), BINS), np.int64)
        self.seen: list[Array | None] = [np.empty(0) if self.grid else None] * len(low)

    def _widen(self, low: Floats, high: Floats) -> None:
        """Doubles the ranges, towards the side where values are missing, until they hold everything."""
        import numpy as np

        flat = (self.span == 0) & ((low < self.first) | (high > self.first))
        if flat.any():
            self._spread(flat, np.minimum(low, self.first), np.maximum(high, self.first))
        while True:
            below, above = low < self.first, high > self.first + self.span
            if not (below | above).any():
                return
            joined = self.histogram.reshape(len(low), BINS // 2, 2).sum(axis=2)
            empty = np.zeros_like(joined)
            up, down = np.concatenate([joined, empty], axis=1), np.concatenate([empty, joined], axis=1)
            self.histogram = np.where(below[:, None], down, np.where(above[:, None], up, self.histogram))
            self.first = np.where(below, self.first - self.span, self.first)
            self.span = np.where(below | above, 2 * self.span, self.span)

    def _spread(self, flat: NDArray[np.bool_], low: Floats, high: Floats) -> None:
        """Gives channels that had a single value a range; their values so far move into its bin."""
        import numpy as np

        counts = self.histogram.sum(axis=1)
        span = np.where(flat, high - low, self.span)
        place = np.where(span > 0, (self.first - low) / np.where(span > 0, span, 1) * BINS, 0)
        bins = np.minimum(place.astype(np.int64), BINS - 1)
        single = np.zeros_like(self.histogram)
        single[np.arange(len(low)), bins] = counts
        self.histogram = np.where(flat[:, None], single, self.histogram)
        self.first, self.span = np.where(flat, low, self.first), span

    def _fill(self, wide: Floats) -> None:
        import numpy as np

        scale = BINS / np.where(self.span > 0, self.span, 1.0)
        bins = ((wide - self.first[:, None]) * scale[:, None]).astype(np.int64)
        flat = np.minimum(bins, BINS - 1) + np.arange(len(wide))[:, None] * BINS
        self.histogram += np.bincount(flat.ravel(), minlength=self.histogram.size).reshape(self.histogram.shape)

    def statistics(self) -> Statistics:
        """What was seen in all batches."""
        import numpy as np

        mean = self.total / self.count
        variance = np.maximum(self.squares / self.count - np.square(mean), 0)
        edges = np.stack([self.first, self.first + self.span], axis=1)
        return Statistics(
            self.minimum.astype(np.float32),
            self.maximum.astype(np.float32),
            mean.astype(np.float32),
            variance.astype(np.float32),
            edges.astype(np.float32),
            self.histogram.astype(np.int32),
            find_grid(self.seen, self.count),
        )


def _more(seen: Array | None, row: Array) -> Array | None:
    """The distinct values so far, or None once there are too many for a grid of pixels."""
    import numpy as np

    if seen is None:
        return None
    distinct = np.unique(np.concatenate([seen, np.unique(row)]))
    return distinct if len(distinct) <= PIXELS else None


def find_grid(channels: Sequence[Array | None], samples: int) -> NDArray[np.float64] | None:
    """The even grid of at most 256 points that the distinct values lie on: rows of step, first point, points.

    One grid for all channels is tried first, then one for each; channels with a single value take the smallest step
    of the others. `samples` is the number of values seen per channel: a grid is only believed in when its points were
    seen `EVIDENCE` times each on average.
    """
    import numpy as np

    if not channels or any(values is None for values in channels):
        return None
    found = [values for values in channels if values is not None]
    everything = np.unique(np.concatenate(found))
    if len(everything) > 1 and (row := _grid_of(everything, samples * len(found))) is not None:
        return np.tile(row, (len(found), 1))
    rows = [_grid_of(values, samples) for values in found]
    steps = [row[0] for row in rows if row is not None and row[0] > 0]
    if not steps or any(row is None for row in rows):
        return None
    return np.array([(row[0] or min(steps), row[1], row[2]) for row in rows if row is not None])


def _grid_of(values: Array, samples: int) -> tuple[float, float, int] | None:
    """(step, first, points) of sorted distinct values, a step of zero where there is only one."""
    import numpy as np

    wide = values.astype(np.float64)
    if len(wide) == 1:
        return 0.0, float(wide[0]), 1
    indices = np.rint((wide - wide[0]) / np.diff(wide).min())
    points = int(indices[-1]) + 1
    if points > PIXELS or samples < EVIDENCE * points:
        return None
    step = (wide[-1] - wide[0]) / (points - 1)
    largest_error = np.abs(wide - (wide[0] + step * indices)).max()
    return (float(step), float(wide[0]), points) if largest_error <= 1e-3 * step else None
