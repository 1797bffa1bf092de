"""Loops over all elements of a buffer, for plain arithmetic that LLVM makes vectors of."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from math import prod

from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element
from neurocuda.ir.attributes import Dense, dense_shape, dense_type
from neurocuda.passes.cpu.llvm.kernels import Kernel, tensors_of
from neurocuda.passes.cpu.llvm.numbers import converted, stored


class Elementwise:
    """Loops over all elements: flat, or rows of the last axis where a constant has one value per column."""

    def __init__(self, op: cpu.LoopOp, k: Kernel, shape: Sequence[int]) -> None:
        self._op = op
        self._k = k
        self.size = prod(shape)
        self.columns = shape[-1] if shape else 1
        self._tensors = {name: prod(dense_shape(value)) for name, value in tensors_of(op).items()}
        several = [count for count in self._tensors.values() if count != 1]
        self.flat = self.columns == self.size or self.columns not in several
        self._at: SSAValue | None = None
        self._column: SSAValue | None = None

    @contextmanager
    def loops(self) -> Generator[None]:
        """Loops around what is done to one element."""
        if self.flat:
            begin, end = self._k.share(self.size, 64)
            with self._k.loop(begin, end) as turn:
                self._at = self._column = turn.index
                yield
            return
        begin, end = self._k.share(self.size // self.columns)
        with self._k.loop(begin, end) as row, self._k.loop(0, self.columns) as column:
            self._at = self._k.sum_of((row.index, self.columns), column.index)
            self._column = column.index
            yield

    @property
    def at(self) -> SSAValue:
        """The place of the element."""
        assert self._at is not None
        return self._at

    def place(self, value: SSAValue) -> SSAValue:
        """The pointer to the element of a buffer."""
        return self._k.at(self._k.buffer(value), self.at, stored(buffer_element(value)))

    def load(self, value: SSAValue) -> SSAValue:
        """The element of a buffer, as it is stored."""
        return self._k.load(stored(buffer_element(value)), self.place(value))

    def store(self, result: SSAValue, value: SSAValue) -> None:
        """Writes the element of a buffer."""
        self._k.store(result, self.place(value))

    def constant(self, name: str) -> SSAValue:
        """The value of a constant at the element, as it is stored."""
        kind = stored(self._element(name))
        number = self._k.number(name)
        if number is not None:
            return self._k.constant(kind, number)
        pointer, count = self._k.tensor(name), self._tensors[name]
        if count == 1:
            return self._k.load(kind, pointer)
        assert self._column is not None
        at = self._column if not self.flat and count == self.columns else self.at
        return self._k.load(kind, self._k.at(pointer, at, kind))

    def constant_as(self, name: str, to: Attribute) -> SSAValue:
        """The value of a constant at the element, as another element type."""
        return converted(self._k, self.constant(name), self._element(name), to)

    def _element(self, name: str) -> Attribute:
        value = self._op.properties[name]
        assert isinstance(value, Dense)
        return dense_type(value).element_type
