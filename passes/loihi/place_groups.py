"""Brings neighbouring layers close together on their chips."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class PlaceGroupsPass(NeuroPass):
    """
    Permutes the cores of a partitioned network so that its messages take as few hops as can be found.

    What lies on one core stays together. Traffic is the messages per image times the hops between their cores, along
    the rows and columns of the chip's mesh; crossing to another chip adds as many as the chip's file says. A neuron
    sends as many messages as it fires, to every block that it reaches: `nc.activity` of its group, or one where nobody
    has counted. Cores are laid along a serpentine and then swapped as long as that helps, within a fixed amount of
    work; the traffic is never more than it was.

    Before:
        func.func @main(%x: tensor<1x2xi32>) -> tensor<4x2xi24> {
          %y = loihi.network steps 4 inputs(%x) {
          ^bb0(%i: tensor<1x2xi32>):
            %0 = loihi.source %i : tensor<1x2xi32> -> tensor<2xi32>
            %1 = loihi.dense %0 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" message_bits 8
                   : tensor<2xi32> -> tensor<2xi24>
            %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>) tiles [1] chips [0] cores [0]
                   : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
            %4 = loihi.dense %2 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
            %5, %6 = loihi.integrate_and_fire %4 threshold(dense<3> : tensor<1xi32>) tiles [1] chips [0] cores [5]
                   : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
            loihi.output %6 : tensor<2xi24>
          } : (tensor<1x2xi32>) -> (tensor<4x2xi24>)
          func.return %y : tensor<4x2xi24>
        }

    Options: chip="loihi2"

    After:
        func.func @main(%x: tensor<1x2xi32>) -> tensor<4x2xi24> {
          %y = loihi.network steps 4 inputs(%x) {
          ^bb0(%i: tensor<1x2xi32>):
            %0 = loihi.source %i : tensor<1x2xi32> -> tensor<2xi32>
            %1 = loihi.dense %0 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" message_bits 8
                   : tensor<2xi32> -> tensor<2xi24>
            %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>) tiles [1] chips [0] cores [4]
                   : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
            %4 = loihi.dense %2 weight(dense<2> : tensor<2x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<2xi24>
            %5, %6 = loihi.integrate_and_fire %4 threshold(dense<3> : tensor<1xi32>) tiles [1] chips [0] cores [5]
                   : (tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>
            loihi.output %6 : tensor<2xi24>
          } : (tensor<1x2xi32>) -> (tensor<4x2xi24>)
          func.return %y : tensor<4x2xi24>
        }
    """

    name = "place-groups"
    promise = Equal()

    chip: str = "loihi2"

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.loihi._placement import placed
        from neurocuda.passes.loihi._system import System
        from neurocuda.passes.loihi._traffic import cores_of, require_places, spikes_per_neuron, traffic_of
        from neurocuda.passes.loihi._uses import Network
        from neurocuda.passes.snn.verify_target import backend_of

        system = System(backend_of("loihi", self.name).chip(self.chip))
        network = Network(module, weights)
        require_places(network.groups, system, self.name)
        cores = cores_of(network, system)
        traffic = traffic_of(network, system, {group: spikes_per_neuron(group) for group in network.groups})
        chips = 1 + max((chip for group in network.groups for chip, _ in group.places), default=0)
        places = placed(traffic, system, chips)
        for group, before in cores.items():
            system.lay(group, places[before])
