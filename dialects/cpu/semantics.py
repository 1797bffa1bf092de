"""What each `cpu` operation means, in NumPy, with a leading batch axis.

Buffers have the types in the text and lie in one memory. A loop nest changes its buffers in place. The memory begins
filled with a pattern, so that what is read before it is written shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import Float32Type, IntegerType
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.cpu import bases
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.layers import WORD, Synapse
from neurocuda.dialects.shared import meanings as shared
from neurocuda.ir.attributes import Dense, values_of
from neurocuda.ir.origin import origin_of
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array, meaning_of, means

Nothing = tuple[Array, ...]
"""A loop nest has no result."""

PATTERN = 0xA5
"""The byte that fresh memory is full of."""


def buffer_dtype(element: Attribute) -> np.dtype[np.generic]:
    """The NumPy type of a buffer's elements; a spike, i1, is a byte."""
    if isinstance(element, IntegerType):
        kind = "u" if bases.is_unsigned(element) else "i"
        return np.dtype(f"{kind}{bases.element_bytes(element)}")
    return np.dtype(np.float32 if isinstance(element, Float32Type) else np.float64)


def to_logical(values: Array, layout: Sequence[int]) -> Array:
    """From the order of a buffer's axes to that of the user's tensor; the batch axis stays in front."""
    axes = [0] * len(layout)
    for axis, logical in enumerate(layout):
        axes[logical] = axis + 1
    return values.transpose(0, *axes)


# The program


@means(cpu.ProgramOp)
def program(op: cpu.ProgramOp, run: Run, *inputs: Array) -> tuple[Array, ...]:
    if op.steps is None:
        return _streamed(op, run, inputs)
    machine = Machine(op, run, inputs)
    for step in range(op.steps.value.data):
        run.step = step
        machine.tick()
    run.step = 0
    machine.report()
    return machine.outputs()


