"""Layers of spikes by products: spikes become bytes, row by row, and `vpdpbusd` multiplies all of them.

It wins where many neurons fire, and where layers are so narrow that a row of weights is no work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.layers import WORD
from neurocuda.passes.cpu.llvm.builder import i1, i8, i32, i64, vector
from neurocuda.passes.cpu.llvm.events import gather
from neurocuda.passes.cpu.llvm.events_neurons import Neurons
from neurocuda.passes.cpu.llvm.events_plan import LANES, Gather, Plan, by_lane, packed, plan_of
from neurocuda.passes.cpu.llvm.features import Features
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"

QUAD = 4
"""Channels whose products one lane adds up."""

STEPS = 8
"""Steps that are summed at the same time: two vectors of channels at each fit the registers."""

MOST_STEPS = 32
"""More of them are done by events: every chunk of steps is code of its own."""

ON_STACK = 64 * 1024
"""Bytes for the rows of spikes that a row of the target sees."""

TILE = 2 * LANES
"""Channels that are done together."""


@dataclass(frozen=True)
class Rows:
    """The rows of one source as bytes, for as many rows as a row of the target sees, columns padded with zeros."""

    source: Gather
    count: int
    columns: int

    @property
    def channels(self) -> int:
        """Bytes of a position and step."""
        return -(-self.source.channels // QUAD) * QUAD

    @property
    def position(self) -> int:
        """Bytes of a position."""
        return self.source.steps * self.channels

    @property
    def row(self) -> int:
        """Bytes of a row."""
        return self.columns * self.position

    @property
    def bytes(self) -> int:
        """Bytes of all rows, and of what is written beyond."""
        return -(-self.count * self.row // WORD) * WORD + WORD


@dataclass(frozen=True)
class DensePlan:
    """A layer for the kernel `dense`: the plan of neurons with tiles of 32 channels, and the rows of every source."""

    neurons: Plan
    rows: tuple[Rows, ...]


def dense_plan_of(op: cpu.SpikeLayerOp, features: Features) -> DensePlan | None:
    """The plan of a layer, None where it is done by events instead."""
    plan = plan_of(op, features)
    if plan is None or not features.avx512vnni or op.timesteps > MOST_STEPS:
        return None
    if any(each.weight != i8 or each.columns * each.rows == each.kernel[0] for each in plan.gathers):
        return None
    tile = TILE if plan.channels > LANES else LANES
    tiles = -(-plan.words * WORD // tile) if plan.channels > WORD else -(-plan.channels // tile)
    neurons = Plan(plan.gathers, plan.diagonals, plan.rows, plan.columns, plan.channels, tile, tiles)
    rows = tuple(_rows(plan, each) for each in plan.gathers)
    fits = sum(each.bytes for each in rows) <= ON_STACK and (tiles == 1 or plan.channels % WORD == 0)
    return DensePlan(neurons, rows) if fits else None


def _rows(plan: Plan, source: Gather) -> Rows:
    """The rows of a source, wide enough for the last window."""
    reach = (plan.columns - 1) * source.stride[1] + source.kernel[1]
    return Rows(source, (source.kernel[0] - 1) * source.dilation + 1, max(reach, source.columns + source.low[1]))


def dense_packed(op: cpu.SpikeLayerOp, name: str, array: Array, features: Features) -> Array:
    """Weights as (tiles, kernel rows, kernel columns, quads, vectors of a tile, 16, 4); other constants by lane."""
    import numpy as np

    plan = dense_plan_of(op, features)
    if plan is None:
        return packed(op, name, array, features)
    kind, _, number = name.partition(".")
    neurons = plan.neurons
    if kind != "weights" or int(number) in neurons.diagonals:
        factor = op.times if kind == "weights" else 1
        return by_lane(neurons, array.astype(np.int32) * factor, np.iinfo(np.int32).max if name == "threshold" else 0)
    (rows,) = (each for each in plan.rows if each.source.index == int(number))
    kernel, inner = rows.source.kernel, rows.source.channels
    wide = np.zeros((*kernel, rows.channels, neurons.tiles * neurons.tile), np.int8)
    wide[:, :, :inner, : neurons.channels] = array[0]
    split = wide.reshape(*kernel, rows.channels // QUAD, QUAD, neurons.tiles, neurons.tile // LANES, LANES)
    return np.ascontiguousarray(split.transpose(4, 0, 1, 2, 5, 6, 3))


@lowers(cpu.SpikeLayerOp, "dense", splits=True, packs=dense_packed)
def dense(op: cpu.SpikeLayerOp, k: Kernel) -> None:
    """By products where the processor multiplies bytes and the layer allows it, else by events."""
    plan = dense_plan_of(op, k.features)
    if plan is None:
        gather(op, k)
        return
    _DenseLayer(op, k, plan).lower()


class _DenseLayer:
    """Row by row: the rows that are new are unpacked, then neurons position by position."""

    def __init__(self, op: cpu.SpikeLayerOp, k: Kernel, plan: DensePlan) -> None:
        self.op, self.k, self.plan = op, k, plan
        self.memory = [k.at(k.scratch(each.bytes), k.place(0)) for each in plan.rows]

    def lower(self) -> None:
        k, plan = self.k, self.plan.neurons
        begin, end = k.share(plan.rows)
        for rows, memory in zip(self.plan.rows, self.memory, strict=True):
            k.clear_bytes(memory, rows.bytes)
        firsts = [k.largest(self._top(rows, begin), 0) for rows in self.plan.rows]
        with k.loop(begin, end, carried=firsts) as row:
            seen = [self._unpack(index, row.index, first) for index, first in enumerate(row.values)]
            with k.loop(0, plan.tiles) as tile, k.loop(0, plan.columns) as column:
                self._position(row.index, column.index, tile.index)
            row.next(*seen)

    def _top(self, rows: Rows, row: SSAValue) -> SSAValue:
        """The row of the source that the first tap of a row of the target reads."""
        return self.k.sum_of((row, rows.source.stride[0]), -rows.source.low[0])

    def _unpack(self, index: int, row: SSAValue, first: SSAValue) -> SSAValue:
        """Turns the rows from `first` on that a row of the target sees into bytes; returns what follows them."""
        k, rows, memory = self.k, self.plan.rows[index], self.memory[index]
        top = self._top(rows, row)
        end = k.largest(k.least(k.sum_of(top, rows.count), rows.source.rows), first)
        with k.loop(k.largest(first, top), end) as line:
            target = k.at(memory, k.sum_of((k.remainder(line.index, rows.count), rows.row)))
            with k.loop(0, rows.source.columns) as column:
                place = k.sum_of((k.sum_of(column.index, rows.source.low[1]), rows.position))
                self._unpack_position(rows, line.index, column.index, k.at(target, place))
        return end

    def _unpack_position(self, rows: Rows, line: SSAValue, column: SSAValue, target: SSAValue) -> None:
        k, source = self.k, rows.source
        train = k.buffer(self.op.sources[source.index])
        with k.loop(0, source.steps) as step, k.loop(0, source.words) as word:
            lanes = WORD
            if source.words == 1:
                lanes = next(each for each in (4, 8, 16, 32, 64) if each >= source.channels)
            total: SSAValue | None = None
            for down in range(source.pool[0]):
                for right in range(source.pool[1]):
                    y, x = k.sum_of((line, source.pool[0]), down), k.sum_of((column, source.pool[1]), right)
                    position = k.sum_of((y, source.width), x)
                    at = k.sum_of((position, source.steps * source.words), (step.index, source.words), word.index)
                    spikes = k.extend_unsigned(self._bits(k.load(i64, k.at(train, at, i64)), lanes), i8)
                    total = spikes if total is None else k.add(total, spikes)
            assert total is not None
            k.store(total, k.at(target, k.sum_of((step.index, rows.channels), (word.index, WORD))), align=1)

    def _bits(self, word: SSAValue, lanes: int) -> SSAValue:
        """The low bits of a word as lanes."""
        k = self.k
        if lanes >= 8:
            from xdsl.dialects.builtin import IntegerType

            return k.bitcast(k.resize(word, IntegerType(lanes)), vector(i1, lanes))
        whole = k.bitcast(k.resize(word, i8), vector(i1, 8))
        return k.shuffle(whole, whole, range(lanes))

    # Neurons

    def _position(self, row: SSAValue, column: SSAValue, tile: SSAValue) -> None:
        k, steps = self.k, self.op.timesteps
        neurons = Neurons(self.op, k, self.plan.neurons, row, column, tile)
        membranes = neurons.start()
        for first in range(0, steps, STEPS):
            count = min(STEPS, steps - first)
            sums = self._sums(row, column, tile, first, count)
            for step in range(count):
                at = k.place(first + step)
                membranes = neurons.charged(at, membranes, [sums[step]])
                if not self.op.gated.value.data:
                    membranes = neurons.fired(at, membranes)
        if self.op.gated.value.data:
            with k.loop(0, steps, carried=membranes) as after:
                after.next(*neurons.fired(after.index, after.values))

    def _sums(self, row: SSAValue, column: SSAValue, tile: SSAValue, first: int, count: int) -> list[list[SSAValue]]:
        """What arrives at `count` steps from the `first` on: for each step sixteen channels at a time."""
        k, vectors = self.k, self.plan.neurons.tile // LANES
        sums = [k.constant(vector(i32, LANES), 0)] * (count * vectors)
        for index, rows in enumerate(self.plan.rows):
            source = rows.source
            top, left = self._top(rows, row), k.sum_of((column, source.stride[1]))
            taps = source.kernel[1] * (rows.channels // QUAD) * vectors * WORD
            weights = k.at(k.tensor(f"weights.{source.index}"), k.sum_of((tile, source.kernel[0] * taps)))
            with k.loop(0, source.kernel[0], carried=sums) as tap:
                line = k.sum_of(top, (tap.index, source.dilation))
                with k.when(k.compare("ult", line, source.rows), carried=tap.values) as inside:
                    slot = k.remainder(line, rows.count)
                    start = k.sum_of((slot, rows.row), (left, rows.position), first * rows.channels)
                    spikes = k.at(self.memory[index], start)
                    inside.next(
                        *self._line(rows, spikes, k.at(weights, k.sum_of((tap.index, taps))), inside.values, count)
                    )
                tap.next(*inside.results)
            sums = list(tap.results)
        return [sums[step * vectors : (step + 1) * vectors] for step in range(count)]

    def _line(
        self, rows: Rows, spikes: SSAValue, weights: SSAValue, sums: Sequence[SSAValue], count: int
    ) -> Sequence[SSAValue]:
        """The sums with what a row of taps brings."""
        k, vectors = self.k, self.plan.neurons.tile // LANES
        quads = rows.channels // QUAD
        with k.loop(0, rows.source.kernel[1], carried=sums) as tap:
            start = k.at(spikes, k.sum_of((tap.index, rows.position)))
            with k.loop(0, quads, carried=tap.values) as quad:
                which = k.sum_of((tap.index, quads), quad.index)
                places = [k.at(weights, k.sum_of((which, vectors * WORD), part * WORD)) for part in range(vectors)]
                factors = [k.load(vector(i8, WORD), place, align=WORD) for place in places]
                new: list[SSAValue] = []
                for step in range(count):
                    place = k.at(start, k.sum_of((quad.index, QUAD), step * rows.channels))
                    bytes_ = k.bitcast(k.splat(k.load(i32, place, align=1), LANES), vector(i8, WORD))
                    for part in range(vectors):
                        total = quad.values[step * vectors + part]
                        name = "llvm.x86.avx512.vpdpbusd.512"
                        new.append(k.intrinsic(name, total.type, total, bytes_, factors[part]))
                quad.next(*new)
            tap.next(*quad.results)
        return tap.results
