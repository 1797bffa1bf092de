"""How large integers can become: signals at one step and summed over time, and membranes, by interval analysis.

Nothing is assumed about the inputs but their declared ranges, and nothing about the trained network but its constants,
so a membrane that is proven to fit a register does so for every image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import AnyFloat, IntegerType, Signedness
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.shared.tables import MatrixProductBase, ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.neurons import ChargedOp
from neurocuda.ir.attributes import FOREVER, Dense, element_type, shape_of, values_of
from neurocuda.ir.weights import WeightStore, constants_named
from neurocuda.passes.snn.analysis.activity import Activity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """lowest ... highest, per element: float64 arrays that broadcast onto the value, exact below 2^53."""

    lowest: Field
    highest: Field

    @staticmethod
    def of(lowest: float, highest: float) -> Interval:
        """One interval for all elements."""
        import numpy as np

        return Interval(np.asarray(float(lowest)), np.asarray(float(highest)))

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lowest + other.lowest, self.highest + other.highest)

    def __mul__(self, other: Interval) -> Interval:
        import numpy as np

        ends = [one * another for one in (self.lowest, self.highest) for another in (other.lowest, other.highest)]
        return Interval(np.minimum.reduce(ends), np.maximum.reduce(ends))

    def times(self, count: float) -> Interval:
        """The sum of `count` such numbers; `count` is not negative."""
        return Interval(self.lowest * count, self.highest * count)

    def within(self, other: Interval) -> Interval:
        """The intersection."""
        import numpy as np

        return Interval(np.maximum(self.lowest, other.lowest), np.minimum(self.highest, other.highest))

    def hull(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        import numpy as np

        return Interval(np.minimum(self.lowest, other.lowest), np.maximum(self.highest, other.highest))

    def everywhere(self) -> Interval:
        """One interval for all elements that holds those of all."""
        return Interval.of(float(self.lowest.min(initial=0)), float(self.highest.max(initial=0)))

    @property
    def integers(self) -> tuple[int, int]:
        """(lowest, highest) over all elements."""
        return int(self.lowest.min()), int(self.highest.max())


ZERO = (0.0, 0.0)


@dataclass(frozen=True)
class Bounds:
    """A signal's values at a step, and the sums of its values over any first steps. Zero is always inside."""

    step: Interval
    total: Interval

    @staticmethod
    def over(step: Interval, activity: Activity, total: Interval | None = None) -> Bounds:
        """From a step's values and the number of steps; `total` is used where it is known better."""
        step = step.hull(Interval.of(*ZERO))
        summed = step.times(activity.length)
        return Bounds(step, summed if total is None else summed.within(total.hull(Interval.of(*ZERO))))