def _streamed(op: cpu.ProgramOp, run: Run, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """The outputs of every step, time behind the batch; inputs have it there, too."""
    machine = Machine(op, run, [np.zeros_like(array, shape=(len(array), *array.shape[2:])) for array in inputs])
    steps = inputs[0].shape[1] if inputs else 0
    results = [np.empty((machine.batch, steps, *output.shape[1:]), output.dtype) for output in machine.outputs()]
    for step in run.clock(steps):
        for argument, array in zip(op.body.block.args, inputs, strict=True):
            machine.buffers[argument][...] = run.row(array)
        machine.tick()
        for result, output in zip(results, machine.outputs(), strict=True):
            result[:, step - run.first] = output
    run.step = 0
    run.state(op)["memory"] = machine.memory
    machine.report()
    return tuple(results)


class Machine:
    """The memory of a program and its clock."""

    def __init__(self, op: cpu.ProgramOp, run: Run, inputs: Sequence[Array]) -> None:
        self.op = op
        self.run = run
        self.batch = len(inputs[0]) if inputs else 1
        left = run.state(op).get("memory") if run.first else None
        self.memory = self._fresh(int(op.uses()["state_bytes"])) if left is None else left
        self.loops = [loop for loop in op.body.block.ops if isinstance(loop, cpu.LoopOp)]
        self.buffers: dict[SSAValue, Array] = {}
        for argument, array in zip(op.body.block.args, inputs, strict=True):
            self.buffers[argument] = array.astype(buffer_dtype(bases.buffer_element(argument)))
        for buffer in op.body.block.ops:
            if isinstance(buffer, cpu.BufferOp):
                self.buffers[buffer.result] = self._memory_of(buffer)
        self.sums: dict[Operation, NDArray[np.int64]] = {}

    def _fresh(self, size: int) -> Array:
        return np.full((self.batch, size), PATTERN, np.uint8)

    def _memory_of(self, buffer: cpu.BufferOp) -> Array:
        dtype = buffer_dtype(bases.buffer_element(buffer.result))
        shape = (self.batch, *bases.buffer_shape(buffer.result))
        size = bases.buffer_bytes(buffer.result)
        if buffer.offset is None:
            return self._fresh(size).view(dtype).reshape(shape)
        start = buffer.offset.value.data
        return self.memory[:, start : start + size].view(dtype).reshape(shape)

    def tick(self) -> None:
        """The loop nests that are due at this step, in order."""
        for loop in self.loops:
            start, stop = loop.window
            if start <= self.run.step < stop:
                operands = [self.buffers[operand] for operand in loop.operands]
                meaning_of(type(loop)).function(loop, self.run, *operands)
                if isinstance(loop, cpu.NeuronsOp) and self.run.observer is not None:
                    self._count(loop)

    def _count(self, loop: cpu.NeuronsOp) -> None:
        spikes = self.buffers[loop.spikes]
        if isinstance(loop, cpu.SpikeLayerOp | cpu.CurrentLayerOp):
            spikes = unpacked(spikes, loop.neurons[-1]).sum(axis=1)
        spikes = spikes.astype(np.int64)
        self.sums[loop] = self.sums[loop] + spikes if loop in self.sums else spikes

    def report(self) -> None:
        """Tells the observer how often the neurons of every layer fired, in the user's order of axes."""
        if self.run.observer is None:
            return
        for loop, counts in self.sums.items():
            if isinstance(loop, cpu.NeuronsOp) and origin_of(loop) is not None:
                self.run.observer(loop, to_logical(counts, values_of(loop.layout)))

    def outputs(self) -> tuple[Array, ...]:
        """The arrays of the results."""
        last = self.op.body.block.last_op
        assert last is not None
        return tuple(self.buffers[value] for value in last.operands)


# Moving and converting


@means(cpu.FillOp)
def fill(op: cpu.FillOp, run: Run, target: Array) -> Nothing:
    target[...] = 0 if op.value is None else run.tensor(op.value)
    return ()


@means(cpu.CopyOp)
def copy(op: cpu.CopyOp, run: Run, source: Array, target: Array) -> Nothing:
    indices = np.indices(values_of(op.sizes)).reshape(len(values_of(op.sizes)), -1)
    sources = op.from_offset.value.data + np.asarray(values_of(op.from_strides), np.int64) @ indices
    targets = op.to_offset.value.data + np.asarray(values_of(op.to_strides), np.int64) @ indices
    batch = len(source)
    moved = target.reshape(batch, -1).copy()
    moved[:, targets] = source.reshape(batch, -1)[:, sources]
    target[...] = moved.reshape(target.shape)
    return ()


@means(cpu.QuantizeOp)
def quantize(op: cpu.QuantizeOp, run: Run, source: Array, target: Array) -> Nothing:
    steps = np.rint((source.astype(np.float64) - run.tensor(op.shift)) / run.tensor(op.step))
    lowest, highest = op.lowest.value.data, op.highest.value.data
    target[...] = np.where(steps >= lowest, np.minimum(steps, highest), lowest)
    return ()


@means(cpu.DequantizeOp)
def dequantize(op: cpu.DequantizeOp, run: Run, source: Array, target: Array) -> Nothing:
    result = source.astype(np.float64) * run.tensor(op.scale)
    target[...] = result if op.offset is None else result + run.tensor(op.offset)
    return ()


# Neurons


def _add(membrane: Array, charge: Array) -> Nothing:
    membrane[...] = (membrane + charge).astype(membrane.dtype)
    return ()


@means(cpu.LeakOp)
def leak(op: cpu.LeakOp, run: Run, membrane: Array) -> Nothing:
    membrane[...] = shared.decayed(membrane, run.tensor(op.decay), None if op.bits is None else op.bits.value.data)
    return ()


@means(cpu.ChargeOp)
def charge(op: cpu.ChargeOp, run: Run, membrane: Array) -> Nothing:
    return _add(membrane, run.tensor(op.value))


@means(cpu.AddOp)
def add(op: cpu.AddOp, run: Run, source: Array, membrane: Array) -> Nothing:
    return _add(membrane, source)


@means(cpu.ClampOp)
def clamp(op: cpu.ClampOp, run: Run, membrane: Array) -> Nothing:
    membrane[...] = np.maximum(membrane, run.tensor(op.lowest))
    if op.highest is not None:
        membrane[...] = np.minimum(membrane, run.tensor(op.highest))
    return ()


@means(cpu.FireOp)
def fire(op: cpu.FireOp, run: Run, membrane: Array, spikes: Array, *limits: Array) -> Nothing:
    threshold = run.tensor(op.threshold)
    value = 1 if op.values is None else values_of(op.values)[run.step - op.window[0]]
    fitting = np.full(membrane.shape, value, np.int64)
    most = op.spikes_per_step.value.data
    if most > 1:
        fitting = np.clip(np.floor_divide(membrane, threshold), 1, most).astype(np.int64)
    over = membrane > threshold * value if op.strict.value.data else membrane >= threshold * value
    taken_back = (membrane < 0) & (limits[0] > 0) if op.signed.value.data else np.False_
    fired = _limited(op, run, np.where(over, fitting, 0) - taken_back, list(limits))
    spikes[...] = fired
    if op.reset_value is None:
        membrane[...] = membrane - (fired * threshold).astype(membrane.dtype)
    else:
        membrane[...] = np.where(fired > 0, run.tensor(op.reset_value), membrane)
    return ()


def _limited(op: cpu.FireOp, run: Run, spikes: NDArray[np.int64], limits: list[Array]) -> NDArray[np.int64]:
    """Spikes after the cap on their number and the refractory time; brings the buffers of both up to date."""
    so_far = limits.pop(0) if op.fired is not None else None
    ready = limits.pop(0) if op.ready is not None else None
    if so_far is not None and op.levels is not None:
        spikes = np.minimum(spikes, op.levels.value.data - so_far.astype(np.int64))
    if ready is not None and op.refractory is not None:
        spikes = np.where(run.step >= ready, spikes, 0)
        ready[...] = np.where(spikes > 0, run.step + 1 + op.refractory.value.data, ready)
    if so_far is not None:
        so_far[...] = so_far + spikes
    return spikes


@means(cpu.LookupOp)
def lookup(op: cpu.LookupOp, run: Run, membrane: Array, spikes: Array) -> Nothing:
    table = None if op.table is None else run.tensor(op.table)
    spikes[...] = shared.lookup(membrane, run.tensor(op.threshold), op.clip, table)
    return ()


@means(cpu.SoftmaxOp)
def softmax(op: cpu.SoftmaxOp, run: Run, membrane: Array, spikes: Array) -> Nothing:
    rows, divisor = membrane.shape[1:-1], run.tensor(op.divisor)
    each = divisor if divisor.size == 1 else divisor.reshape(*rows, 1)
    spikes[...] = shared.integer_softmax(membrane.astype(np.int64), each, run.tensor(op.table), op.levels.value.data)
    return ()


@means(cpu.LayerNormOp)
def layer_norm(op: cpu.LayerNormOp, run: Run, membrane: Array, spikes: Array) -> Nothing:
    gain, shift = run.tensor(op.gain), run.tensor(op.shift)
    wide, epsilon = membrane.astype(np.int64), op.epsilon.value.data
    spikes[...] = shared.integer_layer_norm(wide, gain, shift, epsilon, op.clip)
    return ()


@means(cpu.RecallOp)
def recall(op: cpu.RecallOp, run: Run, line: Array, target: Array) -> Nothing:
    late = np.zeros((), np.int64) if op.delays is None else run.tensor(op.delays)
    slot = np.broadcast_to((run.step - late) % line.shape[1], target.shape[1:])
    target[...] = np.take_along_axis(line, np.broadcast_to(slot, target.shape)[:, None], axis=1)[:, 0]
    return ()


@means(cpu.RememberOp)
def remember(op: cpu.RememberOp, run: Run, source: Array, line: Array) -> Nothing:
    line[:, run.step % line.shape[1]] = source
    return ()


# Synapses and pools: (height, width, channels) in memory, channels first in the shared meanings


def _channels_first(values: Array) -> Array:
    return np.moveaxis(values, -1, 1)


def _channels_last(values: Array) -> Array:
    return np.moveaxis(values, 1, -1)


@means(cpu.Conv2dOp)
def conv2d(op: cpu.Conv2dOp, run: Run, source: Array, membrane: Array) -> Nothing:
    if not source.any():
        return ()
    weight = run.tensor(op.weight)
    groups, rows, columns, inner, outer = weight.shape
    kernel = weight.transpose(0, 4, 3, 1, 2).reshape(groups * outer, inner, rows, columns)
    geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation))
    return _add(membrane, _channels_last(shared.conv2d(_channels_first(source), kernel, None, *geometry, groups)))


