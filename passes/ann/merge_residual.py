"""Gathers what reaches an activation into one neuron layer: every branch becomes a synapse of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import bounds_of, rectifies
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.shared.shapes import broadcastable
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.origin import ORIGIN
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import (
    add_f32,
    bias_field,
    channel_form,
    float_synapse,
    full_rank,
    scale_and_shift,
    scaled_rows,
    with_constants,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class MergeResidualPass(NeuroPass):
    """
    Rewrites every rectifier and the sums in front of it as one `ann.neuron` whose currents are synapses; relays, too.

    Sums, differences, scales and shifts are flattened; a branch that is no synapse (an identity shortcut, a slice, a
    pooling) gets one, an `ann.diagonal`; biases move into the neuron. A linear operation that others read too is
    repeated, so that every neuron layer has synapses of its own; a sum that others read too is kept.

    Before:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) bias(dense<[3.0, 4.0]> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %1 = ann.add %0, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %2 = ann.relu %1 : tensor<2xf32> -> tensor<2xf32>
          func.return %2 : tensor<2xf32>
        }

    After:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %0 = ann.linear %x weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %1 = ann.diagonal %x weight(dense<1.0> : tensor<2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %2 = ann.neuron %0, %1 bias(dense<[3.0, 4.0]> : tensor<2xf32>) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          func.return %2 : tensor<2xf32>
        }
    """  # noqa: E501

    name = "merge-residual"
    promise = Equal(1e-5)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, MergeIntoNeuron(weights), MergeIntoRelay(weights))
        erase_unused(module)


@dataclass
class MergeIntoNeuron(RewritePattern):
    """relu(a + b - c ...) is one neuron layer with the synapses a, b, -c, ..."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ReluOp | ann.ClampOp, rewriter: PatternRewriter) -> None:
        shape = shape_of(op.result)
        if not rectifies(op) or not 1 <= len(shape) <= 3:
            return
        total = Summands.of(op.input, self.weights)
        if not total.terms:
            return  # a constant
        currents = total.currents()
        highest = bounds_of(op)[1]
        neuron = ann.NeuronOp(currents, total.constant(), None if highest == float("inf") else highest)
        neuron.attributes |= {name: value for name, value in op.attributes.items() if name != ORIGIN}
        rewriter.replace(op, [*unplaced(currents), neuron])


@dataclass
class MergeIntoRelay(RewritePattern):
    """relay(a + b - c ...) is one relay with the synapses a, b, -c, ...; a product is relayed as it is."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.RelayOp, rewriter: PatternRewriter) -> None:
        if len(op.currents) != 1 or op.bias is not None or not 1 <= len(shape_of(op.result)) <= 3:
            return
        (value,) = op.currents
        if isinstance(value.owner, ann.MulOp | ann.MatmulOp):
            return
        total = Summands.of(value, self.weights)
        if not total.terms:
            return
        currents = total.currents()
        rewriter.replace(op, [*unplaced(currents), ann.RelayOp(currents, total.constant())])


def unplaced(currents: Sequence[SSAValue]) -> list[Operation]:
    """The operations of these currents that stand nowhere yet."""
    return [current.owner for current in currents if isinstance(current.owner, Operation) and not current.owner.parent]


class Summands:
    """What a tree of sums adds up: values with a scale each, and constants."""

    def __init__(self, shape: tuple[int, ...], weights: WeightStore) -> None:
        import numpy as np

        self.shape = shape
        self.weights = weights
        self.terms: dict[SSAValue, Field] = {}
        self.bias: Field = np.zeros((1,) * len(shape))

    @staticmethod
    def of(value: SSAValue, weights: WeightStore) -> Summands:
        """What a value adds up."""
        import numpy as np

        total = Summands(shape_of(value), weights)
        total.gather(value, np.ones((1,) * len(total.shape)))
        return total

    def gather(self, value: SSAValue, scale: Field) -> None:
        """Adds `scale` times a value. Sums that others read too are taken as they are."""
        op = value.owner
        fields = scale_and_shift(op, self.weights)
        if isinstance(op, ann.AddOp | ann.SubOp) and self._is_inner(value, op):
            self.gather(op.left, scale)
            self.gather(op.right, -scale if isinstance(op, ann.SubOp) else scale)
        elif isinstance(op, ann.BatchNormOp | ann.AffineOp) and fields is not None:
            self.bias = self.bias + scale * fields[1]
            self.gather(op.input, scale * fields[0])
        elif isinstance(op, ann.ConstantOp):
            self.bias = self.bias + scale * full_rank(self.weights.array(op.value).astype("float64"), len(self.shape))
        else:
            self.terms[value] = self.terms[value] + scale if value in self.terms else scale

    def currents(self) -> list[SSAValue]:
        """Every value through a synapse; biases of synapses join the constants."""
        return [self._synapse(value, scale).result for value, scale in self.terms.items()]

    def constant(self) -> Dense | None:
        """The sum of all constants, where it is not zero."""
        return add_f32(self.weights, channel_form(self.bias, self.shape), "bias") if self.bias.any() else None

    def _synapse(self, value: SSAValue, scale: Field) -> SynapseOp:
        """The synapse that brings `scale` times a value; its bias goes into the sum."""
        source = float_synapse(value)
        weight = None if source is None else scaled_rows(source, self.weights, scale)
        if source is None or weight is None:
            return ann.DiagonalOp(value, add_f32(self.weights, channel_form(scale, self.shape), "diagonal"))
        own = bias_field(source, self.weights)
        self.bias = self.bias + scale * own
        if (scale == 1).all() and not own.any() and value.has_one_use():
            return source
        return with_constants(source, self.weights, weight, None)

    def _is_inner(self, value: SSAValue, op: ann.AddOp | ann.SubOp) -> bool:
        return value.has_one_use() and all(self._fits(operand) for operand in op.operands)

    def _fits(self, operand: SSAValue) -> bool:
        shape = shape_of(operand)
        return shape == self.shape or (isinstance(operand.owner, ann.ConstantOp) and broadcastable(shape, self.shape))
