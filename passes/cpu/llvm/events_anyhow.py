"""Layers of spikes with any synapses: membranes of a position in memory, spikes found bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.layers import WORD, Synapse
from neurocuda.ir.attributes import dense_shape, dense_type, values_of
from neurocuda.passes.cpu.llvm.builder import i32, i64
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers, tensors_of

if TYPE_CHECKING:
    from collections.abc import Generator

Added = Callable[[SSAValue], None]
"""Adds what the spike of a channel brings."""


@lowers(cpu.SpikeLayerOp, splits=True)
def anyhow(op: cpu.SpikeLayerOp, k: Kernel) -> None:
    """Position by position: what each step brings is added to membranes in memory."""
    *positions, channels = op.neurons
    brought = k.scratch(4 * channels)
    *_, columns = (1, *positions)

    def bring(position: SSAValue, step: SSAValue, membrane: SSAValue) -> None:
        target = membrane if op.times == 1 else brought
        if op.times > 1:
            k.clear_bytes(brought, 4 * channels)
        row, column = k.divide_unsigned(position, columns), k.remainder(position, columns)
        for index, synapse in enumerate(op.connections()):
            _Heard(op, k, index, synapse, target).at(position, row, column, step)
        if op.times > 1:
            with k.loop(0, channels) as turn:
                place = k.at(membrane, turn.index, i32)
                scaled = k.mul(k.load(i32, k.at(brought, turn.index, i32)), op.times)
                k.store(k.add(k.load(i32, place), scaled), place)

    neurons_over_time(op, k, bring)


def neurons_over_time(
    op: cpu.SpikeLayerOp,
    k: Kernel,
    bring: Callable[[SSAValue, SSAValue, SSAValue], None],
) -> None:
    """Membranes over all steps; `bring` adds to those of a position, at a step, in memory."""
    *positions, channels = op.neurons
    membrane = k.scratch(4 * channels)
    begin, end = k.share(prod(positions))
    with k.loop(begin, end) as position:
        constants = _Constants(op, k, position.index)
        with k.loop(0, channels) as turn:
            k.store(constants.at("initial", turn.index), k.at(membrane, turn.index, i32))
        with k.loop(0, op.timesteps) as step:
            bring(position.index, step.index, membrane)
            if op.bias is not None:
                with k.loop(0, channels) as turn:
                    place = k.at(membrane, turn.index, i32)
                    k.store(k.add(k.load(i32, place), constants.at("bias", turn.index)), place)
            if not op.gated.value.data:
                _fire(op, k, constants, position.index, step.index, membrane)
        if op.gated.value.data:
            with k.loop(0, op.timesteps) as step:
                _fire(op, k, constants, position.index, step.index, membrane)


class _Constants:
    """The constants of a layer at one position."""

    def __init__(self, op: cpu.SpikeLayerOp, k: Kernel, position: SSAValue) -> None:
        self._op, self._k, self._position = op, k, position
        self._sizes = {name: prod(dense_shape(value)) for name, value in tensors_of(op).items()}

    def at(self, name: str, channel: SSAValue) -> SSAValue:
        """The number of a channel; 0 where there is no such constant."""
        k = self._k
        if name not in self._sizes:
            number = None if self._op.properties.get(name) is None else k.number(name)
            return k.constant(i32, 0 if number is None else number)
        size, channels = self._sizes[name], self._op.neurons[-1]
        if size == 1:
            return k.load(i32, k.tensor(name))
        place = k.sum_of((self._position, channels if size > channels else 0), channel)
        return k.load(i32, k.at(k.tensor(name), place, i32))


def _fire(
    op: cpu.SpikeLayerOp,
    k: Kernel,
    constants: _Constants,
    position: SSAValue,
    step: SSAValue,
    membrane: SSAValue,
) -> None:
    """Compares, resets and writes a word of spikes after the other."""
    channels, words = op.neurons[-1], -(-op.neurons[-1] // WORD)
    how = "sgt" if op.strict.value.data else "sge"
    with k.loop(0, words) as word:
        first = k.sum_of((word.index, WORD))
        many = k.least(k.sub(channels, first), WORD)
        with k.loop(0, many, carried=(k.constant(i64, 0),)) as bit:
            channel = k.sum_of(first, bit.index)
            place = k.at(membrane, channel, i32)
            potential, threshold = k.load(i32, place), constants.at("threshold", channel)
            over = k.compare(how, potential, threshold)
            after = k.sub(potential, threshold) if op.reset_value is None else constants.at("reset_value", channel)
            k.store(k.select(over, after, potential), place)
            bit.next(k.either(bit.values[0], k.shift_left(k.extend_unsigned(over, i64), bit.index)))
        at = k.sum_of((position, op.timesteps * words), (step, words), word.index)
        k.store(bit.results[0], k.at(k.buffer(op.spikes), at, i64))


class _Heard:
    """What one synapse brings to a position at a step."""

    def __init__(self, op: cpu.SpikeLayerOp, k: Kernel, index: int, synapse: Synapse, target: SSAValue) -> None:
        self.op, self.k, self.synapse, self.target = op, k, synapse, target
        self.neurons = op.neurons_of(synapse.source)
        self.train = k.buffer(synapse.source)
        self.weight = k.tensor(f"weights.{index}")
        self.shape = dense_shape(synapse.weight)

    def at(self, position: SSAValue, row: SSAValue, column: SSAValue, step: SSAValue) -> None:
        k, kind = self.k, self.synapse.how.kind.data
        channels = self.neurons[-1]
        if kind == "diagonal":
            each = prod(self.shape)
            start = k.sum_of((position, channels if each > channels else 0))
            self._spikes(
                position, step, lambda channel: self._one(k.sum_of(start, channel) if each > 1 else k.place(0), channel)
            )
        elif kind == "linear":
            with k.loop(0, prod(self.neurons[:-1])) as place:
                self._spikes(place.index, step, lambda channel: self._row(k.sum_of((place.index, channels), channel)))
        else:
            self._windows(row, column, step)

    def _windows(self, row: SSAValue, column: SSAValue, step: SSAValue) -> None:
        k, how = self.k, self.synapse.how
        kernel = self.shape[1:3] if how.kind.data == "conv2d" else self.shape[:2]
        pool = values_of(how.pool)
        with self._taps(row, 0, kernel[0]) as (ky, y), self._taps(column, 1, kernel[1]) as (kx, x):
            tap = k.sum_of((ky, kernel[1]), kx)
            for down in range(pool[0]):
                for right in range(pool[1]):
                    line, place = k.sum_of((y, pool[0]), down), k.sum_of((x, pool[1]), right)
                    at = k.sum_of((line, self.neurons[1]), place)
                    self._spikes(at, step, lambda channel: self._tap(tap, channel))

    @contextmanager
    def _taps(self, output: SSAValue, axis: int, kernel: int) -> Generator[tuple[SSAValue, SSAValue]]:
        """A loop over the taps inside the image: (tap, position)."""
        k, how = self.k, self.synapse.how
        stride, dilation = values_of(how.stride)[axis], values_of(how.dilation)[axis]
        low, size = values_of(how.padding)[2 * axis], self.neurons[axis] // values_of(how.pool)[axis]
        first = k.sum_of((output, stride), -low)
        with k.loop(0, kernel) as tap:
            position = k.sum_of(first, (tap.index, dilation))
            with k.when(k.compare("ult", position, size)):
                yield tap.index, position

    def _tap(self, tap: SSAValue, channel: SSAValue) -> None:
        """What the spike of a channel brings through a tap."""
        k = self.k
        if self.synapse.how.kind.data == "depthwise_conv2d":
            self._one(k.sum_of((tap, self.neurons[-1]), channel), channel)
            return
        _, rows, columns, inner, outer = self.shape
        group, within = k.divide_unsigned(channel, inner), k.remainder(channel, inner)
        row = k.sum_of((group, rows * columns * inner), (tap, inner), within)
        self._row(row, k.sum_of((group, outer)))

    def _spikes(self, position: SSAValue, step: SSAValue, added: Added) -> None:
        """Something for every spike of a position at a step, in its channel."""
        k, words = self.k, -(-self.neurons[-1] // WORD)
        with k.loop(0, words) as word:
            at = k.sum_of((position, self.op.timesteps * words), (step, words), word.index)
            bits = k.load(i64, k.at(self.train, at, i64))
            with k.when(k.compare("ne", bits, 0)), k.repeat((bits,)) as turn:
                (left,) = turn.values
                added(k.sum_of((word.index, WORD), k.first_one(left)))
                left = k.both(left, k.sub(left, 1))
                turn.next(left, again=k.compare("ne", left, 0))

    @property
    def _element(self) -> IntegerType:
        element = dense_type(self.synapse.weight).element_type
        assert isinstance(element, IntegerType)
        return element

    def _one(self, place: SSAValue, channel: SSAValue) -> None:
        """Adds one weight to the membrane of a channel."""
        k = self.k
        target = k.at(self.target, channel, i32)
        weight = k.resize(k.load(self._element, k.at(self.weight, place, self._element)), i32)
        k.store(k.add(k.load(i32, target), weight), target)

    def _row(self, row: SSAValue, first: SSAValue | int = 0) -> None:
        """Adds a row of weights to the membranes from a channel on."""
        k, outer = self.k, self.shape[-1]
        weights = k.at(self.weight, k.sum_of((row, outer)), self._element)
        target = k.at(self.target, first, i32)
        with k.loop(0, outer) as turn:
            place = k.at(target, turn.index, i32)
            weight = k.resize(k.load(self._element, k.at(weights, turn.index, self._element)), i32)
            k.store(k.add(k.load(i32, place), weight), place)
