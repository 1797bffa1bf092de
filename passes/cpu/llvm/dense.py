"""Layers of counts as one pass of integer products: a tile of neurons is charged in registers and speaks at once.

A tile is some neighbours of a row times some vectors of channels. Its sums begin with the constants; then every synapse
adds its products, weights in the order in which they are read. What lies outside an image is not multiplied: tiles at
the border know which of their neurons see a pixel through a tap, and rows of taps have their own first and last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

Place: TypeAlias = SSAValue | int
"""A number that is known when the program is built, or not."""

Seen: TypeAlias = tuple[tuple[bool, ...], ...]
"""What `Field.reaches` says."""

ENOUGH_ROWS = 4
"""With fewer rows, threads share channels."""

UNROLLED = 2
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
    for group in range(groups):
        dense[:, :, group, :, group] = array[group]
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


@lowers(cpu.CountLayerOp, splits=True, finished=True, packs=packed)
def count_layer(op: cpu.CountLayerOp, k: Kernel) -> None:
    """Tiles of channels outside, rows inside, so that the weights of a tile stay near."""
    plan = Plan(op, k.features)
    by_rows = plan.rows >= ENOUGH_ROWS or plan.whole_tiles < 2
    rows = k.share(plan.rows) if by_rows else (k.place(0), k.place(plan.rows))
    tiles = (k.place(0), k.place(plan.whole_tiles)) if by_rows else k.share(plan.whole_tiles)
    if plan.whole_tiles:
        with k.loop(*tiles) as turn:
            _rows(op, k, plan, rows, turn.index, plan.vectors)
    if not plan.last_vectors:
        return
    if by_rows:
        _rows(op, k, plan, rows, plan.whole_tiles, plan.last_vectors)
        return
    with k.when(k.compare("eq", k.thread, k.sub(k.threads, 1))):
        _rows(op, k, plan, rows, plan.whole_tiles, plan.last_vectors)


def _rows(
    op: cpu.CountLayerOp, k: Kernel, plan: Plan, rows: tuple[SSAValue, SSAValue], tile: Place, vectors: int
) -> None:
    """The neurons of some rows, of the channels of a tile."""
    with k.loop(*rows) as row:
        for run in plan.runs:
            if run.repeated == 1:
                _Tile(op, k, plan, run, vectors, tile, row.index, run.first).speak()
                continue
            with k.loop(0, run.repeated) as piece:
                column = k.sum_of((piece.index, run.size), run.first)
                _Tile(op, k, plan, run, vectors, tile, row.index, column).speak()


class _Tile:
    """Neighbours in a row times vectors of channels; sums are those of the first neighbour, then of the next.

    The tile that is known by its number is the last one, which may be smaller than the others.
    """

    def __init__(
        self,
        op: cpu.CountLayerOp,
        k: Kernel,
        plan: Plan,
        run: Run,
        vectors: int,
        tile: Place,
        row: SSAValue,
        column: Place,
    ) -> None:
        self.op = op
        self.k = k
        self.plan = plan
        self.run = run
        self.vectors = vectors
        self.tile = tile
        self.row = row
        self.column = column
        self.first = k.sum_of(_times(tile, plan.vectors * plan.lanes))
        self.position = k.sum_of((row, plan.width), column)
        self.channels = vectors * plan.lanes
        self.kind = vector(i32, self.channels)

    def speak(self) -> None:
        """From the products to the counts. Beside the products, all channels of a neuron are one vector."""
        plan = self.plan
        sums: Sums = (self.k.constant(vector(i32, plan.lanes), 0),) * (self.run.size * self.vectors)
        for field, seen in zip(plan.fields, self.run.seen, strict=False):
            sums = self._window(field, seen, sums)
        charges = tuple(self._joined(sums[n : n + self.vectors]) for n in range(0, len(sums), self.vectors))
        for field, seen in zip(plan.own_fields, self.run.seen[len(plan.fields) :], strict=True):
            charges = self._depthwise(field, seen, charges)
        for index, synapse in enumerate(self.op.connections()):
            if synapse.how.kind.data == "diagonal":
                charges = self._diagonal(synapse, index, charges)
        for constant in self._begins():
            charges = tuple(self.k.add(charge, constant.of(n)) for n, charge in enumerate(charges))
        self._fire(charges)

    def _joined(self, vectors: Sequence[SSAValue]) -> SSAValue:
        """Vectors as one."""
        whole, *rest = vectors
        for number, each in enumerate(rest, 1):
            lanes, k = self.plan.lanes, self.k
            if number > 1:
                each = k.shuffle(each, each, [min(lane, lanes - 1) for lane in range(number * lanes)])
            whole = k.shuffle(whole, each, range((number + 1) * lanes))
        return whole

    def _begins(self) -> list[_Constant]:
        """What a charge begins with: the membrane, the bias, and what puts flipped counts right."""
        constants = [_Constant(self, name) for name in ("initial", "bias") if name in self.op.properties]
        rights = [field for field in self.plan.fields if field.flipped]
        return constants + [
            _Constant(self, f"weights.{each.index}", behind=self.plan.weight_bytes(each)) for each in rights
        ]

    # Products over windows

    def _window(self, field: Field, seen: Seen, sums: Sums) -> Sums:
        """All rows of the kernel that lie inside the image; of flipped counts, all."""
        k = self.k
        top = k.sum_of((self.row, field.stride[0]), -field.low[0])
        if field.kernel[0] == 1 and field.stays_inside(self.plan.rows):
            return self._row(field, seen, sums, top, 0)
        begin, end = (0, field.kernel[0]) if field.flipped else _rows_inside(k, field, top)
        with k.loop(begin, end, carried=sums) as turn:
            turn.next(*self._row(field, seen, turn.values, top, turn.index))
        return turn.results

    def _row(self, field: Field, seen: Seen, sums: Sums, top: SSAValue, ky: Place) -> Sums:
        """The taps of one row of the kernel."""
        k = self.k
        image = k.sum_of(top, _times(ky, field.dilation[0]))
        begin = field.offset(*next(_seen(seen), (0, 0)))
        pixel = field.pixel_bytes
        offset = k.sum_of((image, field.pitch * pixel), _times(self.column, field.stride[1] * pixel), begin)
        source = k.at(k.buffer(field.source), offset)
        if field.flipped and not field.stays_inside(self.plan.rows):
            zeros = k.at(k.tensor(f"weights.{field.index}"), self.plan.weight_bytes(field) + 4 * self.plan.padded)
            source = k.select(k.compare("ult", image, field.height), source, zeros)
        step = self.plan.step_bytes(field, self.vectors)
        row = field.kernel[1] * field.steps * step
        place = k.sum_of(_times(self.tile, self.plan.tile_bytes(field, self.plan.vectors)), _times(ky, row))
        weights = k.at(k.tensor(f"weights.{field.index}"), place)
        for kx, columns in _columns(field, seen):
            reached = [field.offset(kx, n) - begin if there else None for n, there in enumerate(seen[kx])]
            sums = self._tap(field, sums, source, reached, weights, kx * field.steps, columns * field.channels)
        return sums

    def _tap(
        self,
        field: Field,
        sums: Sums,
        source: SSAValue,
        reached: Sequence[int | None],
        weights: SSAValue,
        first: int,
        channels: int,
    ) -> Sums:
        """Channels of a pixel, or of pixels side by side, times their weights from step `first` on, a few at a time."""
        k, depth = self.k, field.products.depth
        step = self.plan.step_bytes(field, self.vectors)
        whole, rest = divmod(channels, depth)

        def multiply(sums: Sums, turn: Place, count: int) -> Sums:
            counts = k.at(source, k.sum_of(_times(turn, depth * field.products.count_bytes)))
            rows = k.at(weights, k.sum_of(_times(turn, step), first * step))
            return self._multiply(field, sums, counts, reached, rows, count)

        if whole <= UNROLLED:
            for turn in range(whole):
                sums = multiply(sums, turn, depth)
        else:
            with k.loop(0, whole, carried=sums) as loop:
                loop.next(*multiply(loop.values, loop.index, depth))
            sums = loop.results
        return multiply(sums, whole, rest) if rest else sums

    def _multiply(
        self,
        field: Field,
        sums: Sums,
        counts: SSAValue,
        reached: Sequence[int | None],
        weights: SSAValue,
        channels: int,
    ) -> Sums:
        """One step: the channels that are multiplied at a time, of all neighbours."""
        k, products = self.k, field.products
        size = products.lanes * products.depth * products.weight_bytes
        rows = [products.weights(k, k.at(weights, v * size)) for v in range(self.vectors)]
        found = list(sums)
        for neighbour, offset in enumerate(reached):
            if offset is None and not field.flipped:
                continue
            if offset is None:
                values = products.padding(k, flipped=True)
            else:
                values = products.load(k, k.at(counts, offset), channels, flipped=field.flipped)
            for v, row in enumerate(rows):
                index = neighbour * self.vectors + v
                found[index] = products.add(k, found[index], values, row)
        return tuple(found)

    # Synapses of a channel with itself

    def _diagonal(self, synapse: Synapse, index: int, charges: Sums) -> Sums:
        k, element, channels = self.k, buffer_element(synapse.source), self.plan.channels
        weight = _Constant(self, f"weights.{index}", size=prod(dense_shape(synapse.weight)))
        place = k.sum_of((self.position, channels), self.first)
        source = k.at(k.buffer(synapse.source), place, stored(element))
        return tuple(
            k.add(charge, k.mul(self._own(source, element, n * channels), weight.of(n)))
            for n, charge in enumerate(charges)
        )

    def _depthwise(self, field: Field, seen: Seen, charges: Sums) -> Sums:
        k, channels, element = self.k, self.plan.channels, buffer_element(field.source)
        top = k.sum_of((self.row, field.stride[0]), -field.low[0])
        begin = field.offset(*next(_seen(seen), (0, 0))) // field.pixel_bytes
        with k.loop(*_rows_inside(k, field, top), carried=charges) as turn:
            image = k.sum_of(top, (turn.index, field.dilation[0]))
            pixel = k.sum_of((image, field.pitch), _times(self.column, field.stride[1]), begin)
            source = k.at(k.buffer(field.source), k.sum_of((pixel, channels), self.first), stored(element))
            at = k.sum_of((turn.index, field.kernel[1] * self.plan.padded), self.first)
            taps = k.at(k.tensor(f"weights.{field.index}"), at, i32)
            found = list(turn.values)
            for kx, neighbour in _seen(seen):
                offset = (field.offset(kx, neighbour) // field.pixel_bytes - begin) * channels
                weight = k.load(self.kind, k.at(taps, kx * self.plan.padded, i32))
                found[neighbour] = k.add(found[neighbour], k.mul(self._own(source, element, offset), weight))
            turn.next(*found)
        return turn.results

    def _own(self, pointer: SSAValue, element: Attribute, offset: int) -> SSAValue:
        """The counts of a neuron's channels, some elements on; no more memory is read than there are channels."""
        k, lanes, kind = self.k, self.channels, stored(element)
        parts = self._parts()
        pieces = [k.load(vector(kind, size), k.at(pointer, offset + first, kind)) for first, size in parts]
        if parts == [(0, lanes)]:
            return converted(k, pieces[0], element, i32)
        whole = k.constant(vector(kind, lanes), 0)
        for (first, size), piece in zip(parts, pieces, strict=True):
            wide = k.shuffle(piece, piece, [min(lane, size - 1) for lane in range(lanes)])
            there = range(first, first + size)
            whole = k.shuffle(whole, wide, [lanes + lane - first if lane in there else lane for lane in range(lanes)])
        return converted(k, whole, element, i32)

    def _parts(self) -> list[tuple[int, int]]:
        """(first lane, lanes) of the powers of two that make up the channels of a tile.

        LLVM 22 writes four bytes where a mask lets one element of two bytes through.
        """
        left = self.plan.channels - self.plan.lanes * self.plan.whole_tiles * self.plan.vectors
        if not isinstance(self.tile, int) or left >= self.channels:
            return [(0, self.channels)]
        sizes = [1 << bit for bit in reversed(range(left.bit_length())) if left >> bit & 1]
        return [(sum(sizes[:index]), size) for index, size in enumerate(sizes)]

    # Neurons

    def _fire(self, charges: Sums) -> None:
        """Every neuron says its count."""
        k, channels, element = self.k, self.plan.channels, stored(buffer_element(self.op.spikes))
        fire = _Firing(self)
        place = k.sum_of((self.position, channels), self.first)
        target = k.at(k.buffer(self.op.spikes), place, element)
        for neighbour, charge in enumerate(charges):
            value = k.truncate(fire.count(charge, neighbour), element)
            for first, size in self._parts():
                part = value if size == self.channels else k.shuffle(value, value, range(first, first + size))
                k.store(part, k.at(target, neighbour * channels + first, element))


