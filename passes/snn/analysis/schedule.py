"""How long state is in use, and how soon the next image may follow."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.snn import ops as snn
from neurocuda.passes.snn.analysis.activity import Activity, activities

STATEFUL = snn.IntegrateAndFireOp | snn.AccumulateOp | snn.RunningMaxPool2dOp
"""What one image leaves something in that the next must not meet. A delay line may hold several images."""


def busy(op: Operation, when: Mapping[SSAValue, Activity]) -> tuple[int, int]:
    """The steps [first, end) for which a stateful operation works on an image.

    A neuron does from the first arrival to the end of its firing window, others to the last arrival.
    """
    arrivals = [when[operand] for operand in op.operands]
    first = min(arrival.start for arrival in arrivals)
    last = max(arrival.stop for arrival in arrivals)
    if not isinstance(op, snn.IntegrateAndFireOp):
        return first, last
    fires = when[op.result]
    return min(first, fires.start), max(last, fires.stop)


def shortest_interval(network: snn.NetworkOp) -> int:
    """The fewest steps after which another image may follow: the longest time that any state is in use."""
    when = activities(network)
    spans = [busy(op, when) for op in network.body.block.ops if isinstance(op, STATEFUL)]
    return max((end - first for first, end in spans), default=1)
