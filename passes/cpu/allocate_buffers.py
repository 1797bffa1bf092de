"""Places the buffers of programs in one memory, where those that are never in use together share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_bytes
from neurocuda.ir.attributes import integer
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

ALIGNMENT = 64
"""Buffers begin at multiples of so many bytes: a cache line, and the widest vector there is."""


@dataclass(frozen=True)
class AllocateBuffersPass(NeuroPass):
    """
    Gives every buffer of a program its place in the program's memory; the caller's own arrays get none.

    A buffer is in use from the first loop nest that touches it, at the first of its steps, to the last one, at the last
    of its steps. The largest buffers are placed first, each as low as it goes.

    Before:
        func.func @main(%x: tensor<2xi32>) -> tensor<2xi32> {
          %y = cpu.program "network" steps 3 inputs(%x) {
          ^bb0(%0: memref<2xi32>):
            %1 = cpu.buffer : memref<2xi32>
            %2 = cpu.buffer : memref<2xi32>
            %3 = cpu.buffer : memref<2xi32>
            cpu.fill %1 steps [0, 1] : memref<2xi32>
            cpu.fill %2 steps [1, 3] : memref<2xi32>
            cpu.fill %3 steps [2, 3] : memref<2xi32>
            cpu.output %3 : memref<2xi32>
          } : (tensor<2xi32>) -> (tensor<2xi32>)
          func.return %y : tensor<2xi32>
        }

    After:
        func.func @main(%x: tensor<2xi32>) -> tensor<2xi32> {
          %y = cpu.program "network" steps 3 inputs(%x) {
          ^bb0(%0: memref<2xi32>):
            %1 = cpu.buffer offset 0 : memref<2xi32>
            %2 = cpu.buffer offset 0 : memref<2xi32>
            %3 = cpu.buffer : memref<2xi32>
            cpu.fill %1 steps [0, 1] : memref<2xi32>
            cpu.fill %2 steps [1, 3] : memref<2xi32>
            cpu.fill %3 steps [2, 3] : memref<2xi32>
            cpu.output %3 : memref<2xi32>
          } : (tensor<2xi32>) -> (tensor<2xi32>)
          func.return %y : tensor<2xi32>
        }
    """

    name = "allocate-buffers"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        for op in module.walk():
            if isinstance(op, cpu.ProgramOp):
                _allocate(op)


@dataclass(frozen=True)
class _Block:
    """A piece of memory, and the (step, loop nest) from which and to which it is in use, both included."""

    first: tuple[int, int]
    last: tuple[int, int]
    size: int
    offset: int = 0

    def meets(self, other: _Block) -> bool:
        """Whether both are in use at some time."""
        return self.first <= other.last and other.first <= self.last


def _allocate(program: cpu.ProgramOp) -> None:
    body = program.body.block
    last = body.last_op
    outputs = set(last.operands) if last is not None else set[SSAValue]()
    places = {op: place for place, op in enumerate(body.ops)}
    buffers: list[tuple[cpu.BufferOp, _Block]] = []
    for op in list(body.ops):
        if isinstance(op, cpu.BufferOp) and not list(op.result.uses):
            body.erase_op(op)
        elif isinstance(op, cpu.BufferOp) and op.result not in outputs:
            buffers.append((op, _in_use(op, places)))
    placed: list[_Block] = []
    for op, block in sorted(buffers, key=lambda each: -each[1].size):
        placed.append(_place(block, placed))
        op.properties["offset"] = integer(placed[-1].offset)


def _in_use(buffer: cpu.BufferOp, places: Mapping[Operation, int]) -> _Block:
    users = [use.operation for use in buffer.result.uses if isinstance(use.operation, cpu.LoopOp)]
    size = -(-buffer_bytes(buffer.result) // ALIGNMENT) * ALIGNMENT
    first = min((user.window[0], places[user]) for user in users)
    return _Block(first, max((user.window[1] - 1, places[user]) for user in users), size)


def _place(block: _Block, placed: Sequence[_Block]) -> _Block:
    """As low as possible without touching what is in use at the same time."""
    offset = 0
    for other in sorted((each for each in placed if each.meets(block)), key=lambda each: each.offset):
        if offset + block.size <= other.offset:
            break
        offset = max(offset, other.offset + other.size)
    return replace(block, offset=offset)
