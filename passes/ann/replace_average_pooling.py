"""Turns averages into sums, which spikes can form; the divisor goes into the weights that read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.origin import WRITTEN
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import add_f32, readers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class ReplaceAveragePoolingPass(NeuroPass):
    """
    Replaces an average over k elements by a sum and folds 1/k into the linear operations that read it.

    The divisor passes index maps and poolings on its way down. What else reads the average gets a synapse of its own:
    a depthwise convolution with weights 1/k, or, where windows at the border count fewer elements or other readers
    take the divisor, a diagonal behind the sum. Both keep the name of what they stand for, for refusals. The mean over
    the tokens of a sequence is a pooling, too.

    Before:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1xf32> {
          %0 = ann.average_pool2d %x kernel [2, 2] : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
          %1 = ann.reshape %0 : tensor<1x1x1xf32> -> tensor<1xf32>
          %2 = ann.linear %1 weight(dense<8.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
          func.return %2 : tensor<1xf32>
        }

    After:
        func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1xf32> {
          %0 = ann.sum_pool2d %x kernel [2, 2] {nc.written = "ann.average_pool2d"}
                 : tensor<1x2x2xf32> -> tensor<1x1x1xf32>
          %1 = ann.reshape %0 : tensor<1x1x1xf32> -> tensor<1xf32>
          %2 = ann.linear %1 weight(dense<2.0> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
          func.return %2 : tensor<1xf32>
        }
    """

    name = "replace-average-pooling"
    promise = Equal(1e-5)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, MeanOfTokens())
        apply_patterns(module, AverageToSum(weights))


class MeanOfTokens(RewritePattern):
    """The mean over the tokens of a (tokens, features) sequence is an average pooling of (features, tokens, 1)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.MeanOp, rewriter: PatternRewriter) -> None:
        if len(shape_of(op.input)) != 2 or values_of(op.axes) != (0,):
            return
        tokens, features = shape_of(op.input)
        turned = ann.TransposeOp(op.input, (1, 0))
        image = ann.ReshapeOp(turned.result, (features, tokens, 1))
        average = ann.AveragePool2dOp(image.result, (tokens, 1))
        rewriter.replace(op, [turned, image, average, ann.ReshapeOp(average.result, shape_of(op.result))])


@dataclass
class AverageToSum(RewritePattern):
    """An average is a sum for whoever can take the divisor, and a synapse for everybody else."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.AveragePool2dOp, rewriter: PatternRewriter) -> None:
        import numpy as np

        from neurocuda.passes.ann._absorption import absorption

        share, none = self._share(op), np.zeros(())
        total = ann.SumPool2dOp(
            op.input, values_of(op.kernel), stride=values_of(op.stride), padding=values_of(op.padding)
        )
        total.location = op.location
        total.attributes[WRITTEN] = StringAttr(op.name)
        rewriter.insert(total)
        for reader in readers(op.result):
            plan = absorption(reader, op.result, share, none, self.weights, scalable=True)
            if plan is not None:
                plan.apply(total.result, self.weights, rewriter)
        if op.result.uses:
            synapse = self._synapse(op, total, share)
            synapse.attributes[WRITTEN] = StringAttr(op.name)
            rewriter.replace(op, synapse)
        else:
            rewriter.erase(op)
        if not total.result.uses:
            rewriter.erase(total)

    def _share(self, op: ann.AveragePool2dOp) -> Field:
        """One over the number of elements of every window, in the rank of the result."""
        import numpy as np

        from neurocuda.dialects.shared.meanings import sum_pool2d

        kernel = values_of(op.kernel)
        if op.count_include_pad.value.data or not any(values_of(op.padding)):
            return np.full((1, 1, 1), 1 / (kernel[0] * kernel[1]))
        ones = np.ones((1, 1, *shape_of(op.input)[1:]))
        return (1 / sum_pool2d(ones, kernel, values_of(op.stride), values_of(op.padding))[0]).astype(np.float64)

    def _synapse(self, op: ann.AveragePool2dOp, total: ann.SumPool2dOp, share: Field) -> Operation:
        import numpy as np

        if share.size > 1:
            return ann.DiagonalOp(total.result, add_f32(self.weights, share, "share"))
        channels = shape_of(op.input)[0]
        weight = np.full((channels, 1, *values_of(op.kernel)), share.item())
        return ann.Conv2dOp(
            op.input,
            add_f32(self.weights, weight, "average"),
            stride=values_of(op.stride),
            padding=values_of(op.padding),
            groups=channels,
        )