class BoundsAnalysis:
    """The bounds of every integer value in a network's body, and of every membrane. Floats have none.

    `signals` maps values, `membranes` operations: neurons of all kinds and `snn.accumulate`.
    """

    def __init__(self, network: snn.NetworkOp, weights: WeightStore, activities: Mapping[SSAValue, Activity]) -> None:
        self.weights = weights
        self.activities = activities
        self.steps = FOREVER if network.steps is None else network.duration
        self.signals: dict[SSAValue, Bounds | None] = {}
        self.membranes: dict[Operation, Interval] = {}
        waiting = [op for op in network.body.block.ops if op.results]
        for op in waiting:
            if isinstance(op, snn.IntegrateAndFireOp):  # spikes are bounded, whatever closes a cycle
                self.signals[op.result] = self._spikes(op, activities[op.result])
        while waiting:
            waiting = self._sweep(waiting)

    def _sweep(self, ops: Sequence[Operation]) -> list[Operation]:
        """Visits what can be visited; returns the rest, which reads through delays what stands further down.

        Where only a cycle without neurons is left, nothing bounds what it delays.
        """
        rest: list[Operation] = []
        for op in ops:
            if _is_declared(op) or all(self._is_known(operand) for operand in op.operands):
                self.signals[op.results[0]] = self._visit(op)
            else:
                rest.append(op)
        if len(rest) == len(ops):
            unbounded = Interval.of(-FOREVER, FOREVER)
            delays = [op for op in rest if isinstance(op, snn.DelayOp)]
            self.signals |= {op.result: None if is_float(op.result) else Bounds(unbounded, unbounded) for op in delays}
            return [op for op in rest if not isinstance(op, snn.DelayOp)]
        return rest

    def _is_known(self, value: SSAValue) -> bool:
        return value in self.signals or not isinstance(value.owner, Operation)

    def _visit(self, op: Operation) -> Bounds | None:
        activity = self.activities[op.results[0]]
        if isinstance(op, snn.InputOp):
            interval = declared(element_type(op.input))
            return None if interval is None else Bounds.over(interval, activity)
        if _is_declared(op):
            interval = declared(element_type(op.results[0]))
            return None if interval is None else Bounds.over(interval, activity)
        operands = [self.signals[operand] for operand in op.operands]
        if isinstance(op, ChargedOp):
            return self._charged(op, operands, activity)
        if isinstance(op, snn.FiringTableOp):
            return self._said(op, operands, activity)
        if isinstance(op, snn.ThresholdOp):
            return Bounds.over(Interval.of(0, 1), activity)
        known = [bounds for bounds in operands if bounds is not None]
        if len(known) < len(operands) or is_float(op.results[0]):
            return None
        if isinstance(op, SynapseOp):
            return self._synapse(op, known[0], activity)
        if isinstance(op, snn.AddOp):
            step, total = known[0].step, known[0].total
            for other in known[1:]:
                step, total = step + other.step, total + other.total
            return Bounds.over(step, activity, total)
        if isinstance(op, ProductBase):
            return _multiplied(op, known[0].step, known[1].step, activity)
        return _moved(op, known, activity)

    def _synapse(self, op: SynapseOp, source: Bounds, activity: Activity) -> Bounds:
        step = self._weighted(op, source.step)
        return Bounds.over(step, activity, self._weighted(op, source.total))

    def _weighted(self, op: SynapseOp, source: Interval) -> Interval:
        """What a synapse makes of values in an interval."""
        import numpy as np

        lowest, highest = source.everywhere().integers
        weight = self.weights.array(op.weight).astype(np.float64)
        up, down = np.maximum(weight, 0), np.minimum(weight, 0)
        if isinstance(op, Conv2dBase | LinearBase):
            shape = (-1, 1, 1) if isinstance(op, Conv2dBase) else (-1,)
            up, down = (part.reshape(len(weight), -1).sum(axis=1).reshape(shape) for part in (up, down))
        return Interval(up * lowest + down * highest, up * highest + down * lowest)

    def _charged(self, op: ChargedOp, currents: Sequence[Bounds | None], activity: Activity) -> Bounds | None:
        """Neurons: where all is integer, bounds the membrane on the way. Spikes are bounded in any case."""
        names = ("threshold", "initial", "bias")
        constants = map(self.weights.array, constants_named(op.properties, names).values())
        received = None if any(array.dtype.kind == "f" for array in constants) else self._received(currents)
        if received is not None:
            self.membranes[op] = self._membrane(op, received)
        if isinstance(op, snn.IntegrateAndFireOp):
            return self._spikes(op, activity)
        if received is None:
            return None
        if isinstance(op, snn.AccumulateOp) and op.state_bits is not None:
            return Bounds.over(_kept(op), activity)
        return Bounds.over(self.membranes[op], activity)

    def _said(self, op: snn.FiringTableOp, currents: Sequence[Bounds | None], activity: Activity) -> Bounds:
        """A table layer says what its table holds, or what it declares; its membrane only adds up."""
        received = self._received(currents)
        if received is not None:
            self.membranes[op] = self._constant(op.initial).hull(Interval.of(*ZERO)) + received
        lowest, highest = op.range
        if isinstance(op, snn.LookupOp) and op.table is not None:
            table = self.weights.array(op.table)
            lowest, highest = int(table.min()), int(table.max())
        said = Interval.of(lowest, highest)
        return Bounds.over(said, activity, said)

    def _membrane(self, op: ChargedOp, received: Interval) -> Interval:
        """A membrane is where it was last set, plus what it has received since."""
        import numpy as np

        assert isinstance(op, snn.IntegrateAndFireOp | snn.AccumulateOp)
        start = self._constant(op.initial).hull(Interval.of(*ZERO))
        if self.steps == FOREVER:
            return self._at_a_step(op, received)
        bias = self._constant(op.bias).hull(Interval.of(*ZERO)).times(self.steps)
        if isinstance(op, snn.AccumulateOp):
            return start + received + bias
        if op.signed.value.data:
            return start + received + bias + self._taken_back(op)
        for value in (op.reset_value, op.lower_bound):
            if value is not None:
                start = start.hull(self._constant(value))
        rise = np.maximum(-self.weights.array(op.threshold).astype(np.float64), 0)
        growth = Interval(np.zeros_like(rise), rise * self.steps * largest_spike(op))
        return start + received + bias + growth

    def _at_a_step(self, op: Leaky, received: Interval) -> Interval:
        """Without an end: what saturation leaves of the state, what a step brings, and what resets add."""
        kept = _kept(op)
        reached = kept.hull(self._constant(op.initial)) + received.times(2 ** shift_of(op))
        reached = reached + self._constant(op.bias).hull(Interval.of(*ZERO))
        if op.current_decay is not None:
            reached = reached + kept
        if isinstance(op, snn.AccumulateOp):
            return reached
        if op.reset.data == "zero":
            return reached.hull(self._constant(op.reset_value))
        most = self._constant(op.threshold).times(largest_spike(op))
        return reached + Interval(-most.highest, -most.lowest).hull(Interval.of(*ZERO))

    def _taken_back(self, op: snn.IntegrateAndFireOp) -> Interval:
        """What firing takes from the membrane of a signed neuron: between 0 and `levels` thresholds."""
        import numpy as np

        assert op.levels is not None
        most = self.weights.array(op.threshold).astype(np.float64) * op.levels.value.data
        return Interval(np.minimum(-most, 0), np.maximum(-most, 0))

    def _spikes(self, op: snn.IntegrateAndFireOp, activity: Activity) -> Bounds:
        lowest = -1 if op.signed.value.data else 0
        levels = None if op.levels is None else op.levels.value.data
        known = [most for most in (self._most_sent(op), levels) if most is not None]
        return Bounds.over(Interval.of(lowest, largest_spike(op)), activity, Interval.of(0, min(known)))

    def is_capped(self, op: snn.IntegrateAndFireOp) -> bool:
        """Whether `levels` may ever stop a neuron: whether it could send more."""
        if op.levels is None:
            return False
        most = self._most_sent(op)
        return most is None or most > op.levels.value.data

    def _most_sent(self, op: snn.IntegrateAndFireOp) -> int | None:
        """The most that a neuron could send in its window if nothing capped it; None where that is not known."""
        start, stop = op.window or (0, self.steps)
        if op.signed.value.data:
            return None
        if op.values is None:
            return (stop - start) * largest_spike(op)
        return max(values_of(op.values)) if self._fires_once(op) else sum(values_of(op.values))

    def _fires_once(self, op: snn.IntegrateAndFireOp) -> bool:
        """Whether a neuron falls silent with its first spike: it is reset below all thresholds and then left alone."""
        if op.reset.data != "zero" or op.window is None or op.bias is not None:
            return False
        if op.membrane_decay is not None or op.current_decay is not None or op.lower_bound is not None:
            return False
        rest = 0.0 if op.reset_value is None else float(self.weights.array(op.reset_value).max())
        quiet = all(self.activities[current].stop <= op.window[0] for current in op.currents)
        return quiet and max(rest, 0.0) < float(self.weights.array(op.threshold).min())

    def _received(self, currents: Sequence[Bounds | None]) -> Interval | None:
        """What currents bring in all, or, without an end, at a step; None where one is made of floats."""
        received = Interval.of(*ZERO)
        for bounds in currents:
            if bounds is None:
                return None
            received = received + (bounds.step if self.steps == FOREVER else bounds.total)
        return received

    def _constant(self, constant: Dense | None) -> Interval:
        import numpy as np

        if constant is None:
            return Interval.of(*ZERO)
        array = self.weights.array(constant).astype(np.float64)
        return Interval(array, array)


