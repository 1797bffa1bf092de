"""When a signal may be other than zero: known from firing windows, delays and the input's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import FOREVER

NEURONS = snn.IntegrateAndFireOp | snn.FiringTableOp
"""What fires: in its firing window, where it has one."""


@dataclass(frozen=True)
class Activity:
    """The steps [start, stop) outside which a signal is zero. A `held` signal has one value at all steps."""

    start: int
    stop: int
    held: bool = False

    @property
    def length(self) -> int:
        """The number of steps."""
        return max(0, self.stop - self.start)


def activities(network: snn.NetworkOp) -> dict[SSAValue, Activity]:
    """The activity of every value in the network's body; without an end, anything may happen at any step."""
    if network.steps is None:
        values = [*network.body.block.args, *(result for op in network.body.block.ops for result in op.results)]
        return dict.fromkeys(values, Activity(0, FOREVER))
    steps = network.duration
    found: dict[SSAValue, Activity] = {argument: Activity(0, steps, True) for argument in network.body.block.args}
    for op in network.body.block.ops:
        if op.results:
            found[op.results[0]] = _activity(op, [found[operand] for operand in op.operands], steps)
    return found


def _activity(op: Operation, operands: Sequence[Activity], steps: int) -> Activity:
    if isinstance(op, snn.InputOp):
        return Activity(0, steps, True) if op.code.data == "current" else Activity(0, 1)
    if isinstance(op, NEURONS):
        start, stop = op.window or (0, steps)
        return Activity(min(start, steps), min(stop, steps))
    if isinstance(op, snn.AccumulateOp):
        return Activity(0, steps)
    if isinstance(op, snn.DelayOp):
        start = min(steps, operands[0].start + op.steps.value.data)
        return Activity(start, max(start, min(steps, operands[0].stop + op.steps.value.data)))
    if isinstance(op, ProductBase):
        start = max(operand.start for operand in operands)
        stop = max(start, min(operand.stop for operand in operands))
        return Activity(start, stop, all(operand.held for operand in operands))
    union = Activity(min(a.start for a in operands), max(a.stop for a in operands), all(a.held for a in operands))
    return Activity(union.start, union.stop) if isinstance(op, snn.RunningMaxPool2dOp) else union
