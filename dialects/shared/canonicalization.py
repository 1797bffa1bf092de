"""Simplifications of index maps and windows of one element, whatever they move: floats, counts or spikes."""

from __future__ import annotations

from itertools import pairwise

from xdsl.ir import SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.shared.bases import (
    ConcatBase,
    IndexMapOp,
    PadBase,
    Pool2dOp,
    ReshapeBase,
    SliceBase,
    TransposeBase,
)
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.origin import inherit


class RemoveIdentityMap(RewritePattern):
    """An index map that moves nothing gives way to its operand."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: IndexMapOp | ConcatBase, rewriter: PatternRewriter) -> None:
        if _moves_nothing(op):
            rewriter.replace(op, [], [op.operands[0]])


def _moves_nothing(op: IndexMapOp | ConcatBase) -> bool:
    if isinstance(op, ConcatBase):
        return len(op.inputs) == 1
    if isinstance(op, TransposeBase):
        return values_of(op.permutation) == tuple(range(len(shape_of(op.input))))
    # A slice or a padding that keeps the shape keeps every element where it is.
    return shape_of(op.input) == shape_of(op.result)


class RemoveSingleWindow(RewritePattern):
    """The largest element, the sum and the mean of one element are that element."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: Pool2dOp, rewriter: PatternRewriter) -> None:
        single = values_of(op.kernel) == values_of(op.stride) == (1, 1) and not any(values_of(op.padding))
        if single and op.input.type == op.result.type:
            rewriter.replace(op, [], [op.input])


class MergeReshapes(RewritePattern):
    """A reshape of a reshape is one reshape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeBase, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if isinstance(first, ReshapeBase):
            _replace(op, type(op)(first.input, shape_of(op.result)), rewriter)


class TransposeToReshape(RewritePattern):
    """A transpose that moves only axes of size one is a reshape."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeBase, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if isinstance(first, TransposeBase) and _keeps_order(first):
            _replace(op, type(op)(first.input, shape_of(op.result)), rewriter)


def _keeps_order(op: TransposeBase) -> bool:
    shape = shape_of(op.input)
    moved = [axis for axis in values_of(op.permutation) if shape[axis] != 1]
    return all(a < b for a, b in pairwise(moved))


class MergeTransposes(RewritePattern):
    """A transpose of a transpose is one transpose."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeBase, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if isinstance(first, TransposeBase):
            inner = values_of(first.permutation)
            permutation = [inner[axis] for axis in values_of(op.permutation)]
            _replace(op, type(op)(first.input, permutation), rewriter)


class MergeSlices(RewritePattern):
    """A slice of a slice is one slice."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: SliceBase, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if not isinstance(first, SliceBase):
            return
        starts, stops, steps = list[int](), list[int](), list[int]()
        inner = zip(values_of(first.starts), values_of(first.steps), strict=True)
        outer = zip(values_of(op.starts), values_of(op.steps), shape_of(op.result), strict=True)
        for (start, step), (own_start, own_step, size) in zip(inner, outer, strict=True):
            starts.append(start + step * own_start)
            steps.append(step * own_step)
            stops.append(starts[-1] + steps[-1] * (size - 1) + 1)
        _replace(op, type(op)(first.input, starts, stops, steps), rewriter)


class MergePads(RewritePattern):
    """A padding of a padding is one padding."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PadBase, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if isinstance(first, PadBase):
            low = [a + b for a, b in zip(values_of(first.low), values_of(op.low), strict=True)]
            high = [a + b for a, b in zip(values_of(first.high), values_of(op.high), strict=True)]
            _replace(op, type(op)(first.input, low, high), rewriter)


class MergeConcats(RewritePattern):
    """A concatenation of concatenations along the same axis is one concatenation."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatBase, rewriter: PatternRewriter) -> None:
        parts = [part for value in op.inputs for part in self._parts(op, value)]
        if len(parts) > len(op.inputs):
            new = type(op).create(operands=parts, properties=dict(op.properties), result_types=[op.result.type])
            _replace(op, new, rewriter)

    def _parts(self, op: ConcatBase, value: SSAValue) -> list[SSAValue]:
        inner = value.owner
        return list(inner.inputs) if isinstance(inner, ConcatBase) and inner.axis == op.axis else [value]


def _replace(op: IndexMapOp | ConcatBase, new: IndexMapOp | ConcatBase, rewriter: PatternRewriter) -> None:
    """Replaces; the value stays, so its origin stays, under drivers that do not know of origins too."""
    inherit(op, new)
    rewriter.replace(op, new)


INDEX_MAP_PATTERNS: tuple[RewritePattern, ...] = (
    RemoveIdentityMap(),
    MergeReshapes(),
    TransposeToReshape(),
    MergeTransposes(),
    MergeSlices(),
    MergePads(),
    MergeConcats(),
)
"""What canonicalises index maps."""

POOLING_PATTERNS: tuple[RewritePattern, ...] = (RemoveSingleWindow(),)
"""What canonicalises pooling."""
