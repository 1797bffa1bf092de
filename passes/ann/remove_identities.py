"""Removes operations that change nothing."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class RemoveIdentitiesPass(NeuroPass):
    """
    Removes operations that change nothing, and those whose results nobody reads.

    Before:
        func.func @main(%x: tensor<2x3xf32>) -> tensor<6xf32> {
          %0 = ann.transpose %x permutation [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
          %1 = ann.reshape %0 : tensor<2x3xf32> -> tensor<3x2xf32>
          %2 = ann.reshape %1 : tensor<3x2xf32> -> tensor<6xf32>
          func.return %2 : tensor<6xf32>
        }

    After:
        func.func @main(%x: tensor<2x3xf32>) -> tensor<6xf32> {
          %0 = ann.reshape %x : tensor<2x3xf32> -> tensor<6xf32>
          func.return %0 : tensor<6xf32>
        }
    """

    name = "remove-identities"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, RemoveIdentity(), MergeReshapes(), RectifyOnce(), recursive=True)
        erase_unused(module)


class RemoveIdentity(RewritePattern):
    """An operation whose result is its operand gives way to the operand."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if is_identity(op):
            rewriter.replace(op, [], [op.operands[0]])


def is_identity(op: Operation) -> bool:
    """Whether the operation returns its operand unchanged, by its form alone."""
    if isinstance(op, ann.ReshapeOp):
        return shape_of(op.input) == shape_of(op.result)
    if isinstance(op, ann.TransposeOp):
        return values_of(op.permutation) == tuple(range(len(shape_of(op.input))))
    if isinstance(op, ann.SliceOp):
        return shape_of(op.input) == shape_of(op.result)
    if isinstance(op, ann.PadOp):
        return not any((*values_of(op.low), *values_of(op.high)))
    if isinstance(op, ann.ConcatOp):
        return len(op.inputs) == 1
    if isinstance(op, ann.AffineOp):
        return op.scale is None and op.shift is None
    if isinstance(op, ann.ClampOp):
        return op.minimum is None and op.maximum is None
    if isinstance(op, ann.MaxPool2dOp | ann.SumPool2dOp | ann.AveragePool2dOp):
        return values_of(op.kernel) == values_of(op.stride) == (1, 1) and not any(values_of(op.padding))
    return False


class MergeReshapes(RewritePattern):
    """A reshape of a reshape is one reshape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ReshapeOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if isinstance(first, ann.ReshapeOp):
            rewriter.replace(op, ann.ReshapeOp(first.input, shape_of(op.result)))


class RectifyOnce(RewritePattern):
    """What is rectified already, itself or in the window of a max pooling, need not be rectified again."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ReluOp, rewriter: PatternRewriter) -> None:
        source = op.input.owner
        while isinstance(source, ann.MaxPool2dOp | ann.ReshapeOp | ann.TransposeOp):
            source = source.input.owner
        if isinstance(source, ann.ReluOp | ann.NeuronOp):
            rewriter.replace(op, [], [op.input])
