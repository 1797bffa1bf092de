"""What each `loihi` operation means, in NumPy, with a leading batch axis: the fixed points of Lava, bit for bit.

Numbers are kept in 32 bits, as in Lava. The meaning of a synapse is the current that the spikes of a step cause; the
network, which drives the clock, brings it one step and its delay later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import MEMBRANE
from neurocuda.dialects.shared import meanings as shared
from neurocuda.ir.attributes import Dense, shape_of, values_of
from neurocuda.ir.origin import origin_of
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array, means

Word = NDArray[np.int32]

# The clock


@means(loihi.NetworkOp)
def network(op: loihi.NetworkOp, run: Run, *inputs: Array) -> tuple[Array, ...]:
    run.reset()
    clock = Clock(op, run, inputs)
    trains: list[list[Array]] = []
    for step in range(op.steps.value.data):
        run.step = step
        trains.append(clock.tick())
    clock.report()
    run.report_states()
    return tuple(np.stack(train, axis=1) for train in zip(*trains, strict=True))


def layers_of(groups: Iterable[loihi.GroupOp]) -> list[list[loihi.GroupOp]]:
    """Groups of one origin together, all others alone."""
    layers: dict[str | loihi.GroupOp, list[loihi.GroupOp]] = {}
    for op in groups:
        layers.setdefault(origin_of(op) or op, []).append(op)
    return list(layers.values())


class Clock:
    """Runs the body of a network step by step: synapses speak first and hear last, so that they may close cycles."""

    def __init__(self, op: loihi.NetworkOp, run: Run, inputs: Sequence[Array]) -> None:
        self.run = run
        self.inputs: dict[SSAValue, Array] = dict(zip(op.body.block.args, inputs, strict=True))
        self.batch = len(inputs[0]) if inputs else 1
        ops = list(op.body.block.ops)
        self.outputs = ops.pop().operands
        self.others = [each for each in ops if not isinstance(each, loihi.WeightsOp)]
        self.lines = {each: self._line(each) for each in ops if isinstance(each, loihi.WeightsOp)}
        self.sums: dict[loihi.GroupOp, Array] = {}

    def _line(self, op: loihi.WeightsOp) -> deque[Array]:
        """The currents on their way, the next one first."""
        return deque([np.zeros((self.batch, *shape_of(op.result)), np.int32)] * op.latency)

    def tick(self) -> list[Array]:
        """One step of everything; returns what the network's output reads."""
        values = dict(self.inputs)
        for op, line in self.lines.items():
            values[op.result] = line.popleft()
        for op in self.others:
            results = self.run.evaluate(op, [values[operand] for operand in op.operands])
            if isinstance(op, loihi.PulsesOp):
                results = (np.broadcast_to(results[0], (self.batch, *shape_of(op.result))),)
            values |= dict(zip(op.results, results, strict=True))
            if isinstance(op, loihi.GroupOp):
                self._note(op, results[0])
        for op, line in self.lines.items():
            line.append(self._current(op, values[op.input]))
        return [values[operand] for operand in self.outputs]

    def _current(self, op: loihi.WeightsOp, spikes: Array) -> Array:
        if not spikes.any():
            return np.zeros((self.batch, *shape_of(op.result)), np.int32)
        (current,) = self.run.evaluate(op, [spikes])
        return current

    def _note(self, op: loihi.GroupOp, spikes: Array) -> None:
        said = spikes.astype(np.int64) * op.worth_at(self.run.step)
        self.sums[op] = self.sums[op] + said if op in self.sums else said
        if self.run.on_signal is not None and spikes.any():
            self.run.on_signal(op, self.run.step, spikes)

    def report(self) -> None:
        """Tells the observer what every layer said, with the user's axes: groups of one origin say it together."""
        if self.run.observer is None:
            return
        for groups in layers_of(self.sums):
            said = np.sum([self.sums[op] for op in groups], axis=0)
            self.run.observer(groups[0], _reversed(said, 1))


@means(loihi.SourceOp, stateful=True)
def source(op: loihi.SourceOp, run: Run, rows: Array) -> Word:
    row = rows[:, run.step] if run.step < rows.shape[1] else np.zeros_like(rows[:, 0])
    return row.astype(np.int32)


@means(loihi.PulsesOp, stateful=True)
def pulses(op: loihi.PulsesOp, run: Run) -> Word:
    shape = (1,) * (len(shape_of(op.result)) + 1)
    return np.full(shape, op.pulses.get(run.step, 0), np.int32)  # the clock repeats it for every image


# What the host does at the border


def _reversed(values: Array, first: int) -> Array:
    """The axes from one on in reverse order."""
    return values.transpose(*range(first), *reversed(range(first, values.ndim)))


@means(loihi.StimulusOp)
def stimulus(op: loihi.StimulusOp, run: Run, x: Array) -> Word:
    if op.factors is None:
        return _reversed(x, 2).astype(np.int32)
    value = _reversed(x, 1).astype(np.int32)
    return np.stack([value * np.int32(factor) for factor in values_of(op.factors)], axis=1)


@means(loihi.ReadoutOp)
def readout(op: loihi.ReadoutOp, run: Run, train: Array) -> Array:
    rows = train[:, op.skip.value.data :]
    if op.read.data == "train":
        return _reversed(rows, 2) // op.divisor.value.data
    row = rows[:, -1] if op.read.data == "last" else rows.sum(axis=1)
    return _reversed(row, 1) // op.divisor.value.data


