"""Loop nests that move and convert."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_bytes, buffer_element, buffer_shape, element_bytes
from neurocuda.ir.attributes import values_of
from neurocuda.passes.cpu.llvm.elementwise import Elementwise
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import as_double, converted, rounded, stored


@lowers(cpu.FillOp, splits=True)
def fill(op: cpu.FillOp, k: Kernel) -> None:
    if op.value is None:
        begin, end = k.share(buffer_bytes(op.target), 64)
        k.clear_bytes(k.at(k.buffer(op.target), begin), k.sub(end, begin))
        return
    each = Elementwise(op, k, buffer_shape(op.target))
    with each.loops():
        each.store(each.constant("value"), op.target)


@lowers(cpu.CopyOp, splits=True)
def copy(op: cpu.CopyOp, k: Kernel) -> None:
    sizes, reading, writing = (values_of(each) for each in (op.sizes, op.from_strides, op.to_strides))
    size = element_bytes(buffer_element(op.source))
    source, target = k.buffer(op.source), k.buffer(op.target)
    source = k.at(source, op.from_offset.value.data * size)
    target = k.at(target, op.to_offset.value.data * size)
    whole_rows = reading[-1] == writing[-1] == 1
    if whole_rows and len(sizes) == 1:
        begin, end = k.share(sizes[0], 64)
        count = k.mul(k.sub(end, begin), size)
        k.copy_bytes(k.at(target, k.sum_of((begin, size))), k.at(source, k.sum_of((begin, size))), count)
        return
    inner = len(sizes) - 1 if whole_rows else len(sizes)
    with ExitStack() as loops:
        begin, end = k.share(sizes[0])
        outer = loops.enter_context(k.loop(begin, end)).index
        indices = [outer, *(loops.enter_context(k.loop(0, count)).index for count in sizes[1:inner])]
        here = k.at(source, _place(k, indices, [size * each for each in reading]))
        there = k.at(target, _place(k, indices, [size * each for each in writing]))
        if whole_rows:
            k.copy_bytes(there, here, sizes[-1] * size)
        else:
            k.store(k.load(stored(buffer_element(op.source)), here), there)


def _place(k: Kernel, indices: Sequence[SSAValue], strides: Sequence[int]) -> SSAValue:
    return k.sum_of(*zip(indices, strides, strict=False))


@lowers(cpu.QuantizeOp, splits=True)
def quantize(op: cpu.QuantizeOp, k: Kernel) -> None:
    """Clipped before it is rounded, which is the same as the bounds are integers; NaN is below every bound."""
    each = Elementwise(op, k, buffer_shape(op.source))
    low, high = float(op.lowest.value.data), float(op.highest.value.data)
    with each.loops():
        value = as_double(k, each.load(op.source), buffer_element(op.source))
        level = k.div(k.sub(value, each.constant("shift")), each.constant("step"))
        clipped = k.select(k.compare("olt", level, high), level, high)
        clipped = k.select(k.compare("oge", level, low), clipped, low)
        each.store(rounded(k, clipped, buffer_element(op.target)), op.target)


@lowers(cpu.DequantizeOp, splits=True)
def dequantize(op: cpu.DequantizeOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.source))
    with each.loops():
        value = as_double(k, each.load(op.source), buffer_element(op.source))
        value = k.mul(value, each.constant("scale"))
        if op.offset is not None:
            value = k.add(value, each.constant("offset"))
        each.store(converted(k, value, value.type, buffer_element(op.target)), op.target)
