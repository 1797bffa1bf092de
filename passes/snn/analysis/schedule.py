"""When trains begin, how long state is in use, and how soon the next image may follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.activity import NEURONS, Activity, activities

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]

GRADED = snn.FiringTableOp | ProductBase
"""What is said in code "graded" alone: `NO_GRADED` is the reason, `USE_GRADED` what to do."""

NO_GRADED = "only graded spikes carry numbers of either sign at one step"
USE_GRADED = 'Use code="graded".'

STATEFUL = NEURONS | snn.AccumulateOp | snn.RunningMaxPool2dOp
"""What one image leaves something in that the next must not meet. A delay line may hold several images."""


def busy(op: Operation, when: Mapping[SSAValue, Activity]) -> tuple[int, int]:
    """The steps [first, end) for which a stateful operation works on an image.

    A neuron does from the first arrival to the end of its firing window, others to the last arrival.
    """
    arrivals = [when[operand] for operand in op.operands]
    first = min(arrival.start for arrival in arrivals)
    last = max(arrival.stop for arrival in arrivals)
    if not isinstance(op, NEURONS):
        return first, last
    fires = when[op.result]
    return min(first, fires.start), max(last, fires.stop)


def shortest_interval(network: snn.NetworkOp) -> int:
    """The fewest steps after which another image may follow: the longest time that any state is in use."""
    when = activities(network)
    spans = [busy(op, when) for op in network.body.block.ops if isinstance(op, STATEFUL)]
    return max((end - first for first, end in spans), default=1)


def beginnings(network: snn.NetworkOp, weights: WeightStore) -> dict[SSAValue, Field | None]:
    """The step at which the train of every element of a signal begins; None where trains have no common window.

    Delays shift trains, index maps move them, and a pooling has trains where those of every window begin together.
    """
    found: dict[SSAValue, Field | None] = {}
    for op in network.body.block.ops:
        if op.results:
            found[op.results[0]] = _beginning(op, weights, [found.get(operand) for operand in op.operands])
    return found


def _beginning(op: Operation, weights: WeightStore, operands: Sequence[Field | None]) -> Field | None:
    import numpy as np

    from neurocuda.passes.ann._fields import carried, carries

    if isinstance(op, NEURONS | snn.InputOp):
        window = op.window if isinstance(op, NEURONS) else (0, 1)
        return None if window is None else np.full(shape_of(op.results[0]), float(window[0]))
    known = [operand for operand in operands if operand is not None]
    if len(known) < len(operands) or isinstance(op, snn.RunningMaxPool2dOp):
        return None
    if isinstance(op, snn.DelayOp):
        return known[0] + op.steps.value.data
    return carried(op, weights, known) if carries(op) else None
