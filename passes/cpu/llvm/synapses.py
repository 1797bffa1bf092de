"""Synapses by events: what is not zero is listed, then a row of weights is added for each, membranes in registers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import IntegerType, i1
from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape, is_float
from neurocuda.ir.attributes import dense_shape, dense_type
from neurocuda.passes.cpu.llvm.builder import bits_of, i8, i16, i64, vector
from neurocuda.passes.cpu.llvm.elementwise import Elementwise
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import converted, stored
from neurocuda.passes.cpu.llvm.windows import windows

STRETCH = 512
"""A source of a linear synapse is scanned in stretches of so many, which bounds the stack."""

IN_REGISTERS = 8
"""Vectors of membranes that are held in registers while events are added: half of what the smallest machines have."""

WORD = 64
"""Elements that are scanned at once: their mask is one integer."""

FEWEST = 8
"""Fewer elements are scanned one by one."""


@dataclass(frozen=True)
class Events:
    """The types of a synapse: what is listed, what is added for it, and to what."""

    source: Attribute
    weight: Attribute
    membrane: Attribute

    def scan(self, k: Kernel, source: SSAValue, size: int, events: SSAValue) -> SSAValue:
        """Lists the elements that are not zero, as i16, from `events` on; returns how many. Needs room for 64 more."""
        lanes = min(WORD, 1 << (size.bit_length() - 1))
        whole = size // lanes * lanes if lanes >= FEWEST else 0
        with k.loop(0, whole, step=lanes, carried=[k.place(0)]) as turn:
            here = k.at(source, turn.index, stored(self.source))
            mask = self._spoke(k, k.load(self._bits(lanes), here))
            if k.features.avx512vbmi2 and lanes == WORD:
                turn.next(_append_compressed(k, mask, turn.index, turn.values[0], events))
            else:
                bits = k.extend_unsigned(k.bitcast(mask, IntegerType(lanes)), i64)
                turn.next(_append(k, bits, turn.index, turn.values[0], events))
        (found,) = turn.results
        if whole == size:
            return found
        with k.loop(whole, size, carried=[found]) as turn:
            k.store(k.truncate(turn.index, i16), k.at(events, turn.values[0], i16))
            here = k.load(self._bits(1), k.at(source, turn.index, stored(self.source)))
            turn.next(k.sum_of(turn.values[0], k.extend_unsigned(self._spoke(k, here), i64)))
        return turn.results[0]

    def _bits(self, lanes: int) -> Attribute:
        kind = IntegerType(bits_of(stored(self.source)))
        return kind if lanes == 1 else vector(kind, lanes)

    def _spoke(self, k: Kernel, value: SSAValue) -> SSAValue:
        """Whether the bits of an element are not those of zero; a float's sign does not count."""
        return k.compare("ne", k.shift_left(value, 1) if is_float(self.source) else value, 0)

    def add(self, k: Kernel, target: SSAValue, taps: SSAValue, outer: int, source: SSAValue, found: _Found) -> None:
        """`target[o] += value * taps[event][o]` for all events and `outer` columns; spikes need no product."""
        for first, widths in _tiles(outer, self._lanes(k)):
            places = [k.at(target, first + sum(widths[:i]), stored(self.membrane)) for i in range(len(widths))]
            kinds = [vector(stored(self.membrane), width) for width in widths]
            begun = [k.load(kind, place) for kind, place in zip(kinds, places, strict=True)]
            with k.loop(0, found.count, carried=begun) as turn:
                event = k.extend_unsigned(k.load(i16, k.at(found.events, turn.index, i16)), i64)
                value = self._value(k, source, event)
                row = k.sum_of((event, outer), first)
                ends: list[SSAValue] = []
                for index, (total, width) in enumerate(zip(turn.values, widths, strict=True)):
                    place = k.at(taps, k.sum_of(row, sum(widths[:index])), stored(self.weight))
                    weight = k.load(vector(stored(self.weight), width), place)
                    weight = converted(k, weight, self.weight, self.membrane)
                    ends.append(k.add(total, weight if value is None else k.mul(k.splat(value, width), weight)))
                turn.next(*ends)
            for place, total in zip(places, turn.results, strict=True):
                k.store(total, place)

    def _value(self, k: Kernel, source: SSAValue, event: SSAValue) -> SSAValue | None:
        """What the source says at an event; nothing for spikes."""
        if self.source == i1:
            return None
        said = k.load(stored(self.source), k.at(source, event, stored(self.source)))
        return converted(k, said, self.source, self.membrane)

    def _lanes(self, k: Kernel) -> int:
        return 8 * k.features.vector_bytes // bits_of(stored(self.membrane))


