"""How a layer is cut into tiles that are computed in registers: neighbours in a row times vectors of channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape, element_bytes, is_unsigned
from neurocuda.dialects.cpu.layers import Synapse
from neurocuda.ir.attributes import dense_shape, dense_type, values_of
from neurocuda.passes.cpu.llvm.dense_products import Products, wide_products

SUMS = 24
"""So many vectors of sums, at most, are held in registers."""

LATENCY = 6
"""Cycles until a sum can be added to again, and some more to have something to do meanwhile."""


@dataclass(frozen=True)
class Field:
    """A synapse that sums products over a window of an image; a linear one sees a single pixel of many channels.

    Pixels outside of (height, width) count nothing; a row of memory has `pitch` pixels. A pool is part of the window.
    `flipped`: the products take the other sign of counts than the source has, so that 128 is added, or taken away, and
    put right at the end; then what lies outside has to be multiplied, too.
    """

    source: SSAValue
    index: int
    height: int
    width: int
    pitch: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    low: tuple[int, int]
    dilation: tuple[int, int]
    products: Products
    flipped: bool

    @staticmethod
    def of(synapse: Synapse, index: int, products: Products) -> Field:
        """The field of a convolution or of a linear synapse."""
        source, how, shape = synapse.source, synapse.how, dense_shape(synapse.weight)
        count, weight = buffer_element(source), dense_type(synapse.weight).element_type
        if element_bytes(count) > 1 or element_bytes(weight) > 1 or is_unsigned(weight):
            products = wide_products(products, count, weight)
        flipped = is_unsigned(count) != products.unsigned
        if how.kind.data == "linear":
            one, none = (1, 1), (0, 0)
            return Field(source, index, 1, 1, 1, shape[0], one, one, none, one, products, flipped)
        height, width, channels = buffer_shape(source)
        stride, low, dilation, pool = (values_of(each) for each in (how.stride, how.padding, how.dilation, how.pool))
        kernel, spread = (shape[1:3] if how.kind.data == "conv2d" else shape[:2]), (dilation[0], dilation[1])
        if pool != (1, 1):  # the window of a pool of windows, with zeros where a dilation leaves pixels out
            kernel = tuple(((size - 1) * d + 1) * p for size, d, p in zip(kernel, dilation, pool, strict=True))
            spread = (1, 1)
        return Field(
            source,
            index,
            height // pool[0] * pool[0],
            width // pool[1] * pool[1],
            width,
            channels,
            (kernel[0], kernel[1]),
            (stride[0] * pool[0], stride[1] * pool[1]),
            (low[0] * pool[0], low[2] * pool[1]),
            spread,
            products,
            flipped,
        )

    @property
    def steps(self) -> int:
        """How often channels of a tap are multiplied."""
        return -(-self.channels // self.products.depth)

    @property
    def pixel_bytes(self) -> int:
        """The bytes of a pixel in memory."""
        return self.channels * self.products.count_bytes

    def offset(self, kx: int, neighbour: int) -> int:
        """From the left border to the pixel that a neighbour of the first neuron sees through a column, in bytes."""
        return (neighbour * self.stride[1] - self.low[1] + kx * self.dilation[1]) * self.pixel_bytes

    def reaches(self, first: int, count: int) -> tuple[tuple[bool, ...], ...]:
        """For every column of the kernel: which of `count` neurons, from `first` on, see a pixel through it."""
        origins = [self.stride[1] * (first + i) - self.low[1] for i in range(count)]
        taps = range(self.kernel[1])
        return tuple(tuple(0 <= origin + self.dilation[1] * kx < self.width for origin in origins) for kx in taps)

    def stays_inside(self, rows: int) -> bool:
        """Whether no row of the kernel ever leaves the image, for so many rows of neurons."""
        last = (rows - 1) * self.stride[0] - self.low[0] + (self.kernel[0] - 1) * self.dilation[0]
        return self.low[0] == 0 and last < self.height


@dataclass(frozen=True)
class Run:
    """`repeated` times `size` neighbours in a row, from `first` on, that see the image in one way.

    `seen` has, for every field, what `Field.reaches` says.
    """

    first: int
    size: int
    repeated: int
    seen: tuple[tuple[tuple[bool, ...], ...], ...]


def tile_of(width: int, vectors: int, products: Products) -> tuple[int, int]:
    """(neighbours, vectors of channels) of a tile: the fewest cycles for a row of neurons.

    A step of a tile multiplies four channels: it loads weights and counts, two a cycle, and multiplies, two a cycle.
    """
    fitting = [
        (size, count)
        for count in range(1, min(8, vectors) + 1)
        for size in range(1, min(SUMS, width) + 1)
        if size * count <= SUMS and size * count + count * products.spare + products.spare + 1 < products.registers
    ]

    def cycles(tile: tuple[int, int]) -> float:
        size, count = tile
        each = [max(n * count * products.cost / 2, (n * products.spare + count) / 2, LATENCY) for n in cut(width, size)]
        return -(-vectors // count) * sum(each)

    def kinds(tile: tuple[int, int]) -> int:
        return len(set(cut(width, tile[0])))

    return min(fitting, key=lambda tile: (cycles(tile), kinds(tile), tile[0] * tile[1]))


def cut(width: int, size: int) -> list[int]:
    """A row in pieces of nearly one size, at most `size`."""
    count = -(-width // size)
    small, larger = divmod(width, count)
    return [small + 1] * larger + [small] * (count - larger)


def runs_of(width: int, size: int, fields: Sequence[Field]) -> Iterator[Run]:
    """The pieces of a row, those alike that follow one another together."""
    pieces: list[Run] = []
    first = 0
    for piece in cut(width, size):
        pieces.append(Run(first, piece, 1, tuple(field.reaches(first, piece) for field in fields)))
        first += piece
    for _, group in groupby(pieces, key=lambda piece: (piece.size, piece.seen)):
        alike = list(group)
        yield Run(alike[0].first, alike[0].size, len(alike), alike[0].seen)
