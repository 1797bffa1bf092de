"""Lists the spikes that a row of the target can see, in the order of steps, columns, and what stands in a column."""

from __future__ import annotations

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu.layers import WORD
from neurocuda.passes.cpu.llvm.builder import i1, i8, i16, i32, i64, vector
from neurocuda.passes.cpu.llvm.events_plan import Gather, lines
from neurocuda.passes.cpu.llvm.kernels import Kernel

HALF = WORD // 2


class EventList:
    """The list of one source for one row of the target, and where every step and column begins in it.

    An event is the row of weights of its spike for a window that begins at column 0: 16 bits.
    """

    def __init__(self, k: Kernel, gather: Gather, train: SSAValue, memory: SSAValue) -> None:
        self._k = k
        self._gather = gather
        self._train = train
        self.events = memory
        self.begins = k.at(memory, lines(2 * gather.events))

    def begin(self, step: SSAValue, column: SSAValue) -> SSAValue:
        """Where the events of a step begin from a column on: a place in the list."""
        k = self._k
        place = k.sum_of((step, self._gather.columns + 1), column)
        return k.extend_unsigned(k.load(i32, k.at(self.begins, place, i32)), i64)

    def build(self, row: SSAValue) -> None:
        """Lists what row `row` of the target sees."""
        k, gather = self._k, self._gather
        first, last, top = self._taps(row)
        with k.loop(0, gather.steps, carried=(k.place(0),)) as step:
            with k.loop(0, gather.columns, carried=step.values) as column:
                self._note(step.index, column.index, column.values[0])
                with k.loop(first, last, carried=column.values) as tap:
                    line = k.sum_of(top, (tap.index, gather.dilation))
                    base = k.sum_of((column.index, gather.kernel[0] * gather.channels), (tap.index, gather.channels))
                    tap.next(self._pooled(step.index, line, column.index, base, tap.values[0]))
                column.next(*tap.results)
            self._note(step.index, k.place(gather.columns), column.results[0])
            step.next(*column.results)

    def _taps(self, row: SSAValue) -> tuple[SSAValue, SSAValue, SSAValue]:
        """(first tap inside the image, behind the last, the line of tap 0)."""
        k, gather = self._k, self._gather
        top = k.sum_of((row, gather.stride[0]), -gather.low[0])
        if gather.low[0] == 0 and gather.rows == gather.kernel[0]:
            return k.place(0), k.place(gather.kernel[0]), top
        over = gather.dilation - 1
        first = k.largest(k.divide(k.sum_of((k.sub(0, top), 1), over), gather.dilation), 0)
        last = k.divide(k.sum_of((k.sub(gather.rows, top), 1), over), gather.dilation)
        return first, k.largest(k.least(last, gather.kernel[0]), first), top

    def _note(self, step: SSAValue, column: SSAValue, place: SSAValue) -> None:
        k = self._k
        at = k.sum_of((step, self._gather.columns + 1), column)
        k.store(k.truncate(place, i32), k.at(self.begins, at, i32))

    def _pooled(self, step: SSAValue, line: SSAValue, column: SSAValue, base: SSAValue, place: SSAValue) -> SSAValue:
        """The spikes of one position, or of all that a pool makes one of; returns the place behind the last."""
        k, gather = self._k, self._gather
        for down in range(gather.pool[0]):
            for right in range(gather.pool[1]):
                y = k.sum_of((line, gather.pool[0]), down)
                x = k.sum_of((column, gather.pool[1]), right)
                position = k.sum_of((y, gather.width), x)
                word = k.sum_of((position, gather.steps * gather.words), (step, gather.words))
                place = self._words(word, base, place)
        return place

    def _words(self, word: SSAValue, base: SSAValue, place: SSAValue) -> SSAValue:
        k, gather = self._k, self._gather
        if gather.words <= 4:
            for index in range(gather.words):
                channels = min(WORD, gather.channels - WORD * index)
                place = self._word(k.sum_of(word, index), k.sum_of(base, WORD * index), place, channels)
            return place
        with k.loop(0, gather.words, carried=(place,)) as turn:
            at, first = k.sum_of(word, turn.index), k.sum_of(base, (turn.index, WORD))
            turn.next(self._word(at, first, turn.values[0], WORD))
        return turn.results[0]

    def _word(self, word: SSAValue, base: SSAValue, place: SSAValue, channels: int) -> SSAValue:
        k = self._k
        bits = k.load(i64, k.at(self._train, word, i64))
        if not k.features.avx512vbmi2:
            return self._one_by_one(bits, base, place)
        count = k.count_ones(bits)
        first = k.splat(k.truncate(base, i16), HALF)
        target = k.at(self.events, place, i16)
        lanes = HALF if channels <= HALF else WORD
        mask = k.bitcast(bits if lanes == WORD else k.truncate(bits, i32), vector(i1, lanes))
        kind = vector(i8, lanes)
        name = f"llvm.experimental.vector.compress.v{lanes}i8"
        found = k.intrinsic(name, kind, k.lanes(i8, range(lanes)), mask, k.constant(kind, 0))
        self._store_half(found, 0, first, target)
        if lanes == WORD:
            with k.when(k.compare("ugt", count, HALF)):
                self._store_half(found, HALF, first, k.at(target, HALF, i16))
        return k.sum_of(place, count)

    def _store_half(self, found: SSAValue, begin: int, first: SSAValue, target: SSAValue) -> None:
        k = self._k
        half = k.shuffle(found, found, range(begin, begin + HALF))
        k.store(k.add(k.extend_unsigned(half, i16), first), target)

    def _one_by_one(self, bits: SSAValue, base: SSAValue, place: SSAValue) -> SSAValue:
        """Bit after bit, where nothing compresses vectors."""
        k = self._k
        with k.when(k.compare("ne", bits, 0), carried=(place,)) as some:
            with k.repeat((bits, place)) as turn:
                left, at = turn.values
                event = k.truncate(k.sum_of(base, k.first_one(left)), i16)
                k.store(event, k.at(self.events, at, i16))
                left = k.both(left, k.sub(left, 1))
                turn.next(left, k.sum_of(at, 1), again=k.compare("ne", left, 0))
            some.next(turn.results[1])
        return some.results[0]