class _Constant:
    """A per-neuron constant in a tile: `of(neighbour)` is a vector of it.

    One that differs from position to position may have several rows for each; `row` is one of these. `behind`, in
    bytes, is where one begins that stands behind others.
    """

    def __init__(
        self, tile: _Tile, name: str, *, size: int | None = None, row: int = 0, rows: int = 1, behind: int = 0
    ) -> None:
        given = 1 if behind else size
        if given is None:
            given = prod(dense_shape(tile.op.properties[name]))  # pyright: ignore[reportArgumentType]
        self.tile = tile
        self.name = name
        self.varies = given > tile.plan.channels
        self.row = row
        self.rows = rows
        self.behind = behind
        self._known: dict[int, SSAValue] = {}

    def of(self, neighbour: int) -> SSAValue:
        """The vector; where positions do not differ, that of all neighbours."""
        key = neighbour if self.varies else 0
        if key not in self._known:
            self._known[key] = self._load(key)
        return self._known[key]

    @cached_property
    def _pointer(self) -> SSAValue:
        tile, padded = self.tile, self.tile.plan.padded
        place = tile.k.sum_of(tile.first, self.row * padded)
        if self.varies:
            place = tile.k.sum_of(place, (tile.position, self.rows * padded))
        return tile.k.at(tile.k.at(tile.k.tensor(self.name), self.behind), place, i32)

    def _load(self, neighbour: int) -> SSAValue:
        tile = self.tile
        place = neighbour * self.rows * tile.plan.padded
        return tile.k.load(tile.kind, tile.k.at(self._pointer, place, i32))


