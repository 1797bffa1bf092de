"""Keeps early spikes back until they are needed, so that the next image may follow sooner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import integer
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.activity import NEURONS, Activity, activities
from neurocuda.passes.snn.analysis.schedule import STATEFUL, busy, shortest_interval
from neurocuda.passes.snn.verify_schedule import GATED


@dataclass(frozen=True)
class InsertDelaysPass(NeuroPass):
    """
    Puts delays before the synapses of early shortcuts, so that no neuron works on an image for longer than it must.

    A layer that waits for a slow branch holds what a fast one has brought, and meanwhile no other image may arrive. In
    codes whose layers fire behind everything that they read, spikes may come at any earlier step: delays change no
    count, no step and only the `interval`. In a residual block it falls from three windows to two. Delays are as short
    as the shortest interval allows, and synapses of one signal share them. Other codes are left alone.

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
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %4 = snn.integrate_and_fire %3 threshold(dense<10> : tensor<1xi32>) levels 4 fire [5, 9]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            %5 = snn.linear %4 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.spikes<0, 4>> -> tensor<1xi32>
            %d = snn.delay %2 steps 4 : tensor<1x!snn.spikes<0, 4>> -> tensor<1x!snn.spikes<0, 4>>
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
    lines: dict[tuple[SSAValue, int], SSAValue] = {}
    for op in readers:
        for synapse, slack in _early(op, when):
            needed = min(slack, busy(op, when)[1] - when[synapse.result].start - interval)
            if needed > 0:
                _keep_back(synapse, needed, lines)


def _shortest(op: Operation, when: Mapping[SSAValue, Activity]) -> int:
    """For how long an operation works on an image if all that can be kept back is."""
    slack: dict[SSAValue, int] = {synapse.result: steps for synapse, steps in _early(op, when)}
    arrivals = [when[operand].start + slack.get(operand, 0) for operand in op.operands]
    return busy(op, when)[1] - min(arrivals)


def _early(op: Operation, when: Mapping[SSAValue, Activity]) -> Iterator[tuple[SynapseOp, int]]:
    """Synapses that a layer alone reads, and for how many steps their currents may be kept back."""
    needed = max(when[operand].stop for operand in op.operands)
    if isinstance(op, NEURONS) and op.window is not None:
        needed = op.window[0]
    for operand in op.operands:
        owner = operand.owner
        if isinstance(owner, SynapseOp) and len(list(operand.uses)) == 1:
            yield owner, max(0, needed - when[operand].stop)


def _keep_back(synapse: SynapseOp, steps: int, lines: dict[tuple[SSAValue, int], SSAValue]) -> None:
    key = (synapse.input, steps)
    if key not in lines:
        line = snn.DelayOp(synapse.input, steps)
        line.location = synapse.location
        Rewriter.insert_op(line, InsertPoint.before(synapse))
        lines[key] = line.result
    synapse.operands[0] = lines[key]
