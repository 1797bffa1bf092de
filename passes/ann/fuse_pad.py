"""Lets the operation behind a padding pad by itself."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import integers, shape_of, values_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class FusePadPass(NeuroPass):
    """
    Moves zero padding of height and width into the convolutions and poolings that read it.

    A sum or average pooling takes it where padding counts; a max pooling where its input is rectified, since there a
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

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, ann.Conv2dOp | ann.SumPool2dOp | ann.AveragePool2dOp | ann.MaxPool2dOp):
            return
        pad = op.input.owner
        if not isinstance(pad, ann.PadOp) or len(shape_of(pad.input)) != 3 or not _takes(op, pad):
            return
        low, high = values_of(pad.low), values_of(pad.high)
        if low[0] or high[0]:
            return
        added = (low[1], high[1], low[2], high[2])
        padding = [own + more for own, more in zip(values_of(op.padding), added, strict=True)]
        new = type(op).create(
            operands=[pad.input],
            properties=dict(op.properties) | {"padding": integers(padding)},
            result_types=[op.result.type],
        )
        rewriter.replace(op, new)


def _takes(op: Operation, pad: ann.PadOp) -> bool:
    """Whether padding means the same inside the operation."""
    if isinstance(op, ann.MaxPool2dOp):
        low, high = values_of(pad.low), values_of(pad.high)
        narrow = max(*low, *high) < min(values_of(op.kernel))
        return narrow and isinstance(pad.input.owner, ann.ReluOp | ann.NeuronOp)
    if isinstance(op, ann.AveragePool2dOp):
        return bool(op.count_include_pad.value.data)
    return True
