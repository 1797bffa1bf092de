"""Computes what depends on constants alone, and merges scales and shifts that follow each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, f32
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.shapes import broadcastable
from neurocuda.ir.attributes import element_type, shape_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import add_f32, affine, scale_and_shift

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class FoldConstantsPass(NeuroPass):
    """
    Replaces what depends on constants alone by its value, and merges successive scales and shifts.

    Sums, differences and products with a constant are scales and shifts, a matrix product with one is linear, and
    constants joined to a tensor (a class token) are padding and a shift. Scales of one and shifts of zero go.

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
            MatrixOfConstants(weights),
            JoinedConstants(weights),
            MergeAffines(weights),
            DropNeutral(weights),
        )
        apply_patterns(module, *patterns, recursive=True)
        erase_unused(module)


def constant_of(value: SSAValue) -> ann.ConstantOp | None:
    """The constant that a value is."""
    return value.owner if isinstance(value.owner, ann.ConstantOp) else None


@dataclass
class Evaluate(RewritePattern):
    """An operation whose operands are all constants is a constant."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not op.name.startswith("ann.") or not op.operands or len(op.results) != 1 or op.regions:
            return
        constants = [constant_of(operand) for operand in op.operands]
        if None in constants or element_type(op.results[0]) != f32:
            return
        from neurocuda.reference.interpreter import Run

        arrays = [self.weights.array(constant.value)[None] for constant in constants if constant is not None]
        value = Run(self.weights).evaluate(op, arrays)[0][0]
        rewriter.replace(op, ann.ConstantOp(self.weights.add(value.astype("float32"), "constant")))


class SumWithConstant(RewritePattern):
    """x + c is a shift by c."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AddOp, rewriter: PatternRewriter) -> None:
        for value, other in ((op.left, op.right), (op.right, op.left)):
            constant = constant_of(other)
            if constant is not None and broadcastable(shape_of(other), shape_of(value)):
                rewriter.replace(op, ann.AffineOp(value, None, constant.value))
                return


@dataclass
class DifferenceWithConstant(RewritePattern):
    """x - c is a shift by -c, and c - x is -x shifted by c."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.SubOp, rewriter: PatternRewriter) -> None:
        import numpy as np

        left, right = constant_of(op.left), constant_of(op.right)
        if right is not None and broadcastable(shape_of(op.right), shape_of(op.left)):
            negative = add_f32(self.weights, -self.weights.array(right.value).astype(np.float64), "constant")
            rewriter.replace(op, ann.AffineOp(op.left, None, negative))
        elif left is not None and broadcastable(shape_of(op.left), shape_of(op.right)):
            minus = self.weights.add(np.full((), -1, np.float32), "minus")
            rewriter.replace(op, ann.AffineOp(op.right, minus, left.value))


class ProductWithConstant(RewritePattern):
    """c x is a scale by c."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.MulOp, rewriter: PatternRewriter) -> None:
        for value, other in ((op.left, op.right), (op.right, op.left)):
            constant = constant_of(other)
            if constant is not None and broadcastable(shape_of(other), shape_of(value)):
                rewriter.replace(op, ann.AffineOp(value, constant.value, None))
                return


@dataclass
class MatrixOfConstants(RewritePattern):
    """The matrix product of x with a constant matrix is linear."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.MatmulOp, rewriter: PatternRewriter) -> None:
        constant = constant_of(op.right)
        if constant is None or len(shape_of(op.right)) != 2:
            return
        weight = self.weights.add(self.weights.array(constant.value).T.copy(), "weight")
        rewriter.replace(op, ann.LinearOp(op.left, weight))


@dataclass
class JoinedConstants(RewritePattern):
    """Constants joined to a tensor are padding, and a shift unless they are zero."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ConcatOp, rewriter: PatternRewriter) -> None:
        import numpy as np

        axis = op.axis.value.data
        before, inner, after = self._split(list(op.inputs))
        if not inner or not (before or after):
            return
        joined = [] if len(inner) == 1 else [ann.ConcatOp(inner, axis)]
        value = joined[0].result if joined else inner[0]
        low, high = [0] * len(shape_of(value)), [0] * len(shape_of(value))
        low[axis], high[axis] = (sum(shape_of(part)[axis] for part in ends) for ends in (before, after))
        padded = ann.PadOp(value, low, high)
        shift = self._shift(before, shape_of(value), after, axis)
        shifted = [affine(padded.result, np.ones(()), shift, self.weights)] if shift.any() else []
        rewriter.replace(op, [*joined, padded, *shifted])

    def _split(self, parts: list[SSAValue]) -> tuple[list[SSAValue], list[SSAValue], list[SSAValue]]:
        """Constants at the beginning, what stands between, constants at the end."""
        varying = [index for index, part in enumerate(parts) if constant_of(part) is None]
        if not varying:
            return parts, [], []
        return parts[: varying[0]], parts[varying[0] : varying[-1] + 1], parts[varying[-1] + 1 :]

    def _shift(self, before: list[SSAValue], inner: tuple[int, ...], after: list[SSAValue], axis: int) -> Field:
        import numpy as np

        ends = [[self._value(part) for part in parts] for parts in (before, after)]
        return np.concatenate([*ends[0], np.zeros(inner), *ends[1]], axis=axis)

    def _value(self, part: SSAValue) -> Field:
        constant = constant_of(part)
        assert constant is not None
        return self.weights.array(constant.value).astype("float64")


@dataclass
class MergeAffines(RewritePattern):
    """b (a x + c) + d is (a b) x + (b c + d)."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AffineOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if not isinstance(first, ann.AffineOp) or not first.result.has_one_use():
            return
        inner, outer = scale_and_shift(first, self.weights), scale_and_shift(op, self.weights)
        if inner is None or outer is None:
            return
        merged = affine(first.input, inner[0] * outer[0], inner[1] * outer[0] + outer[1], self.weights)
        rewriter.replace(op, merged)
        rewriter.erase(first)


@dataclass
class DropNeutral(RewritePattern):
    """A scale of one and a shift of zero change nothing."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AffineOp, rewriter: PatternRewriter) -> None:
        scale = None if op.scale is None or (self.weights.array(op.scale) == 1).all() else op.scale
        shift = op.shift if op.shift is not None and self.weights.array(op.shift).any() else None
        if scale is None and shift is None:
            rewriter.replace(op, [], [op.input])
        elif scale is not op.scale or shift is not op.shift:
            rewriter.replace(op, ann.AffineOp(op.input, scale, shift))
