"""Bases of the operations that several dialects share: synapses (linear, stateless), pooling and index maps.

A base holds operands, properties, the assembly format and the shape rule; a dialect gives it a name and its element
types. The NumPy meanings stand beside, in `meanings.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.pattern_rewriter import RewritePattern
from xdsl.traits import HasCanonicalizationPatternsTrait, OpTrait, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.shared import shapes
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, element_type, integer, integers, shape_of, values_of


class Pointwise(OpTrait):
    """Acts on every element alone: an activation function. Between layers, neurons say it from a table."""


class ShapedOp(IRDLOperation, ABC):
    """An operation whose result shape follows from its operands and properties."""

    @abstractmethod
    def inferred_shape(self) -> shapes.Shape:
        """The shape that the result must have. Raises ValueError where the operation is malformed."""

    def verify_(self) -> None:
        """(C1) The result has the inferred shape."""
        try:
            expected = self.inferred_shape()
        except ValueError as reason:
            raise VerifyException(f"{self.name}: {reason}") from None
        found = shape_of(self.results[0])
        if found != expected:
            raise VerifyException(f"{self.name}: expected a result of shape {expected}, found {found}")


def _element(value: SSAValue, weight: Dense) -> Attribute:
    """Accumulators of integer weights are i32, of float weights f32."""
    from xdsl.dialects.builtin import IntegerType, f32, i32

    del value
    return i32 if isinstance(dense_type(weight).element_type, IntegerType) else f32


def verify_one_element_type(op: Operation) -> None:
    """Operands and result have one element type.

    Raises:
        VerifyException: they have several.
    """
    result = op.results[0]
    for operand in op.operands:
        if element_type(operand) != element_type(result):
            raise VerifyException(f"{op.name}: the element type changes from {operand.type} to {result.type}")


class SynapseOp(ShapedOp, ABC):
    """A linear, stateless map with constant weights."""

    input = operand_def(TensorType)
    weight = prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)


class Conv2dBase(SynapseOp, ABC):
    """Cross-correlation of a (channels, height, width) tensor with an (out, in / groups, height, width) weight.

    Padding is top, bottom, left, right. Zeros are added.
    """

    bias = opt_prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    stride = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    padding = prop_def(DenseArrayBase.constr(i64), default_value=integers((0, 0, 0, 0)))
    dilation = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    groups = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    assembly_format = (
        "$input `weight` `(` $weight `)` (`bias` `(` $bias^ `)`)? (`stride` $stride^)? (`padding` $padding^)? "
        "(`dilation` $dilation^)? (`groups` $groups^)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(
        self,
        input: SSAValue,
        weight: Dense,
        bias: Dense | None = None,
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
        dilation: Sequence[int] = (1, 1),
        groups: int = 1,
        element: Attribute | None = None,
    ) -> None:
        shape = shapes.conv2d(shape_of(input), dense_shape(weight), stride, padding, dilation, groups)
        super().__init__(
            operands=[input],
            properties={
                "weight": weight,
                "bias": bias,
                "stride": integers(stride),
                "padding": integers(padding),
                "dilation": integers(dilation),
                "groups": integer(groups),
            },
            result_types=[TensorType(element or _element(input, weight), shape)],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.conv2d(
            shape_of(self.input),
            dense_shape(self.weight),
            values_of(self.stride),
            values_of(self.padding),
            values_of(self.dilation),
            self.groups.value.data,
        )

    def verify_(self) -> None:
        """(C2) The bias has one element per output channel."""
        super().verify_()
        if self.bias is not None and dense_shape(self.bias) != dense_shape(self.weight)[:1]:
            raise VerifyException(f"{self.name}: expected one bias per output channel")


class LinearBase(SynapseOp, ABC):
    """A matrix product over the last axis with an (out, in) weight."""

    bias = opt_prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    assembly_format = (
        "$input `weight` `(` $weight `)` (`bias` `(` $bias^ `)`)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(
        self, input: SSAValue, weight: Dense, bias: Dense | None = None, *, element: Attribute | None = None
    ) -> None:
        shape = shapes.linear(shape_of(input), dense_shape(weight))
        super().__init__(
            operands=[input],
            properties={"weight": weight, "bias": bias},
            result_types=[TensorType(element or _element(input, weight), shape)],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.linear(shape_of(self.input), dense_shape(self.weight))

    def verify_(self) -> None:
        """(C2) The bias has one element per output feature."""
        super().verify_()
        if self.bias is not None and dense_shape(self.bias) != dense_shape(self.weight)[:1]:
            raise VerifyException(f"{self.name}: expected one bias per output feature")


class DiagonalBase(SynapseOp, ABC):
    """Every element times its own weight: the synapse of an identity shortcut. The weight broadcasts onto the input."""

    assembly_format = "$input `weight` `(` $weight `)` attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, weight: Dense, *, element: Attribute | None = None) -> None:
        super().__init__(
            operands=[input],
            properties={"weight": weight},
            result_types=[TensorType(element or _element(input, weight), shape_of(input))],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        if not shapes.broadcastable(dense_shape(self.weight), shape):
            raise ValueError(f"a weight of shape {dense_shape(self.weight)} does not broadcast onto {shape}")
        return shape


class CanonicalPooling(HasCanonicalizationPatternsTrait):
    """Pooling simplifies by itself."""

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from neurocuda.dialects.shared.canonicalization import POOLING_PATTERNS

        return POOLING_PATTERNS


class CanonicalIndexMap(HasCanonicalizationPatternsTrait):
    """Index maps simplify by themselves."""

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from neurocuda.dialects.shared.canonicalization import INDEX_MAP_PATTERNS

        return INDEX_MAP_PATTERNS


class Pool2dOp(ShapedOp, ABC):
    """A window moved over (channels, height, width). Padding is top, bottom, left, right."""

    input = operand_def(TensorType)
    kernel = prop_def(DenseArrayBase.constr(i64))
    stride = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    padding = prop_def(DenseArrayBase.constr(i64), default_value=integers((0, 0, 0, 0)))
    dilation = prop_def(DenseArrayBase.constr(i64), default_value=integers((1, 1)))
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalPooling())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `kernel` $kernel (`stride` $stride^)? (`padding` $padding^)? (`dilation` $dilation^)? attr-dict "
        "`:` type($input) `->` type($result)"
    )

    def __init__(
        self,
        input: SSAValue,
        kernel: Sequence[int],
        *,
        stride: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
        dilation: Sequence[int] = (1, 1),
        element: Attribute,
    ) -> None:
        shape = shape_of(input)
        windows = shapes.windows2d(shape, kernel, stride, padding, dilation)
        super().__init__(
            operands=[input],
            properties={
                "kernel": integers(kernel),
                "stride": integers(stride),
                "padding": integers(padding),
                "dilation": integers(dilation),
            },
            result_types=[TensorType(element, (shape[0], *windows))],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        windows = shapes.windows2d(
            shape,
            values_of(self.kernel),
            values_of(self.stride),
            values_of(self.padding),
            values_of(self.dilation),
        )
        return shape[0], *windows


class SumPool2dBase(Pool2dOp, ABC):
    """A pooling that adds up its window.

    (C2) The window is not dilated.
    """

    def verify_(self) -> None:
        super().verify_()
        if values_of(self.dilation) != (1, 1):  # C2
            raise VerifyException(f"{self.name}: the windows of sums and averages cannot be dilated")


class IndexMapOp(ShapedOp, ABC):
    """Moves elements without changing them."""

    input = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalIndexMap())
    irdl_options = (ParsePropInAttrDict(),)

    def verify_(self) -> None:
        """(C2) The element type stays."""
        super().verify_()
        verify_one_element_type(self)


def _like(input: SSAValue, shape: shapes.Shape) -> TensorType[Attribute]:
    assert isinstance(input.type, TensorType)
    return TensorType(input.type.element_type, shape)


class ReshapeBase(IndexMapOp, ABC):
    """The same elements in row-major order under another shape."""

    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, shape: Sequence[int]) -> None:
        result = shapes.reshape(shape_of(input), tuple(shape))
        super().__init__(operands=[input], result_types=[_like(input, result)])

    def inferred_shape(self) -> shapes.Shape:
        return shapes.reshape(shape_of(self.input), shape_of(self.result))


class TransposeBase(IndexMapOp, ABC):
    """Axes in another order: axis i of the result is axis permutation[i] of the input."""

    permutation = prop_def(DenseArrayBase.constr(i64))
    assembly_format = "$input `permutation` $permutation attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, permutation: Sequence[int]) -> None:
        super().__init__(
            operands=[input],
            properties={"permutation": integers(permutation)},
            result_types=[_like(input, shapes.transpose(shape_of(input), permutation))],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.transpose(shape_of(self.input), values_of(self.permutation))


class SliceBase(IndexMapOp, ABC):
    """`start:stop:step` along every axis."""

    starts = prop_def(DenseArrayBase.constr(i64))
    stops = prop_def(DenseArrayBase.constr(i64))
    steps = prop_def(DenseArrayBase.constr(i64))
    assembly_format = (
        "$input `starts` $starts `stops` $stops `steps` $steps attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(self, input: SSAValue, starts: Sequence[int], stops: Sequence[int], steps: Sequence[int]) -> None:
        super().__init__(
            operands=[input],
            properties={"starts": integers(starts), "stops": integers(stops), "steps": integers(steps)},
            result_types=[_like(input, shapes.slice_(shape_of(input), starts, stops, steps))],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.slice_(shape_of(self.input), values_of(self.starts), values_of(self.stops), values_of(self.steps))


class PadBase(IndexMapOp, ABC):
    """Zeros at the ends of every axis."""

    low = prop_def(DenseArrayBase.constr(i64))
    high = prop_def(DenseArrayBase.constr(i64))
    assembly_format = "$input `low` $low `high` $high attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, low: Sequence[int], high: Sequence[int]) -> None:
        super().__init__(
            operands=[input],
            properties={"low": integers(low), "high": integers(high)},
            result_types=[_like(input, shapes.pad(shape_of(input), low, high))],
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.pad(shape_of(self.input), values_of(self.low), values_of(self.high))


class ConcatBase(ShapedOp, ABC):
    """Tensors joined along one axis."""

    inputs = var_operand_def(TensorType)
    axis = prop_def(IntegerAttr.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalIndexMap())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$inputs `axis` $axis attr-dict `:` `(` type($inputs) `)` `->` type($result)"

    def __init__(self, inputs: Sequence[SSAValue], axis: int, element: Attribute) -> None:
        shape = shapes.concat([shape_of(value) for value in inputs], axis)
        super().__init__(
            operands=[inputs], properties={"axis": integer(axis)}, result_types=[TensorType(element, shape)]
        )

    def inferred_shape(self) -> shapes.Shape:
        return shapes.concat([shape_of(value) for value in self.inputs], self.axis.value.data)
