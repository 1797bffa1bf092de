"""Integer thresholds, divisors and tables for layers that say signed numbers.

What 1 of a count stands for must stay what a table was made for, and stay equal where channels are compared. So the
unit of the weights gives way: it is coarsened until a threshold is a whole number of units, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.tables import TableLayerOp
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._weight_grid import coarse_enough

Field = NDArray[np.float64]

COARSER = 2.0
"""How much coarser the entries of a table may become: tables are made finer than needed."""

LARGEST = 2**31 - 1
"""The largest number that a layer's constants may hold."""


class DoesNotFitError(ValueError):
    """The layer has no form in integers; says why, and what to do."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


@dataclass(frozen=True)
class Charge:
    """What integers of a charge stand for.

    `unit` is the finest that the weights allow, one per channel in the form that broadcasts onto the layer, and
    `alive` says which channels have weights at all. Of a product the unit is `fixed`. `reach` bounds the charge, and
    `rounding`, in units, what integer weights add to it.
    """

    unit: Field
    alive: NDArray[np.bool_]
    reach: float
    rounding: float
    fixed: bool

    def whole(self, step: Field, factor: float) -> tuple[float, Field, Field]:
        """(ratio, integer step, unit) with integer step times unit = ratio times step, exactly, and ratio >= factor."""
        ratio = max(factor, float(np.where(self.alive, self.unit / step, 0).max()))
        steps = np.where(self.alive, np.maximum(np.floor(ratio * step / self.unit * (1 + 1e-9)), 1), 1)
        return ratio, steps, ratio * step / steps

    @property
    def common(self) -> float:
        """One unit for all channels.

        Raises:
            DoesNotFitError: the unit is fixed, and differs from channel to channel.
        """
        if self.fixed and np.ptp(self.unit) > 1e-6 * self.unit.max():
            why = "what it multiplies has a different scale in every row"
            raise DoesNotFitError(why, "Put a linear layer in front of the product.")
        return float(np.where(self.alive, self.unit, 0).max()) or 1.0


@dataclass(frozen=True)
class Quantised:
    """A layer in integers, the unit of its charge, and its counts' true scale over the one that readers assume."""

    op: TableLayerOp
    unit: Field
    ratio: Field
    charge: float


def quantised(op: TableLayerOp, charge: Charge, room: int, weights: WeightStore) -> Quantised:
    """The layer in integers; constants of its membrane stay below `room`.

    Raises:
        DoesNotFitError: there is no such layer.
    """
    if isinstance(op, ann.LookupOp):
        return _relay(op, charge, room, weights) if op.table is None else _lookup(op, op.table, charge, room, weights)
    if isinstance(op, ann.IntegerSoftmaxOp):
        return _softmax(op, charge, weights)
    assert isinstance(op, ann.IntegerLayerNormOp)
    return _layer_norm(op, charge, weights)