class _Firing:
    """n = clip(floor(charge / threshold), 0, levels), exactly.

    With a = clip(charge, 0, levels threshold) and q = a / threshold, at most `levels` < 2^16, the float product of a
    and the rounded reciprocal is off by less than q 2^-22 < 2^-6. Adding it to 2^23, where floats are whole, rounds to
    m: n or n + 1, as q lies in n ... n + 1, and where it is n exactly, m is. m is too large exactly where m threshold
    > a; both are below 2^32.
    """

    def __init__(self, tile: _Tile) -> None:
        self.k = tile.k
        self.lanes = tile.channels
        self.kind = tile.kind
        self.rows = [_Constant(tile, "threshold", row=row, rows=3) for row in range(3)]

    def count(self, charge: SSAValue, neighbour: int) -> SSAValue:
        """The counts of a vector of neurons."""
        k = self.k
        threshold, reciprocal, cap = (row.of(neighbour) for row in self.rows)
        clipped = k.least(k.largest(charge, 0), cap)
        quotient = self._rounded(k.to_float(clipped, f32), k.bitcast(reciprocal, vector(f32, self.lanes)))
        over = k.compare("ugt", k.mul(quotient, threshold), clipped)
        return k.add(quotient, k.extend(over, i32))

    def _rounded(self, charge: SSAValue, reciprocal: SSAValue) -> SSAValue:
        """The whole number nearest to a product."""
        k = self.k
        if "fma" in k.features.flags or k.features.neon:
            magic = k.constant(charge.type, 2.0**23)
            moved = k.intrinsic(f"llvm.fma.v{self.lanes}f32", charge.type, charge, reciprocal, magic)
        else:
            moved = k.add(k.mul(charge, reciprocal), 2.0**23)
        return k.sub(k.bitcast(moved, self.kind), MAGIC)