def _is_declared(op: Operation) -> bool:
    """Whether an operation's type alone bounds a signal that it delays."""
    return isinstance(op, snn.DelayOp) and isinstance(element_type(op.result), RangeType | AnyFloat)


def is_float(value: SSAValue) -> bool:
    """Whether a signal is made of floats."""
    return isinstance(element_type(value), AnyFloat)


def declared(element: Attribute) -> Interval | None:
    """The interval that an element type declares; None for floats."""
    if isinstance(element, RangeType):
        return Interval.of(*element.bounds)
    if isinstance(element, IntegerType):
        width = element.width.data
        if element.signedness.data == Signedness.UNSIGNED or width == 1:
            return Interval.of(0, 2**width - 1)
        return Interval.of(-(2 ** (width - 1)), 2 ** (width - 1) - 1)
    return None


Leaky: TypeAlias = snn.IntegrateAndFireOp | snn.AccumulateOp


def _kept(op: Leaky) -> Interval:
    """What saturation leaves of a membrane or of a synaptic current; anything without it."""
    if op.state_bits is None:
        return Interval.of(-FOREVER, FOREVER)
    limit = 2 ** (op.state_bits.value.data - 1)
    return Interval.of(-limit, limit - 1)


def shift_of(op: Operation) -> int:
    """By how many bits the currents of neurons are shifted left as they arrive."""
    return op.shift.value.data if isinstance(op, Leaky) and op.shift is not None else 0


