"""Linear maps, sums, products and normalisations."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    BoolAttr,
    DenseArrayBase,
    FloatAttr,
    TensorType,
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
)
from xdsl.pattern_rewriter import RewritePattern
from xdsl.traits import HasCanonicalizationPatternsTrait, Pure

from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import Conv2dBase, DiagonalBase, LinearBase, ShapedOp, verify_one_element_type
from neurocuda.dialects.shared.tables import ElementwiseProductBase, MatrixProductBase
from neurocuda.ir.attributes import Dense, dense_shape, element_type, integers, shape_of, values_of


class CanonicalArithmetic(HasCanonicalizationPatternsTrait):
    """Scales, shifts and means simplify by themselves."""

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from neurocuda.dialects.ann.canonicalization import ARITHMETIC_PATTERNS

        return ARITHMETIC_PATTERNS


class FloatOp(ShapedOp, ABC):
    """Computes without changing the kind of number."""

    def verify_(self) -> None:
        """(C2) Operands and result have one element type."""
        super().verify_()
        verify_one_element_type(self)


@irdl_op_definition
class Conv2dOp(Conv2dBase):
    """Cross-correlation of (channels, height, width) with an (out, in / groups, height, width) weight.

    Padding is top, bottom, left, right. Floats give floats; counts with i8 weights give i32. Spikes: yes, a synapse.
    """

    name = "ann.conv2d"


@irdl_op_definition
class LinearOp(LinearBase):
    """A matrix product over the last axis with an (out, in) weight. Spikes: yes, a synapse."""

    name = "ann.linear"


@irdl_op_definition
class DiagonalOp(DiagonalBase):
    """Every element times its own weight; the weight broadcasts. Spikes: yes, the synapse of an identity shortcut."""

    name = "ann.diagonal"


@irdl_op_definition
class AffineOp(FloatOp):
    """scale x + shift with constants that broadcast onto x: products and sums with constants. Spikes: when folded."""

    name = "ann.affine"
    input = operand_def(TensorType)
    scale = opt_prop_def(Dense)
    shift = opt_prop_def(Dense)
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalArithmetic())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input (`scale` `(` $scale^ `)`)? (`shift` `(` $shift^ `)`)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(self, input: SSAValue, scale: Dense | None, shift: Dense | None) -> None:
        super().__init__(operands=[input], properties={"scale": scale, "shift": shift}, result_types=[input.type])

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        for constant in (self.scale, self.shift):
            if constant is not None and not shapes.broadcastable(dense_shape(constant), shape):
                raise ValueError(f"a constant of shape {dense_shape(constant)} does not broadcast onto {shape}")
        return shape


@irdl_op_definition
class BatchNormOp(FloatOp):
    """scale (x - mean) / sqrt(variance + epsilon) + shift, one value per channel (axis 0). Spikes: when folded."""

    name = "ann.batch_norm"
    input = operand_def(TensorType)
    scale = prop_def(Dense)
    shift = prop_def(Dense)
    mean = prop_def(Dense)
    variance = prop_def(Dense)
    epsilon = prop_def(FloatAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `scale` `(` $scale `)` `shift` `(` $shift `)` `mean` `(` $mean `)` `variance` `(` $variance `)` "
        "`epsilon` $epsilon attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(
        self, input: SSAValue, *, scale: Dense, shift: Dense, mean: Dense, variance: Dense, epsilon: float
    ) -> None:
        super().__init__(
            operands=[input],
            properties={
                "scale": scale,
                "shift": shift,
                "mean": mean,
                "variance": variance,
                "epsilon": FloatAttr(epsilon, f64),
            },
            result_types=[input.type],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        for constant in (self.scale, self.shift, self.mean, self.variance):
            if dense_shape(constant) != shape[:1]:
                raise ValueError(f"expected one value for each of {shape[0]} channels, found {dense_shape(constant)}")
        return shape


@irdl_op_definition
class LayerNormOp(FloatOp):
    """(x - mean) / sqrt(variance + epsilon) over the last axes, then scale and shift.

    Spikes: graded, over the last axis alone, as `ann.integer_layer_norm`.

    `normalized` is the shape of the axes that are averaged over.
    """

    name = "ann.layer_norm"
    input = operand_def(TensorType)
    normalized = prop_def(DenseArrayBase.constr(i64))
    scale = opt_prop_def(Dense)
    shift = opt_prop_def(Dense)
    epsilon = prop_def(FloatAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `normalized` $normalized (`scale` `(` $scale^ `)`)? (`shift` `(` $shift^ `)`)? `epsilon` $epsilon "
        "attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(
        self,
        input: SSAValue,
        normalized: Sequence[int],
        *,
        scale: Dense | None,
        shift: Dense | None,
        epsilon: float,
    ) -> None:
        super().__init__(
            operands=[input],
            properties={
                "normalized": integers(normalized),
                "scale": scale,
                "shift": shift,
                "epsilon": FloatAttr(epsilon, f64),
            },
            result_types=[input.type],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape, normalized = shape_of(self.input), values_of(self.normalized)
        if not normalized or shape[-len(normalized) :] != normalized:
            raise ValueError(f"{shape} does not end in the normalised shape {normalized}")
        for constant in (self.scale, self.shift):
            if constant is not None and dense_shape(constant) != normalized:
                raise ValueError(f"expected constants of shape {normalized}, found {dense_shape(constant)}")
        return shape


class ElementwiseOp(FloatOp, ABC):
    """Two operands that broadcast against each other."""

    left = operand_def(TensorType)
    right = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$left `,` $right attr-dict `:` `(` type($left) `,` type($right) `)` `->` type($result)"

    def __init__(self, left: SSAValue, right: SSAValue) -> None:
        shape = shapes.broadcast(shape_of(left), shape_of(right))
        super().__init__(operands=[left, right], result_types=[TensorType(element_type(left), shape)])

    def inferred_shape(self) -> shapes.Shape:
        return shapes.broadcast(shape_of(self.left), shape_of(self.right))


@irdl_op_definition
class AddOp(ElementwiseOp):
    """The sum. Spikes: as synapses of one neuron layer, after `merge-residual`."""

    name = "ann.add"


@irdl_op_definition
class SubOp(ElementwiseOp):
    """The difference. Spikes: as synapses of one neuron layer, after `merge-residual`."""

    name = "ann.sub"


@irdl_op_definition
class MulOp(ElementwiseOp):
    """The product of two activations (squeeze-and-excite). Spikes: graded, as `ann.product`."""

    name = "ann.mul"


@irdl_op_definition
class MatmulOp(FloatOp):
    """The matrix product of two activations over their last two axes; leading axes must agree.

    Spikes: graded, as `ann.matrix_product`.
    """

    name = "ann.matmul"
    left = operand_def(TensorType)
    right = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$left `,` $right attr-dict `:` `(` type($left) `,` type($right) `)` `->` type($result)"

    def __init__(self, left: SSAValue, right: SSAValue) -> None:
        shape = shapes.matmul(shape_of(left), shape_of(right))
        super().__init__(operands=[left, right], result_types=[TensorType(element_type(left), shape)])

    def inferred_shape(self) -> shapes.Shape:
        return shapes.matmul(shape_of(self.left), shape_of(self.right))


@irdl_op_definition
class ProductOp(ElementwiseProductBase):
    """The product of two counts, element by element, as an i32 accumulator. Spikes: graded."""

    name = "ann.product"


@irdl_op_definition
class MatrixProductOp(MatrixProductBase):
    """The matrix product of counts over the last two axes, as an i32 accumulator. Spikes: graded."""

    name = "ann.matrix_product"


@irdl_op_definition
class AttentionOp(FloatOp):
    """softmax(scale query keyᵀ + mask) value over the last two axes.

    Spikes: graded, taken apart into matrix products and a softmax, unless it masks.

    `causal` masks later positions; `mask` is a constant that broadcasts onto (queries, keys).
    """

    name = "ann.attention"
    query = operand_def(TensorType)
    key = operand_def(TensorType)
    value = operand_def(TensorType)
    scale = prop_def(FloatAttr)
    causal = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    mask = opt_prop_def(Dense)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$query `,` $key `,` $value `scale` $scale (`causal` $causal^)? (`mask` `(` $mask^ `)`)? attr-dict "
        "`:` `(` type($query) `,` type($key) `,` type($value) `)` `->` type($result)"
    )

    def __init__(
        self,
        query: SSAValue,
        key: SSAValue,
        value: SSAValue,
        *,
        scale: float,
        causal: bool = False,
        mask: Dense | None = None,
    ) -> None:
        shape = (*shape_of(query)[:-1], shape_of(value)[-1])
        super().__init__(
            operands=[query, key, value],
            properties={"scale": FloatAttr(scale, f64), "causal": BoolAttr.from_bool(causal), "mask": mask},
            result_types=[TensorType(element_type(query), shape)],
        )

    def inferred_shape(self) -> shapes.Shape:
        query, key, value = shape_of(self.query), shape_of(self.key), shape_of(self.value)
        too_flat = min(map(len, (query, key, value))) < 2
        if too_flat or query[:-2] != key[:-2] or query[-1] != key[-1] or key[:-1] != value[:-1]:
            raise ValueError(f"query {query}, key {key} and value {value} do not match")
        scores = (*query[:-1], key[-2])
        if self.mask is not None and not shapes.broadcastable(dense_shape(self.mask), scores):
            raise ValueError(f"a mask of shape {dense_shape(self.mask)} does not broadcast onto {scores}")
        return *query[:-1], value[-1]


@irdl_op_definition
class MeanOp(FloatOp):
    """The mean over some axes, which are kept with size one where `keep` is set.

    Spikes: over the tokens of a sequence, as a pooling. The mean over height and width is imported as
    `ann.average_pool2d`, which spikes.
    """

    name = "ann.mean"
    input = operand_def(TensorType)
    axes = prop_def(DenseArrayBase.constr(i64))
    keep = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalArithmetic())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input `axes` $axes (`keep` $keep^)? attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, axes: Sequence[int], *, keep: bool = False) -> None:
        super().__init__(
            operands=[input],
            properties={"axes": integers(axes), "keep": BoolAttr.from_bool(keep)},
            result_types=[TensorType(element_type(input), _reduced(shape_of(input), axes, keep))],
        )

    def inferred_shape(self) -> shapes.Shape:
        return _reduced(shape_of(self.input), values_of(self.axes), bool(self.keep.value.data))


def _reduced(shape: shapes.Shape, axes: Sequence[int], keep: bool) -> shapes.Shape:
    if not axes or not all(0 <= axis < len(shape) for axis in axes):
        raise ValueError(f"axes {tuple(axes)} are not axes of {shape}")
    if keep:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)
