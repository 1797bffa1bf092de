"""Sums of products of 8-bit counts and weights, four at a time, in the instructions that a processor has for it.

All of them are exact: `vpdpbusd` and `sdot` add four products to 32 bits, which wrap; where there are neither, 16-bit
numbers are multiplied in pairs (`vpmaddwd`), as the pairs of 8-bit numbers that `vpmaddubsw` adds would saturate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu.bases import element_bytes, is_unsigned
from neurocuda.passes.cpu.llvm.builder import i8, i16, i32, vector
from neurocuda.passes.cpu.llvm.features import Features
from neurocuda.passes.cpu.llvm.kernels import Kernel
from neurocuda.passes.cpu.llvm.numbers import converted, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

FOUR = 4
"""So many channels of a source are multiplied at a time."""

FLIP = 0x80808080
"""128 added to, or taken away from, each of four bytes."""

Values: TypeAlias = tuple[SSAValue, ...]


@dataclass(frozen=True)
class Products(ABC):
    """How sums of four products are added to a vector of 32-bit numbers.

    `lanes` are the channels of a vector, `registers` those that a processor has; `unsigned` says that the counts are
    taken as numbers from 0 to 255, else as -128 to 127. `cost` is the number of instructions per vector, `spare` the
    registers that a count takes.
    """

    lanes: int
    registers: int
    unsigned: bool = True
    cost: int = 1
    spare: int = 1

    @property
    def depth(self) -> int:
        """The channels of a source that are multiplied at a time."""
        return FOUR

    @property
    def count_bytes(self) -> int:
        """The bytes of a count in memory."""
        return 1

    @property
    def weight_bytes(self) -> int:
        """The bytes of a weight in memory."""
        return 1

    def load(self, k: Kernel, pointer: SSAValue, channels: int, *, flipped: bool) -> Values:
        """The counts of so many channels, no more than `depth`, at a pointer; `flipped`, 128 more or less."""
        if channels == FOUR:
            four = k.load(i32, pointer, align=1)
        else:
            four = k.extend_unsigned(k.load(i16 if channels > 1 else i8, pointer, align=1), i32)
        if channels == FOUR - 1:
            third = k.extend_unsigned(k.load(i8, k.at(pointer, 2), align=1), i32)
            four = k.either(four, k.shift_left(third, 16))
        return self.spread(k, four, flipped=flipped)

    def padding(self, k: Kernel, *, flipped: bool) -> Values:
        """The counts of pixels outside the image."""
        return self.spread(k, k.constant(i32, 0), flipped=flipped)

    def spread(self, k: Kernel, four: SSAValue, *, flipped: bool) -> Values:
        """Four counts, the bytes of an i32, for all lanes."""
        return self.taken(k, k.splat(k.differ(four, FLIP) if flipped else four, self.lanes))

    def arranged(self, weights: Array) -> Array:
        """Weights of shape (..., lanes, 4) in the order in which vectors of them are loaded."""
        return weights

    @abstractmethod
    def taken(self, k: Kernel, spread: SSAValue) -> Values:
        """Four counts in every lane, as the instruction takes them."""

    @abstractmethod
    def weights(self, k: Kernel, pointer: SSAValue) -> Values:
        """The 4 times `lanes` weights at a pointer."""

    @abstractmethod
    def add(self, k: Kernel, total: SSAValue, counts: Values, weights: Values) -> SSAValue:
        """The total, plus the four products of every lane."""


class Dot(Products):
    """One instruction does it all."""

    def _octets(self, k: Kernel, value: SSAValue) -> SSAValue:
        return k.bitcast(value, vector(i8, FOUR * self.lanes))

    def taken(self, k: Kernel, spread: SSAValue) -> Values:
        return (self._octets(k, spread),)

    def weights(self, k: Kernel, pointer: SSAValue) -> Values:
        return (k.load(vector(i8, FOUR * self.lanes), pointer, align=FOUR * self.lanes),)

    def add(self, k: Kernel, total: SSAValue, counts: Values, weights: Values) -> SSAValue:
        (count,), (weight,) = counts, weights
        if not k.features.neon:
            return k.intrinsic(f"llvm.x86.avx512.vpdpbusd.{32 * self.lanes}", total.type, total, count, weight)
        name = "usdot" if self.unsigned else "sdot"
        return k.intrinsic(f"llvm.aarch64.neon.{name}.v4i32.v16i8", total.type, total, count, weight)


class Pairs(Products):
    """Two instructions multiply 16-bit numbers and add up pairs, two add them: channels 0 and 2, then 1 and 3."""

    def arranged(self, weights: Array) -> Array:
        import numpy as np

        return np.stack([weights[..., 0::2], weights[..., 1::2]], axis=-3)

    def _words(self, k: Kernel, value: SSAValue) -> SSAValue:
        return k.bitcast(value, vector(i16, 2 * self.lanes))

    def taken(self, k: Kernel, spread: SSAValue) -> Values:
        even, odd = k.both(spread, 0x00FF00FF), k.both(k.shift_right(spread, 8), 0x00FF00FF)
        return self._words(k, even), self._words(k, odd)

    def weights(self, k: Kernel, pointer: SSAValue) -> Values:
        octets = vector(i8, 2 * self.lanes)
        halves = (k.load(octets, k.at(pointer, half), align=2 * self.lanes) for half in (0, 2 * self.lanes))
        return tuple(k.extend(half, vector(i16, 2 * self.lanes)) for half in halves)

    def add(self, k: Kernel, total: SSAValue, counts: Values, weights: Values) -> SSAValue:
        name = {4: "sse2.pmadd.wd", 8: "avx2.pmadd.wd", 16: "avx512.pmaddw.d.512"}[self.lanes]
        for count, weight in zip(counts, weights, strict=True):
            total = k.add(total, k.intrinsic(f"llvm.x86.{name}", total.type, count, weight))
        return total


class Plain(Products):
    """32-bit numbers, for any processor."""

    def arranged(self, weights: Array) -> Array:
        import numpy as np

        return np.swapaxes(weights, -1, -2)

    def taken(self, k: Kernel, spread: SSAValue) -> Values:
        return tuple(k.both(k.shift_right(spread, 8 * channel), 255) for channel in range(FOUR))

    def weights(self, k: Kernel, pointer: SSAValue) -> Values:
        octets = vector(i8, self.lanes)
        rows = (k.load(octets, k.at(pointer, self.lanes * row), align=self.lanes) for row in range(FOUR))
        return tuple(k.extend(row, vector(i32, self.lanes)) for row in rows)

    def add(self, k: Kernel, total: SSAValue, counts: Values, weights: Values) -> SSAValue:
        for count, weight in zip(counts, weights, strict=True):
            total = k.add(total, k.mul(count, weight))
        return total


@dataclass(frozen=True)
class Wide(Products):
    """One count of any width after the other."""

    count: Attribute = i8
    weight: Attribute = i8

    @property
    def depth(self) -> int:
        return 1

    @property
    def count_bytes(self) -> int:
        return element_bytes(self.count)

    @property
    def weight_bytes(self) -> int:
        return element_bytes(self.weight)

    def load(self, k: Kernel, pointer: SSAValue, channels: int, *, flipped: bool) -> Values:
        count = converted(k, k.load(stored(self.count), pointer), self.count, i32)
        return (k.splat(count, self.lanes),)

    def padding(self, k: Kernel, *, flipped: bool) -> Values:
        return (k.constant(vector(i32, self.lanes), 0),)

    def taken(self, k: Kernel, spread: SSAValue) -> Values:
        return (spread,)

    def weights(self, k: Kernel, pointer: SSAValue) -> Values:
        row = k.load(vector(stored(self.weight), self.lanes), pointer)
        return (converted(k, row, self.weight, i32),)

    def add(self, k: Kernel, total: SSAValue, counts: Values, weights: Values) -> SSAValue:
        return k.add(total, k.mul(counts[0], weights[0]))


def wide_products(products: Products, count: Attribute, weight: Attribute) -> Products:
    """Products of as many lanes, of numbers of any width."""
    return Wide(products.lanes, products.registers, is_unsigned(count), 2, 1, count, weight)


def products_of(features: Features) -> Products:
    """The best that a processor can do."""
    if features.avx512vnni:
        return Dot(16, 32)
    if features.avxvnni:
        return Dot(8, 16)
    if features.i8mm:
        return Dot(4, 32)
    if features.dotprod:
        return Dot(4, 32, unsigned=False)
    if features.avx512:
        return Pairs(16, 32, cost=4, spare=2)
    if features.architecture == "x86_64":
        return Pairs(8 if features.avx2 else 4, 16, cost=4, spare=2)
    return Plain(4, 32, cost=8, spare=4)
