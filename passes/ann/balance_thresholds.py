"""Chooses how far up each channel's activation is represented: the clip range that the T levels divide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import is_layer
from neurocuda.dialects.ann.canonicalization import TRAINED
from neurocuda.errors import LevelError, OptionError, Problem
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import BINS, CLIP, Statistics, levels_of, statistics_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

METHODS = ("mse", "percentile", "max", "local")
CANDIDATES = 70
"""Clip ranges tried per channel, evenly from 5 % to 120 % of the largest activation."""

BALANCING_ROUNDS = 200
BALANCING_RATE = 0.5
"""Steps of local balancing and their length; ours, the paper leaves them to the user."""


@dataclass(frozen=True)
class BalanceThresholdsPass(NeuroPass):
    """
    Writes a clip range per channel on every neuron layer, from its statistics.

    `max` takes the largest activation seen (Diehl et al. 2015), `percentile` the given percentile of the layer's
    activations, one range per layer (Rueckauer et al. 2017), `mse` the range per channel that minimises the mean
    square error of rounding to the layer's levels on the histogram (as in SNN calibration, Li et al. 2021), `local`
    the range per channel that gradient steps on the clipping error reach (local threshold balancing, Bu et al. 2025,
    with data that flows through the float network). Levels are `timesteps` or the layer's `nc.levels`. A channel that
    never fired gets the layer's largest range; a clamp in the model bounds every range. Ranges that were trained
    (`defer-rounding`) stay. Layers that say signed numbers (relays, layer norms, tables) have one range for both signs,
    and channels whose counts are compared or added up share one.

    Before:
        func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
          %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
          %y = ann.neuron %0 {nc.statistics = {minimum = dense<0.0> : tensor<1xf32>, maximum = dense<2.0> : tensor<1xf32>,
                                               mean = dense<1.0> : tensor<1xf32>, variance = dense<1.0> : tensor<1xf32>,
                                               edges = dense<[[0.0, 2.0]]> : tensor<1x2xf32>,
                                               histogram = dense<1> : tensor<1x2048xi32>}} : (tensor<1xf32>) -> tensor<1xf32>
          func.return %y : tensor<1xf32>
        }

    Options: method="max"

    After:
        %y = ann.neuron %0 {nc.statistics = {...}, nc.clip = dense<2.000000e+00> : tensor<1xf32>}
    """  # noqa: E501

    name = "balance-thresholds"
    promise = Equal()

    method: str = "mse"
    timesteps: int = 15
    percentile: float | int = 99.9

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        import numpy as np

        from neurocuda.passes.ann._shared_scales import shared_channels
        from neurocuda.reference.interpreter import main_function

        self._check_options()
        block = main_function(module).body.block
        layers = [op for op in block.ops if is_layer(op) and TRAINED not in op.attributes]
        statistics = [statistics_of(op, weights) for op in layers]
        missing = [op for op, found in zip(layers, statistics, strict=True) if found is None]
        if missing:
            raise LevelError("balance-thresholds needs statistics:", [_uncalibrated(op) for op in missing])
        clips: dict[Operation, Floats] = {}
        for op, found in zip(layers, statistics, strict=True):
            assert found is not None
            signed = not isinstance(op, ann.NeuronOp)
            maximum = None if signed or op.maximum is None else op.maximum.value.data
            clips[op] = bounded(self._clip(folded(found) if signed else found, levels_of(op, self.timesteps)), maximum)
        for op, clip in shared(clips, shared_channels(block, weights)).items():
            op.attributes[CLIP] = weights.add(clip.astype(np.float32), "clip")

    def _check_options(self) -> None:
        if self.method not in METHODS:
            raise OptionError(f"balance-thresholds: method '{self.method}' is none of {', '.join(METHODS)}")
        if not 1 <= self.timesteps <= 2**15:
            raise OptionError(f"balance-thresholds: timesteps must be 1 ... 32768, not {self.timesteps}")
        if not 0 < self.percentile <= 100:
            raise OptionError(f"balance-thresholds: percentile must be above 0 and at most 100, not {self.percentile}")
        if self.method != "percentile" and self.percentile != BalanceThresholdsPass.percentile:
            goes = f"goes with method 'percentile', not '{self.method}'"
            raise OptionError(f"balance-thresholds: percentile {self.percentile} {goes}")

    def _clip(self, statistics: Statistics, levels: int) -> Floats:
        import numpy as np

        if self.method == "percentile":
            return np.full(len(statistics.maximum), layer_percentile(statistics, self.percentile))
        if self.method == "max":
            return statistics.maximum.astype(np.float64)
        if self.method == "local":
            return locally_balanced_clip(statistics)
        return least_square_clip(statistics, levels)[0]


def _uncalibrated(op: Operation) -> Problem:
    return Problem(f"`{op.name}`", user_location(op), "it has no statistics", "Run `calibrate` first.")


def folded(statistics: Statistics) -> Statistics:
    """The statistics of magnitudes."""
    import numpy as np

    magnitudes = np.abs(centres(statistics))
    high = np.abs(statistics.edges).max(axis=1, keepdims=True).astype(np.float64)
    bins = np.minimum((magnitudes / np.where(high > 0, high, 1) * BINS).astype(np.int64), BINS - 1)
    histogram = np.zeros_like(statistics.histogram)
    np.add.at(histogram, (np.arange(len(bins))[:, None], bins), statistics.histogram)
    extremes = np.maximum(np.abs(statistics.minimum), np.abs(statistics.maximum))
    edges = np.concatenate([np.zeros_like(high), high], axis=1).astype(np.float32)
    return replace(statistics, minimum=np.zeros_like(extremes), maximum=extremes, edges=edges, histogram=histogram)


def shared(clips: Mapping[Operation, Floats], groups: Mapping[Operation, NDArray[np.int64]]) -> dict[Operation, Floats]:
    """Every channel's clip range raised to the largest of its group."""
    import numpy as np

    largest: dict[int, float] = {}
    for op, clip in clips.items():
        for group, value in zip(groups[op].tolist(), clip.tolist(), strict=True):
            largest[group] = max(value, largest.get(group, 0.0))
    return {op: np.array([largest[group] for group in groups[op].tolist()]) for op in clips}


