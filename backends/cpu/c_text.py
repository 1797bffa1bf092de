"""C spelled out: types, literals, comments, loops. What a model calls things gets into comments alone, cleaned."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType
from xdsl.ir import Attribute

from neurocuda.dialects.cpu.bases import element_bytes, is_unsigned

INDENT = "    "


def c_type(element: Attribute) -> str:
    """The C type of a buffer's or constant's elements."""
    if isinstance(element, Float32Type | Float64Type):
        return "float" if isinstance(element, Float32Type) else "double"
    assert isinstance(element, IntegerType)
    return f"{'u' if is_unsigned(element) else ''}int{8 * element_bytes(element)}_t"


def literal(value: float, element: Attribute) -> str:
    """A number as a C constant of a type, exactly: the shortest decimals that read back as it."""
    if isinstance(element, IntegerType):
        whole = int(value)
        return f"({whole + 1} - 1)" if whole in (-(2**31), -(2**63)) else str(whole)
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return repr(float(value)) + ("f" if isinstance(element, Float32Type) else "")


def lowest(element: Attribute) -> str:
    """The smallest value of a type."""
    if isinstance(element, IntegerType):
        return "0" if is_unsigned(element) else f"INT{8 * element_bytes(element)}_MIN"
    return "-INFINITY"


def comment(text: str) -> str:
    """A user's words inside a comment: letters, digits and harmless punctuation, at most 100 characters."""
    return re.sub(r"[^A-Za-z0-9 _.,:=()\[\]-]+", "_", text)[:100].strip()


def braces(head: str, body: Iterable[str]) -> list[str]:
    """`head {`, the body indented, `}`."""
    return [f"{head} {{", *indented(body), "}"]


def indented(lines: Iterable[str]) -> list[str]:
    """Lines one level deeper."""
    return [f"{INDENT}{line}" if line else "" for line in lines]


def loop(name: str, count: int | str, body: Sequence[str], step: int = 1) -> list[str]:
    """`for (int32_t name = 0; name < count; ++name)` around the body."""
    advance = f"++{name}" if step == 1 else f"{name} += {step}"
    return braces(f"for (int32_t {name} = 0; {name} < {count}; {advance})", body)


def between(name: str, begin: str, end: str, body: Sequence[str], step: int = 1) -> list[str]:
    """`for (int32_t name = begin; name < end; ++name)` around the body; the end is computed once."""
    if begin == "0" and end.isdecimal():
        return loop(name, end, body, step)
    advance = f"++{name}" if step == 1 else f"{name} += {step}"
    head = f"for (int32_t {name} = {begin}; {name} < {name}_end; {advance})"
    return [f"const int32_t {name}_end = {end};", *braces(head, body)]


def sum_of(*terms: tuple[str, int], plus: int = 0) -> str:
    """`16 * y + x + 3` from (variable, factor) pairs and a constant; what is zero is left out."""
    parts = [name if factor == 1 else f"{factor} * {name}" for name, factor in terms if factor]
    parts += [str(plus)] if plus or not parts else []
    return " + ".join(parts)


def numbered(name: str, count: int) -> list[str]:
    """What several things of one kind are called; one alone has no number."""
    return [name] if count == 1 else [f"{name}_{index}" for index in range(count)]
