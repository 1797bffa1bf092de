"""Says every count with spikes that can be taken back, exactly once all is quiet: no window, no waiting."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import BoolAttr, ModuleOp

from neurocuda.dialects.snn.types import GradedType
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import Heard, Saying, encode


@dataclass(frozen=True)
class EncodeSignedPass(NeuroPass):
    """
    Rewrites a network of counts into ternary neurons that correct themselves.

    Every neuron fires from step 0: +1 where its membrane holds a threshold and fewer than T are out, -1 where its
    membrane is below zero and some are out. With U for all that has arrived and S for the sum of what was sent,
    v = U - threshold S; so S rises where it is below clip(floor(U / threshold), 0, T), falls where it is above, and
    rests there alone (theorem 2 of the conversion notes). From the step of the last arrival on, S moves by one per
    step until it rests, so a layer sends its last spike at most T - 1 steps after the last of those it reads. These
    bounds are the firing windows, which stop nothing; most networks are quiet much earlier. Max poolings
    follow the largest sum, up and down (`snn.running_max_pool2d`).

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
          %y = snn.network code "signed" steps 4 interval 4 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) initial(dense<7> : tensor<1xi32>)
                   levels 4 fire [0, 4] signed true : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 4>>
            %3 = snn.linear %2 weight(dense<7> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 4>> -> tensor<1xi32>
            %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %4 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "encode-signed"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        encode(module, weights, self.name, "signed", _say)


def _say(levels: int, heard: Heard) -> Saying:
    window = (0, heard.stop + levels - 1)
    return Saying(window, GradedType.of(0, levels), {"signed": BoolAttr.from_bool(True)})