@means(cpu.DepthwiseConv2dOp)
def depthwise_conv2d(op: cpu.DepthwiseConv2dOp, run: Run, source: Array, membrane: Array) -> Nothing:
    if not source.any():
        return ()
    kernel = run.tensor(op.weight).transpose(2, 0, 1)[:, None]
    geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation))
    result = shared.conv2d(_channels_first(source), kernel, None, *geometry, len(kernel))
    return _add(membrane, _channels_last(result))


@means(cpu.LinearOp)
def linear(op: cpu.LinearOp, run: Run, source: Array, membrane: Array) -> Nothing:
    if not source.any():
        return ()
    return _add(membrane, shared.linear(source, run.tensor(op.weight).T, None))


@means(cpu.DiagonalOp)
def diagonal(op: cpu.DiagonalOp, run: Run, source: Array, membrane: Array) -> Nothing:
    return _add(membrane, shared.diagonal(source, run.tensor(op.weight)))


@means(cpu.ProductOp)
def product(op: cpu.ProductOp, run: Run, left: Array, right: Array, membrane: Array) -> Nothing:
    return _add(membrane, shared.product(left, right))


@means(cpu.MatrixProductOp)
def matrix_product(op: cpu.MatrixProductOp, run: Run, left: Array, right: Array, membrane: Array) -> Nothing:
    return _add(membrane, shared.matrix_product(left, right))


