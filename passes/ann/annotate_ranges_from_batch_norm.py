"""Estimates what every activation does from batch-norm statistics, for those who have no images at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.errors import ModelError, warn
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import BINS, IMAGES, LARGEST, STATISTICS, Statistics, by_channel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field: TypeAlias = NDArray[np.float64]
    Moments: TypeAlias = tuple[Field, Field]

DEVIATIONS = 4.0
"""Activations are taken to stay within so many standard deviations of their mean."""

OBSERVATIONS = 1_000_000
"""How many observations an estimated histogram pretends to have."""


@dataclass(frozen=True)
class AnnotateRangesFromBatchNormPass(NeuroPass):
    """
    Writes an estimated statistics attribute on every input and rectified activation, without any images.

    Batch norm says that its output has mean `shift` and standard deviation |`scale`| per channel; inputs are taken to
    be normalised. Means and variances are carried through the operations between (independent inputs, normal
    distributions) and a rectified normal distribution becomes the histogram. Runs before `fold-batch-norm`. Images
    are better: the pass warns, and does nothing where the module names some.

    Before:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
          %0 = ann.batch_norm %x scale(dense<2.0> : tensor<1xf32>) shift(dense<0.0> : tensor<1xf32>)
                 mean(dense<0.0> : tensor<1xf32>) variance(dense<1.0> : tensor<1xf32>) epsilon 0.0 : f64
                 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          %y = ann.relu %0 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          func.return %y : tensor<1x2x2xf32>
        }

    After:
        %y = ann.relu %0 {nc.statistics = {minimum = dense<0.000000e+00> : tensor<1xf32>,
                                           maximum = dense<8.000000e+00> : tensor<1xf32>, ...}}
    """

    name = "annotate-ranges-from-batch-norm"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        if IMAGES in module.attributes:
            return  # better: `calibrate` runs them

        estimator = _Estimator(weights)
        for op in main_function(module).body.block.ops:
            estimator.visit(op)
        if any(STATISTICS in op.attributes for op in module.walk()):
            warn(
                "no calibration images: activation ranges are estimated from batch-norm statistics; "
                "give images for better accuracy"
            )


class _Estimator:
    """Carries the mean and variance of every element through the network."""

    def __init__(self, weights: WeightStore) -> None:
        self.weights = weights
        self.moments: dict[SSAValue, Moments] = {}

    def visit(self, op: Operation) -> None:
        """Notes the moments of an operation's result and writes statistics where they are wanted."""
        import numpy as np

        if not op.results:
            return
        shape = shape_of(op.results[0])
        mean, variance = self._result(op)
        self.moments[op.results[0]] = (
            np.broadcast_to(np.nan_to_num(mean), shape),
            np.broadcast_to(np.nan_to_num(variance), shape),
        )

    def _result(self, op: Operation) -> Moments:
        import numpy as np

        if isinstance(op, ann.InputOp):
            return self._annotated(op, np.zeros(()), np.ones(()), lowest=-np.inf, highest=np.inf)
        if isinstance(op, ann.ReluOp | ann.ClampOp | ann.NeuronOp):
            return self._rectified(op)
        if isinstance(op, ann.BatchNormOp):
            rank = len(shape_of(op.result))
            return self._channelwise(op.shift, rank), np.square(self._channelwise(op.scale, rank))
        if isinstance(op, SynapseOp):
            return self._synapse(op)
        if isinstance(op, ann.AddOp | ann.SubOp):
            return self._sum(op)
        if isinstance(op, ann.AffineOp):
            return self._affine(op)
        return self._carried(op)

    def _of(self, value: SSAValue) -> Moments:
        import numpy as np

        return self.moments.get(value, (np.zeros(shape_of(value)), np.ones(shape_of(value))))

    def _channelwise(self, constant: Dense, rank: int) -> Field:
        return self.weights.array(constant).astype("float64").reshape(-1, *(1,) * (rank - 1))

    def _synapse(self, op: SynapseOp) -> Moments:
        import numpy as np

        from neurocuda.passes.ann._fields import charge, own_bias

        mean, variance = self._of(op.input)
        weight = self.weights.array(op.weight).astype(np.float64)
        return charge(op, weight, mean) + own_bias(op, self.weights), charge(op, np.square(weight), variance)

    def _sum(self, op: ann.AddOp | ann.SubOp) -> Moments:
        (left, left_variance), (right, right_variance) = self._of(op.left), self._of(op.right)
        return left - right if isinstance(op, ann.SubOp) else left + right, left_variance + right_variance

    def _affine(self, op: ann.AffineOp) -> Moments:
        import numpy as np

        mean, variance = self._of(op.input)
        if op.scale is not None:
            scale = self.weights.array(op.scale).astype(np.float64)
            mean, variance = mean * scale, variance * np.square(scale)
        return mean if op.shift is None else mean + self.weights.array(op.shift), variance

    def _carried(self, op: Operation) -> Moments:
        """Index maps carry moments as they carry data; other operations are taken to keep their typical size."""
        import numpy as np

        from neurocuda.passes.ann._fields import carried, carries

        pairs = [self._of(operand) for operand in op.operands]
        if carries(op):
            fields = [carried(op, self.weights, [pair[index] for pair in pairs]) for index in (0, 1)]
            if fields[0] is not None and fields[1] is not None:
                return fields[0], fields[1]
        typical = [(float(mean.mean()), float(variance.mean())) for mean, variance in pairs] or [(0.0, 1.0)]
        return np.array(typical[0][0]), np.array(typical[0][1])

    def _rectified(self, op: ann.ReluOp | ann.ClampOp | ann.NeuronOp) -> Moments:
        import numpy as np

        pairs = [self._of(operand) for operand in op.operands]
        mean = sum((pair[0] for pair in pairs), np.zeros(()))
        variance = sum((pair[1] for pair in pairs), np.zeros(()))
        if isinstance(op, ann.NeuronOp) and op.bias is not None:
            mean = mean + self.weights.array(op.bias)
        maximum = None if isinstance(op, ann.ReluOp) else op.maximum
        minimum = op.minimum if isinstance(op, ann.ClampOp) else None
        unbounded_below = isinstance(op, ann.ClampOp) and minimum is None
        lowest = -np.inf if unbounded_below else 0.0 if minimum is None else minimum.value.data
        highest = np.inf if maximum is None else maximum.value.data
        return self._annotated(op, mean, variance, lowest=lowest, highest=highest)

    def _annotated(self, op: Operation, mean: Field, variance: Field, *, lowest: float, highest: float) -> Moments:
        """Writes the statistics of a clipped normal distribution per channel; returns its moments.

        Raises:
            ModelError: they do not fit into floats.
        """
        import numpy as np

        shape = shape_of(op.results[0])
        full = [by_channel(np.broadcast_to(field, shape)[None]).mean(axis=1) for field in (mean, variance)]
        deviation = np.sqrt(full[1])
        if not (np.abs(full[0]) + DEVIATIONS * deviation).max(initial=0) <= LARGEST:
            raise ModelError(
                f"annotate-ranges-from-batch-norm: by the weights before it `{op.name}` ({user_location(op)}) "
                f"gives values beyond {LARGEST:.0e}; look for overflowing weights, or give calibration images"
            )
        statistics = clipped_normal(full[0], deviation, lowest, highest)
        op.attributes[STATISTICS] = statistics.attribute(self.weights)
        channels = shape[1] if len(shape) == 2 else shape[0]
        form = (channels,) if len(shape) in (1, 2) else (channels, *(1,) * (len(shape) - 1))
        return statistics.mean.astype(np.float64).reshape(form), statistics.variance.astype(np.float64).reshape(form)


