"""Says every count as the time of a single spike, exactly: the larger, the earlier."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp, StringAttr

from neurocuda.dialects.snn.types import GradedType
from neurocuda.ir.attributes import integers
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import Heard, Saying, encode


@dataclass(frozen=True)
class EncodeLatencyPass(NeuroPass):
    """
    Rewrites a network of counts into at most one spike per neuron, which stands for more the earlier it comes.

    A layer of T levels fires in the T steps behind everything that it reads. At step j of its window a spike stands for
    T - j: it is sent where the membrane holds as many thresholds, for the first time at j = T - count. The reset to
    zero then silences the neuron, because nothing arrives any more and all thresholds are above zero. So every neuron
    sends exactly its count with one spike, or none (theorem 4 of the conversion notes). In a max pooling the first
    spike to arrive is the largest; it is counted (`snn.running_max_pool2d`), so windows need not be aligned.

    Hardware does not need to send values: a ramp of one threshold per step raises the membrane to T thresholds, and the
    receiver holds the current that a spike brings until the window ends, T - j steps later.

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
          %y = snn.network code "latency" steps 5 interval 5 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>)
                   levels 4 reset "zero" fire [1, 5] values [4, 3, 2, 1]
                   : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "encode-latency"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        encode(module, weights, self.name, "latency", _say)


def _say(levels: int, heard: Heard) -> Saying:
    values = range(levels, 0, -1)
    said = {"values": integers(values), "reset": StringAttr("zero")}
    return Saying((heard.stop, heard.stop + levels), GradedType.of(0, levels), said)
