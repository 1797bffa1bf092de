"""Simplifications of float operations that need no constants: activations, means and scales that do nothing."""

from __future__ import annotations

from math import inf

from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import bounds_of, nonnegative
from neurocuda.dialects.shared.canonicalization import INDEX_MAP_PATTERNS, POOLING_PATTERNS
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.origin import inherit

TRAINED = "nc.trained"
"""The attribute on rectifiers that stand for a staircase, which does something to what is rectified already."""


class RemoveRelu(RewritePattern):
    """Rectifying what is nowhere negative changes nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ReluOp, rewriter: PatternRewriter) -> None:
        if nonnegative(op.input) and TRAINED not in op.attributes:
            rewriter.replace(op, [], [op.input])


class SimplifyClamp(RewritePattern):
    """A clamp without bounds changes nothing; one from 0 up without end is a relu."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ClampOp, rewriter: PatternRewriter) -> None:
        lowest, highest = bounds_of(op)
        if (lowest, highest) == (-inf, inf):
            rewriter.replace(op, [], [op.input])
        elif (lowest, highest) == (0.0, inf):
            relu = ann.ReluOp(op.input)
            inherit(op, relu)
            rewriter.replace(op, relu)


class MergeClamps(RewritePattern):
    """A clamp or relu of a clamp or relu is one clamp."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ReluOp | ann.ClampOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if not isinstance(first, ann.ReluOp | ann.ClampOp) or TRAINED in op.attributes or TRAINED in first.attributes:
            return
        (inner_low, inner_high), (low, high) = bounds_of(first), bounds_of(op)
        if inner_low > inner_high or low > high:
            return
        merged_low, merged_high = (min(max(bound, low), high) for bound in (inner_low, inner_high))
        clamp = ann.ClampOp(
            first.input,
            None if merged_low == -inf else merged_low,
            None if merged_high == inf else merged_high,
        )
        inherit(op, clamp)
        clamp.attributes |= {name: value for name, value in op.attributes.items() if name not in clamp.attributes}
        rewriter.replace(op, clamp)


class SimplifyLeakyRelu(RewritePattern):
    """A leaky relu of slope 0 is a relu, one of slope 1 changes nothing."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.LeakyReluOp, rewriter: PatternRewriter) -> None:
        slope = op.slope.value.data
        if slope == 1:
            rewriter.replace(op, [], [op.input])
        elif slope == 0:
            relu = ann.ReluOp(op.input)
            inherit(op, relu)
            rewriter.replace(op, relu)


class RemoveAffine(RewritePattern):
    """Without a scale and a shift nothing changes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AffineOp, rewriter: PatternRewriter) -> None:
        if op.scale is None and op.shift is None:
            rewriter.replace(op, [], [op.input])


class RemoveAdaptivePool(RewritePattern):
    """Means of windows of one element are the elements."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AdaptiveAveragePool2dOp, rewriter: PatternRewriter) -> None:
        if op.input.type == op.result.type:
            rewriter.replace(op, [], [op.input])


class MeanToReshape(RewritePattern):
    """A mean over axes of size one only drops them."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.MeanOp, rewriter: PatternRewriter) -> None:
        shape = shape_of(op.input)
        if any(shape[axis] != 1 for axis in values_of(op.axes)):
            return
        reshape = ann.ReshapeOp(op.input, shape_of(op.result))
        inherit(op, reshape)
        rewriter.replace(op, reshape)


ACTIVATION_PATTERNS: tuple[RewritePattern, ...] = (RemoveRelu(), SimplifyClamp(), MergeClamps(), SimplifyLeakyRelu())
"""What canonicalises activations."""

ARITHMETIC_PATTERNS: tuple[RewritePattern, ...] = (RemoveAffine(), RemoveAdaptivePool(), MeanToReshape())
"""What canonicalises scales and means."""

PATTERNS = (*INDEX_MAP_PATTERNS, *POOLING_PATTERNS, *ACTIVATION_PATTERNS, *ARITHMETIC_PATTERNS)
"""Everything that canonicalises a network of level `ann`."""
