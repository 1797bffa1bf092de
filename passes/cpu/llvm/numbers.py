"""How the elements of buffers are held in registers, and arithmetic between elements of different types."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu.bases import element_bytes, is_float, is_unsigned
from neurocuda.passes.cpu.llvm.builder import Builder, bits_of, f64, i64


def stored(element: Attribute) -> Attribute:
    """The type that an element of a buffer has in LLVM: without a sign; a spike, i1, is a byte."""
    return IntegerType(8 * element_bytes(element)) if isinstance(element, IntegerType) else element


def converted(b: Builder, value: SSAValue, element: Attribute, to: Attribute) -> SSAValue:
    """An element as another element type: integers wrap, floats are rounded to nearest."""
    kind = stored(to)
    if is_float(element):
        return b.resize_float(value, kind) if is_float(to) else b.to_integer(value, kind)
    if not is_float(to):
        return b.resize(value, kind, signed=not is_unsigned(element))
    if is_unsigned(element):
        value = b.extend_unsigned(value, IntegerType(min(64, 2 * bits_of(value.type))))
    return b.to_float(value, kind)


def as_double(b: Builder, value: SSAValue, element: Attribute) -> SSAValue:
    """An element as a float64, exactly."""
    return converted(b, value, element, f64)


_ROUNDER = 2.0**52 + 2.0**51


def rounded(b: Builder, value: SSAValue, to: Attribute) -> SSAValue:
    """A float64 below 2^50 in magnitude as an integer, ties to even: its low bits once 2^52 + 2^51 is added."""
    return b.resize(b.bitcast(b.add(value, _ROUNDER), i64), stored(to))