@dataclass(frozen=True)
class _Found:
    """A list of events: where it is, how many there are."""

    events: SSAValue
    count: SSAValue


def _tiles(outer: int, lanes: int) -> Iterator[tuple[int, list[int]]]:
    """(first column, widths of vectors): columns that are held in registers together."""
    widths = [lanes] * (outer // lanes)
    rest = outer % lanes
    widths += [1 << bit for bit in reversed(range(lanes.bit_length())) if rest >> bit & 1]
    first = 0
    for begin in range(0, len(widths), IN_REGISTERS):
        tile = widths[begin : begin + IN_REGISTERS]
        yield first, tile
        first += sum(tile)


def _append(k: Kernel, bits: SSAValue, base: SSAValue, found: SSAValue, events: SSAValue) -> SSAValue:
    """Lists the bits that are set, one by one; returns how many are listed by then."""
    with k.when(k.compare("ne", bits, 0), [found]) as case:
        with k.repeat([bits, found]) as turn:
            left, count = turn.values
            k.store(k.truncate(k.sum_of(base, k.first_one(left)), i16), k.at(events, count, i16))
            left = k.both(left, k.sub(left, 1))
            turn.next(left, k.sum_of(count, 1), again=k.compare("ne", left, 0))
        case.next(turn.results[1])
    return case.results[0]


def _append_compressed(k: Kernel, mask: SSAValue, base: SSAValue, found: SSAValue, events: SSAValue) -> SSAValue:
    """Lists the lanes that are set, all at once; returns how many are listed by then."""
    numbers = k.lanes(i8, range(WORD))
    lanes = k.intrinsic("llvm.experimental.vector.compress.v64i8", numbers.type, numbers, mask, numbers)
    listed = k.add(k.extend_unsigned(lanes, i16), k.splat(k.truncate(base, i16), WORD))
    k.store(listed, k.at(events, found, i16), align=2)
    return k.sum_of(found, k.count_ones(k.bitcast(mask, i64)))


def _events(op: cpu.Conv2dOp | cpu.LinearOp) -> Events:
    return Events(buffer_element(op.source), dense_type(op.weight).element_type, buffer_element(op.membrane))


def _list_of(k: Kernel, size: int) -> SSAValue:
    """Memory for a list of events."""
    return k.scratch(2 * (size + WORD))


@lowers(cpu.Conv2dOp)
def conv2d(op: cpu.Conv2dOp, k: Kernel) -> None:
    groups, rows, columns, inner, outer = dense_shape(op.weight)
    source, result = buffer_shape(op.source), buffer_shape(op.membrane)
    vertical, horizontal = windows(source, result, (rows, columns), op)
    events = _events(op)
    listed = _list_of(k, inner)
    with k.loop(0, source[0]) as y, k.loop(0, source[1]) as x, k.loop(0, groups) as g:
        at = k.sum_of((y.index, source[2] * source[1]), (x.index, source[2]), (g.index, inner))
        pixel = k.at(k.buffer(op.source), at, stored(events.source))
        found = _Found(listed, events.scan(k, pixel, inner, listed))
        with (
            k.when(k.compare("ne", found.count, 0)),
            vertical.outputs(k, y.index) as (ky, row),
            horizontal.outputs(k, x.index) as (kx, column),
        ):
            wide = groups * outer
            there = k.sum_of((row, wide * result[1]), (column, wide), (g.index, outer))
            target = k.at(k.buffer(op.membrane), there, stored(events.membrane))
            size = inner * outer
            tap = k.sum_of((g.index, size * columns * rows), (ky, size * columns), (kx, size))
            taps = k.at(k.tensor("weight"), tap, stored(events.weight))
            events.add(k, target, taps, outer, pixel, found)


@lowers(cpu.LinearOp)
def linear(op: cpu.LinearOp, k: Kernel) -> None:
    inner, outer = dense_shape(op.weight)
    rows = prod(buffer_shape(op.source)[:-1])
    _rows(_events(op), k, (rows, inner, outer), (k.buffer(op.source), k.tensor("weight"), k.buffer(op.membrane)))


def _rows(
    events: Events, k: Kernel, shape: tuple[int, int, int], pointers: tuple[SSAValue, SSAValue, SSAValue]
) -> None:
    """A membrane += `source` times `weight`, matrices row by row; a row of the source is scanned for events."""
    rows, inner, outer = shape
    source, weight, membrane = pointers
    listed = _list_of(k, min(STRETCH, inner))
    with k.loop(0, rows) as row:
        line = k.at(source, k.sum_of((row.index, inner)), stored(events.source))
        target = k.at(membrane, k.sum_of((row.index, outer)), stored(events.membrane))
        for begin, count, size in _stretches(inner):
            with k.loop(0, count) as turn:
                first = k.sum_of((turn.index, size), begin)
                stretch = k.at(line, first, stored(events.source))
                taps = k.at(weight, k.sum_of((first, outer)), stored(events.weight))
                found = _Found(listed, events.scan(k, stretch, size, listed))
                events.add(k, target, taps, outer, stretch, found)


def _stretches(inner: int) -> Iterator[tuple[int, int, int]]:
    """(first element, number of stretches, size of each): whole ones, then what is left."""
    whole, rest = divmod(inner, STRETCH)
    if whole:
        yield 0, whole, STRETCH
    if rest:
        yield whole * STRETCH, 1, rest


@lowers(cpu.MatrixProductOp)
def matrix_product(op: cpu.MatrixProductOp, k: Kernel) -> None:
    (*batch, rows, inner), outer = buffer_shape(op.left), buffer_shape(op.right)[-1]
    events = Events(buffer_element(op.left), buffer_element(op.right), buffer_element(op.membrane))
    with k.loop(0, prod(batch)) as turn:
        source = k.at(k.buffer(op.left), k.sum_of((turn.index, rows * inner)), stored(events.source))
        weight = k.at(k.buffer(op.right), k.sum_of((turn.index, inner * outer)), stored(events.weight))
        sums = k.at(k.buffer(op.membrane), k.sum_of((turn.index, rows * outer)), stored(events.membrane))
        _rows(events, k, (rows, inner, outer), (source, weight, sums))


@lowers(cpu.DiagonalOp, splits=True)
def diagonal(op: cpu.DiagonalOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.source))
    element = buffer_element(op.membrane)
    with each.loops():
        source = converted(k, each.load(op.source), buffer_element(op.source), element)
        product = k.mul(source, each.constant_as("weight", element))
        each.store(k.add(each.load(op.membrane), product), op.membrane)


