"""Turns averages into sums, which spikes can form; the divisor goes into the weights that read them."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import dense_shape, values_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import LINEAR, bias_of, readers, with_constants


@dataclass(frozen=True)
class ReplaceAveragePoolingPass(NeuroPass):
    """
    Replaces an average over k elements by a sum and folds 1/k into the linear operations behind it.

    The factor moves down through index maps. Where something else reads the average, a scale stays, which
    `merge-residual` turns into a synapse. Averages with borders that count fewer elements are left alone.

    Before:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1xf32> {
          %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
          %1 = ann.reshape %0 : tensor<1x1x1xf32> -> tensor<1xf32>
          %2 = ann.linear %1 weight(dense<8.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
          func.return %2 : tensor<1xf32>
        }

    After:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1xf32> {
          %0 = ann.sum_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
          %1 = ann.reshape %0 : tensor<1x1x1xf32> -> tensor<1xf32>
          %2 = ann.linear %1 weight(dense<2.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
          func.return %2 : tensor<1xf32>
        }
    """

    name = "replace-average-pooling"
    promise = Equal(1e-5)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, AverageToSum(weights), SinkScale(), FoldScale(weights), recursive=True)


@dataclass
class AverageToSum(RewritePattern):
    """An average over k elements is a sum, scaled by 1/k."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AveragePool2dOp, rewriter: PatternRewriter) -> None:
        if any(values_of(op.padding)) and not op.count_include_pad.value.data:
            return
        import numpy as np

        kernel = values_of(op.kernel)
        total = ann.SumPool2dOp(op.input, kernel, stride=values_of(op.stride), padding=values_of(op.padding))
        divisor = self.weights.add(np.full(1, 1 / (kernel[0] * kernel[1]), np.float32), "divisor")
        rewriter.replace(op, [total, ann.AffineOp(total.result, divisor, None)])


def scalar_scale(op: Operation) -> ann.AffineOp | None:
    """The operation itself where it multiplies every element by one number."""
    if not isinstance(op, ann.AffineOp) or op.scale is None or op.shift is not None:
        return None
    return op if dense_shape(op.scale) in ((), (1,)) else None


class SinkScale(RewritePattern):
    """A map of scaled elements is the scaled map."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, ann.ReshapeOp | ann.TransposeOp | ann.SliceOp | ann.PadOp):
            return
        scale = scalar_scale(op.input.owner) if isinstance(op.input.owner, Operation) else None
        if scale is None:
            return
        moved = type(op).create(operands=[scale.input], properties=dict(op.properties), result_types=[op.result.type])
        rewriter.replace(op, [moved, ann.AffineOp(moved.result, scale.scale, None)])
        if not scale.result.uses:
            rewriter.erase(scale)


@dataclass
class FoldScale(RewritePattern):
    """A linear operation on a scaled value is one with scaled weights."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AffineOp, rewriter: PatternRewriter) -> None:
        if scalar_scale(op) is None or not op.result.uses or op.scale is None:
            return
        factor = float(self.weights.array(op.scale).ravel()[0])
        for reader in readers(op.result):
            if isinstance(reader, LINEAR):
                weight = self.weights.array(reader.weight).astype("float64") * factor
                new = with_constants(reader, self.weights, weight, bias_of(reader, self.weights))
                new.operands[0] = op.input
                rewriter.replace(reader, new)
        if not op.result.uses:
            rewriter.erase(op)