def bounded(clip: Floats, maximum: float | None) -> Floats:
    """Silent channels take the layer's largest range (one where all are silent); a clamp bounds every range."""
    import numpy as np

    largest = float(clip.max(initial=0.0)) or 1.0
    clip = np.where(clip > 0, clip, largest)
    return clip if maximum is None else np.minimum(clip, maximum)


def centres(statistics: Statistics) -> Floats:
    """The middle of every bin, (channels, bins)."""
    import numpy as np

    low, high = statistics.edges[:, 0].astype(np.float64), statistics.edges[:, 1].astype(np.float64)
    return low[:, None] + (high - low)[:, None] * ((np.arange(BINS) + 0.5) / BINS)


def layer_percentile(statistics: Statistics, percentile: float) -> float:
    """The percentile of all activations of the layer, zeros included, from the histograms."""
    import numpy as np

    values: Floats = centres(statistics).ravel()
    counts = statistics.histogram.ravel().astype(np.float64)
    order = values.argsort()
    cumulative = np.cumsum(counts[order])
    wanted = percentile / 100 * float(cumulative[-1])
    index = min(int(np.searchsorted(cumulative, wanted)), len(order) - 1)
    return max(0.0, float(values[order[index]]))


def least_square_clip(statistics: Statistics, levels: int) -> tuple[Floats, Floats]:
    """The clip range per channel with the least square error of min(floor(a T / λ + 1/2), T) λ / T, and that error."""
    import numpy as np

    values, counts = centres(statistics), statistics.histogram.astype(np.float64)
    sums = tuple(_running(counts * values**power) for power in range(3))
    maximum = statistics.maximum.astype(np.float64)
    best = np.full(len(maximum), np.inf)
    clip = maximum.copy()
    for share in np.linspace(0.05, 1.2, CANDIDATES):
        candidate = maximum * share
        unit = np.where(candidate > 0, candidate, 1.0) / levels
        error = _rounding_error(statistics, sums, unit, levels)
        better = error < best
        best[better], clip[better] = error[better], candidate[better]
    return clip, best


def locally_balanced_clip(statistics: Statistics) -> Floats:
    """The clip range per channel that a gradient on the square clipping error reaches from zero, small values last."""
    import numpy as np

    values, counts = centres(statistics), statistics.histogram.astype(np.float64)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    clip = np.zeros((len(values), 1))
    for _ in range(BALANCING_ROUNDS):
        clip = clip + 2 * BALANCING_RATE * (share * np.maximum(values - clip, 0)).sum(axis=1, keepdims=True)
    return np.minimum(clip[:, 0], statistics.maximum)


def _running(values: Floats) -> Floats:
    """Sums of the first 0, 1, ... bins, (channels, bins + 1)."""
    import numpy as np

    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _rounding_error(statistics: Statistics, sums: Sequence[Floats], unit: Floats, levels: int) -> Floats:
    """The square error per channel of rounding to multiples of `unit`, at most `levels` of them.

    Bins between (k - 1/2) unit and (k + 1/2) unit become k unit: with running sums of h, h a and h a² over the bins a,
    each level costs three differences instead of a pass over its bins.
    """
    import numpy as np

    low, high = statistics.edges.astype(np.float64).T
    width = np.where(high > low, high - low, 1.0) / BINS
    steps = np.arange(1, levels + 1)
    borders = np.ceil(((steps - 0.5) * unit[:, None] - low[:, None]) / width[:, None] - 0.5)
    inner = np.clip(borders, 0, BINS).astype(np.int64)
    ends = np.concatenate([np.zeros((len(unit), 1), np.int64), inner, np.full((len(unit), 1), BINS)], axis=1)
    mass, first, second = (np.diff(np.take_along_axis(total, ends, axis=1), axis=1) for total in sums)
    rounded = np.arange(levels + 1) * unit[:, None]
    return (second - 2 * rounded * first + np.square(rounded) * mass).sum(axis=1)
