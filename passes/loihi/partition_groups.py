"""Cuts groups into blocks that fit on cores."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.attributes import integers
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class PartitionGroupsPass(NeuroPass):
    """
    Cuts every group into as few blocks as fit on cores, and gives every block a core, in order.

    A block fits where its neurons, its memory and its axons, in and out, are within the limits of the chip's file. A
    cut with fewer axons is worth up to an eighth more blocks. Small blocks share a core. A layer that fits in no cut,
    and a network that takes more cores than the system has, are refused with what is short.

    Before:
        func.func @main(%x: tensor<1x100x100x1xi32>) -> tensor<4x100x100x1xi24> {
          %y = loihi.network steps 4 inputs(%x) {
          ^bb0(%i: tensor<1x100x100x1xi32>):
            %0 = loihi.source %i : tensor<1x100x100x1xi32> -> tensor<100x100x1xi32>
            %1 = loihi.conv %0 weight(dense<2> : tensor<1x1x1x1xi8>) sign_mode "mixed" message_bits 8
                   : tensor<100x100x1xi32> -> tensor<100x100x1xi24>
            %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>)
                   : (tensor<100x100x1xi24>) -> tensor<100x100x1xi1>, tensor<100x100x1xi24>
            loihi.output %3 : tensor<100x100x1xi24>
          } : (tensor<1x100x100x1xi32>) -> (tensor<4x100x100x1xi24>)
          func.return %y : tensor<4x100x100x1xi24>
        }

    Options: chip="loihi2"

    After:
        func.func @main(%x: tensor<1x100x100x1xi32>) -> tensor<4x100x100x1xi24> {
          %y = loihi.network steps 4 inputs(%x) {
          ^bb0(%i: tensor<1x100x100x1xi32>):
            %0 = loihi.source %i : tensor<1x100x100x1xi32> -> tensor<100x100x1xi32>
            %1 = loihi.conv %0 weight(dense<2> : tensor<1x1x1x1xi8>) sign_mode "mixed" message_bits 8
                   : tensor<100x100x1xi32> -> tensor<100x100x1xi24>
            %2, %3 = loihi.integrate_and_fire %1 threshold(dense<3> : tensor<1xi32>)
                   tiles [1, 3, 1] chips [0, 0, 0] cores [0, 1, 2]
                   : (tensor<100x100x1xi24>) -> tensor<100x100x1xi1>, tensor<100x100x1xi24>
            loihi.output %3 : tensor<100x100x1xi24>
          } : (tensor<1x100x100x1xi32>) -> (tensor<4x100x100x1xi24>)
          func.return %y : tensor<4x100x100x1xi24>
        }
    """

    name = "partition-groups"
    promise = Equal()

    chip: str = "loihi2"

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.loihi._partition import Partition
        from neurocuda.passes.loihi._system import System
        from neurocuda.passes.loihi._uses import Network
        from neurocuda.passes.snn.verify_target import backend_of

        system = System(backend_of("loihi", self.name).chip(self.chip))
        partition = Partition(Network(module, weights), system)
        for group, cores in partition.places.items():
            group.properties["tiles"] = integers(partition.cuts[group].tiles)
            system.lay(group, cores)
