"""How the elements of buffers are held in registers."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute

from neurocuda.dialects.cpu.bases import element_bytes


def stored(element: Attribute) -> Attribute:
    """The type that an element of a buffer has in LLVM: without a sign; a spike, i1, is a byte."""
    return IntegerType(8 * element_bytes(element)) if isinstance(element, IntegerType) else element