def clipped_normal(mean: Field, deviation: Field, lowest: float, highest: float) -> Statistics:
    """The statistics of clip(x, lowest, highest) for normal x, one distribution per channel."""
    import numpy as np

    bottom = np.clip(mean - DEVIATIONS * deviation, lowest, highest)
    top = np.clip(mean + DEVIATIONS * deviation, lowest, highest)
    edges = bottom[:, None] + (top - bottom)[:, None] * (np.arange(BINS + 1) / BINS)
    safe = np.where(deviation > 0, deviation, 1.0)[:, None]
    below = normal_distribution((edges - mean[:, None]) / safe)
    below[:, 0], below[:, -1] = 0.0, 1.0
    share = np.diff(below, axis=1)
    middles = (edges[:, 1:] + edges[:, :-1]) / 2
    average = (share * middles).sum(axis=1)
    variance = (share * np.square(middles - average[:, None])).sum(axis=1)
    counts = np.rint(share * OBSERVATIONS).astype(np.int32)
    extremes = np.stack([bottom, top], axis=1).astype(np.float32)
    lowest_of, highest_of, mean_of, variance_of = (
        array.astype(np.float32) for array in (bottom, top, average, variance)
    )
    return Statistics(lowest_of, highest_of, mean_of, variance_of, extremes, counts)


def normal_distribution(x: Field) -> Field:
    """The distribution function of the standard normal, interpolated in a table (error below 1e-7)."""
    import numpy as np

    grid, table = _normal_table()
    return np.interp(x, grid, table)


@cache
def _normal_table() -> tuple[Field, Field]:
    import numpy as np

    grid = np.linspace(-8, 8, 16001)
    density = np.exp(-np.square(grid) / 2) / np.sqrt(2 * np.pi)
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
    return grid, area / area[-1]
