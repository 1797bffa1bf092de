"""Small typed helpers over xDSL's builtin attributes and tensor types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias, cast

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IntegerAttr,
    IntegerType,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue

Dense: TypeAlias = DenseIntOrFPElementsAttr | DenseResourceAttr
"""A constant tensor: inline when small, a name in the weight store when large."""

AnyTensor: TypeAlias = TensorType[Attribute]

FOREVER = 2**63 - 1
"""The end of a window of steps that is open: the largest i64."""


def integers(values: Iterable[int]) -> DenseArrayBase:
    """`[1, 2]` as an array attribute of i64."""
    return DenseArrayBase.from_list(i64, list(values))


def integer(value: int) -> IntegerAttr:
    """`3` as an i64 attribute."""
    return IntegerAttr(value, i64)


def values_of(array: DenseArrayBase) -> tuple[int, ...]:
    """The integers of an array attribute."""
    return cast(DenseArrayBase[IntegerType], array).get_values()


def tensor_type(value: SSAValue) -> AnyTensor:
    """The tensor type of a value.

    Raises:
        TypeError: the value is not a tensor.
    """
    if not isinstance(value.type, TensorType):
        raise TypeError(f"expected a tensor, found {value.type}")
    return value.type


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor value, without a batch axis."""
    return tensor_type(value).get_shape()


def fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether the shape of an array is the expected one, in which time may have any length."""
    pairs = zip(shape, expected, strict=False)
    return len(shape) == len(expected) and all(wanted in (size, DYNAMIC_INDEX) for size, wanted in pairs)


def written_shape(shape: tuple[int, ...]) -> str:
    """A shape as messages say it: `(time, 2, 34, 34)` where the first axis has no fixed length."""
    return str(shape).replace(str(DYNAMIC_INDEX), "time")


def element_type(value: SSAValue) -> Attribute:
    """The element type of a tensor value."""
    return tensor_type(value).element_type


def dense_shape(attribute: Dense) -> tuple[int, ...]:
    """The shape of a constant tensor."""
    return dense_type(attribute).get_shape()


def dense_type(attribute: Dense) -> AnyTensor:
    """The tensor type of a constant tensor."""
    return cast(AnyTensor, attribute.type)
