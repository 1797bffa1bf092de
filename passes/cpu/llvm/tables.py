"""Loop nests of neurons that say one integer each."""

from __future__ import annotations

from math import prod

from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.dialects.shared.tables import NORM_BITS
from neurocuda.ir.attributes import Dense, dense_shape, dense_type
from neurocuda.passes.cpu.llvm.builder import f64, i32, i64
from neurocuda.passes.cpu.llvm.elementwise import Elementwise
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import converted, stored


@lowers(cpu.LookupOp, splits=True)
def lookup(op: cpu.LookupOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.membrane))
    spoken = buffer_element(op.spikes)
    with each.loops():
        charge, threshold = each.load(op.membrane), each.constant_as("threshold", i32)
        level = _clipped(k, _floor_divided(k, charge, threshold), op.clip)
        if op.table is None:
            said = k.resize(level, stored(spoken))
        else:
            entry = k.sub(k.extend(level, i64), op.lowest.value.data)
            said = _entry(k, op.table, entry, spoken)
        each.store(said, op.spikes)


def _floor_divided(k: Kernel, value: SSAValue, divisor: SSAValue) -> SSAValue:
    """floor(value / divisor) of integers, for a positive divisor."""
    below = k.compare("slt", k.remainder(value, divisor), 0)
    return k.sub(k.divide(value, divisor), k.extend_unsigned(below, value.type))


def _clipped(k: Kernel, value: SSAValue, clip: tuple[int, int]) -> SSAValue:
    return k.least(k.largest(value, clip[0]), clip[1])


def _constant_at(k: Kernel, name: str, attribute: Dense, index: SSAValue) -> SSAValue:
    """A constant at an index, as i64: a single number, or one of many."""
    number = k.number(name)
    if number is not None:
        return k.constant(i64, number)
    element = dense_type(attribute).element_type
    place = k.at(k.tensor(name), 0 if prod(dense_shape(attribute)) == 1 else index, stored(element))
    return converted(k, k.load(stored(element), place), element, i64)


def _entry(k: Kernel, table: Dense, index: SSAValue, to: Attribute) -> SSAValue:
    """An entry of a table, as another element type."""
    element = dense_type(table).element_type
    entry = k.load(stored(element), k.at(k.tensor("table"), index, stored(element)))
    return converted(k, entry, element, to)


@lowers(cpu.SoftmaxOp, splits=True)
def softmax(op: cpu.SoftmaxOp, k: Kernel) -> None:
    *rows, columns = buffer_shape(op.membrane)
    last = dense_shape(op.table)[0] - 1
    spoken = buffer_element(op.spikes)
    parts = k.scratch(8 * columns)
    begin, end = k.share(prod(rows))
    with k.loop(begin, end) as row:
        charge = k.at(k.buffer(op.membrane), k.sum_of((row.index, columns)), i32)
        spikes = k.at(k.buffer(op.spikes), k.sum_of((row.index, columns)), stored(spoken))
        with k.loop(1, columns, carried=[k.load(i32, charge)]) as column:
            column.next(k.largest(column.values[0], k.load(i32, k.at(charge, column.index, i32))))
        largest = column.results[0]
        divisor = k.truncate(_constant_at(k, "divisor", op.divisor, row.index), i32)
        with k.loop(0, columns, carried=[k.constant(i64, 0)]) as column:
            distance = k.sub(largest, k.load(i32, k.at(charge, column.index, i32)))
            below = k.extend_unsigned(k.divide_unsigned(distance, divisor), i64)
            part = _entry(k, op.table, k.least(below, last), i64)
            k.store(part, k.at(parts, column.index, i64))
            column.next(k.add(column.values[0], part))
        total = column.results[0]
        half = k.divide(total, 2)
        with k.loop(0, columns) as column:
            share = k.add(k.mul(k.load(i64, k.at(parts, column.index, i64)), op.levels.value.data), half)
            spoken_type = stored(spoken)
            k.store(k.resize(k.divide(share, total), spoken_type), k.at(spikes, column.index, spoken_type))


@lowers(cpu.LayerNormOp, splits=True)
def layer_norm(op: cpu.LayerNormOp, k: Kernel) -> None:
    *rows, columns = buffer_shape(op.membrane)
    spoken = stored(buffer_element(op.spikes))
    begin, end = k.share(prod(rows))
    with k.loop(begin, end) as row:
        charge = k.at(k.buffer(op.membrane), k.sum_of((row.index, columns)), i32)
        spikes = k.at(k.buffer(op.spikes), k.sum_of((row.index, columns)), spoken)

        def wide(index: SSAValue, charge: SSAValue = charge) -> SSAValue:
            return k.extend(k.load(i32, k.at(charge, index, i32)), i64)

        with k.loop(0, columns, carried=[k.constant(i64, 0)]) as column:
            column.next(k.add(column.values[0], wide(column.index)))
        total = column.results[0]
        with k.loop(0, columns, carried=[k.constant(i64, op.epsilon.value.data)]) as column:
            centred = k.sub(k.mul(wide(column.index), columns), total)
            column.next(k.add(column.values[0], k.mul(centred, centred)))
        deviation = _root(k, column.results[0])
        positive = k.compare("sgt", deviation, 0)
        divisor = k.select(positive, deviation, k.constant(i64, 1))
        with k.loop(0, columns) as column:
            centred = k.sub(k.mul(wide(column.index), columns), total)
            scaled = k.mul(centred, _constant_at(k, "gain", op.gain, column.index))
            quotient = k.select(positive, _floor_divided(k, scaled, divisor), k.constant(i64, 0))
            shifted = k.add(quotient, _constant_at(k, "shift", op.shift, column.index))
            level = _clipped(k, k.shift_right_signed(shifted, NORM_BITS), op.clip)
            k.store(k.resize(level, spoken), k.at(spikes, column.index, spoken))


def _root(k: Kernel, value: SSAValue) -> SSAValue:
    """The largest integer whose square is not above the value."""
    root = k.to_integer(k.intrinsic("llvm.sqrt.f64", f64, k.to_float(value, f64)), i64)
    over = k.compare("sgt", k.mul(root, root), value)
    root = k.sub(root, k.extend_unsigned(over, i64))
    above = k.add(root, 1)
    fits = k.compare("sle", k.mul(above, above), value)
    return k.add(root, k.extend_unsigned(fits, i64))
