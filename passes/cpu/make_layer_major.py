"""Turns a program that runs step after step into one that runs layer after layer, each over all time steps at once."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp, StringAttr

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.ir.attributes import integer
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

IN_THE_WAY = "nc.in_the_way"
"""The discardable attribute that names the loop nest for which a program stays as it was, and why."""


@dataclass(frozen=True)
class MakeLayerMajorPass(NeuroPass):
    """
    Computes all time steps of a layer before the next layer: the loops around a membrane become `cpu.spike_layer`.

    Spikes become trains of bits, membranes are not stored. A current that flows at every step is computed once and made
    into a train (`cpu.current_layer`). A membrane that never fires adds up the spike counts: by linearity its synapses
    run once. Pools become part of the synapse behind them, index maps part of the weights of a linear one. What all
    weights of a layer have in common is a factor; how wide the sum of a step's weights can become is proven.

    A program has one step afterwards, which covers those it had. It is all or nothing: a program with a loop that does
    not fit, such as a leak or a delay, stays as it is, and `nc.in_the_way` names that loop.

    Before:
        func.func @main(%x: tensor<2xi8>) -> tensor<1xi32> {
          %y = cpu.program "network" steps 3 inputs(%x) {
          ^bb0(%0: memref<2xi8>):
            %1 = cpu.buffer : memref<2xi32>
            cpu.fill %1 steps [0, 1] : memref<2xi32>
            cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<2xi8> -> memref<2xi32>
            %2 = cpu.buffer : memref<2xi32>
            cpu.fill %2 value(dense<1> : tensor<1xi32>) steps [0, 1] : memref<2xi32>
            cpu.add %1 -> %2 steps [0, 3] : memref<2xi32> -> memref<2xi32>
            %3 = cpu.buffer : memref<2xi1>
            cpu.fire %2 -> %3 threshold(dense<9> : tensor<1xi32>) layout [0] steps [0, 3]
              : memref<2xi32> -> memref<2xi1>
            %4 = cpu.buffer : memref<2xi32>
            cpu.fill %4 steps [0, 1] : memref<2xi32>
            cpu.linear %3 -> %4 weight(dense<[[600, 0], [-300, 300]]> : tensor<2x2xi16>) steps [0, 3]
              : memref<2xi1> -> memref<2xi32>
            cpu.charge %4 value(dense<[1, 2]> : tensor<2xi32>) steps [0, 3] : memref<2xi32>
            %5 = cpu.buffer : memref<2xi1>
            cpu.fire %4 -> %5 threshold(dense<5> : tensor<1xi32>) layout [0] steps [0, 3]
              : memref<2xi32> -> memref<2xi1>
            %6 = cpu.buffer : memref<1xi32>
            cpu.fill %6 steps [0, 1] : memref<1xi32>
            cpu.linear %5 -> %6 weight(dense<[[4], [5]]> : tensor<2x1xi8>) steps [0, 3] : memref<2xi1> -> memref<1xi32>
            cpu.charge %6 value(dense<7> : tensor<1xi32>) steps [0, 3] : memref<1xi32>
            %7 = cpu.buffer : memref<1xi32>
            cpu.copy %6 -> %7 sizes [1] from 0 [1] to 0 [1] steps [2, 3] : memref<1xi32> -> memref<1xi32>
            cpu.output %7 : memref<1xi32>
          } : (tensor<2xi8>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }

    After:
        func.func @main(%x: tensor<2xi8>) -> tensor<1xi32> {
          %y = cpu.program "network" steps 1 covers 3 inputs(%x) {
          ^bb0(%0: memref<2xi8>):
            %1 = cpu.buffer : memref<2xi32>
            cpu.fill %1 steps [0, 1] : memref<2xi32>
            cpu.diagonal %0 -> %1 weight(dense<2> : tensor<1xi8>) steps [0, 1] : memref<2xi8> -> memref<2xi32>
            %2 = cpu.buffer : memref<3x1xi64>
            cpu.current_layer %1 -> %2 threshold(dense<9> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) channels 2
              layout [0] steps [0, 1] : memref<2xi32> -> memref<3x1xi64>
            %3 = cpu.buffer : memref<3x1xi64>
            cpu.spike_layer(%2) -> %3 synapses [#cpu.synapse<linear>] weights
              [dense<[[2, 0], [-1, 1]]> : tensor<2x2xi8>] threshold(dense<5> : tensor<1xi32>)
              bias(dense<[1, 2]> : tensor<2xi32>) factor 300 charge_bits 16 channels 2 of [2] layout [0] steps [0, 1] :
              (memref<3x1xi64>) -> memref<3x1xi64>
            %4 = cpu.buffer : memref<1xi32>
            cpu.fill %4 steps [0, 1] : memref<1xi32>
            cpu.charge %4 value(dense<21> : tensor<1xi32>) steps [0, 1] : memref<1xi32>
            %5 = cpu.buffer : memref<2xui8>
            cpu.count_train %3 -> %5 channels 2 steps [0, 1] : memref<3x1xi64> -> memref<2xui8>
            cpu.linear %5 -> %4 weight(dense<[[4], [5]]> : tensor<2x1xi8>) steps [0, 1] : memref<2xui8> -> memref<1xi32>
            %6 = cpu.buffer : memref<1xi32>
            cpu.copy %4 -> %6 sizes [1] from 0 [1] to 0 [1] steps [0, 1] : memref<1xi32> -> memref<1xi32>
            cpu.output %6 : memref<1xi32>
          } : (tensor<2xi8>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "make-layer-major"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.cpu.lowering.over_time import OverTime, UnfitLoop

        for program in [op for op in module.walk() if isinstance(op, cpu.ProgramOp)]:
            fires = any(isinstance(op, cpu.FireOp) for op in program.body.block.ops)
            if program.steps is None or program.covers is not None or not fires:
                continue
            try:
                body = OverTime(program, weights).body()
            except UnfitLoop as found:
                where = user_location(found.op)
                program.attributes[IN_THE_WAY] = StringAttr(
                    f"`{found.op.name}`{f' of {where}' if where else ''}: {found.why}"
                )
                continue
            program.properties["covers"] = program.steps
            program.properties["steps"] = integer(1)
            program.detach_region(program.body)
            program.add_region(body)