@contextmanager
def _nested(k: Kernel, sizes: tuple[int, ...]) -> Generator[list[SSAValue]]:
    """The indices of loops, one inside the other."""
    if not sizes:
        yield []
        return
    with k.loop(0, sizes[0]) as turn, _nested(k, sizes[1:]) as inner:
        yield [turn.index, *inner]


@lowers(cpu.ProductOp)
def product(op: cpu.ProductOp, k: Kernel) -> None:
    shape = buffer_shape(op.membrane)
    with _nested(k, shape) as indices:

        def at(value: SSAValue) -> SSAValue:
            """The pointer to an element of a buffer that broadcasts onto the membrane."""
            buffer = buffer_shape(value)
            strides = [0 if size == 1 else prod(buffer[axis + 1 :]) for axis, size in enumerate(buffer)]
            place = k.sum_of(*zip(indices[len(shape) - len(buffer) :], strides, strict=True))
            return k.at(k.buffer(value), place, stored(buffer_element(value)))

        factors: list[SSAValue] = []
        for value in (op.left, op.right):
            element = buffer_element(value)
            factors.append(converted(k, k.load(stored(element), at(value)), element, buffer_element(op.membrane)))
        here = at(op.membrane)
        k.store(k.add(k.load(stored(buffer_element(op.membrane)), here), k.mul(*factors)), here)
