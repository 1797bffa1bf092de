"""Moves what the target cannot say in spikes, and stands between layers, into segments that run on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.levels import ANN_CONVERTIBLE
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import readers
from neurocuda.passes.ann.outline_host_segments import outlined


@dataclass(frozen=True)
class MoveToHostPass(NeuroPass):
    """
    Moves every operation that level `ann-convertible` refuses for the target into a `host.segment`.

    The network falls into parts that spike, one after the other, with a segment between each two; what a part reads of
    a segment enters it as an input does, by an `ann.input` that calibration gives a range. Values that pass by a
    segment go through it unchanged.

    Before:
        func.func @main(%p: tensor<2xf32>) -> tensor<2xf32> {
          %x = ann.input %p : tensor<2xf32> -> tensor<2xf32>
          %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %1 = ann.log_softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
          %2 = ann.linear %1 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          func.return %2 : tensor<2xf32>
        }

    After:
        func.func @main(%p: tensor<2xf32>) -> tensor<2xf32> {
          %x = ann.input %p : tensor<2xf32> -> tensor<2xf32>
          %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %1 = "host.segment"(%0) ({
          ^bb0(%2: tensor<2xf32>):
            %3 = ann.log_softmax %2 axis 0 : tensor<2xf32> -> tensor<2xf32>
            host.yield %3 : tensor<2xf32>
          }) : (tensor<2xf32>) -> tensor<2xf32>
          %4 = ann.input %1 : tensor<2xf32> -> tensor<2xf32>
          %5 = ann.linear %4 weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          func.return %5 : tensor<2xf32>
        }
    """

    name = "move-to-host"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        block = main_function(module).body.block
        hosted = _hosted(block)
        if hosted:
            _Parts(block, hosted).split()


def _hosted(block: Block) -> set[Operation]:
    """What the level refuses, and the relays and constants that only such operations read."""
    hosted: set[Operation] = set()
    for op in reversed(list(block.ops)):
        if isinstance(op, func.ReturnOp | host.SegmentOp):
            continue
        serves = isinstance(op, ann.RelayOp | ann.ConstantOp) and all(each in hosted for each in readers(op.results[0]))
        if serves or any(True for _ in ANN_CONVERTIBLE.problems_of(op, structure_only=True)):
            hosted.add(op)
    return hosted


class _Parts:
    """The parts of a network: part k spikes, segment k reads it, part k + 1 reads segment k."""

    def __init__(self, block: Block, hosted: set[Operation]) -> None:
        self.block = block
        self.hosted = hosted
        last = (func.ReturnOp, host.SegmentOp)
        self.ops = [op for op in block.ops if not isinstance(op, last)]
        self.part = self._numbered()

    def split(self) -> None:
        """Outlines every segment and puts all operations in order."""
        order: list[Operation] = []
        for part in range(max(self.part.values()) + 1):
            order += [op for op in self.ops if op not in self.hosted and self.part[op] == part]
            members = [op for op in self.ops if op in self.hosted and self.part[op] == part]
            if members:
                order += self._segment(members, part)
        for op in order:
            if op.parent is not None:
                op.detach()
        first = self.block.first_op
        assert first is not None
        self.block.insert_ops_before(order, first)

    def _numbered(self) -> dict[Operation, int]:
        """The part of every operation; a synapse goes with the layer that reads its current."""
        part: dict[Operation, int] = {}
        for op in self.ops:
            sources = [operand.owner for operand in op.operands if isinstance(operand.owner, Operation)]
            part[op] = max((part[each] + self._is_behind(op, each) for each in sources), default=0)
        for op in reversed(self.ops):
            reading = [part[each] for each in readers(op.results[0]) if each in part and each not in self.hosted]
            if isinstance(op, SynapseOp) and op not in self.hosted and reading:
                part[op] = max(part[op], min(reading))
        return part

    def _is_behind(self, op: Operation, source: Operation) -> bool:
        return source in self.hosted and op not in self.hosted

    def _segment(self, members: Sequence[Operation], part: int) -> list[Operation]:
        """One segment, and an input for each value that a later part reads of it or past it."""
        passing = [value for op in self.ops for value in op.results if self._passes(value, part)]
        segment, values = outlined(members, passing)
        entries: list[Operation] = []
        for value, result in values.items():
            reading = [each for each in readers(value) if each in self.part and each not in self.hosted]
            later = [each for each in reading if self.part[each] > part]
            entry = ann.InputOp(result) if later else None
            if entry is not None:
                entry.location = segment.location
                entries.append(entry)
            _redirect(value, dict.fromkeys(later, entry.result) if entry is not None else {})
            if value.owner in members:
                value.replace_all_uses_with(result)
        for op in reversed(members):
            self.block.erase_op(op)
        return [segment, *entries]

    def _passes(self, value: SSAValue, part: int) -> bool:
        """Whether a spiking part right behind this segment reads what a part in front of it says."""
        owner = value.owner
        if not isinstance(owner, Operation) or owner in self.hosted or self.part[owner] > part:
            return False
        return any(each not in self.hosted and self.part.get(each) == part + 1 for each in readers(value))


def _redirect(value: SSAValue, targets: Mapping[Operation, SSAValue]) -> None:
    """Lets these operations read other values instead."""
    for op, target in targets.items():
        for index, operand in enumerate(op.operands):
            if operand is value:
                op.operands[index] = target
