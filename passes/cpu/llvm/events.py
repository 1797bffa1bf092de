"""Layers of spikes by events: rows of weights are added for the spikes there are, membranes stay in registers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.passes.cpu.llvm.builder import element_of, i16, i32, i64, lanes_of, vector
from neurocuda.passes.cpu.llvm.events_anyhow import anyhow
from neurocuda.passes.cpu.llvm.events_lists import EventList
from neurocuda.passes.cpu.llvm.events_neurons import Neurons
from neurocuda.passes.cpu.llvm.events_plan import LANES, LINE, Gather, Plan, element_size, packed, usable_plan
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers

if TYPE_CHECKING:
    from collections.abc import Generator

AT_ONCE = 4
"""Rows that are added in one go."""

CHUNK = 256
"""So many rows of 8 bits fit into sums of 16."""


@lowers(cpu.SpikeLayerOp, "gather", splits=True, finished=True, packs=packed)
def gather(op: cpu.SpikeLayerOp, k: Kernel) -> None:
    """By lists of events where the plan allows, else anyhow."""
    plan = usable_plan(op, k.features)
    if plan is None:
        anyhow(op, k)
        return
    EventLayer(op, k, plan).lower()


class EventLayer:
    """One layer: lists of events for its rows, then neurons, tile by tile and position by position."""

    def __init__(self, op: cpu.SpikeLayerOp, k: Kernel, plan: Plan) -> None:
        self.op = op
        self.k = k
        self.plan = plan

    def lower(self) -> None:
        k, plan = self.k, self.plan
        own = self._own_lists()
        if plan.by_tile:
            size = plan.slot_bytes // plan.rows
            with k.loop(0, plan.rows) as row:
                self._lists(k.at(own, k.sum_of((row.index, size))), row.index, build=True)
            with self._share(plan.tiles) as tile:
                self._prefetch(tile)
                with k.loop(0, plan.rows) as row:
                    lists = self._lists(k.at(own, k.sum_of((row.index, size))), row.index, build=False)
                    self._row(lists, row.index, tile)
            return
        with self._share(plan.rows) as row:
            lists = self._lists(own, row, build=True)
            with k.loop(0, plan.tiles) as tile:
                self._row(lists, row, tile.index)

    def _own_lists(self) -> SSAValue:
        """The memory for this thread's lists."""
        if self.op.scratch is None:
            return self.k.scratch(self.plan.slot_bytes)
        slot = self.k.least(self.k.thread, self.plan.slots - 1)
        return self.k.at(self.k.buffer(self.op.scratch), self.k.sum_of((slot, self.plan.slot_bytes)))

    @contextmanager
    def _share(self, count: int) -> Generator[SSAValue]:
        """A loop over what this thread does; no more threads than there are slots do anything."""
        k = self.k
        threads = k.least(k.threads, self.plan.slots)

        def cut(thread: SSAValue) -> SSAValue:
            return k.least(k.divide_unsigned(k.mul(thread, count), threads), count)

        with k.loop(cut(k.thread), cut(k.add(k.thread, 1))) as turn:
            yield turn.index

    def _lists(self, memory: SSAValue, row: SSAValue, *, build: bool) -> list[EventList]:
        lists: list[EventList] = []
        for each in self.plan.gathers:
            made = EventList(self.k, each, self.k.buffer(self.op.sources[each.index]), memory)
            memory = self.k.at(memory, each.list_bytes)
            lists.append(made)
            if build:
                made.build(row)
        return lists

    def _prefetch(self, tile: SSAValue) -> None:
        """Fetches a tile's weights into the second level of the cache."""
        k = self.k
        for each in self.plan.gathers:
            size = self.tile_bytes(each)
            weights = k.at(k.tensor(f"weights.{each.index}"), k.sum_of((tile, size)))
            with k.loop(0, size, step=LINE) as turn:
                k.prefetch(k.at(weights, turn.index), locality=2)

    def tile_bytes(self, gather: Gather) -> int:
        return (gather.weight_rows + 1) * self.plan.tile * element_size(gather.weight)

    # Neurons

    def _row(self, lists: Sequence[EventList], row: SSAValue, tile: SSAValue) -> None:
        k, plan = self.k, self.plan
        with k.loop(0, plan.columns) as column:
            neurons = Neurons(self.op, k, plan, row, column.index, tile)
            windows = [_Window(self, *each, column.index, tile) for each in zip(plan.gathers, lists, strict=True)]
            with k.loop(0, neurons.steps, carried=neurons.start()) as step:
                sums = [window.sums(step.index) for window in windows]
                charged = neurons.charged(step.index, step.values, sums)
                step.next(*(charged if self.op.gated.value.data else neurons.fired(step.index, charged)))
            if self.op.gated.value.data:
                with k.loop(0, neurons.steps, carried=step.results) as after:
                    after.next(*neurons.fired(after.index, after.values))


