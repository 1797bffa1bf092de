"""Keeps early spikes back until they are needed, so that the next image may follow sooner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import element_type, integer
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.activity import NEURONS, Activity, activities
from neurocuda.passes.snn.analysis.schedule import STATEFUL, busy, shortest_interval
from neurocuda.passes.snn.verify_schedule import GATED

Key: TypeAlias = "tuple[SSAValue, *tuple[SSAValue | int, ...]]"
"""A signal, and for how many steps it is kept back, or the late signals that are joined in its place."""

Late: TypeAlias = "dict[Key, SSAValue]"


@dataclass(frozen=True)
class InsertDelaysPass(NeuroPass):
    """
    Puts delays before the synapses of early shortcuts, so that no neuron works on an image for longer than it must.

    A layer that waits for a slow branch holds what a fast one has brought, and meanwhile no other image may arrive. In
    codes whose layers fire behind everything that they read, spikes may come at any earlier step: delays change no
    count, no step and only the `interval`. In a residual block it falls from three windows to two. Delays are as short
    as the shortest interval allows, and synapses of one signal share them. Of signals that are joined each waits for as
    long as it must. Other codes are left alone.

    Before:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.spikes<0, 4>> {
          %y = snn.network code "unary" steps 13 interval 12 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 fire [5, 9]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %6 = snn.diagonal %2 weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %7 = snn.integrate_and_fire %5, %6 threshold(dense<10> : tensor<1xi32>) levels 4 fire [9, 13]
                   : (tensor<1xi32>, tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            snn.output %7 : tensor<1x!snn.spikes<0, 4>>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.spikes<0, 4>>)
          func.return %y : tensor<1x!snn.spikes<0, 4>>
        }

    After:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.spikes<0, 4>> {
          %y = snn.network code "unary" steps 13 interval 8 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %d = snn.delay %2 steps 4 : tensor<1x!snn.spikes<0, 4>> -> tensor<1x!snn.spikes<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 fire [5, 9]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %6 = snn.diagonal %d weight(dense<5> : tensor<1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %7 = snn.integrate_and_fire %5, %6 threshold(dense<10> : tensor<1xi32>) levels 4 fire [9, 13]
                   : (tensor<1xi32>, tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            snn.output %7 : tensor<1x!snn.spikes<0, 4>>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.spikes<0, 4>>)
          func.return %y : tensor<1x!snn.spikes<0, 4>>
        }
    """

    name = "insert-delays"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        for network in module.walk():
            if isinstance(network, snn.NetworkOp) and network.code.data in GATED:
                _delay(network)
                network.properties["interval"] = integer(shortest_interval(network))


def _delay(network: snn.NetworkOp) -> None:
    when = activities(network)
    readers = [op for op in network.body.block.ops if isinstance(op, STATEFUL)]
    interval = max((_shortest(op, when) for op in readers), default=1)
    late: Late = {}
    for op in readers:
        latest = busy(op, when)[1] - interval
        needed = {signal: min(slack, latest - when[signal].start) for signal, slack in _slack(op, when).items()}
        for synapse in _own_synapses(op):
            synapse.operands[0] = _kept_back(synapse.input, needed, late)
    for op in reversed(list(network.body.block.ops)):
        if isinstance(op, snn.ConcatOp) and not op.result.uses:
            Rewriter.erase_op(op)


def _shortest(op: Operation, when: Mapping[SSAValue, Activity]) -> int:
    """For how long an operation works on an image if all that can be kept back is."""
    return busy(op, when)[1] - min(when[signal].start + slack for signal, slack in _slack(op, when).items())


def _slack(op: Operation, when: Mapping[SSAValue, Activity]) -> dict[SSAValue, int]:
    """Every signal that an operation reads, and for how many steps it may be kept back."""
    needed = max(when[operand].stop for operand in op.operands)
    if isinstance(op, NEURONS) and op.window is not None:
        needed = op.window[0]
    own = _own_synapses(op)
    others = {operand: 0 for operand in op.operands if operand.owner not in own}
    signals = [signal for synapse in own for signal in _joined(synapse.input)]
    return others | {signal: max(0, needed - when[signal].stop) for signal in signals}


def _own_synapses(op: Operation) -> list[SynapseOp]:
    """The synapses that a layer alone reads."""
    owners = [operand.owner for operand in op.operands if len(list(operand.uses)) == 1]
    return [owner for owner in owners if isinstance(owner, SynapseOp)]


def _joined(value: SSAValue) -> Iterator[SSAValue]:
    """The signals that a concatenation joins, or the signal itself."""
    if not isinstance(value.owner, snn.ConcatOp):
        yield value
        return
    for part in value.owner.inputs:
        yield from _joined(part)


def _kept_back(value: SSAValue, needed: Mapping[SSAValue, int], late: Late) -> SSAValue:
    """A signal, or those that a concatenation joins, as many steps later as needed; others may read it as it is."""
    if isinstance(value.owner, snn.ConcatOp):
        parts = [_kept_back(part, needed, late) for part in value.owner.inputs]
        if parts == list(value.owner.inputs):
            return value
        axis = value.owner.axis.value.data
        return _shared((value, *parts), lambda: snn.ConcatOp(parts, axis, element_type(value)), late)
    steps = needed[value]
    return value if steps <= 0 else _shared((value, steps), lambda: snn.DelayOp(value, steps), late)


def _shared(key: Key, build: Callable[[], snn.ConcatOp | snn.DelayOp], late: Late) -> SSAValue:
    """What says a signal later, built where the signal is known so that all may read it."""
    if key not in late:
        op, owner = build(), key[0].owner
        assert isinstance(owner, Operation)
        op.location = owner.location
        Rewriter.insert_op(op, InsertPoint.after(owner))
        late[key] = op.result
    return late[key]