# Whole layers


def packed(spikes: Array) -> Array:
    """Trains of (batch, T, ..., channels) zeros and ones, as words of 64 channels: (batch, ..., T, words) of i64."""
    behind = np.moveaxis(np.asarray(spikes, np.uint8), 1, -2)
    padding = -behind.shape[-1] % WORD
    bits = np.pad(behind, [(0, 0)] * (behind.ndim - 1) + [(0, padding)])
    return np.packbits(bits, axis=-1, bitorder="little").view("<i8")


def unpacked(train: Array, channels: int) -> Array:
    """What `packed` packed."""
    octets = np.ascontiguousarray(train).astype("<i8").view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, count=channels, bitorder="little")
    return np.moveaxis(bits, -2, 1)


def _brought(synapse: Synapse, run: Run, source: Array) -> Array:
    """What a synapse makes of its source, batch axis first: int64."""
    how, weight, wide = synapse.how, run.tensor(synapse.weight), source.astype(np.int64)
    if how.kind.data == "diagonal":
        return wide * weight
    if how.kind.data == "linear":
        return shared.linear(wide.reshape(len(wide), -1), weight.T, None)
    if how.kind.data == "conv2d":
        groups, rows, columns, inner, outer = weight.shape
        kernel = weight.transpose(0, 4, 3, 1, 2).reshape(groups * outer, inner, rows, columns)
    else:
        groups, kernel = weight.shape[2], weight.transpose(2, 0, 1)[:, None]
    image = _channels_first(wide)
    pool = values_of(how.pool)
    image = shared.windows(image, pool, pool, (0, 0, 0, 0), (1, 1), fill=0).sum(axis=(4, 5))
    geometry = (values_of(how.stride), values_of(how.padding), values_of(how.dilation))
    return _channels_last(shared.conv2d(image, kernel, None, *geometry, groups))


def _charge(op: cpu.LayerOp, run: Run, sources: Sequence[Array]) -> Array:
    """What all synapses of a layer bring, batch axis first: int64."""
    return sum(
        (_brought(synapse, run, source) for synapse, source in zip(op.connections(), sources, strict=True)),
        start=np.zeros((), np.int64),
    )


def _wide(run: Run, constant: Dense | None) -> Array:
    return np.zeros((), np.int64) if constant is None else run.tensor(constant).astype(np.int64)