# Groups of neurons


def decayed(values: Word, decay: int) -> Word:
    """sign(x) floor(|x| (4096 - d) / 4096): a decay of 12 bits, towards zero."""
    product = values.astype(np.int64) * (4096 - decay)
    return (np.sign(product) * (np.abs(product) >> 12)).astype(np.int32)


def wrapped(values: Word) -> Word:
    """Takes off or adds 2^24 once."""
    values = np.where(values > 2**23, values - 2**24, values)
    return np.where(values <= -(2**23), values + 2**24, values).astype(np.int32)


def saturated(values: Array) -> Word:
    """Clips to ±(2^23 - 1)."""
    return np.clip(values, -MEMBRANE, MEMBRANE).astype(np.int32)


def _total(currents: Sequence[Array]) -> Word:
    result = currents[0].astype(np.int32)
    for current in currents[1:]:
        result = result + current.astype(np.int32)
    return result


def _constant(run: Run, attribute: Dense | None) -> Word:
    return np.zeros(1, np.int32) if attribute is None else run.tensor(attribute).astype(np.int32)


@means(loihi.LifOp, stateful=True)
def lif(op: loihi.LifOp, run: Run, *currents: Array) -> tuple[Word, Word]:
    total, state = _total(currents), run.state(op)
    u = state.get("u", np.zeros_like(total))
    v = state["v"] if state else np.broadcast_to(_constant(run, op.initial), total.shape)
    if op.forgets_at(run.step):
        u, v = np.zeros_like(total), np.zeros_like(total)
    u = wrapped(decayed(u, op.du.value.data + 1) + (total << np.int32(6)))
    bias = _constant(run, op.bias_mant) << np.int32(op.bias_exp.value.data)
    v = saturated(decayed(v, op.dv.value.data) + u + bias)
    spikes = v > op.vth.value.data << 6
    v = np.where(spikes, np.int32(0), v)
    state["u"], state["v"] = u, v
    return spikes.astype(np.int32), v


@means(loihi.IntegrateAndFireOp, stateful=True)
def integrate_and_fire(op: loihi.IntegrateAndFireOp, run: Run, *currents: Array) -> tuple[Word, Word]:
    total, state = _total(currents), run.state(op)
    v = state["v"] if state else np.broadcast_to(_constant(run, op.initial), total.shape)
    fires, threshold = op.fires_at(run.step), _constant(run, op.threshold)
    bias = _constant(run, op.bias) if fires else 0
    v = saturated(v.astype(np.int64) + total + bias)
    spikes = ((v >= threshold) & fires).astype(np.int32)
    v = v - threshold * spikes
    state["v"] = v
    return spikes, v


@means(loihi.SigmaDeltaOp, stateful=True)
def sigma_delta(op: loihi.SigmaDeltaOp, run: Run, *currents: Array) -> tuple[Word, Word]:
    total, state = _total(currents), run.state(op)
    silence = np.zeros_like(total)
    shift = np.int32(op.spike_exp.value.data + op.state_exp.value.data)
    sigma = state.get("sigma", silence) + total
    now = sigma + (_constant(run, op.bias) << shift)
    if op.activation.data == "relu":
        now = np.maximum(now, np.int32(0))
    change = now - state.get("before", silence) + state.get("residue", silence)
    sent = np.where(np.abs(change) >= op.vth.value.data << int(shift), change, silence)
    state["sigma"], state["before"], state["residue"] = sigma, now, change - sent
    return sent >> np.int32(op.state_exp.value.data), sigma


# Synapses and ports: the same at every step


def _shifted(values: Array, op: loihi.DelayedOp) -> Word:
    """The sum at a neuron, shifted by the weight exponent; to the right, rounded down."""
    exponent = op.weight_exp.value.data
    word = values.astype(np.int32)
    return word << np.int32(exponent) if exponent > 0 else word >> np.int32(-exponent)


@means(loihi.DenseOp)
def dense(op: loihi.DenseOp, run: Run, spikes: Array) -> Word:
    return _shifted(shared.linear(spikes, run.tensor(op.weight), None), op)


@means(loihi.SparseOp)
def sparse(op: loihi.SparseOp, run: Run, spikes: Array) -> Word:
    total = np.zeros((*shape_of(op.result), len(spikes)), np.int64)
    arriving = spikes.T[run.tensor(op.sources)] * run.tensor(op.weight).astype(np.int64)[:, None]
    np.add.at(total, run.tensor(op.targets), arriving)
    return _shifted(total.T, op)


@means(loihi.ConvOp)
def conv(op: loihi.ConvOp, run: Run, spikes: Array) -> Word:
    image = np.moveaxis(spikes, -1, 1)
    kernel = np.moveaxis(run.tensor(op.weight)[:, ::-1, ::-1], -1, 1)
    geometry = (values_of(op.stride), op.ends, values_of(op.dilation), op.groups.value.data)
    result = np.moveaxis(shared.conv2d(image, kernel, None, *geometry), 1, -1)
    return ((result + 2**23) % 2**24 - 2**23).astype(np.int32)


@means(loihi.ReshapeOp, moves=True)
def reshape(op: loihi.ReshapeOp, run: Run, x: Array) -> Array:
    return shared.reshape(x, shape_of(op.result))


@means(loihi.TransposeOp, moves=True)
def transpose(op: loihi.TransposeOp, run: Run, x: Array) -> Array:
    return shared.transpose(x, values_of(op.permutation))
