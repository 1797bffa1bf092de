"""Folds batch norms, and other scales and shifts per channel, into the linear operations beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import (
    LINEAR,
    bias_of,
    channel_constant,
    channels_of,
    read_once,
    readers,
    scale_and_shift,
    with_constants,
)
from neurocuda.passes.ann._statistics import channel_axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class FoldBatchNormPass(NeuroPass):
    """
    Folds batch norms into the linear operation before them, behind a sum into both branches, else into the one after.

    y = scale (W x + b) + shift is one convolution with weights scale W and bias scale b + shift. In front of a
    convolution the shift must be zero or the convolution must not pad, since padding is not shifted. What cannot be
    folded is left as an `ann.affine`.

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
        patterns = (FoldIntoProducer(weights), DistributeOverSum(weights), FoldIntoReaders(weights))
        apply_patterns(module, *patterns, recursive=True)
        apply_patterns(module, BatchNormToAffine(weights))


@dataclass
class FoldIntoProducer(RewritePattern):
    """scale (W x + b) + shift is one linear operation, where nothing else reads W x + b."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        constants = scale_and_shift(op, self.weights)
        linear = op.operands[0].owner if constants is not None else None
        if constants is None or not isinstance(linear, LINEAR) or not read_once(linear.result):
            return
        if channels_of(op) != _outputs(linear):
            return
        scale, shift = constants
        weight = self.weights.array(linear.weight).astype("float64")
        scaled = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1))
        new = with_constants(linear, self.weights, scaled, bias_of(linear, self.weights) * scale + shift)
        rewriter.replace(op, new)
        rewriter.erase(linear)


@dataclass
class DistributeOverSum(RewritePattern):
    """scale (a + b) + shift is (scale a + shift) + scale b, so that each branch can take its share."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        constants = scale_and_shift(op, self.weights)
        total = op.operands[0].owner if constants is not None else None
        if constants is None or not isinstance(total, ann.AddOp) or not read_once(total.result):
            return
        rank = len(shape_of(total.result))
        if shape_of(total.left) != shape_of(total.right) or channels_of(op) != channel_axis(rank):
            return
        if not any(isinstance(branch.owner, LINEAR) and read_once(branch) for branch in total.operands):
            return
        scale = channel_constant(self.weights, constants[0], rank, "scale")
        left = ann.AffineOp(total.left, scale, channel_constant(self.weights, constants[1], rank, "shift"))
        right = ann.AffineOp(total.right, scale, None)
        rewriter.replace(op, [left, right, ann.AddOp(left.result, right.result)])
        rewriter.erase(total)


@dataclass
class FoldIntoReaders(RewritePattern):
    """W (scale x + shift) + b is one linear operation, where nothing but such operations reads scale x + shift."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        constants = scale_and_shift(op, self.weights)
        if constants is None or not op.results[0].uses:
            return
        scale, shift = constants
        found = readers(op.results[0])
        if not all(isinstance(reader, LINEAR) and self._folds(op, reader, shift) for reader in found):
            return
        for reader in found:
            assert isinstance(reader, LINEAR)
            new = self._folded(reader, scale, shift)
            new.operands[0] = op.operands[0]
            rewriter.replace(reader, new)
        rewriter.erase(op)

    def _folds(self, op: Operation, reader: ann.Conv2dOp | ann.LinearOp, shift: Field) -> bool:
        if channels_of(op) != _outputs(reader):
            return False
        return isinstance(reader, ann.LinearOp) or not shift.any() or not any(values_of(reader.padding))

    def _folded(self, reader: ann.Conv2dOp | ann.LinearOp, scale: Field, shift: Field) -> Operation:
        weight = self.weights.array(reader.weight).astype("float64")
        if isinstance(reader, ann.LinearOp):
            scaled, moved = weight * scale, weight @ shift
        else:
            columns = (_by_group(field, reader, len(weight)) for field in (scale, shift))
            by_scale, by_shift = columns
            scaled, moved = weight * by_scale, (weight * by_shift).sum(axis=(1, 2, 3))
        return with_constants(reader, self.weights, scaled, bias_of(reader, self.weights) + moved)


def _outputs(linear: ann.Conv2dOp | ann.LinearOp) -> int:
    """The axis along which a linear operation reads and writes its channels."""
    return 0 if isinstance(linear, ann.Conv2dOp) else len(shape_of(linear.result)) - 1


def _by_group(field: Field, reader: ann.Conv2dOp, outputs: int) -> Field:
    """One number per output channel and input channel of its group, to broadcast onto a convolution's weight."""
    groups = reader.groups.value.data
    return field.reshape(groups, -1).repeat(outputs // groups, axis=0)[:, :, None, None]


@dataclass
class BatchNormToAffine(RewritePattern):
    """What cannot be folded is a scale and a shift."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.BatchNormOp, rewriter: PatternRewriter) -> None:
        constants = scale_and_shift(op, self.weights)
        assert constants is not None
        rank = len(shape_of(op.result))
        scale, shift = constants
        first_axis = (len(scale), *(1,) * (rank - 1))
        dense = [self.weights.add(field.astype("float32").reshape(first_axis), "affine") for field in (scale, shift)]
        rewriter.replace(op, ann.AffineOp(op.input, dense[0], dense[1]))