def _relay(op: ann.LookupOp, charge: Charge, room: int, weights: WeightStore) -> Quantised:
    threshold, initial = _float(op.threshold, weights), _float(op.initial, weights)
    bias = initial - threshold / 2
    if charge.fixed:  # readers make up for steps that differ from channel to channel
        steps = np.maximum(np.rint(threshold / charge.unit), 1)
        ratio, unit = steps * charge.unit / threshold, charge.unit
    else:
        charge = _with_room(charge, bias, threshold, room)
        factor, steps, unit = charge.whole(threshold, 1.0)
        ratio = np.array(factor)
    whole_bias = np.rint(bias / unit)
    new = ann.LookupOp(
        list(op.currents),
        element_type(op.result),
        threshold=_i32(steps, "threshold", weights),
        initial=_i32(whole_bias + steps // 2, "initial", weights),
        clip=op.clip,
        scale=weights.add(_float(op.scale, weights) * ratio, "scale"),
    )
    return Quantised(new, unit, ratio, float(np.abs(whole_bias).max()) + float(steps.max()))


def _lookup(op: ann.LookupOp, table: Dense, charge: Charge, room: int, weights: WeightStore) -> Quantised:
    threshold, bias = _float(op.threshold, weights), _float(op.initial, weights)
    charge = _with_room(charge, bias, threshold, room)
    ratio, steps, unit = charge.whole(threshold, COARSER)
    entries, (lowest, highest) = weights.array(table), op.clip
    first, last = int(np.floor(lowest / ratio)), int(np.ceil((highest + 1) / ratio)) - 1
    nearest = np.floor((np.arange(first, last + 1) + 0.5) * ratio).astype(np.int64) - lowest
    joined = entries[np.clip(nearest, 0, len(entries) - 1)]
    whole_bias = np.rint(bias / unit)
    new = ann.LookupOp(
        list(op.currents),
        element_type(op.result),
        threshold=_i32(steps, "threshold", weights),
        initial=_i32(whole_bias, "initial", weights),
        clip=(first, last),
        table=weights.add(joined, "table"),
        scale=op.scale,
    )
    return Quantised(new, unit, np.ones(1), float(np.abs(whole_bias).max()))


def _softmax(op: ann.IntegerSoftmaxOp, charge: Charge, weights: WeightStore) -> Quantised:
    unit = charge.common
    divisor = _float(op.divisor, weights)
    steps = np.maximum(np.rint(COARSER * divisor / unit), 1)
    ratio = float((steps * unit / divisor).max())
    entries = weights.array(op.table)
    places = np.rint(np.arange(int(np.ceil((len(entries) - 1) / ratio)) + 1) * ratio).astype(np.int64)
    initial = None if op.initial is None else np.rint(_float(op.initial, weights) / unit)
    new = ann.IntegerSoftmaxOp(
        list(op.currents),
        element_type(op.result),
        divisor=_i32(steps, "divisor", weights),
        table=weights.add(entries[np.minimum(places, len(entries) - 1)], "table"),
        levels=op.levels.value.data,
        initial=None if initial is None else _i32(initial, "initial", weights),
        scale=op.scale,
    )
    return Quantised(new, np.full_like(charge.unit, unit), np.ones(1), _magnitude(initial))


def _layer_norm(op: ann.IntegerLayerNormOp, charge: Charge, weights: WeightStore) -> Quantised:
    """The sum of squares of N charges times N^2 must stay below 2^62: the unit is coarsened until it does."""
    row = shape_of(op.result)[-1]
    room = 2**31 / row**1.5 - charge.rounding - 1
    if room < 1:
        raise DoesNotFitError("its sum of squares could leave 64 bits", "Use fewer timesteps, or a shorter row.")
    bias = None if op.initial is None else _float(op.initial, weights)
    reach = charge.reach + _magnitude(bias)
    unit = max(charge.common, reach / room)
    initial = None if bias is None else np.rint(bias / unit)
    epsilon = round(op.epsilon.value.data / unit**2)
    if epsilon >= 2**62:
        raise DoesNotFitError("its charges are small beside its epsilon", "Train with a smaller epsilon.")
    new = ann.IntegerLayerNormOp(
        list(op.currents),
        element_type(op.result),
        gain=_i32(np.rint(_float(op.gain, weights)), "gain", weights),
        shift=_i32(np.rint(_float(op.shift, weights)), "shift", weights),
        epsilon=epsilon,
        initial=None if initial is None else _i32(initial, "initial", weights),
        scale=op.scale,
    )
    return Quantised(new, np.full_like(charge.unit, unit), np.ones(1), _magnitude(initial))


def _with_room(charge: Charge, bias: Field, threshold: Field, room: int) -> Charge:
    """A charge whose constants fit: dead channels get a coarser unit."""
    unit = coarse_enough(coarse_enough(charge.unit, np.abs(bias), room), threshold, room)
    return Charge(unit, np.broadcast_to(charge.alive, unit.shape), charge.reach, charge.rounding, fixed=False)


def _float(constant: Dense | None, weights: WeightStore) -> Field:
    return np.zeros(1) if constant is None else weights.array(constant).astype(np.float64)


def _magnitude(values: Field | None) -> float:
    return 0.0 if values is None else float(np.abs(values).max(initial=0))


def _i32(values: Field, name: str, weights: WeightStore) -> Dense:
    if np.abs(values).max(initial=0) > LARGEST:
        raise DoesNotFitError(f"its {name} does not fit into 32 bits", "Use fewer timesteps or weight bits.")
    return weights.add(values.astype(np.int32), name)
