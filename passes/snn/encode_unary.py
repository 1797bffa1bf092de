"""Says every count as that many spikes, exactly: a layer fires only when everything that it reads has arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import GradedType, SpikesType
from neurocuda.errors import LevelError, Problem
from neurocuda.ir.attributes import Dense, element_type, integer, integers, shape_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import carried_element, counting, networks_of_counts, retype

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class EncodeUnaryPass(NeuroPass):
    """
    Rewrites a network of counts into trains of spikes, gated by firing windows.

    The input arrives once, at step 0. A layer of T levels fires in the T steps after the last step at which something
    may reach it; until then it only integrates, from the membrane potential bias + initial. By theorem 1 of the
    conversion notes each neuron then sends exactly its count, as a thermometer: at the first steps of its window. So
    a max pooling is the OR of trains that share a window of time; of any others it counts.

    Before:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %y = snn.network code "count" steps 1 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!ann.count<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>)
                   bias(dense<2> : tensor<1xi32>) levels 4 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }

    After:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %y = snn.network code "unary" steps 5 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>) levels 4 fire [1, 5]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """  # noqa: E501

    name = "encode-unary"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        for network in networks_of_counts(module, self.name):
            schedule = _Schedule(weights)
            for op in network.body.block.ops:
                schedule.visit(op)
            if schedule.problems:
                raise LevelError("the network has no exact unary code:", schedule.problems)
            network.properties["code"] = StringAttr("unary")
            network.properties["steps"] = integer(schedule.steps)


class _Schedule:
    """Walks the network in order and keeps when each value may spike: [start, stop), per element where they differ."""

    def __init__(self, weights: WeightStore) -> None:
        self.weights = weights
        self.start: dict[SSAValue, Field] = {}
        self.stop: dict[SSAValue, int] = {}
        self.steps = 1
        self.problems: list[Problem] = []

    def visit(self, op: Operation) -> None:
        """Encodes one operation; its operands have been encoded."""
        if isinstance(op, snn.OutputOp):
            return
        if isinstance(op, snn.InputOp):
            self._input(op)
        elif isinstance(op, snn.IntegrateAndFireOp):
            self._neuron(op)
        elif isinstance(op, snn.AccumulateOp):
            self._accumulator(op)
        elif isinstance(op, SynapseOp):
            self._set(op, 0, self._last(op))
        else:
            self._index_map(op)

    def _set(self, op: Operation, start: float, stop: int) -> None:
        import numpy as np

        self.start[op.results[0]] = np.full(shape_of(op.results[0]), float(start))
        self.stop[op.results[0]] = stop

    def _last(self, op: Operation) -> int:
        """The first step at which nothing more can arrive."""
        return max(self.stop[operand] for operand in op.operands)

    def _input(self, op: snn.InputOp) -> None:
        element = element_type(op.input)
        assert isinstance(element, CountType)
        retype(op, GradedType.of(*element.bounds))
        self._set(op, 0, 1)

    def _neuron(self, op: snn.IntegrateAndFireOp) -> None:
        if op.levels is None:
            self.problems.append(Problem(f"`{op.name}`", user_location(op), "it has no number of levels"))
            return
        start, levels = self._last(op), op.levels.value.data
        op.properties["initial"] = added(self.weights, op.initial, op.bias)
        op.properties.pop("bias", None)
        op.properties["fire"] = integers((start, start + levels))
        retype(op, SpikesType.of(0, levels))
        self._set(op, start, start + levels)
        self.steps = max(self.steps, start + levels)

    def _accumulator(self, op: snn.AccumulateOp) -> None:
        if op.bias is not None:
            op.properties["initial"] = added(self.weights, op.initial, op.bias)
            op.properties.pop("bias")
        self._set(op, 0, self._last(op))

    def _index_map(self, op: Operation) -> None:
        from neurocuda.passes.ann._fields import carried

        start = carried(op, self.weights, [self.start[operand] for operand in op.operands])
        last = self._last(op)
        if isinstance(op, snn.MaxPool2dOp) and (start is None or not isinstance(carried_element(op), SpikesType)):
            op, start = counting(op), None
        retype(op, carried_element(op))
        self.stop[op.results[0]] = last
        self.start[op.results[0]] = _scattered(op) if start is None else start


def _scattered(op: Operation) -> Field:
    """Start times that differ everywhere: these trains are no thermometers, no window of them is aligned."""
    import numpy as np

    shape = shape_of(op.results[0])
    return -1.0 - np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def added(weights: WeightStore, *constants: Dense | None) -> Dense:
    """The sum of constants, i32.

    Raises:
        LevelError: the sum leaves 32 bits.
    """
    import numpy as np

    arrays = [weights.array(constant) for constant in constants if constant is not None]
    if not arrays:
        return weights.add(np.zeros(1, np.int32), "initial")
    total = sum((array.astype(np.int64) for array in arrays), np.int64(0))
    if np.abs(total).max() >= 2**31:
        raise LevelError("the initial membrane potential leaves 32 bits:", [Problem("bias + initial")])
    return weights.add(np.asarray(total, np.int32), "initial")
