"""Neuron layers, inputs and constants."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    FloatAttr,
    IntegerAttr,
    TensorType,
    f32,
    f64,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.dialects.shared.tables import LayerNormBase, LookupBase, SoftmaxBase
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, element_type, integer, shape_of, tensor_type


@irdl_op_definition
class ConstantOp(ShapedOp):
    """A constant that an operation reads like an activation (a class token)."""

    name = "ann.constant"
    value = prop_def(Dense)
    result = result_def(TensorType)
    traits = traits_def(Pure(), ConstantLike())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$value attr-dict `->` type($result)"

    def __init__(self, value: Dense) -> None:
        super().__init__(properties={"value": value}, result_types=[dense_type(value)])

    def inferred_shape(self) -> shapes.Shape:
        return dense_shape(self.value)


@irdl_op_definition
class InputOp(ShapedOp):
    """An input of the network. With `mean` and `std`, (x / 255 - mean) / std of uint8 pixels, else x itself.

    (C2) mean and std come together, one value per channel (axis 0), and go with ui8 pixels and only with them.
    """

    name = "ann.input"
    input = operand_def(TensorType)
    mean = opt_prop_def(Dense)
    std = opt_prop_def(Dense)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input (`mean` `(` $mean^ `)`)? (`std` `(` $std^ `)`)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(self, input: SSAValue, mean: Dense | None = None, std: Dense | None = None) -> None:
        super().__init__(
            operands=[input],
            properties={"mean": mean, "std": std},
            result_types=[TensorType(f32, shape_of(input))],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shape_of(self.input)

    def verify_(self) -> None:
        super().verify_()
        pixels = element_type(self.input) != f32
        if (self.mean is None) != (self.std is None) or pixels != (self.mean is not None):  # C2
            raise VerifyException("ann.input: mean and std come together, with ui8 pixels and only with them")
        for constant in (self.mean, self.std):
            if constant is not None and dense_shape(constant) != shape_of(self.input)[:1]:
                raise VerifyException("ann.input: expected one mean and one std per channel")


class NeuronLayerOp(ShapedOp):
    """Synaptic currents of one shape, summed; per-neuron constants broadcast onto that shape."""

    currents = var_operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)

    def constants(self) -> Sequence[Dense]:
        """The per-neuron constants."""
        return ()

    def inferred_shape(self) -> shapes.Shape:
        if not self.currents:
            raise ValueError("a neuron layer needs at least one current")
        shape = shape_of(self.currents[0])
        for current in self.currents:
            if shape_of(current) != shape:
                raise ValueError(f"currents of shapes {shape} and {shape_of(current)} meet")
        for constant in self.constants():
            if not shapes.broadcastable(dense_shape(constant), shape):
                raise ValueError(f"a constant of shape {dense_shape(constant)} does not broadcast onto {shape}")
        return shape


@irdl_op_definition
class NeuronOp(NeuronLayerOp):
    """min(max(sum of currents + bias, 0), maximum): one rectified neuron layer in floats. Spikes: yes."""

    name = "ann.neuron"
    bias = opt_prop_def(Dense)
    maximum = opt_prop_def(FloatAttr)
    assembly_format = (
        "$currents (`bias` `(` $bias^ `)`)? (`maximum` $maximum^)? attr-dict `:` `(` type($currents) `)` "
        "`->` type($result)"
    )

    def __init__(self, currents: Sequence[SSAValue], bias: Dense | None = None, maximum: float | None = None) -> None:
        super().__init__(
            operands=[currents],
            properties={"bias": bias, "maximum": None if maximum is None else FloatAttr(maximum, f64)},
            result_types=[TensorType(f32, shape_of(currents[0]))],
        )

    def constants(self) -> Sequence[Dense]:
        return [] if self.bias is None else [self.bias]


@irdl_op_definition
class RelayOp(NeuronLayerOp):
    """sum of currents + bias: a layer of neurons that say what they receive, of either sign. Spikes: graded.

    An activation function, a layer norm or a softmax that alone reads a relay acts on its charge: together they are
    one layer. A relay that anything else reads is quantised itself.
    """

    name = "ann.relay"
    bias = opt_prop_def(Dense)
    assembly_format = "$currents (`bias` `(` $bias^ `)`)? attr-dict `:` `(` type($currents) `)` `->` type($result)"

    def __init__(self, currents: Sequence[SSAValue], bias: Dense | None = None) -> None:
        super().__init__(
            operands=[currents],
            properties={"bias": bias},
            result_types=[TensorType(f32, shape_of(currents[0]))],
        )

    def constants(self) -> Sequence[Dense]:
        return [] if self.bias is None else [self.bias]


@irdl_op_definition
class StaircaseOp(NeuronLayerOp):
    """clip(floor((sum of currents + bias + initial) / threshold), 0, levels): one quantised neuron layer.

    Bias, threshold and initial value are integers (i32) at `ann-quantized`, floats before `quantize-weights`.
    `scale` (f64, broadcasts like the threshold) is what one count stands for; only reports and calibration read it.

    (C2) The result is a tensor of !ann.count<0, levels>.
    """

    name = "ann.staircase"
    bias = prop_def(Dense)
    threshold = prop_def(Dense)
    initial = prop_def(Dense)
    scale = prop_def(Dense)
    levels = prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$currents `bias` `(` $bias `)` `threshold` `(` $threshold `)` `initial` `(` $initial `)` "
        "`scale` `(` $scale `)` `levels` $levels attr-dict `:` `(` type($currents) `)` `->` type($result)"
    )

    def __init__(
        self,
        currents: Sequence[SSAValue],
        *,
        bias: Dense,
        threshold: Dense,
        initial: Dense,
        scale: Dense,
        levels: int,
    ) -> None:
        super().__init__(
            operands=[currents],
            properties={
                "bias": bias,
                "threshold": threshold,
                "initial": initial,
                "scale": scale,
                "levels": integer(levels),
            },
            result_types=[TensorType(CountType.of(0, levels), shape_of(currents[0]))],
        )

    def constants(self) -> Sequence[Dense]:
        return [self.bias, self.threshold, self.initial, self.scale]

    def verify_(self) -> None:
        super().verify_()
        levels = self.levels.value.data
        if levels < 1 or tensor_type(self.result).element_type != CountType.of(0, levels):  # C2
            raise VerifyException(f"ann.staircase: expected a result of !ann.count<0, {levels}> with positive levels")


@irdl_op_definition
class LookupOp(LookupBase):
    """Neurons that say what a table holds for their charge; without a table, the charge in units of the threshold.

    n = clip(floor((sum of currents + initial) / threshold), lowest, highest); table[n - lowest], or n itself. The
    integer form of every activation function between synapses, and of sums without one.

    Threshold and initial value are integers (i32) at `ann-quantized`, floats before `quantize-weights`.
    """

    name = "ann.lookup"
    traits = traits_def(Pure())
    assembly_format = LookupBase.FORMAT + " attr-dict `:` `(` type($currents) `)` `->` type($result)"


@irdl_op_definition
class IntegerSoftmaxOp(SoftmaxBase):
    """Shares of a row (the last axis) in `levels`: floor((levels e + floor(total / 2)) / total), e = table[k].

    k = min(floor((largest charge of the row - charge) / divisor), entries - 1), and table[k] is about
    2^bits exp(-k step). The divisor is constant along a row.

    The divisor is an integer (i32) at `ann-quantized`, a float before `quantize-weights`.
    """

    name = "ann.integer_softmax"
    traits = traits_def(Pure())
    assembly_format = SoftmaxBase.FORMAT + " attr-dict `:` `(` type($currents) `)` `->` type($result)"


@irdl_op_definition
class IntegerLayerNormOp(LayerNormBase):
    """A row (the last axis, N charges v) without its mean, over its deviation, as integers.

    d = N v - sum of v, r = isqrt(sum of d² + epsilon); clip(floor((floor(d gain / r) + shift) / 2^8)) to the result's
    range, the quotient being 0 where r is.
    """

    name = "ann.integer_layer_norm"
    traits = traits_def(Pure())
    assembly_format = LayerNormBase.FORMAT + " attr-dict `:` `(` type($currents) `)` `->` type($result)"
