"""Gives layers of spikes the memory in which their kernels list events."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp, i8

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class ReserveScratchPass(NeuroPass):
    """
    Adds a buffer to every layer of kernel "gather" whose lists of events are too long for the stack.

    Every thread has lists of its own. Programs that are printed as C list no events beyond a word, and get none.

    Before:
        func.func @main(%x: tensor<32x32x8x1xi64>) -> tensor<32x32x8x1xi64> {
          %y = cpu.program "network" for "host" steps 1 covers 8 inputs(%x) {
          ^bb0(%0: memref<32x32x8x1xi64>):
            %1 = cpu.buffer : memref<32x32x8x1xi64>
            cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>]
              weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64]
              kernel "gather" layout [1, 2, 0] steps [0, 1] : (memref<32x32x8x1xi64>) -> memref<32x32x8x1xi64>
            cpu.output %1 : memref<32x32x8x1xi64>
          } : (tensor<32x32x8x1xi64>) -> (tensor<32x32x8x1xi64>)
          func.return %y : tensor<32x32x8x1xi64>
        }

    After:
        func.func @main(%x: tensor<32x32x8x1xi64>) -> tensor<32x32x8x1xi64> {
          %y = cpu.program "network" for "host" steps 1 covers 8 inputs(%x) {
          ^bb0(%0: memref<32x32x8x1xi64>):
            %1 = cpu.buffer : memref<32x32x8x1xi64>
            %2 = cpu.buffer "events" : memref<1595392xi8>
            cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>]
              weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>)
              scratch %2 : memref<1595392xi8> channels 64 of [64] kernel "gather" layout [1, 2, 0] steps [0, 1]
              : (memref<32x32x8x1xi64>) -> memref<32x32x8x1xi64>
            cpu.output %1 : memref<32x32x8x1xi64>
          } : (tensor<32x32x8x1xi64>) -> (tensor<32x32x8x1xi64>)
          func.return %y : tensor<32x32x8x1xi64>
        }
    """

    name = "reserve-scratch"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.cpu.llvm.events_plan import ON_STACK, plan_of

        for op in [op for op in module.walk() if isinstance(op, cpu.SpikeLayerOp)]:
            program, block = op.parent_op(), op.parent
            assert isinstance(program, cpu.ProgramOp)
            assert block is not None
            gathers = op.kernel is not None and op.kernel.data == "gather" and op.scratch is None
            if not gathers or program.processor is None or program.processor.data != "host":
                continue
            plan = plan_of(op)
            if plan is None or plan.slot_bytes <= ON_STACK:
                continue
            buffer = cpu.BufferOp(i8, (plan.scratch_bytes,), label="events")
            new = cpu.SpikeLayerOp.build(
                operands=[op.sources, op.spikes, [buffer.result]],
                properties={name: value for name, value in op.properties.items() if name != "operandSegmentSizes"},
                attributes=dict(op.attributes),
            )
            buffer.location = new.location = op.location
            block.insert_ops_before([buffer, new], op)
            block.erase_op(op)