class _Window:
    """The events of one source that reach one position, and their rows of weights."""

    def __init__(self, layer: EventLayer, gather: Gather, events: EventList, column: SSAValue, tile: SSAValue) -> None:
        self.k = k = layer.k
        self.op, self.plan, self.gather, self.events = layer.op, layer.plan, gather, events
        first = k.sum_of((column, gather.stride[1]), -gather.low[1])
        self.begin = k.least(k.largest(first, 0), gather.columns)
        self.end = k.largest(k.least(k.sum_of(first, gather.kernel[1]), gather.columns), self.begin)
        self.row_bytes = layer.plan.tile * element_size(gather.weight)
        tensor = k.tensor(f"weights.{gather.index}")
        self.weights = k.at(tensor, k.sum_of((tile, layer.tile_bytes(gather))))
        back = k.sum_of((first, -gather.kernel[0] * gather.channels))
        self.from_column_0 = k.at(self.weights, k.sum_of((back, self.row_bytes)), inside=False)
        self.zeros = k.sum_of(gather.weight_rows, (back, -1))
        self.wide = i32 if gather.weight == i16 else i16
        self.narrow = self.wide == i16 and layer.op.charge_width > 16

    def sums(self, step: SSAValue) -> list[SSAValue]:
        """What arrives at a step, sixteen channels at a time."""
        k = self.k
        begin = self.events.begin(step, self.begin)
        count = k.sub(self.events.begin(step, self.end), begin)
        place = k.at(self.events.events, begin, i16)
        if not self.narrow:
            return self._widened(self._added(place, count))
        zeros = [k.constant(vector(i32, LANES), 0)] * (self.plan.tile // LANES)
        with k.repeat((place, count, *zeros)) as turn:
            at, left, *sums = turn.values
            now = k.least(left, CHUNK)
            sums = [k.add(one, other) for one, other in zip(sums, self._widened(self._added(at, now)), strict=True)]
            left = k.sub(left, now)
            turn.next(k.at(at, now, i16), left, *sums, again=k.compare("sgt", left, 0))
        return list(turn.results[2:])

    def _widened(self, sums: Sequence[SSAValue]) -> list[SSAValue]:
        """Sums of 16 bits as vectors of sixteen of 32."""
        k = self.k
        result: list[SSAValue] = []
        for each in sums:
            for begin in range(0, lanes_of(each.type), LANES):
                part = each if lanes_of(each.type) == LANES else k.shuffle(each, each, range(begin, begin + LANES))
                result.append(k.extend(part, i32))
        return result

    def _added(self, place: SSAValue, count: SSAValue) -> list[SSAValue]:
        """The sum of the rows of `count` events from a place in the list on."""
        k = self.k
        start = [k.constant(vector(self.wide, lanes), 0) for lanes in self._lanes()]
        whole = k.both(count, -AT_ONCE)
        with k.loop(0, whole, step=AT_ONCE, carried=start) as turn:
            rows = [self._row(k.sum_of(turn.index, ahead), place) for ahead in range(AT_ONCE)]
            turn.next(*(self._sum(each, rows, part) for part, each in enumerate(turn.values)))
        over = k.sub(count, whole)
        rows = [self._row_or_zeros(place, whole, over, ahead) for ahead in range(AT_ONCE - 1)]
        return [self._sum(each, rows, part) for part, each in enumerate(turn.results)]

    def _lanes(self) -> list[int]:
        """The vectors of a row: as many as fit 512 bits."""
        most = 2 * LANES if self.wide == i16 else LANES
        return [min(most, self.plan.tile - begin) for begin in range(0, self.plan.tile, most)]

    def _row(self, index: SSAValue, place: SSAValue) -> SSAValue:
        """The row of weights of an event."""
        k = self.k
        event = k.extend_unsigned(k.load(i16, k.at(place, index, i16)), i64)
        return k.at(self.from_column_0, k.sum_of((event, self.row_bytes)), inside=False)

    def _row_or_zeros(self, place: SSAValue, whole: SSAValue, over: SSAValue, ahead: int) -> SSAValue:
        """The row of one of the last events, or the row of zeros where there is none."""
        k = self.k
        event = k.extend_unsigned(k.load(i16, k.at(place, k.sum_of(whole, ahead), i16)), i64)
        row = k.select(k.compare("sgt", over, ahead), event, self.zeros)
        return k.at(self.from_column_0, k.sum_of((row, self.row_bytes)), inside=False)

    def _sum(self, start: SSAValue, rows: Sequence[SSAValue], part: int) -> SSAValue:
        """Adds a part of several rows, in pairs."""
        k, kind = self.k, start.type
        size = element_size(self.gather.weight)
        most = self._lanes()[0]
        loaded = [
            k.extend(
                k.load(vector(self.gather.weight, lanes_of(kind)), k.at(row, part * most * size), align=16),
                element_of(kind),
            )
            for row in rows
        ]
        if len(loaded) == AT_ONCE:
            return k.add(start, k.add(k.add(loaded[0], loaded[1]), k.add(loaded[2], loaded[3])))
        return k.add(k.add(start, loaded[0]), k.add(loaded[1], loaded[2]))
