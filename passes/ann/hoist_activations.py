"""Moves activations up to the sums that they rectify, past poolings and index maps with which they commute."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import has_no_empty_window, rectifies
from neurocuda.ir.attributes import Dense, dense_shape, shape_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import CLIP, broadcast_shape, by_channel

MAPS = (ann.MaxPool2dOp, ann.ReshapeOp, ann.TransposeOp, ann.SliceOp, ann.PadOp, ann.ConcatOp)
"""Operations that move or pick elements."""


@dataclass(frozen=True)
class HoistActivationsPass(NeuroPass):
    """
    Rewrites relu(pool(x)) as pool(relu(x)), and likewise for index maps, so that neurons stand behind synapses.

    A rectifier is monotone and keeps zero, so it commutes with maxima, with moving elements and with zero padding.
    Values stay what they are; only sums behind them may be formed in another order. A trained clip range per channel
    moves past poolings, and reshapes that keep channels together.

    Before:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
          %0 = ann.max_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
          %1 = ann.relu %0 : tensor<1x1x1xf32> -> tensor<1x1x1xf32>
          func.return %1 : tensor<1x1x1xf32>
        }

    After:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x1x1xf32> {
          %0 = ann.relu %x : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          %1 = ann.max_pool2d %0 kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
          func.return %1 : tensor<1x1x1xf32>
        }
    """

    name = "hoist-activations"
    promise = Equal(1e-6)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, HoistActivation(weights), recursive=True)


@dataclass
class HoistActivation(RewritePattern):
    """f(map(x, ...)) is map(f(x), ...) where nothing else reads the map."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, ann.ReluOp | ann.ClampOp) or not rectifies(op):
            return
        source = op.input.owner
        if not isinstance(source, MAPS) or not op.input.has_one_use():
            return
        if isinstance(source, ann.MaxPool2dOp) and not has_no_empty_window(source):
            return
        clip = moved_clip(op, source, self.weights)
        if clip is None and CLIP in op.attributes:
            return
        activated = [_same(op, operand) for operand in source.operands]
        for activation in activated:
            activation.attributes |= {} if clip is None else {CLIP: clip}
        moved = type(source).create(
            operands=[one.results[0] for one in activated],
            properties=dict(source.properties),
            result_types=[source.results[0].type],
            location=source.location,
        )
        rewriter.replace(op, [*activated, moved])
        rewriter.erase(source)


def moved_clip(op: Operation, source: Operation, weights: WeightStore) -> Dense | None:
    """The trained clip range of an activation, per channel in front of what it stands behind; None where that fails."""
    clip = op.attributes.get(CLIP)
    if not isinstance(clip, DenseIntOrFPElementsAttr | DenseResourceAttr):
        return None
    if dense_shape(clip) == (1,) or isinstance(source, ann.MaxPool2dOp):
        return clip
    if not isinstance(source, ann.ReshapeOp):
        return None
    import numpy as np

    shape = shape_of(source.result)
    ranges = weights.array(clip).reshape(broadcast_shape(len(shape), dense_shape(clip)[0]))
    rows = by_channel(np.broadcast_to(ranges, shape).reshape(1, *shape_of(source.input)))
    return weights.add(rows[:, 0], "clip") if (rows == rows[:, :1]).all() else None


def _same(op: Operation, operand: SSAValue) -> Operation:
    """The activation on another value, with whatever is noted on it but its origin."""
    attributes = {name: value for name, value in op.attributes.items() if name != "nc.origin"}
    return type(op).create(
        operands=[operand],
        properties=dict(op.properties),
        attributes=attributes,
        result_types=[operand.type],
        location=op.location,
    )
