"""Moves what stands behind the last neuron and cannot spike (a softmax) into a segment that runs on the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import IndexMapOp, SynapseOp
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

SPIKING = (ann.InputOp, ann.NeuronOp, ann.RelayOp, SynapseOp, ann.MaxPool2dOp, ann.SumPool2dOp)
"""Operations that belong on the chip."""


@dataclass(frozen=True)
class OutlineHostSegmentsPass(NeuroPass):
    """
    Moves the operations behind the last neuron or readout into one `host.segment`.

    Only operations that nothing on the chip depends on are moved, so what stands between neurons stays and is refused
    by the level.

    Before:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %y = ann.softmax %0 axis 0 : tensor<2xf32> -> tensor<2xf32>
          func.return %y : tensor<2xf32>
        }

    After:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = ann.linear %x weight(dense<1.0> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %y = "host.segment"(%0) ({
          ^bb0(%1: tensor<2xf32>):
            %2 = ann.softmax %1 axis 0 : tensor<2xf32> -> tensor<2xf32>
            host.yield %2 : tensor<2xf32>
          }) : (tensor<2xf32>) -> tensor<2xf32>
          func.return %y : tensor<2xf32>
        }
    """

    name = "outline-host-segments"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        block = main_function(module).body.block
        behind = trailing(block)
        if any(not _acts_on_counts(op) for op in behind):
            _outline(block, behind)


def _acts_on_counts(op: Operation) -> bool:
    """Whether the operation may as well stay: an index map that reads no sum."""
    reads_sum = any(isinstance(operand.owner, SynapseOp) for operand in op.operands)
    return isinstance(op, IndexMapOp | ann.ConcatOp) and not reads_sum


def trailing(block: Block, spiking: tuple[type[Operation], ...] = SPIKING) -> list[Operation]:
    """The operations that no spiking operation depends on, in order."""
    needed: set[Operation] = set()
    for op in reversed(list(block.ops)):
        chip = isinstance(op, spiking) or any(use.operation in needed for result in op.results for use in result.uses)
        if chip and not isinstance(op, func.ReturnOp):
            needed.add(op)
    return [op for op in block.ops if op not in needed and not isinstance(op, func.ReturnOp | ann.ConstantOp)]


def _outline(block: Block, behind: list[Operation]) -> None:
    segment, values = outlined(behind)
    last = block.last_op
    assert last is not None
    block.insert_op_before(segment, last)
    for value, result in values.items():
        value.replace_all_uses_with(result)
    for op in reversed(behind):
        block.erase_op(op)


def outlined(
    members: Sequence[Operation], passing: Sequence[SSAValue] = ()
) -> tuple[host.SegmentOp, dict[SSAValue, SSAValue]]:
    """A segment that computes what these operations do, and its results by what they stand for.

    Results are the values that other operations read, and those that pass by.
    """
    inside_out = set(members)
    entering = list(dict.fromkeys((*(v for op in members for v in op.operands if v.owner not in inside_out), *passing)))
    read = (r for op in members for r in op.results if any(use.operation not in inside_out for use in r.uses))
    leaving: list[SSAValue] = [*read, *passing]
    body = Block(arg_types=[value.type for value in entering])
    inside: dict[SSAValue, SSAValue] = dict(zip(entering, body.args, strict=True))
    for op in members:
        copy = op.clone(value_mapper=inside)
        copy.location = op.location
        body.add_op(copy)
    body.add_op(host.YieldOp([inside[value] for value in leaving]))
    segment = host.SegmentOp(entering, Region(body), [value.type for value in leaving])
    segment.location = members[-1].location
    return segment, dict(zip(leaving, segment.outputs, strict=True))
