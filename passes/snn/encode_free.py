"""Lets every layer fire as soon as it can, or some steps later: the classical rate code. Approximate, and short."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import GradedType, SpikesType
from neurocuda.errors import LevelError, OptionError, Problem
from neurocuda.ir.attributes import Dense, element_type, integer
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import (
    Heard,
    Saying,
    carried_element,
    counting,
    encode,
    networks_of_counts,
    retype,
)
from neurocuda.passes.snn.analysis.schedule import GRADED, NO_GRADED, USE_GRADED, shortest_interval


@dataclass(frozen=True)
class EncodeFreePass(NeuroPass):
    """
    Rewrites a network of counts into free-running integrate-and-fire neurons.

    Without a delay all layers live for the same T steps. The input is a constant current and the bias B flows at every
    step, so over T steps a neuron receives T times what it would receive at once; everything stays an integer because
    thresholds, initial values and the weights of spikes are multiplied by T. A neuron sends its count exactly when its
    membrane ends in [0, threshold), or beyond it after T spikes, or below zero after none (lemma 2 of the conversion
    notes); nothing promises that it does. Max poolings
    count (`snn.running_max_pool2d`). All layers must have one T.

    With `delay`, a layer waits for so many steps after what it reads has begun, or until all of it has arrived, and
    fires in the T steps from there, while the rest still arrives. Then nothing needs to be multiplied: as in
    `encode-unary` the input arrives once and neurons have their bias from the start, so T may differ, and a delay of T
    steps is the exact unary code. A network that is D layers deep takes 1 + delay (D - 1) + T steps.

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
          %y = snn.network code "free" steps 4 interval 4 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i code "current" : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<40> : tensor<1xi32>) initial(dense<20> : tensor<1xi32>)
                   bias(dense<2> : tensor<1xi32>) levels 4
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %3 = snn.linear %2 weight(dense<28> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "encode-free"
    promise = Approximates()

    delay: int = 0

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        if self.delay < 0:
            raise OptionError(f"encode-free: a delay of {self.delay} steps is negative")
        if self.delay:
            encode(module, weights, self.name, "free", self._say)
            return
        for network in networks_of_counts(module, self.name):
            timesteps = _timesteps(network)
            encoder = _Encoder(weights, timesteps)
            for op in list(network.body.block.ops):
                encoder.visit(op)
            if encoder.problems:
                raise LevelError("the network cannot run free:", encoder.problems)
            network.properties["code"] = StringAttr("free")
            network.properties["steps"] = integer(timesteps)
            network.properties["interval"] = integer(shortest_interval(network))
            _rescale_outputs(network, weights, timesteps, encoder.accumulators)

    def _say(self, levels: int, heard: Heard) -> Saying:
        """A layer waits for `delay` steps, but not for longer than anything arrives."""
        start = min(heard.begun + self.delay, heard.stop)
        return Saying((start, start + levels), SpikesType.of(0, levels))


def _timesteps(network: snn.NetworkOp) -> int:
    """The number of levels that all layers share.

    Raises:
        LevelError: they have different ones.
    """
    neurons = [op for op in network.body.block.ops if isinstance(op, snn.IntegrateAndFireOp)]
    levels = {op.levels.value.data for op in neurons if op.levels is not None}
    if len(levels) > 1:
        why = f"free-running layers live for the same number of steps, these have {sorted(levels)}"
        raise LevelError("the network cannot run free:", [Problem("the layers", "", why, 'Use code="unary".')])
    return levels.pop() if levels else 1


class _Encoder:
    """Walks the network in order. A value is a spike train, or follows from the input alone: a constant current."""

    def __init__(self, weights: WeightStore, timesteps: int) -> None:
        self.weights = weights
        self.timesteps = timesteps
        self.constant: set[SSAValue] = set()
        self.accumulators: set[SSAValue] = set()
        self.problems: list[Problem] = []

    def visit(self, op: Operation) -> None:
        """Encodes one operation; its operands have been encoded."""
        if isinstance(op, snn.InputOp):
            self._input(op)
        elif isinstance(op, snn.IntegrateAndFireOp):
            op.properties["threshold"] = self._times(op.threshold, op)
            if op.initial is not None:
                op.properties["initial"] = self._times(op.initial, op)
            assert op.levels is not None
            retype(op, SpikesType.of(0, op.levels.value.data))
        elif isinstance(op, snn.AccumulateOp):
            self.accumulators.add(op.result)
        elif isinstance(op, SynapseOp):
            self._synapse(op)
        elif isinstance(op, GRADED):
            self.problems.append(Problem(f"`{op.name}`", user_location(op), NO_GRADED, USE_GRADED))
        elif not isinstance(op, snn.OutputOp):
            self._index_map(op)

    def _input(self, op: snn.InputOp) -> None:
        element = element_type(op.input)
        assert isinstance(element, CountType)
        op.properties["code"] = StringAttr("current")
        retype(op, GradedType.of(*element.bounds))
        self.constant.add(op.result)

    def _synapse(self, op: SynapseOp) -> None:
        if op.input in self.constant:
            return
        op.properties["weight"] = self._times(op.weight, op, weight=True)

    def _index_map(self, op: Operation) -> None:
        constant = [operand in self.constant for operand in op.operands]
        if any(constant) and not all(constant):
            why = "it joins the input with spikes, whose weights have another unit"
            self.problems.append(Problem(f"`{op.name}`", user_location(op), why, 'Use code="unary".'))
            return
        if isinstance(op, snn.MaxPool2dOp) and not all(constant):
            op = counting(op)
        retype(op, carried_element(op))
        if all(constant):
            self.constant.add(op.results[0])

    def _times(self, constant: Dense, op: Operation, *, weight: bool = False) -> Dense:
        """T times a constant, in the narrowest type that holds it (weights) or i32."""
        import numpy as np

        product = self.weights.array(constant).astype(np.int64) * self.timesteps
        largest = int(np.abs(product).max(initial=0))
        if largest >= 2**31:
            why = f"{self.timesteps} times its constants leave 32 bits"
            self.problems.append(Problem(f"`{op.name}`", user_location(op), why, "Use fewer timesteps."))
            return constant
        narrow = next(kind for kind in (np.int8, np.int16, np.int32) if largest <= np.iinfo(kind).max)
        return self.weights.add(product.astype(narrow if weight else np.int32), "weight" if weight else "threshold")


def _rescale_outputs(network: snn.NetworkOp, weights: WeightStore, timesteps: int, accumulators: set[SSAValue]) -> None:
    """An accumulator has received T times what it would receive at once."""
    last = network.body.block.last_op
    assert isinstance(last, snn.OutputOp)
    for inner, outer in zip(last.values, network.outputs, strict=True):
        if inner not in accumulators:
            continue
        for use in outer.uses:
            if isinstance(use.operation, host.DequantizeOp):
                scale = weights.array(use.operation.scale).astype("float64") / timesteps
                use.operation.properties["scale"] = weights.add(scale, "scale")
