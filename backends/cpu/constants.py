"""The constants of a program: a struct of typed, aligned arrays in C, and the same struct as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute

from neurocuda.backends.cpu.c_text import braces, c_type, indented, literal
from neurocuda.dialects.cpu.bases import is_float
from neurocuda.dialects.cpu.interface import ALIGNMENT
from neurocuda.ir.attributes import Dense, dense_shape, dense_type
from neurocuda.ir.weights import WeightStore

NONE = "nothing"
"""The one member of a struct without constants, as C has no empty ones."""

IN_A_ROW = 24
"""Numbers in a line of text."""


@dataclass(frozen=True)
class Constant:
    """A member of the struct: its name, the tensor, and what reads it first."""

    name: str
    tensor: Dense
    reader: str

    @property
    def element(self) -> Attribute:
        """The type of its elements."""
        return dense_type(self.tensor).element_type

    @property
    def size(self) -> int:
        """The number of its elements."""
        return prod(dense_shape(self.tensor))


class Constants:
    """All constants that a program reads from memory; equal ones once."""

    def __init__(self, weights: WeightStore, symbol: str) -> None:
        self._weights = weights
        self._symbol = symbol
        self._members: dict[Dense, Constant] = {}

    def member(self, tensor: Dense, kind: str, reader: str) -> str:
        """The name of the member that holds a tensor; a new one is called after what it is and numbered."""
        if tensor not in self._members:
            number = sum(1 for other in self._members.values() if other.name.rpartition("_")[0] == kind)
            self._members[tensor] = Constant(f"{kind}_{number}", tensor, reader)
        return self._members[tensor].name

    @property
    def content(self) -> bytes:
        """The struct as it lies in the memory of a little-endian machine."""
        chunks = [self._weights.array(each.tensor).tobytes() for each in self._members.values()]
        return b"".join(chunk + bytes(-len(chunk) % ALIGNMENT) for chunk in chunks) or bytes(ALIGNMENT)

    @property
    def declaration(self) -> list[str]:
        """The type of the struct, and that there is one."""
        members = [
            f"alignas({ALIGNMENT}) {c_type(each.element)} {each.name}[{each.size}];{_note(each)}"
            for each in self._members.values()
        ]
        struct = f"struct {self._symbol}_weights"
        return [
            *braces(struct, members or [f"alignas({ALIGNMENT}) uint8_t {NONE};"])[:-1],
            "};",
            "",
            f"extern const {struct} {self._symbol}_weights; /* in {self._symbol}_weights.c */",
        ]

    @property
    def definition(self) -> str:
        """A C file that defines the struct. Compilers take about a second and 100 MB for a million numbers."""
        members = [line for each in self._members.values() for line in self._initializer(each)]
        head = f"const struct {self._symbol}_weights {self._symbol}_weights = {{"
        lines = [f'#include "{self._symbol}.h"', "", head, *indented(members or [f".{NONE} = 0,"]), "};", ""]
        return "\n".join([*(["#include <math.h>", ""] if any(map(_is_real, self._members)) else []), *lines])

    def _initializer(self, constant: Constant) -> Iterator[str]:
        values = self._weights.array(constant.tensor).reshape(-1).tolist()
        small = isinstance(constant.element, IntegerType) and constant.element.width.data < 32
        numbers = [str(value) if small else literal(value, constant.element) for value in values]
        yield f".{constant.name} = {{"
        for start in range(0, len(numbers), IN_A_ROW):
            yield f"    {','.join(numbers[start : start + IN_A_ROW])},"
        yield "},"


def _is_real(tensor: Dense) -> bool:
    return is_float(dense_type(tensor).element_type)


def _note(constant: Constant) -> str:
    shape = "x".join(map(str, dense_shape(constant.tensor)))
    return f" /* {shape}{f', {constant.reader}' if constant.reader else ''} */"
