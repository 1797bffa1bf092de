"""Loop nests that keep the state of neurons."""

from __future__ import annotations

from math import prod

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape, element_bytes, is_float
from neurocuda.ir.attributes import values_of
from neurocuda.passes.cpu.llvm.builder import i8, i32, i64
from neurocuda.passes.cpu.llvm.elementwise import Elementwise
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers
from neurocuda.passes.cpu.llvm.numbers import converted, stored


@lowers(cpu.LeakOp, splits=True)
def leak(op: cpu.LeakOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.membrane))
    element = buffer_element(op.membrane)
    with each.loops():
        membrane = each.load(op.membrane)
        if op.bits is None:
            left = k.mul(membrane, each.constant_as("decay", element))
        else:
            product = k.mul(k.extend(membrane, i64), each.constant_as("decay", i64))
            left = k.truncate(_toward_zero(k, product, op.bits.value.data), stored(element))
        each.store(left, op.membrane)


def _toward_zero(k: Kernel, product: SSAValue, bits: int) -> SSAValue:
    """product / 2^bits, rounded toward zero."""
    negative = k.compare("slt", product, 0)
    left = k.shift_right(k.select(negative, k.sub(0, product), product), bits)
    return k.select(negative, k.sub(0, left), left)


@lowers(cpu.ChargeOp, splits=True)
def charge(op: cpu.ChargeOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.membrane))
    with each.loops():
        value = each.constant_as("value", buffer_element(op.membrane))
        each.store(k.add(each.load(op.membrane), value), op.membrane)


@lowers(cpu.AddOp, splits=True)
def add(op: cpu.AddOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.membrane))
    with each.loops():
        source = converted(k, each.load(op.source), buffer_element(op.source), buffer_element(op.membrane))
        each.store(k.add(each.load(op.membrane), source), op.membrane)


@lowers(cpu.ClampOp, splits=True)
def clamp(op: cpu.ClampOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.membrane))
    element = buffer_element(op.membrane)
    above, below = ("ogt", "olt") if is_float(element) else ("sgt", "slt")
    with each.loops():
        value = each.load(op.membrane)
        floor = each.constant_as("lowest", element)
        value = k.select(k.compare(above, value, floor), value, floor)
        if op.highest is not None:
            ceiling = each.constant_as("highest", element)
            value = k.select(k.compare(below, value, ceiling), value, ceiling)
        each.store(value, op.membrane)


@lowers(cpu.FireOp, splits=True)
def fire(op: cpu.FireOp, k: Kernel) -> None:
    each = Elementwise(op, k, buffer_shape(op.membrane))
    worth = _worth(op, k)
    with each.loops():
        neuron = _Neuron(op, k, each, worth)
        spike = neuron.limited(neuron.spike())
        each.store(k.resize(spike, stored(buffer_element(op.spikes))), op.spikes)
        each.store(neuron.reset(spike), op.membrane)


def _worth(op: cpu.FireOp, k: Kernel) -> SSAValue | None:
    """What a spike stands for at this step."""
    if op.values is None:
        return None
    values = values_of(op.values)
    worth = k.constant(i32, values[0])
    for step, value in enumerate(values[1:], 1):
        if value != values[step - 1]:
            worth = k.select(k.compare("sge", k.passed, step), k.constant(i32, value), worth)
    return worth