@means(cpu.CountLayerOp)
def count_layer(op: cpu.CountLayerOp, run: Run, *buffers: Array) -> Nothing:
    *sources, target = buffers
    charge = _charge(op, run, sources) + _wide(run, op.bias) + _wide(run, op.initial)
    target[...] = np.clip(charge // _wide(run, op.threshold), 0, op.levels.value.data)
    return ()


@means(cpu.SpikeLayerOp)
def spike_layer(op: cpu.SpikeLayerOp, run: Run, *buffers: Array) -> Nothing:
    trains, target = buffers[: len(op.sources)], buffers[len(op.sources)]
    spikes = [unpacked(train, op.channels_of(source)) for train, source in zip(trains, op.sources, strict=True)]
    at_once = op.times * _charge(op, run, [each.reshape(-1, *each.shape[2:]) for each in spikes])
    batch, steps = len(target), op.timesteps
    charge = np.broadcast_to(at_once, (batch * steps, *op.neurons)).reshape(batch, steps, *op.neurons)
    target[...] = packed(_fired(op, run, charge))
    return ()


def _fired(op: cpu.SpikeLayerOp | cpu.CurrentLayerOp, run: Run, charge: Array) -> Array:
    """The spikes of integrate-and-fire neurons: (batch, T, ...) from what arrives at each step, int64."""
    batch, steps, *neurons = charge.shape
    threshold, bias = _wide(run, op.threshold), _wide(run, op.bias)
    membrane = np.broadcast_to(_wide(run, op.initial), (batch, *neurons))
    if op.gated.value.data:
        membrane = membrane + charge.sum(axis=1) + steps * bias
    fired: list[Array] = []
    for step in range(steps):
        if not op.gated.value.data:
            membrane = membrane + charge[:, step] + bias
        over = membrane > threshold if op.strict.value.data else membrane >= threshold
        after = membrane - threshold if op.reset_value is None else _wide(run, op.reset_value)
        membrane = np.where(over, after, membrane)
        fired.append(over)
    return np.stack(fired, axis=1)


def _windows(op: bases.PoolOp, values: Array, fill_value: float) -> Array:
    geometry = (values_of(op.kernel), values_of(op.stride), values_of(op.padding), values_of(op.dilation))
    return shared.windows(_channels_first(values), *geometry, fill=fill_value)


def _highest(op: bases.PoolOp, values: Array) -> Array:
    wide = values if values.dtype.kind == "f" else values.astype(np.int64)
    lowest = -np.inf if values.dtype.kind == "f" else np.iinfo(np.int64).min
    return _channels_last(_windows(op, wide, lowest).max(axis=(4, 5)))


@means(cpu.SumPool2dOp)
def sum_pool2d(op: cpu.SumPool2dOp, run: Run, source: Array, target: Array) -> Nothing:
    wide = source if source.dtype.kind == "f" else source.astype(np.int64)
    target[...] = _channels_last(_windows(op, wide, 0).sum(axis=(4, 5)))
    return ()


@means(cpu.MaxPool2dOp)
def max_pool2d(op: cpu.MaxPool2dOp, run: Run, source: Array, target: Array) -> Nothing:
    target[...] = _highest(op, source)
    return ()


@means(cpu.RunningMaxPool2dOp)
def running_max_pool2d(
    op: cpu.RunningMaxPool2dOp, run: Run, source: Array, target: Array, counts: Array, highest: Array
) -> Nothing:
    counts[...] = counts + source
    now = _highest(op, counts)
    target[...] = now - highest
    highest[...] = now
    return ()


# Around layers of spikes


@means(cpu.CurrentLayerOp)
def current_layer(op: cpu.CurrentLayerOp, run: Run, current: Array, target: Array) -> Nothing:
    steps, wide = op.timesteps, current.astype(np.int64)[:, None]
    charge = np.broadcast_to(wide, (len(current), steps, *op.neurons))
    if op.gated.value.data:
        charge = np.concatenate([wide, np.zeros_like(charge[:, 1:])], axis=1)
    target[...] = packed(_fired(op, run, charge))
    return ()


@means(cpu.MaxPoolTrainOp)
def max_pool_train(op: cpu.MaxPoolTrainOp, run: Run, source: Array, target: Array) -> Nothing:
    spikes = unpacked(source, op.channels.value.data).astype(np.int64)
    said = np.cumsum(spikes, axis=1) if op.counted.value.data else spikes
    highest = _highest(op, said.reshape(-1, *said.shape[2:]))
    highest = highest.reshape(*said.shape[:2], *highest.shape[1:])
    target[...] = packed(np.diff(highest, axis=1, prepend=0) if op.counted.value.data else highest)
    return ()


@means(cpu.CountTrainOp)
def count_train(op: cpu.CountTrainOp, run: Run, train: Array, counts: Array) -> Nothing:
    counts[...] = unpacked(train, op.channels.value.data).sum(axis=1)
    return ()
