"""What stands around layers of spikes: trains counted, and pooled word by word."""

from __future__ import annotations

from math import prod

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.dialects.cpu.layers import WORD
from neurocuda.ir.attributes import values_of
from neurocuda.passes.cpu.llvm.builder import i1, i32, i64, vector
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import stored

COUNTS = vector(i32, WORD)
"""A count for every channel of a word."""


@lowers(cpu.CountTrainOp, splits=True)
def count_train(op: cpu.CountTrainOp, k: Kernel) -> None:
    """Neuron by neuron."""
    *positions, steps, words = buffer_shape(op.train)
    channels, kind = op.channels.value.data, stored(buffer_element(op.counts))
    begin, end = k.share(prod(positions))
    with k.loop(begin, end) as position, k.loop(0, channels) as channel:
        word, bit = k.divide_unsigned(channel.index, WORD), k.remainder(channel.index, WORD)
        with k.loop(0, steps, carried=(k.constant(i64, 0),)) as step:
            at = k.sum_of((position.index, steps * words), (step.index, words), word)
            spike = k.both(k.shift_right(k.load(i64, k.at(k.buffer(op.train), at, i64)), bit), 1)
            step.next(k.add(step.values[0], spike))
        place = k.sum_of((position.index, channels), channel.index)
        k.store(k.resize(step.results[0], kind), k.at(k.buffer(op.counts), place, kind))


@lowers(cpu.MaxPoolTrainOp, splits=True)
def max_pool_train(op: cpu.MaxPoolTrainOp, k: Kernel) -> None:
    """Word by word of the target; counts of a window's neurons lie in memory."""
    rows, columns, steps, words = buffer_shape(op.target)
    size = 4 * WORD * prod(values_of(op.kernel))
    said = k.scratch(size + 4 * WORD)
    highest = k.at(said, size)
    begin, end = k.share(rows * columns)
    with k.loop(begin, end) as position, k.loop(0, words) as word:
        row, column = k.divide_unsigned(position.index, columns), k.remainder(position.index, columns)
        k.clear_bytes(said, size + 4 * WORD)
        with k.loop(0, steps) as step:
            any_, most = _Window(op, k, said, step.index, word.index).at(row, column)
            fired = any_
            if op.counted.value.data:
                fired = k.bitcast(k.compare("sgt", most, k.load(COUNTS, highest, align=64)), i64)
                k.store(most, highest, align=64)
            at = k.sum_of((position.index, steps * words), (step.index, words), word.index)
            k.store(fired, k.at(k.buffer(op.target), at, i64))


class _Window:
    """A word of the neurons of one window at one step."""

    def __init__(self, op: cpu.MaxPoolTrainOp, k: Kernel, said: SSAValue, step: SSAValue, word: SSAValue) -> None:
        self.op, self.k, self.said, self.step, self.word = op, k, said, step, word

    def at(self, row: SSAValue, column: SSAValue) -> tuple[SSAValue, SSAValue]:
        """(the spikes of all its neurons together, their largest counts)."""
        k, kernel = self.k, values_of(self.op.kernel)
        start = (k.constant(i64, 0), k.constant(COUNTS, 0))
        with k.loop(0, kernel[0], carried=start) as ky:
            y = self._position(row, ky.index, 0)
            with k.when(k.compare("ult", y, buffer_shape(self.op.source)[0]), carried=ky.values) as line:
                with k.loop(0, kernel[1], carried=line.values) as kx:
                    x = self._position(column, kx.index, 1)
                    with k.when(k.compare("ult", x, buffer_shape(self.op.source)[1]), carried=kx.values) as inside:
                        tap = k.sum_of((ky.index, kernel[1]), kx.index)
                        inside.next(*self._tap(y, x, tap, *inside.values))
                    kx.next(*inside.results)
                line.next(*kx.results)
            ky.next(*line.results)
        any_, most = ky.results
        return any_, most

    def _position(self, output: SSAValue, tap: SSAValue, axis: int) -> SSAValue:
        """The row or column of the source that a tap reads."""
        stride, dilation = values_of(self.op.stride)[axis], values_of(self.op.dilation)[axis]
        return self.k.sum_of((output, stride), (tap, dilation), -values_of(self.op.padding)[2 * axis])

    def _tap(
        self, y: SSAValue, x: SSAValue, tap: SSAValue, any_: SSAValue, most: SSAValue
    ) -> tuple[SSAValue, SSAValue]:
        k = self.k
        _, columns, steps, words = buffer_shape(self.op.source)
        at = k.sum_of((k.sum_of((y, columns), x), steps * words), (self.step, words), self.word)
        bits = k.load(i64, k.at(k.buffer(self.op.source), at, i64))
        if not self.op.counted.value.data:
            return k.either(any_, bits), most
        place = k.at(self.said, k.sum_of((tap, WORD)), i32)
        spikes = k.extend_unsigned(k.bitcast(bits, vector(i1, WORD)), i32)
        count = k.add(k.load(COUNTS, place, align=64), spikes)
        k.store(count, place, align=64)
        return any_, k.largest(count, most)