def largest_spike(op: snn.IntegrateAndFireOp) -> int:
    """The most that a neuron sends at one step."""
    return spikes_at_once(op) if op.values is None else max(values_of(op.values))


def spikes_at_once(op: snn.IntegrateAndFireOp) -> int:
    """How many thresholds of its membrane a neuron may send at one step: in code "count" all of them."""
    if is_counted(op) and op.levels is not None:
        return op.levels.value.data
    return op.spikes_per_step.value.data


def is_counted(op: snn.IntegrateAndFireOp) -> bool:
    """Whether a neuron says its count at once: it stands in a network of code "count"."""
    return isinstance(element_type(op.result), CountType)


def _multiplied(op: ProductBase, left: Interval, right: Interval, activity: Activity) -> Bounds:
    """Products at a step; of a matrix, as many as are added up."""
    product = left.everywhere() * right.everywhere()
    added = shape_of(op.left)[-1] if isinstance(op, MatrixProductBase) else 1
    return Bounds.over(product.times(added), activity)


def _moved(op: Operation, sources: Sequence[Bounds], activity: Activity) -> Bounds:
    """Index maps and poolings, elements of all kinds taken together."""
    step, total = sources[0].step.everywhere(), sources[0].total.everywhere()
    for source in sources[1:]:
        step, total = step.hull(source.step.everywhere()), total.hull(source.total.everywhere())
    if isinstance(op, snn.SumPool2dOp):
        count = prod(values_of(op.kernel))
        step, total = step.times(count), total.times(count)
    if isinstance(op, snn.MaxPool2dOp):
        total = total.times(prod(values_of(op.kernel)))
    return Bounds.over(step, activity, total)
