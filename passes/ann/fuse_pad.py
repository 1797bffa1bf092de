"""Lets the operation behind a padding pad by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.dialects.builtin import BoolAttr, ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import every_window_has_an_element, nonnegative
from neurocuda.ir.attributes import integers, shape_of, values_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class FusePadPass(NeuroPass):
    """
    Moves zero padding of height and width into the convolutions and poolings that read it.

    An average pooling takes it where padding counts as elements, a max pooling where nothing is negative, since there a
    zero never wins over an element.

    Before:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
          %0 = ann.pad %x low [0, 0, 0] high [0, 1, 1] : tensor<1x2x2xf32> -> tensor<1x3x3xf32>
          %1 = ann.conv2d %0 weight(dense<1.0> : tensor<1x1x2x2xf32>) : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
          func.return %1 : tensor<1x2x2xf32>
        }

    After:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x2x2xf32> {
          %0 = ann.conv2d %x weight(dense<1.0> : tensor<1x1x2x2xf32>) padding [0, 1, 0, 1] : tensor<1x2x2xf32> -> tensor<1x2x2xf32>
          func.return %0 : tensor<1x2x2xf32>
        }
    """  # noqa: E501

    name = "fuse-pad"
    promise = Equal(1e-6)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, FusePad(), recursive=True)
        erase_unused(module)


class FusePad(RewritePattern):
    """An operation that can pad by itself reads what the padding read."""

    @op_type_rewrite_pattern
    def match_and_rewrite(
        self, op: ann.Conv2dOp | ann.SumPool2dOp | ann.AveragePool2dOp | ann.MaxPool2dOp, rewriter: PatternRewriter
    ) -> None:
        pad = op.input.owner
        if not isinstance(pad, ann.PadOp):
            return
        low, high = values_of(pad.low), values_of(pad.high)
        if low[0] or high[0]:
            return
        added = (low[1], high[1], low[2], high[2])
        padding = [own + more for own, more in zip(values_of(op.padding), added, strict=True)]
        if not _means_the_same(op, pad, padding):
            return
        properties = dict(op.properties) | {"padding": integers(padding)}
        if isinstance(op, ann.AveragePool2dOp):
            properties["count_include_pad"] = BoolAttr.from_bool(True)
        rewriter.replace(
            op, type(op).create(operands=[pad.input], result_types=[op.result.type], properties=properties)
        )


def _means_the_same(op: Operation, pad: ann.PadOp, padding: Sequence[int]) -> bool:
    """Whether an operation that pads by itself, this much in all, does what it does to a padded tensor."""
    if isinstance(op, ann.AveragePool2dOp):
        return bool(op.count_include_pad.value.data) or not any(values_of(op.padding))
    if isinstance(op, ann.MaxPool2dOp):
        return nonnegative(pad.input) and every_window_has_an_element(op, shape_of(pad.input), padding)
    return True