class _Neuron:
    """One neuron at one step."""

    def __init__(self, op: cpu.FireOp, k: Kernel, each: Elementwise, worth: SSAValue | None) -> None:
        self.op, self.k, self.each, self.worth = op, k, each, worth
        self.element = element = buffer_element(op.membrane)
        self.potential = each.load(op.membrane)
        self.threshold = each.constant_as("threshold", element)
        self.barrier = self.threshold
        if worth is not None:
            self.barrier = k.mul(self.threshold, converted(k, worth, i32, element))

    def spike(self) -> SSAValue:
        """What the membrane alone decides."""
        k, op = self.k, self.op
        strict = op.strict.value.data
        how = ("ogt" if strict else "oge") if is_float(self.element) else ("sgt" if strict else "sge")
        over = k.compare(how, self.potential, self.barrier)
        spike = k.extend_unsigned(over, i32)
        if op.signed.value.data:
            assert op.fired is not None
            below = k.compare("olt" if is_float(self.element) else "slt", self.potential, self._zero())
            taken = k.both(below, k.compare("sgt", self._kept(op.fired), 0))
            return k.sub(spike, k.extend_unsigned(taken, i32))
        if self.worth is not None:
            return k.select(over, self.worth, 0)
        return spike if op.spikes_per_step.value.data == 1 else self._fitting(over, spike)

    def _fitting(self, over: SSAValue, spike: SSAValue) -> SSAValue:
        """Several spikes at once, as often as the threshold fits."""
        k, most = self.k, self.op.spikes_per_step.value.data
        with k.when(over, [spike]) as case:
            if is_float(self.element):
                name = "llvm.floor.f32" if element_bytes(self.element) == 4 else "llvm.floor.f64"
                ratio = k.intrinsic(name, self.element, k.div(self.potential, self.barrier))
                fits = k.to_integer(ratio, i32)
            else:
                fits = k.divide(self.potential, self.barrier)
            case.next(k.largest(k.least(fits, most), 1))
        return case.results[0]

    def limited(self, spike: SSAValue) -> SSAValue:
        """After the cap on the number of spikes and the refractory time; brings the buffers of both up to date."""
        k, op = self.k, self.op
        if op.fired is not None and op.levels is not None:
            spike = k.least(spike, k.sub(op.levels.value.data, self._kept(op.fired)))
        if op.ready is not None and op.refractory is not None:
            step, ready = k.truncate(k.step, i32), self._kept(op.ready)
            spike = k.select(k.compare("sge", step, ready), spike, 0)
            later = k.add(step, 1 + op.refractory.value.data)
            self._keep(k.select(k.compare("sgt", spike, 0), later, ready), op.ready)
        if op.fired is not None:
            self._keep(k.add(self._kept(op.fired), spike), op.fired)
        return spike

    def reset(self, spike: SSAValue) -> SSAValue:
        """The membrane after its spikes."""
        k, op = self.k, self.op
        if op.reset_value is not None:
            resting = self.each.constant_as("reset_value", self.element)
            return k.select(k.compare("sgt", spike, 0), resting, self.potential)
        whole = op.values is None or op.levels is None
        if op.spikes_per_step.value.data == 1 and whole and not op.signed.value.data:
            spent = k.select(k.compare("ne", spike, 0), self.barrier, self._zero())
        else:
            spent = k.mul(converted(k, spike, i32, self.element), self.threshold)
        return k.sub(self.potential, spent)

    def _zero(self) -> SSAValue:
        return self.k.constant(self.potential.type, 0)

    def _kept(self, buffer: SSAValue) -> SSAValue:
        return converted(self.k, self.each.load(buffer), buffer_element(buffer), i32)

    def _keep(self, value: SSAValue, buffer: SSAValue) -> None:
        self.each.store(converted(self.k, value, i32, buffer_element(buffer)), buffer)


# Delays


@lowers(cpu.RecallOp, splits=True)
def recall(op: cpu.RecallOp, k: Kernel) -> None:
    slots, *shape = buffer_shape(op.line)
    now = k.remainder(k.step, slots)
    if op.delays is None:
        _copy_slot(k, k.buffer(op.target), _slot(k, op.line, now), op.line)
        return
    each = Elementwise(op, k, shape)
    element = stored(buffer_element(op.line))
    with each.loops():
        late = k.sub(now, each.constant_as("delays", i64))
        slot = k.select(k.compare("slt", late, 0), k.add(late, slots), late)
        place = k.at(k.buffer(op.line), k.sum_of((slot, prod(shape)), each.at), element)
        each.store(k.load(element, place), op.target)


@lowers(cpu.RememberOp, splits=True)
def remember(op: cpu.RememberOp, k: Kernel) -> None:
    now = k.remainder(k.step, buffer_shape(op.line)[0])
    _copy_slot(k, _slot(k, op.line, now), k.buffer(op.source), op.line)


def _slot(k: Kernel, line: SSAValue, slot: SSAValue) -> SSAValue:
    return k.at(k.buffer(line), k.sum_of((slot, _slot_bytes(line))))


def _slot_bytes(line: SSAValue) -> int:
    return prod(buffer_shape(line)[1:]) * element_bytes(buffer_element(line))


def _copy_slot(k: Kernel, target: SSAValue, source: SSAValue, line: SSAValue) -> None:
    begin, end = k.share(_slot_bytes(line), 64)
    k.copy_bytes(k.at(target, begin, i8), k.at(source, begin, i8), k.sub(end, begin))
