"""Says every count in binary, the most significant spike first, exactly: log2(T + 1) steps per layer."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.snn.types import GradedType
from neurocuda.ir.attributes import integers
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import Heard, Saying, encode
from neurocuda.passes.snn.analysis.multiples import radix_values


@dataclass(frozen=True)
class EncodeRadixPass(NeuroPass):
    """
    Rewrites a network of counts into few spikes that stand for unequal values.

    A layer of T levels fires in a window of K = ceil(log2(T + 1)) steps, behind everything that it reads. At its step
    j a spike stands for `values[j]`: it is sent, and that many thresholds subtracted, where the membrane holds as many.

    The values are T + 1 - 2^(K-1), then 2^(K-2), ..., 2, 1: binary where T + 1 is a power of two. They sum up to T, and
    every value is at most one more than the sum of those behind it (the first is at most 2^(K-1)); so whatever is left
    of min(floor(v / threshold), T) after a step is at most what the later values sum up to, and at the end nothing is:
    every neuron sends exactly its count, for every T. A larger count never has a smaller sum of its first values, so
    a max pooling that follows the largest sum so far is exact as well (`snn.running_max_pool2d`).

    Hardware sends one bit; the receiver doubles its membrane or scales the current at the step (theorem 3 of the
    conversion notes).

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
          %y = snn.network code "radix" steps 4 interval 4 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>)
                   levels 4 fire [1, 4] values [1, 2, 1] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "encode-radix"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        encode(module, weights, self.name, "radix", _say)


def _say(levels: int, heard: Heard) -> Saying:
    values = radix_values(levels)
    window = (heard.stop, heard.stop + len(values))
    return Saying(window, GradedType.of(0, levels), {"values": integers(values)})
