"""Gathers what reaches an activation into one neuron layer: every branch becomes a synapse of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import read_once, with_constants
from neurocuda.passes.ann._statistics import broadcast_shape, channel_axis
from neurocuda.passes.ann.hoist_activations import rectifies

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class MergeResidualPass(NeuroPass):
    """
    Rewrites every rectifier and the sums in front of it as one `ann.neuron` whose currents are synapses.

    Sums and differences are flattened; a branch that is no synapse of its own (an identity shortcut, a slice, a
    pooling) gets one, an `ann.diagonal` of ones; biases move into the neuron. A sum that others read too is kept.

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
        apply_patterns(module, MergeIntoNeuron(weights))
        erase_unused(module)


@dataclass
class MergeIntoNeuron(RewritePattern):
    """relu(a + b - c ...) is one neuron layer with the synapses a, b, -c, ..."""

    weights: WeightStore

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, ann.ReluOp | ann.ClampOp) or not rectifies(op):
            return
        import numpy as np

        shape = shape_of(op.result)
        if len(shape) > 3:
            return
        synapses: list[SynapseOp] = []
        bias: Field = np.zeros(1)
        for value, sign in summands(op.input, shape):
            synapse, own = self._synapse(value, sign)
            synapses.append(synapse)
            bias = bias + own
        maximum = op.maximum.value.data if isinstance(op, ann.ClampOp) and op.maximum is not None else None
        dense = self.weights.add(bias.astype(np.float32), "bias") if bias.any() else None
        neuron = ann.NeuronOp([synapse.result for synapse in synapses], dense, maximum)
        neuron.attributes |= {name: value for name, value in op.attributes.items() if name != "nc.origin"}
        rewriter.replace(op, [*synapses, neuron])

    def _synapse(self, value: SSAValue, sign: int) -> tuple[SynapseOp, Field]:
        """The synapse that brings a summand, and the bias that came with it."""
        import numpy as np

        from neurocuda.passes.ann._fields import own_bias

        source = value.owner
        if isinstance(source, SynapseOp) and read_once(value):
            weight = self.weights.array(source.weight).astype(np.float64) * sign
            return with_constants(source, self.weights, weight, None), own_bias(source, self.weights) * sign
        if isinstance(source, ann.AffineOp) and read_once(value):
            scale = np.ones(1) if source.scale is None else self.weights.array(source.scale).astype(np.float64)
            shift = np.zeros(1) if source.shift is None else self.weights.array(source.shift).astype(np.float64)
            return self._diagonal(source.input, scale * sign), shift * sign
        return self._diagonal(value, np.full(1, float(sign))), np.zeros(1)

    def _diagonal(self, value: SSAValue, weight: Field) -> ann.DiagonalOp:
        import numpy as np

        shape = shape_of(value)
        form = broadcast_shape(len(shape), shape[channel_axis(len(shape))])
        per_channel = np.broadcast_to(weight, np.broadcast_shapes(weight.shape, form)).astype(np.float32)
        return ann.DiagonalOp(value, self.weights.add(per_channel, "diagonal"))


def summands(value: SSAValue, shape: tuple[int, ...], sign: int = 1) -> Iterator[tuple[SSAValue, int]]:
    """What a tree of sums and differences adds up, with signs; sums that others read too are leaves."""
    total = value.owner
    whole = isinstance(total, ann.AddOp | ann.SubOp) and shape_of(total.left) == shape_of(total.right) == shape
    if not whole or not isinstance(total, ann.AddOp | ann.SubOp) or not read_once(value):
        yield value, sign
        return
    yield from summands(total.left, shape, sign)
    yield from summands(total.right, shape, -sign if isinstance(total, ann.SubOp) else sign)
