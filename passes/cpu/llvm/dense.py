"""Layers of counts as one pass of integer products: a tile of neurons is charged in registers and speaks at once.

A tile is some neighbours of a row times some vectors of channels. Its sums begin with the constants; then every synapse
adds its products, weights in the order in which they are read. What lies outside an image is not multiplied: tiles at
the border know which of their neurons see a pixel through a tap, and rows of taps have their own first and last.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element
from neurocuda.dialects.cpu.layers import Synapse
from neurocuda.ir.attributes import dense_shape, values_of
from neurocuda.passes.cpu.llvm.builder import f32, i32, vector
from neurocuda.passes.cpu.llvm.dense_products import products_of
from neurocuda.passes.cpu.llvm.dense_tiles import Field, Run, runs_of, tile_of
from neurocuda.passes.cpu.llvm.features import Features
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import converted, stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Sums: TypeAlias = tuple[SSAValue, ...]
"""The vectors of a tile: all of the first neighbour, then of the next."""

Seen: TypeAlias = tuple[tuple[bool, ...], ...]
"""What `Field.reaches` says."""

ENOUGH_ROWS = 4
"""With fewer rows, threads share channels."""

UNROLLED = 8
"""Up to so many steps are written out."""

MAGIC = 0x4B000000
"""The bits of the float 2^23: what is added to it is rounded to an integer, which then stands in the low bits."""


class Plan:
    """How a layer lies in registers and in memory."""

    def __init__(self, op: cpu.LayerOp, features: Features) -> None:
        self.op = op
        self.products = products_of(features)
        self.lanes = self.products.lanes
        *positions, self.channels = op.neurons
        self.rows, self.width = (positions[0], positions[1]) if len(positions) == 2 else (1, prod(positions))
        self.size, self.vectors = tile_of(self.width, -(-self.channels // self.lanes), self.products)
        self.whole_tiles, rest = divmod(self.channels, self.lanes * self.vectors)
        self.last_vectors = -(-rest // self.lanes)

    @property
    def padded(self) -> int:
        """The channels that are computed."""
        return self.lanes * (self.whole_tiles * self.vectors + self.last_vectors)

    @cached_property
    def fields(self) -> list[Field]:
        """The synapses that sum products over windows."""
        return self._fields_of("conv2d", "linear")

    @cached_property
    def own_fields(self) -> list[Field]:
        """The synapses of a window that join a channel with itself."""
        return self._fields_of("depthwise_conv2d")

    def _fields_of(self, *kinds: str) -> list[Field]:
        several = enumerate(self.op.connections())
        return [Field.of(each, i, self.products) for i, each in several if each.how.kind.data in kinds]

    @cached_property
    def runs(self) -> list[Run]:
        """The pieces of a row; what `fields` see of it, then `own_fields`."""
        return list(runs_of(self.width, self.size, [*self.fields, *self.own_fields]))

    def step_bytes(self, field: Field, vectors: int) -> int:
        """The weights of a step of a tile, in bytes."""
        return vectors * self.lanes * field.products.depth * field.products.weight_bytes

    def tile_bytes(self, field: Field, vectors: int) -> int:
        """The weights of a tile, in bytes."""
        return prod(field.kernel) * field.steps * self.step_bytes(field, vectors)

    def weight_bytes(self, field: Field) -> int:
        """The weights of a field, in bytes; what puts flipped counts right comes behind them."""
        rest = self.tile_bytes(field, self.last_vectors) if self.last_vectors else 0
        return self.whole_tiles * self.tile_bytes(field, self.vectors) + rest

    def beside(self, field: Field) -> int:
        """The bytes of a row of pixels as far as a tile may see it."""
        pixels = (self.size - 1) * field.stride[1] + (field.kernel[1] - 1) * field.dilation[1] + 1
        return pixels * field.pixel_bytes


# Constants in the order in which they are read


def packed(op: cpu.CountLayerOp, name: str, array: Array, features: Features) -> Array:
    """Weights tile by tile; per-neuron constants as vectors of 32 bits, padded to whole ones."""
    plan = Plan(op, features)
    if name.startswith("weights."):
        index = int(name.partition(".")[2])
        synapse = op.connections()[index]
        field = next((field for field in plan.fields if field.index == index), None)
        if field is not None:
            return _packed_weights(plan, field, synapse, array)
        if synapse.how.kind.data == "depthwise_conv2d":
            return _padded(_windowed_weights(synapse, array[:, :, None]).reshape(-1, plan.channels), plan)
        return _padded(array, plan)
    return _padded(array, plan) if name != "threshold" else _packed_thresholds(op, array, plan)


def _padded(array: Array, plan: Plan, beyond: int = 0) -> Array:
    """A constant that broadcasts from the last axis as rows of all channels, in 32 bits."""
    import numpy as np

    rows = array.reshape(-1, plan.channels) if array.size > 1 else np.full((1, plan.channels), array.reshape(-1)[0])
    more = ((0, 0), (0, plan.padded - plan.channels))
    return np.pad(rows.astype(np.int32), more, constant_values=beyond)


def _packed_thresholds(op: cpu.CountLayerOp, array: Array, plan: Plan) -> Array:
    """For every row of neurons: thresholds, the bits of their reciprocals, and the largest charges that matter."""
    import numpy as np

    thresholds = _padded(array, plan, beyond=1)
    reciprocals = (1.0 / thresholds).astype(np.float32).view(np.int32)
    caps = np.minimum(thresholds.astype(np.int64) * op.levels.value.data, 2**31 - 1).astype(np.int32)
    return np.stack([thresholds, reciprocals, caps], axis=1)


def _windowed_weights(synapse: Synapse, array: Array) -> Array:
    """The weights (rows, columns, in, out) of the window that a pool of windows makes."""
    import numpy as np

    pool, dilation = values_of(synapse.how.pool), values_of(synapse.how.dilation)
    if pool == (1, 1):
        return array
    sizes = [(size - 1) * d + 1 for size, d in zip(array.shape, dilation, strict=False)]
    spread = np.zeros((*sizes, *array.shape[2:]), array.dtype)
    spread[:: dilation[0], :: dilation[1]] = array
    return spread.repeat(pool[0], axis=0).repeat(pool[1], axis=1)


def _dense_weights(synapse: Synapse, array: Array) -> Array:
    """The weights (rows, columns, in, out) of a convolution without groups."""
    import numpy as np

    if synapse.how.kind.data == "linear":
        return array[None, None]
    groups, rows, columns, inner, outer = array.shape
    dense = np.zeros((rows, columns, groups, inner, groups, outer), array.dtype)
    each = np.arange(groups)
    dense[:, :, each, :, each] = array
    return _windowed_weights(synapse, dense.reshape(rows, columns, groups * inner, groups * outer))


def _packed_weights(plan: Plan, field: Field, synapse: Synapse, array: Array) -> Array:
    """Tile by tile, tap by tap; behind them, where counts are flipped, what that adds, and a row of zeros."""
    import numpy as np

    dense = _dense_weights(synapse, array)
    depth, lanes = field.products.depth, plan.lanes
    more = ((0, 0), (0, 0), (0, field.steps * depth - field.channels), (0, plan.padded - plan.channels))
    dense = np.pad(dense, more)
    tiles = [plan.vectors] * plan.whole_tiles + [plan.last_vectors] * (plan.last_vectors > 0)
    parts: list[bytes] = []
    first = 0
    for vectors in tiles:
        part = dense[..., first : first + vectors * lanes]
        first += vectors * lanes
        part = part.reshape(*field.kernel, field.steps, depth, vectors, lanes)
        parts.append(field.products.arranged(np.moveaxis(part, 3, -1)).tobytes())
    if field.flipped:
        wrong = dense.astype(np.int64).sum(axis=(0, 1, 2)) * (128 if field.products.unsigned else -128)
        parts += [(-wrong).astype(np.int32).tobytes(), bytes(plan.beside(field))]
    return np.frombuffer(b"".join(parts), np.int8)


# The kernel


@lowers(cpu.CountLayerOp, splits=True, packs=packed)
def count_layer(op: cpu.CountLayerOp, k: Kernel) -> None:
    """Tiles of channels outside, rows inside, so that the weights of a tile stay near."""
    plan = Plan(op, k.features)
    by_rows = plan.rows >= ENOUGH_ROWS or plan.whole_tiles < 2
    rows = k.share(plan.rows) if by_rows else (k.place(0), k.place(plan.rows))
    tiles = (k.place(0), k.place(plan.whole_tiles)) if by_rows else k.share(plan.whole_tiles)
    if plan.whole_tiles:
        with k.loop(*tiles) as turn:
            _Tiles(op, k, plan, turn.index, last=False).rows(*rows)
    if plan.last_vectors:
        last = _Tiles(op, k, plan, k.place(plan.whole_tiles), last=True)
        if by_rows:
            last.rows(*rows)
        else:
            with k.when(k.compare("eq", k.thread, k.sub(k.threads, 1))):
                last.rows(*rows)


class _Tiles:
    """All tiles with some channels: those of the tile number `tile`, the `last` of which may be smaller."""

    def __init__(self, op: cpu.CountLayerOp, k: Kernel, plan: Plan, tile: SSAValue, *, last: bool) -> None:
        self.op = op
        self.k = k
        self.plan = plan
        self.vectors = plan.last_vectors if last else plan.vectors
        self.last = last
        self.tile = tile
        self.first = k.sum_of((tile, plan.vectors * plan.lanes))
        self.kind = vector(i32, plan.lanes)

    def rows(self, begin: SSAValue, end: SSAValue) -> None:
        """The neurons of some rows."""
        with self.k.loop(begin, end) as row:
            for run in self.plan.runs:
                if run.repeated == 1:
                    self._speak(run, row.index, self.k.place(run.first))
                    continue
                with self.k.loop(0, run.repeated) as piece:
                    self._speak(run, row.index, self.k.sum_of((piece.index, run.size), run.first))

    def _speak(self, run: Run, row: SSAValue, column: SSAValue) -> None:
        """One tile, from its constants to its counts."""
        k, synapses = self.k, self.op.connections()
        position = k.sum_of((row, self.plan.width), column)
        sums = self._start(run, position)
        for field, seen in zip(self.plan.fields, run.seen, strict=False):
            sums = self._window(field, seen, sums, row, column)
        for field, seen in zip(self.plan.own_fields, run.seen[len(self.plan.fields) :], strict=True):
            sums = self._depthwise(field, seen, synapses[field.index], sums, row, column)
        for index, synapse in enumerate(synapses):
            if synapse.how.kind.data == "diagonal":
                sums = self._diagonal(synapse, index, sums, position)
        for place, total in enumerate(sums):
            neighbour, v = divmod(place, self.vectors)
            self._store(self._count(total, k.sum_of(position, neighbour), v), k.sum_of(position, neighbour), v)

    # Constants

    def _start(self, run: Run, position: SSAValue) -> Sums:
        """The sums before anything has arrived."""
        k = self.k
        constants = [
            name for name, value in (("initial", self.op.initial), ("bias", self.op.bias)) if value is not None
        ]
        shared = [k.constant(self.kind, 0)] * self.vectors
        for field in self.plan.fields:
            if field.flipped:
                behind = k.at(k.tensor(f"weights.{field.index}"), self.plan.weight_bytes(field))
                rights = [k.load(self.kind, k.at(behind, self._lane(v), i32)) for v in range(self.vectors)]
                shared = [k.add(one, right) for one, right in zip(shared, rights, strict=True)]
        for name in constants:
            if not self._is_per_neuron(name):
                shared = [k.add(one, self._constant(name, position, v)) for v, one in enumerate(shared)]
        sums = [(neighbour, v, shared[v]) for neighbour in range(run.size) for v in range(self.vectors)]
        own = [name for name in constants if self._is_per_neuron(name)]
        found: list[SSAValue] = []
        for neighbour, v, total in sums:
            for name in own:
                total = k.add(total, self._constant(name, k.sum_of(position, neighbour), v))
            found.append(total)
        return tuple(found)

    def _lane(self, v: int) -> SSAValue:
        """The first channel of a vector."""
        return self.k.sum_of(self.first, v * self.plan.lanes)

    def _is_per_neuron(self, name: str) -> bool:
        """Whether a constant differs from position to position."""
        value = self.op.properties[name]
        return prod(dense_shape(value)) > self.plan.channels  # pyright: ignore[reportArgumentType]

    def _constant(self, name: str, position: SSAValue, v: int, row: int = 0, rows: int = 1) -> SSAValue:
        """A vector of a per-neuron constant; of one with several rows for every position, one of these."""
        k = self.k
        number = k.number(name)
        if number is not None:
            return k.constant(self.kind, number)
        at = self._lane(v)
        if self._is_per_neuron(name):
            at = k.sum_of(at, (position, rows * self.plan.padded))
        return k.load(self.kind, k.at(k.tensor(name), k.sum_of(at, row * self.plan.padded), i32))

    # Products over windows

    def _window(self, field: Field, seen: Seen, sums: Sums, row: SSAValue, column: SSAValue) -> Sums:
        """All rows of the kernel that lie inside the image; of flipped counts, all."""
        k = self.k
        top = k.sum_of((row, field.stride[0]), -field.low[0])
        if field.kernel[0] == 1 and field.stays_inside(self.plan.rows):
            return self._row(field, seen, sums, top, column, k.place(0))
        begin, end = k.place(0), k.place(field.kernel[0])
        if not field.flipped:
            begin, end = self._rows_inside(field, top)
        with k.loop(begin, end, carried=sums) as turn:
            turn.next(*self._row(field, seen, turn.values, top, column, turn.index))
        return turn.results

    def _rows_inside(self, field: Field, top: SSAValue) -> tuple[SSAValue, SSAValue]:
        """The first row of the kernel that lies inside the image, and the one behind the last."""
        k, apart = self.k, field.dilation[0]
        above, left = k.largest(k.sub(0, top), 0), k.largest(k.sub(field.height, top), 0)
        begin, behind = (k.divide_unsigned(k.sum_of(each, apart - 1), apart) for each in (above, left))
        return begin, k.least(behind, field.kernel[0])

    def _row(self, field: Field, seen: Seen, sums: Sums, top: SSAValue, column: SSAValue, ky: SSAValue) -> Sums:
        """The taps of one row of the kernel."""
        k = self.k
        image = k.sum_of(top, (ky, field.dilation[0]))
        beside = k.sum_of((column, field.stride[1]), -field.low[1])
        source = k.buffer(field.source)
        offset = k.sum_of((image, field.pitch * field.pixel_bytes), (beside, field.pixel_bytes))
        if field.flipped and not field.stays_inside(self.plan.rows):
            inside = k.compare("ult", image, field.height)
            zeros = self.plan.weight_bytes(field) + 4 * self.plan.padded
            source = k.select(inside, source, k.at(k.tensor(f"weights.{field.index}"), zeros))
            offset = k.select(inside, offset, 0)
        step = self.plan.step_bytes(field, self.vectors)
        begin = self.plan.tile_bytes(field, self.plan.vectors)
        weights = k.sum_of((self.tile, begin), (ky, field.kernel[1] * field.steps * step))
        for kx, columns in _columns(field, seen):
            place = k.sum_of(offset, kx * field.dilation[1] * field.pixel_bytes)
            tap = k.sum_of(weights, kx * field.steps * step)
            sums = self._tap(field, seen[kx], sums, source, place, tap, columns * field.channels)
        return sums

    def _tap(
        self,
        field: Field,
        seen: Sequence[bool],
        sums: Sums,
        source: SSAValue,
        place: SSAValue,
        weights: SSAValue,
        channels: int,
    ) -> Sums:
        """Channels of a pixel, or of pixels side by side, times their weights, a few at a time."""
        k, depth = self.k, field.products.depth
        step = self.plan.step_bytes(field, self.vectors)
        whole, rest = divmod(channels, depth)

        def multiply(sums: Sums, turn: SSAValue, count: int) -> Sums:
            begin = k.sum_of(place, (turn, depth * field.products.count_bytes))
            return self._multiply(field, seen, sums, source, begin, k.sum_of(weights, (turn, step)), count)

        if whole <= UNROLLED:
            for turn in range(whole):
                sums = multiply(sums, k.place(turn), depth)
        else:
            with k.loop(0, whole, carried=sums) as loop:
                loop.next(*multiply(loop.values, loop.index, depth))
            sums = loop.results
        return multiply(sums, k.place(whole), rest) if rest else sums

    def _multiply(
        self,
        field: Field,
        seen: Sequence[bool],
        sums: Sums,
        source: SSAValue,
        place: SSAValue,
        weights: SSAValue,
        channels: int,
    ) -> Sums:
        """One step: the channels that are multiplied at a time, of all neighbours."""
        k, products = self.k, field.products
        size = products.lanes * products.depth * products.weight_bytes
        tensor = k.tensor(f"weights.{field.index}")
        rows = [products.weights(k, k.at(tensor, k.sum_of(weights, v * size))) for v in range(self.vectors)]
        found = list(sums)
        for neighbour, is_seen in enumerate(seen):
            if not is_seen and not field.flipped:
                continue
            if is_seen:
                at = k.at(source, k.sum_of(place, neighbour * field.stride[1] * field.pixel_bytes))
                counts = products.load(k, at, channels, flipped=field.flipped)
            else:
                counts = products.padding(k, flipped=field.flipped)
            for v, row in enumerate(rows):
                index = neighbour * self.vectors + v
                found[index] = products.add(k, found[index], counts, row)
        return tuple(found)

    # Synapses of a channel with itself

    def _own(self, synapse: Synapse, pixel: SSAValue, v: int) -> SSAValue:
        """A vector of counts of a pixel."""
        k, element = self.k, buffer_element(synapse.source)
        pointer = k.at(k.buffer(synapse.source), k.sum_of((pixel, self.plan.channels), self._lane(v)), stored(element))
        return converted(k, self._load(pointer, stored(element), v), element, i32)

    def _load(self, pointer: SSAValue, element: Attribute, v: int) -> SSAValue:
        """A vector of channels; no more memory is read than there are channels."""
        k, lanes = self.k, self.plan.lanes
        parts = self._parts(v)
        if parts == [(0, lanes)]:
            return k.load(vector(element, lanes), pointer)
        whole = k.constant(vector(element, lanes), 0)
        for first, size in parts:
            part = k.load(vector(element, size), k.at(pointer, first, element))
            wide = k.shuffle(part, part, [min(lane, size - 1) for lane in range(lanes)])
            there = range(first, first + size)
            whole = k.shuffle(whole, wide, [lanes + lane - first if lane in there else lane for lane in range(lanes)])
        return whole

    def _parts(self, v: int) -> list[tuple[int, int]]:
        """(first lane, lanes) of the powers of two that make up the channels of a vector.

        LLVM 22 writes four bytes where a mask lets one element of two bytes through.
        """
        lanes = self.plan.lanes
        left = self.plan.channels - lanes * (self.plan.whole_tiles * self.plan.vectors + v)
        if not self.last or left >= lanes:
            return [(0, lanes)]
        sizes = [1 << bit for bit in reversed(range(lanes.bit_length())) if left >> bit & 1]
        return [(sum(sizes[:index]), size) for index, size in enumerate(sizes)]

    def _diagonal(self, synapse: Synapse, index: int, sums: Sums, position: SSAValue) -> Sums:
        k, padded = self.k, self.plan.padded
        own = prod(dense_shape(synapse.weight)) > self.plan.channels
        found = list(sums)
        for place, total in enumerate(sums):
            neighbour, v = divmod(place, self.vectors)
            pixel = k.sum_of(position, neighbour)
            at = k.sum_of(self._lane(v), (pixel, padded)) if own else self._lane(v)
            weight = k.load(self.kind, k.at(k.tensor(f"weights.{index}"), at, i32))
            found[place] = k.add(total, k.mul(self._own(synapse, pixel, v), weight))
        return tuple(found)

    def _depthwise(
        self, field: Field, seen: Seen, synapse: Synapse, sums: Sums, row: SSAValue, column: SSAValue
    ) -> Sums:
        k = self.k
        top = k.sum_of((row, field.stride[0]), -field.low[0])
        with k.loop(*self._rows_inside(field, top), carried=sums) as turn:
            image = k.sum_of(top, (turn.index, field.dilation[0]))
            found = list(turn.values)
            for kx, neighbours in enumerate(seen):
                tap = k.sum_of((turn.index, field.kernel[1]), kx)
                at = [k.sum_of((tap, self.plan.padded), self._lane(v)) for v in range(self.vectors)]
                weights = [k.load(self.kind, k.at(k.tensor(f"weights.{field.index}"), each, i32)) for each in at]
                for neighbour in (neighbour for neighbour, is_seen in enumerate(neighbours) if is_seen):
                    beside = k.sum_of((column, field.stride[1]), neighbour * field.stride[1] - field.low[1])
                    pixel = k.sum_of((image, field.pitch), beside, kx * field.dilation[1])
                    for v, weight in enumerate(weights):
                        place = neighbour * self.vectors + v
                        found[place] = k.add(found[place], k.mul(self._own(synapse, pixel, v), weight))
            turn.next(*found)
        return turn.results

    # Neurons

    def _count(self, charge: SSAValue, position: SSAValue, v: int) -> SSAValue:
        """n = clip(floor(charge / threshold), 0, levels), exactly.

        With a = clip(charge, 0, levels threshold) and q = a / threshold, at most `levels` < 2^16, the float product of
        a and the rounded reciprocal is off by less than q 2^-22 < 2^-6. Adding it to 2^23, where floats are whole,
        rounds to m: n or n + 1, as q lies in n ... n + 1, and where it is n exactly, m is. m is too large exactly
        where m threshold > a; both are below 2^32.
        """
        k, levels = self.k, self.op.levels.value.data
        number = k.number("threshold")
        if number is None:
            threshold, bits, cap = (self._constant("threshold", position, v, row, 3) for row in range(3))
            reciprocal = k.bitcast(bits, vector(f32, self.plan.lanes))
        else:
            threshold, cap = (k.constant(self.kind, each) for each in (number, min(int(number) * levels, 2**31 - 1)))
            reciprocal = k.constant(vector(f32, self.plan.lanes), _nearest_float(1.0 / number))
        clipped = k.least(k.largest(charge, 0), cap)
        quotient = self._rounded(k.to_float(clipped, f32), reciprocal)
        over = k.compare("ugt", k.mul(quotient, threshold), clipped)
        return k.add(quotient, k.extend(over, i32))

    def _rounded(self, charge: SSAValue, reciprocal: SSAValue) -> SSAValue:
        """The whole number nearest to a product."""
        k, lanes = self.k, self.plan.lanes
        if "fma" in k.features.flags or k.features.neon:
            magic = k.constant(charge.type, 2.0**23)
            moved = k.intrinsic(f"llvm.fma.v{lanes}f32", charge.type, charge, reciprocal, magic)
        else:
            moved = k.add(k.mul(charge, reciprocal), 2.0**23)
        return k.sub(k.bitcast(moved, self.kind), MAGIC)

    def _store(self, count: SSAValue, position: SSAValue, v: int) -> None:
        k, element = self.k, stored(buffer_element(self.op.spikes))
        value = k.truncate(count, element)
        place = k.sum_of((position, self.plan.channels), self._lane(v))
        for first, size in self._parts(v):
            part = value if size == self.plan.lanes else k.shuffle(value, value, range(first, first + size))
            k.store(part, k.at(k.buffer(self.op.spikes), k.sum_of(place, first), element))


def _columns(field: Field, seen: Seen) -> list[tuple[int, int]]:
    """(first column, number of columns) of the kernel that are read in one go: all where they lie side by side."""
    columns = field.kernel[1]
    side_by_side = field.dilation[1] == 1 and field.channels % field.products.depth == 0
    if columns > 1 and side_by_side and all(map(all, seen)):
        return [(0, columns)]
    return [(kx, 1) for kx in range(columns)]


def _nearest_float(value: float) -> float:
    import numpy as np

    return float(np.float32(value))
