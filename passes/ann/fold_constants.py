"""Computes what depends on constants alone, and merges scales and shifts that follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.shapes import broadcastable
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import read_once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class FoldConstantsPass(NeuroPass):
    """
    Replaces what depends on constants alone by its value, and merges successive scales and shifts.

    Before:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = ann.constant dense<[1.0, -2.0]> : tensor<2xf32> -> tensor<2xf32>
          %1 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32>
          %2 = ann.add %x, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          func.return %2 : tensor<2xf32>
        }

    After:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = ann.affine %x shift(dense<[1.0, 0.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
          func.return %0 : tensor<2xf32>
        }
    """

    name = "fold-constants"
    promise = Equal(1e-5)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        patterns = (
            Evaluate(weights),
            SumWithConstant(),
            DifferenceWithConstant(weights),
            ProductWithConstant(),
            MergeAffines(weights),
        )
        apply_patterns(module, *patterns, recursive=True)
        erase_unused(module)


@dataclass
class Evaluate(RewritePattern):
    """An operation whose operands are all constants is a constant."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not op.name.startswith("ann.") or not op.operands or len(op.results) != 1:
            return
        owners = [operand.owner for operand in op.operands]
        constants = [owner for owner in owners if isinstance(owner, ann.ConstantOp)]
        if len(constants) != len(owners):
            return
        from neurocuda.reference.interpreter import Run

        arrays = [self.weights.array(constant.value)[None] for constant in constants]
        value = Run(self.weights).evaluate(op, arrays)[0][0]
        rewriter.replace(op, ann.ConstantOp(self.weights.add(value.astype("float32"), "constant")))


class SumWithConstant(RewritePattern):
    """x + c is a shift by c."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AddOp, rewriter: PatternRewriter) -> None:
        for value, other in ((op.left, op.right), (op.right, op.left)):
            constant = other.owner
            if isinstance(constant, ann.ConstantOp) and broadcastable(shape_of(other), shape_of(value)):
                rewriter.replace(op, ann.AffineOp(value, None, constant.value))
                return


@dataclass
class DifferenceWithConstant(RewritePattern):
    """x - c is a shift by -c, and c - x is -x shifted by c."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.SubOp, rewriter: PatternRewriter) -> None:
        import numpy as np

        left, right = op.left.owner, op.right.owner
        if isinstance(right, ann.ConstantOp) and broadcastable(shape_of(op.right), shape_of(op.left)):
            negative = self.weights.add(-self.weights.array(right.value), "constant")
            rewriter.replace(op, ann.AffineOp(op.left, None, negative))
        elif isinstance(left, ann.ConstantOp) and broadcastable(shape_of(op.left), shape_of(op.right)):
            minus = self.weights.add(np.full(1, -1, np.float32), "minus")
            rewriter.replace(op, ann.AffineOp(op.right, minus, left.value))


class ProductWithConstant(RewritePattern):
    """c x is a scale by c."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.MulOp, rewriter: PatternRewriter) -> None:
        for value, other in ((op.left, op.right), (op.right, op.left)):
            constant = other.owner
            if isinstance(constant, ann.ConstantOp) and broadcastable(shape_of(other), shape_of(value)):
                rewriter.replace(op, ann.AffineOp(value, constant.value, None))
                return


@dataclass
class MergeAffines(RewritePattern):
    """b (a x + c) + d is (a b) x + (b c + d)."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AffineOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if not isinstance(first, ann.AffineOp) or not read_once(first.result):
            return
        import numpy as np

        def value(constant: Dense | None, neutral: float) -> Field:
            return np.array([neutral]) if constant is None else self.weights.array(constant).astype(np.float64)

        scale = value(first.scale, 1.0) * value(op.scale, 1.0)
        shift = value(op.scale, 1.0) * value(first.shift, 0.0) + value(op.shift, 0.0)
        dense = [self.weights.add(np.asarray(field, np.float32), "affine") for field in (scale, shift)]
        scaled = None if first.scale is None and op.scale is None else dense[0]
        shifted = None if first.shift is None and op.shift is None else dense[1]
        rewriter.replace(op, ann.AffineOp(first.input, scaled, shifted))
        rewriter.erase(first)
