"""Layers that say signed numbers, as integers: relays, activation functions from a table, softmax and layer norm.

Charges are still in floats, or products of counts; what is said are integers from here on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.tables import NORM_BITS
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import Statistics, broadcast_shape
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import meaning_of

Field = NDArray[np.float64]

INDICES = 1024
"""Entries that a table has for the charges seen in calibration; `quantize-weights` may join some."""

WIDEST = 8 * INDICES
"""Entries that a table has at most: charges further out are taken for the outermost one."""

SOFTMAX_STEP = 1 / 128
"""The distance of two scores, in units of the exponent, whose powers a softmax's table tells apart."""

SOFTMAX_BITS = 15
"""Bits of the largest power in a softmax's table."""

MOST_SHARES = 2**15 - 1
"""The largest whole that a softmax shares: what 16 bits hold."""


@dataclass(frozen=True)
class Charge:
    """What reaches a layer: the relay that gathers it, its bias (floats) and what 1 of its currents stands for."""

    relay: ann.RelayOp
    bias: Field
    unit: Field

    @property
    def shape(self) -> tuple[int, ...]:
        """The layer's shape."""
        return shape_of(self.relay.result)


def relayed(charge: Charge, clip: Field, levels: int, weights: WeightStore) -> ann.LookupOp:
    """Neurons that say their charge in units of clip / levels, to the nearest."""
    said = per_channel(charge, clip) / levels
    threshold = said / charge.unit
    return ann.LookupOp(
        list(charge.relay.currents),
        ann.CountType.of(-levels, levels),
        threshold=_f32(weights, threshold, "threshold"),
        initial=_f32(weights, charge.bias / charge.unit + threshold / 2, "initial"),
        clip=(-levels, levels),
        scale=weights.add(said, "scale"),
    )


def looked_up(
    op: Operation, charge: Charge, seen: Statistics, clip: Field, levels: int, weights: WeightStore
) -> ann.LookupOp:
    """Neurons that say an activation function of their charge in units of clip / levels.

    The table holds the function at the middle of every index. Of a leaky rectifier every channel has its own unit,
    because it scales with its input; other functions have one for the layer.
    """
    scales = isinstance(op, ann.LeakyReluOp)
    said = clip / levels if scales else np.array([clip.max() / levels])
    lowest, highest = seen.minimum.astype(np.float64), seen.maximum.astype(np.float64)
    step = 2 * clip / INDICES if scales else np.array([(highest.max() - lowest.min() or 1.0) / INDICES])
    first = max(-WIDEST, int(np.floor((lowest / step).min())))
    last = min(WIDEST, max(first, int(np.ceil((highest / step).max())) - 1))
    middles = (np.arange(first, last + 1, dtype=np.float64) + 0.5) * (1.0 if scales else float(step.item()))
    values = evaluated(op, middles, weights) * (2 * levels / INDICES if scales else 1 / float(said.item()))
    table = np.clip(np.rint(values), -levels, levels).astype(np.int32)
    return ann.LookupOp(
        list(charge.relay.currents),
        ann.CountType.of(int(table.min()), int(table.max())),
        threshold=_f32(weights, per_channel(charge, step) / charge.unit, "threshold"),
        initial=_f32(weights, charge.bias / charge.unit, "initial"),
        clip=(first, last),
        table=weights.add(table, "table"),
        scale=weights.add(per_channel(charge, said), "scale"),
    )


def shares(op: ann.SoftmaxOp, charge: Charge, levels: int, weights: WeightStore) -> ann.IntegerSoftmaxOp:
    """Neurons that share a whole among a row, `levels` each where all are equal; charges have one unit in all rows."""
    whole = whole_share(levels, charge.shape[-1])
    factor = 1.0 if op.scale is None else op.scale.value.data
    powers = [2**SOFTMAX_BITS * exp(-SOFTMAX_STEP * k) for k in range(int((SOFTMAX_BITS + 1) * 0.7 / SOFTMAX_STEP))]
    return ann.IntegerSoftmaxOp(
        list(charge.relay.currents),
        ann.CountType.of(0, whole),
        divisor=_f32(weights, np.atleast_1d(SOFTMAX_STEP / factor / charge.unit.max()), "divisor"),
        table=weights.add(np.rint([*powers, 0.0]).astype(np.int32), "table"),
        levels=whole,
        initial=_f32(weights, charge.bias / charge.unit, "initial") if charge.bias.any() else None,
        scale=weights.add(np.array([1 / whole]), "scale"),
    )


def whole_share(levels: int, row: int) -> int:
    """What a softmax shares among a row: `levels` for each where all are equal, as far as 16 bits hold it."""
    return min(levels * row, MOST_SHARES)


def normed(
    op: ann.LayerNormOp, charge: Charge, clip: Field, levels: int, weights: WeightStore
) -> ann.IntegerLayerNormOp:
    """Neurons that say the layer norm of their row in units of clip / levels, to the nearest."""
    row = shape_of(op.result)[-1]
    said = per_channel(charge, clip) / levels
    scale = np.ones(1) if op.scale is None else weights.array(op.scale).astype(np.float64)
    shift = np.zeros(1) if op.shift is None else weights.array(op.shift).astype(np.float64)
    epsilon = row**3 * op.epsilon.value.data / float(charge.unit.max()) ** 2
    return ann.IntegerLayerNormOp(
        list(charge.relay.currents),
        ann.CountType.of(-levels, levels),
        gain=weights.add(sqrt(row) * 2**NORM_BITS * scale / said, "gain"),
        shift=weights.add(2**NORM_BITS * (shift / said + 0.5), "shift"),
        epsilon=epsilon,
        initial=_f32(weights, charge.bias / charge.unit, "initial") if charge.bias.any() else None,
        scale=weights.add(said, "scale"),
    )


def per_channel(charge: Charge, values: Field) -> Field:
    """One number per channel, or one for all, in the form that broadcasts onto the layer."""
    if np.ptp(values) == 0:
        return values[:1]
    return values.reshape(broadcast_shape(len(charge.shape), len(values)))


def evaluated(op: Operation, values: Field, weights: WeightStore) -> Field:
    """An activation function of numbers."""
    result = meaning_of(type(op)).function(op, Run(weights), values[None])
    assert not isinstance(result, tuple)
    return result[0].astype(np.float64)


def _f32(weights: WeightStore, values: Field, name: str) -> Dense:
    return weights.add(values.astype(np.float32), name)
