"""Element types that carry a range of integers."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, ParametrizedAttribute, TypeAttribute
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

RangeT = TypeVar("RangeT", bound="RangeType")


@dataclass(frozen=True, init=False)
class RangeType(ParametrizedAttribute, TypeAttribute, ABC):
    """An integer in `lowest ... highest`, both included.

    (C1) lowest <= highest.
    """

    lowest: IntAttr
    highest: IntAttr

    @classmethod
    def of(cls: type[RangeT], lowest: int, highest: int) -> RangeT:
        """The type of integers in `lowest ... highest`."""
        return cls(IntAttr(lowest), IntAttr(highest))

    @property
    def bounds(self) -> tuple[int, int]:
        """(lowest, highest)."""
        return self.lowest.data, self.highest.data

    def verify(self) -> None:
        if self.lowest.data > self.highest.data:  # C1
            raise VerifyException(f"{self.name}: the range {self.lowest.data} ... {self.highest.data} is empty")

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            printer.print_string(f"{self.lowest.data}, {self.highest.data}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            lowest = parser.parse_integer()
            parser.parse_punctuation(",")
            highest = parser.parse_integer()
        return IntAttr(lowest), IntAttr(highest)
