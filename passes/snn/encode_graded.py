"""Says every count as one graded spike that carries it, exactly: one step per layer."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.snn.types import GradedType
from neurocuda.ir.attributes import integer
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import Heard, Saying, encode


@dataclass(frozen=True)
class EncodeGradedPass(NeuroPass):
    """
    Rewrites a network of counts into graded spikes: a neuron sends its whole count as the payload of one spike.

    The input arrives once, at step 0, and every layer fires at the one step after the last at which something may
    reach it: min(floor(v / threshold), T) where v reaches the threshold, and nothing else. This is the count itself,
    so exactness needs no more argument, a silent neuron costs nothing, and a network takes as many steps as it is
    deep. Max poolings of spikes that arrive together are maxima of payloads. The target's spikes must hold T.

    Table layers (lookup, softmax, layer norm) say their integer, of either sign, at the one step after all that they
    hear. The factors of a product have to meet: what would be said before the other factor is held back by a delay.

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
          %y = snn.network code "graded" steps 2 interval 2 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>)
                   levels 4 spikes_per_step 4 fire [1, 2] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "encode-graded"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        encode(module, weights, self.name, "graded", _say, maximum_at_a_step=GradedType)


def _say(levels: int, heard: Heard) -> Saying:
    window = (heard.stop, heard.stop + 1)
    return Saying(window, GradedType.of(0, levels), {"spikes_per_step": integer(levels)}, carried=levels)
