"""Folds batch norms, and other scales and shifts, into the linear operations beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import (
    affine,
    bias_field,
    float_synapse,
    is_bias,
    readers,
    scale_and_shift,
    scaled_rows,
    with_charge,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class FoldBatchNormPass(NeuroPass):
    """
    Folds batch norms and affines into the linear operation before them, else into those behind.

    y = scale (W x + b) + shift is one linear operation with weights scale W and bias scale b + shift. On the way up a
    norm passes index maps, poolings that commute with it, and sums, where every branch takes its share; on the way
    down, index maps and poolings. In front of a convolution that pads, the shift folds into a bias only if it is
    zero, since padding is not shifted; otherwise a shift that knows the borders stays behind the convolution. What
    cannot be folded is left as an `ann.affine`, which `merge-residual` makes a synapse.

    Before:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
          %0 = ann.conv2d %x weight(dense<3.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          %1 = ann.batch_norm %0 scale(dense<2.0> : tensor<1xf32>) shift(dense<5.0> : tensor<1xf32>) mean(dense<1.0> : tensor<1xf32>) variance(dense<4.0> : tensor<1xf32>) epsilon 0.0 : f64 : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          func.return %1 : tensor<1x2x2xf32>
        }

    After:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
          %0 = ann.conv2d %x weight(dense<3.0> : tensor<1x1x1x1xf32>) bias(dense<4.0> : tensor<1xf32>) : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          func.return %0 : tensor<1x2x2xf32>
        }
    """  # noqa: E501

    name = "fold-batch-norm"
    promise = Equal(1e-5)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        patterns = (
            FoldIntoProducer(weights),
            DistributeOverSum(weights),
            LiftOverMap(weights),
            FoldIntoReaders(weights),
        )
        apply_patterns(module, *patterns, recursive=True)
        apply_patterns(module, BatchNormToAffine(weights))


@dataclass
class FoldIntoProducer(RewritePattern):
    """scale (W x + b) + shift is one linear operation, where nothing else reads W x + b."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        fields = scale_and_shift(op, self.weights)
        linear = float_synapse(op.operands[0]) if fields is not None else None
        if fields is None or linear is None or not linear.result.has_one_use():
            return
        scale, shift = fields
        weight = scaled_rows(linear, self.weights, scale)
        charge = bias_field(linear, self.weights) * scale + shift
        only_shifts = isinstance(op, ann.AffineOp) and op.scale is None
        if weight is None or (only_shifts and not is_bias(linear, charge)):
            return
        rewriter.replace(op, with_charge(linear, self.weights, weight, charge))
        rewriter.erase(linear)


@dataclass
class DistributeOverSum(RewritePattern):
    """scale (a + b) + shift is (scale a + shift) + scale b, so that each branch can take its share."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        fields = scale_and_shift(op, self.weights)
        total = op.operands[0].owner if fields is not None else None
        if fields is None or not isinstance(total, ann.AddOp | ann.SubOp):
            return
        import numpy as np

        from neurocuda.passes.ann._lifting import takes

        if not takes(op.operands[0], fields):
            return
        scale, shift = fields
        none = np.zeros_like(shift)
        on_left = takes(total.left, fields)
        sign = -1 if isinstance(total, ann.SubOp) else 1
        left = self._share(total.left, scale, shift if on_left else none)
        right = self._share(total.right, scale, none if on_left else sign * shift)
        terms = [share.result for share in (left, right)]
        rewriter.replace(op, [left, right, type(total)(*terms)])
        rewriter.erase(total)

    def _share(self, branch: SSAValue, scale: Field, shift: Field) -> ann.AffineOp:
        return affine(branch, scale, shift, self.weights)


@dataclass
class LiftOverMap(RewritePattern):
    """A scale and shift of a map of x is the map of x scaled and shifted, where a linear operation above takes them."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        fields = scale_and_shift(op, self.weights)
        source = op.operands[0].owner if fields is not None else None
        if fields is None or not isinstance(source, Operation) or float_synapse(op.operands[0]) is not None:
            return
        from neurocuda.passes.ann._lifting import before, takes

        lifted = before(source, fields)
        if lifted is None or not takes(op.operands[0], fields):
            return
        scaled = [affine(value, *pair, self.weights) for value, pair in zip(source.operands, lifted, strict=True)]
        moved = type(source).create(
            operands=[one.result for one in scaled],
            properties=dict(source.properties),
            result_types=[source.results[0].type],
            location=source.location,
        )
        rewriter.replace(op, [*scaled, moved])
        rewriter.erase(source)


@dataclass
class FoldIntoReaders(RewritePattern):
    """W (scale x + shift) + b is one linear operation, also where index maps and poolings stand between."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        fields = scale_and_shift(op, self.weights)
        if fields is None:
            return
        from neurocuda.passes.ann._absorption import absorption

        for reader in readers(op.results[0]):
            plan = absorption(reader, op.results[0], *fields, self.weights)
            if plan is not None:
                plan.apply(op.operands[0], self.weights, rewriter)
        if not op.results[0].uses:
            rewriter.erase(op)


@dataclass
class BatchNormToAffine(RewritePattern):
    """What cannot be folded is a scale and a shift."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.BatchNormOp, rewriter: PatternRewriter) -> None:
        fields = scale_and_shift(op, self.weights)
        assert fields is not None
        rewriter.replace(op, affine(op.input, *fields, self.weights))