def _rows_inside(k: Kernel, field: Field, top: SSAValue) -> tuple[SSAValue, SSAValue]:
    """The first row of the kernel that lies inside the image, and the one behind the last."""
    apart = field.dilation[0]
    above, left = k.largest(k.sub(0, top), 0), k.largest(k.sub(field.height, top), 0)
    if apart > 1:
        above, left = (k.divide_unsigned(k.sum_of(each, apart - 1), apart) for each in (above, left))
    return above, k.least(left, field.kernel[0])


def _times(place: Place, factor: int) -> int | tuple[SSAValue, int]:
    """A place times a factor, for sums of places."""
    return place * factor if isinstance(place, int) else (place, factor)


def _seen(seen: Seen) -> Iterator[tuple[int, int]]:
    """(column of the kernel, neighbour) of every pixel that is seen."""
    return ((kx, n) for kx, neighbours in enumerate(seen) for n, there in enumerate(neighbours) if there)


def _columns(field: Field, seen: Seen) -> Iterator[tuple[int, int]]:
    """(first column, number of columns) of the kernel that are read in one go: side by side, and seen by all."""
    together = field.dilation[1] == 1 and field.channels % field.products.depth == 0
    kx = 0
    while kx < field.kernel[1]:
        count = 1
        while together and kx + count < field.kernel[1] and all(map(all, seen[kx : kx + count + 1])):
            count += 1
        yield kx, count
        kx += count
