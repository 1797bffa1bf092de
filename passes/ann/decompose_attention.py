"""Takes attention apart into the matrix products and the softmax that it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class DecomposeAttentionPass(NeuroPass):
    """
    Rewrites `ann.attention` as two `ann.matmul` with an `ann.softmax` between them.

    The scale of the scores becomes the softmax's own, also where the model spells attention out: a softmax reads
    products without rounding them. Attention that masks (causal, or by a constant) stays: a share of zero needs an
    infinite score.

    Before:
        func.func @main(%q: tensor<2x4x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x3xf32>) -> tensor<2x4x3xf32> {
          %y = ann.attention %q, %k, %v scale 0.5 : f64
                 : (tensor<2x4x8xf32>, tensor<2x5x8xf32>, tensor<2x5x3xf32>) -> tensor<2x4x3xf32>
          func.return %y : tensor<2x4x3xf32>
        }

    After:
        func.func @main(%q: tensor<2x4x8xf32>, %k: tensor<2x5x8xf32>, %v: tensor<2x5x3xf32>) -> tensor<2x4x3xf32> {
          %0 = ann.transpose %k permutation [0, 2, 1] : tensor<2x5x8xf32> -> tensor<2x8x5xf32>
          %1 = ann.matmul %q, %0 : (tensor<2x4x8xf32>, tensor<2x8x5xf32>) -> tensor<2x4x5xf32>
          %2 = ann.softmax %1 axis 2 scale 5.000000e-01 : f64 : tensor<2x4x5xf32> -> tensor<2x4x5xf32>
          %y = ann.matmul %2, %v : (tensor<2x4x5xf32>, tensor<2x5x3xf32>) -> tensor<2x4x3xf32>
          func.return %y : tensor<2x4x3xf32>
        }
    """

    name = "decompose-attention"
    promise = Equal(1e-5)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, DecomposeAttention(), AbsorbScale(weights), recursive=True)


class DecomposeAttention(RewritePattern):
    """softmax(scale q kᵀ) v, step by step."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AttentionOp, rewriter: PatternRewriter) -> None:
        if op.causal.value.data or op.mask is not None:
            return
        rank = len(shape_of(op.key))
        keys = ann.TransposeOp(op.key, (*range(rank - 2), rank - 1, rank - 2))
        scores = ann.MatmulOp(op.query, keys.result)
        shares = ann.SoftmaxOp(scores.result, rank - 1, op.scale.value.data)
        rewriter.replace(op, [keys, scores, shares, ann.MatmulOp(shares.result, op.value)])


@dataclass
class AbsorbScale(RewritePattern):
    """softmax(c x) for a positive number c is a softmax with a scale."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.SoftmaxOp, rewriter: PatternRewriter) -> None:
        source = op.input.owner
        if not isinstance(source, ann.AffineOp) or source.shift is not None or source.scale is None:
            return
        factor = self.weights.array(source.scale)
        if factor.size != 1 or factor.item() <= 0:
            return
        own = 1.0 if op.scale is None else op.scale.value.data
        rewriter.replace(op, ann.SoftmaxOp(source.input, op.axis.value.data, own * float(factor.item())))
        if not source.result.uses:
            rewriter.erase(source)
