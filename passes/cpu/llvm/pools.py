"""Loop nests over the windows of (height, width, channels) buffers, channel by channel."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape, element_bytes, is_float, is_unsigned
from neurocuda.ir.attributes import dense_shape, dense_type, values_of
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import converted, stored
from neurocuda.passes.cpu.llvm.windows import windows

Step = Callable[[SSAValue, SSAValue], SSAValue]


@lowers(cpu.SumPool2dOp, splits=True)
def sum_pool2d(op: cpu.SumPool2dOp, k: Kernel) -> None:
    element = buffer_element(op.target)

    def added(total: SSAValue, value: SSAValue) -> SSAValue:
        return k.add(total, converted(k, value, buffer_element(op.source), element))

    _pool(op, k, op.source, (k.buffer(op.target), element), 0, added)


@lowers(cpu.MaxPool2dOp, splits=True)
def max_pool2d(op: cpu.MaxPool2dOp, k: Kernel) -> None:
    element = buffer_element(op.target)

    def larger(best: SSAValue, value: SSAValue) -> SSAValue:
        return _larger(k, element, best, converted(k, value, buffer_element(op.source), element))

    _pool(op, k, op.source, (k.buffer(op.target), element), _lowest(element), larger)


@lowers(cpu.RunningMaxPool2dOp)
def running_max_pool2d(op: cpu.RunningMaxPool2dOp, k: Kernel) -> None:
    counts, element = k.buffer(op.counts), buffer_element(op.counts)
    kind = stored(element)
    with k.loop(0, prod(buffer_shape(op.source))) as turn:
        place = k.at(counts, turn.index, kind)
        spike = k.load(stored(buffer_element(op.source)), k.at(k.buffer(op.source), turn.index, _kind(op.source)))
        k.store(k.add(k.load(kind, place), converted(k, spike, buffer_element(op.source), element)), place)
    best = k.scratch(buffer_shape(op.target)[2] * element_bytes(element))

    def grown(channel: SSAValue, place: SSAValue) -> None:
        now = k.load(kind, k.at(best, channel, kind))
        highest = k.at(k.buffer(op.highest), place, _kind(op.highest))
        before = converted(k, k.load(_kind(op.highest), highest), buffer_element(op.highest), element)
        target = k.at(k.buffer(op.target), place, _kind(op.target))
        k.store(converted(k, k.sub(now, before), element, buffer_element(op.target)), target)
        k.store(converted(k, now, element, buffer_element(op.highest)), highest)

    _pool(op, k, op.counts, (best, element), _lowest(element), lambda a, b: _larger(k, element, a, b), grown)


def _kind(value: SSAValue) -> Attribute:
    return stored(buffer_element(value))


def _lowest(element: Attribute) -> float:
    """The smallest value of a type."""
    if not isinstance(element, IntegerType):
        return float("-inf")
    return 0 if is_unsigned(element) else -(2 ** (8 * element_bytes(element) - 1))


def _larger(k: Kernel, element: Attribute, best: SSAValue, value: SSAValue) -> SSAValue:
    how = "ogt" if is_float(element) else "ugt" if is_unsigned(element) else "sgt"
    return k.select(k.compare(how, value, best), value, best)


def _pool(
    op: cpu.SumPool2dOp | cpu.MaxPool2dOp | cpu.RunningMaxPool2dOp,
    k: Kernel,
    image: SSAValue,
    result: tuple[SSAValue, Attribute],
    start: float,
    step: Step,
    finish: Callable[[SSAValue, SSAValue], None] | None = None,
) -> None:
    """Results begin at `start` and take a `step` for every tap inside; with `finish` they are a row for one pixel."""
    source, target = buffer_shape(op.source), buffer_shape(op.target)
    vertical, horizontal = windows(source, target, values_of(op.kernel), op)
    channels, (memory, element) = source[2], result
    kind = stored(element)
    begin, end = k.share(target[0]) if finish is None else (k.place(0), k.place(target[0]))
    with k.loop(begin, end) as y, k.loop(0, target[1]) as x:
        place = k.sum_of((y.index, channels * target[1]), (x.index, channels))
        row = memory if finish is not None else k.at(memory, place, kind)
        with k.loop(0, channels) as channel:
            k.store(k.constant(kind, start), k.at(row, channel.index, kind))
        with vertical.taps(k, y.index) as (_, line), horizontal.taps(k, x.index) as (_, column):
            pixel = k.sum_of((line, channels * source[1]), (column, channels))
            with k.loop(0, channels) as channel:
                value = k.load(_kind(image), k.at(k.buffer(image), k.sum_of(pixel, channel.index), _kind(image)))
                here = k.at(row, channel.index, kind)
                k.store(step(k.load(kind, here), value), here)
        if finish is not None:
            with k.loop(0, channels) as channel:
                finish(channel.index, k.sum_of(place, channel.index))


@lowers(cpu.DepthwiseConv2dOp, splits=True)
def depthwise_conv2d(op: cpu.DepthwiseConv2dOp, k: Kernel) -> None:
    rows, columns, channels = dense_shape(op.weight)
    source, result = buffer_shape(op.source), buffer_shape(op.membrane)
    vertical, horizontal = windows(source, result, (rows, columns), op)
    element, taken = buffer_element(op.membrane), dense_type(op.weight).element_type
    kind = stored(element)
    begin, end = k.share(result[0])
    with k.loop(begin, end) as y, k.loop(0, result[1]) as x:
        target = k.at(k.buffer(op.membrane), k.sum_of((y.index, channels * result[1]), (x.index, channels)), kind)
        with vertical.taps(k, y.index) as (ky, line), horizontal.taps(k, x.index) as (kx, column):
            pixel = k.sum_of((line, channels * source[1]), (column, channels))
            tap = k.sum_of((ky, channels * columns), (kx, channels))
            with k.loop(0, channels) as c:
                value = k.load(_kind(op.source), k.at(k.buffer(op.source), k.sum_of(pixel, c.index), _kind(op.source)))
                place = k.at(k.tensor("weight"), k.sum_of(tap, c.index), stored(taken))
                weight = converted(k, k.load(stored(taken), place), taken, element)
                product = k.mul(converted(k, value, buffer_element(op.source), element), weight)
                here = k.at(target, c.index, kind)
                k.store(k.add(k.load(kind, here), product), here)
