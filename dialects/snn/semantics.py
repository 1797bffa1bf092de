"""What each `snn` operation means, in NumPy, with a leading batch axis.

Stateless operations map the arrays of one step; stateful ones remember through `run.state`. The network drives the
clock. A signal that is silent at a step is None on the way between operations, so that nothing is computed for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared import meanings as shared
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type, shape_of, values_of
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array, meaning_of, means

Signal: TypeAlias = Array | None


# The clock


@means(snn.NetworkOp)
def network(op: snn.NetworkOp, run: Run, *inputs: Array) -> tuple[Array, ...]:
    block = op.body.block
    if op.code.data == "count":
        return tuple(run.block(block, inputs))
    clock = Clock(run, block, inputs)
    trains: list[tuple[Array, ...]] = []
    for _ in run.clock(inputs[0].shape[1] if op.steps is None else op.duration):
        clock.tick()
        if op.steps is None:
            trains.append(clock.outputs())
    clock.report()
    run.report_states()
    return clock.outputs() if op.steps is not None else clock.along_time(trains)


class Clock:
    """Runs the body of a network step by step and sums up what every operation sent."""

    def __init__(self, run: Run, block: Block, inputs: Sequence[Array]) -> None:
        self.run = run
        self.block = block
        self.inputs: dict[SSAValue, Signal] = dict(zip(block.args, inputs, strict=True))
        self.batch = len(inputs[0])
        self.delays = [op for op in block.ops if isinstance(op, snn.DelayOp) and op.steps.value.data]
        self.values: dict[SSAValue, Signal] = {}
        self.sums: dict[Operation, Array] = {}

    def tick(self) -> None:
        """One step of every operation, in order; delays send first and hear last, so that they may close cycles."""
        self.values = dict(self.inputs)
        for op in self.delays:
            self._sent(op, _oldest(op, self.run))
        for op in self.block.ops:
            if op is not self.block.last_op and op.results[0] not in self.values:
                self._sent(op, self._evaluate(op, [self.values[operand] for operand in op.operands]))
        for op in self.delays:
            self._evaluate(op, [self.values[op.input]])

    def _sent(self, op: Operation, signal: Signal) -> None:
        self.values[op.results[0]] = signal
        if signal is not None and self.run.observer is not None:
            self._note(op, signal)
        if signal is not None and self.run.on_signal is not None:
            self.run.on_signal(op, self.run.step, signal)

    def _evaluate(self, op: Operation, operands: Sequence[Signal]) -> Signal:
        meaning = meaning_of(type(op))
        silent = all(operand is None for operand in operands)
        if silent and not meaning.stateful and not _may_break_silence(op):
            return None
        if silent and not _awake(op, self.run.step):
            return None
        arrays = [self._silence(value) if x is None else x for value, x in zip(op.operands, operands, strict=True)]
        result = meaning.function(op, self.run, *arrays)
        assert not isinstance(result, tuple)
        return result if result.any() or isinstance(op, snn.AccumulateOp) else None

    def _silence(self, value: SSAValue) -> Array:
        kind = np.float32 if isinstance(element_type(value), AnyFloat) else np.int64
        return np.zeros((self.batch, *shape_of(value)), kind)

    def _note(self, op: Operation, signal: Array) -> None:
        sums = isinstance(element_type(op.results[0]), RangeType)
        self.sums[op] = self.sums[op] + signal if sums and op in self.sums else signal

    def report(self) -> None:
        """Tells the observer what every operation sent in all, silent ones included."""
        if self.run.observer is None:
            return
        for op in self.block.ops:
            if op.results:
                self.run.observer(op, self.sums.get(op, self._silence(op.results[0])))

    def outputs(self) -> tuple[Array, ...]:
        """What the network's output reads after the last step."""
        last = self.block.last_op
        assert last is not None
        signals = [(operand, self.values[operand]) for operand in last.operands]
        return tuple(self._silence(operand) if signal is None else signal for operand, signal in signals)

    def along_time(self, trains: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
        """What the output read at every step, time behind the batch axis."""
        last = self.block.last_op
        assert last is not None
        silent = [np.empty((self.batch, 0, *shape_of(operand))) for operand in last.operands]
        return tuple(np.stack(train, axis=1) for train in zip(*trains, strict=True)) if trains else tuple(silent)


def _may_break_silence(op: Operation) -> bool:
    """Whether an operation may send something when nothing arrives: a constant current, or the spike of zero."""
    return isinstance(op, snn.ThresholdOp) or (isinstance(op, snn.Conv2dOp | snn.LinearOp) and op.bias is not None)


def _awake(op: Operation, step: int) -> bool:
    """Whether a stateful operation does anything at a step at which nothing arrives."""
    if isinstance(op, snn.FiringTableOp) and op.window is not None:
        return step == op.window[0]
    if not isinstance(op, snn.IntegrateAndFireOp) or op.window is None:
        return True
    start, stop = op.window
    acting = (op.bias, op.membrane_decay, op.current_decay, op.lower_bound)
    return any(each is not None for each in acting) or start <= step < stop


@means(snn.InputOp, stateful=True)
def input_(op: snn.InputOp, run: Run, x: Array) -> Array:
    if op.code.data == "spikes":
        frame = run.row(x)
        return frame.astype(np.float32, copy=False) if isinstance(element_type(op.result), AnyFloat) else frame
    return x if run.step == 0 or op.code.data == "current" else np.zeros_like(x)


# Neurons


def _total(currents: Sequence[Array], bias: Array | None) -> Array:
    result = currents[0]
    for current in currents[1:]:
        result = result + current
    return result if bias is None else result + bias


def _constant(run: Run, attribute: Dense | None) -> Array | None:
    return None if attribute is None else run.tensor(attribute)


def _start(run: Run, initial: Dense | None, like: Array) -> Array:
    value = np.int64(0) if initial is None else run.tensor(initial)
    kind = np.float32 if like.dtype.kind == "f" else np.int64
    return np.broadcast_to(value, like.shape).astype(kind)


@means(snn.IntegrateAndFireOp, stateful=True)
def integrate_and_fire(op: snn.IntegrateAndFireOp, run: Run, *currents: Array) -> Array:
    if isinstance(element_type(op.result), CountType):
        return _count(op, run, _total(currents, _constant(run, op.bias)))
    state = run.state(op)
    state["v"] = _integrate(op, run, state, currents)
    if op.lower_bound is not None:
        state["v"] = np.maximum(state["v"], run.tensor(op.lower_bound)).astype(state["v"].dtype)
    state["v"] = _saturated(op, state["v"])
    state.setdefault("fired", np.zeros(state["v"].shape, np.int64))
    spikes = _spikes(op, run, state)
    state["fired"] = state["fired"] + spikes
    state["v"] = _reset(op, run, state["v"], spikes)
    return spikes


def _as_declared(op: snn.IntegrateAndFireOp | snn.AccumulateOp, run: Run, charge: Array) -> Array:
    """In floats where the neurons are: spikes may reach them without a synapse between."""
    fires = isinstance(op, snn.IntegrateAndFireOp)
    floats = run.tensor(op.threshold).dtype.kind == "f" if fires else isinstance(element_type(op.result), AnyFloat)
    return charge.astype(np.float32, copy=False) if floats else charge


def _count(op: snn.IntegrateAndFireOp, run: Run, charge: Array) -> Array:
    assert op.levels is not None
    zero = np.zeros((), np.int64)
    initial = zero if op.initial is None else run.tensor(op.initial)
    return shared.staircase(charge, zero, run.tensor(op.threshold), initial, op.levels.value.data)


def _integrate(
    op: snn.IntegrateAndFireOp | snn.AccumulateOp, run: Run, state: dict[str, Array], currents: Sequence[Array]
) -> Array:
    """The membrane potential behind the currents of a step."""
    charge = _as_declared(op, run, _total(currents, None))
    if op.shift is not None:
        charge = charge << op.shift.value.data
    if op.current_decay is not None:
        charge = _decayed(op, state.get("i", np.zeros_like(charge)), run.tensor(op.current_decay)) + charge
        charge = state["i"] = _saturated(op, charge)
    charge = _total([charge], _constant(run, op.bias))
    v = state["v"] if "v" in state else _start(run, op.initial, charge)
    return (v if op.membrane_decay is None else _decayed(op, v, run.tensor(op.membrane_decay))) + charge


def _decayed(op: snn.IntegrateAndFireOp | snn.AccumulateOp, values: Array, decay: Array) -> Array:
    if op.decay_bits is None:
        return values * decay
    return shared.decayed(values, decay, op.decay_bits.value.data)


def _saturated(op: snn.IntegrateAndFireOp | snn.AccumulateOp, values: Array) -> Array:
    if op.state_bits is None:
        return values
    limit = 2 ** (op.state_bits.value.data - 1)
    return np.clip(values, -limit, limit - 1)


def _spikes(op: snn.IntegrateAndFireOp, run: Run, state: dict[str, Array]) -> Array:
    v, threshold = state["v"], run.tensor(op.threshold)
    if op.window is not None and not op.window[0] <= run.step < op.window[1]:
        return np.zeros(v.shape, np.int64)
    value = op.value_at(run.step)
    over = v > threshold * value if op.strict.value.data else v >= threshold * value
    if op.signed.value.data:
        return _signed(op, over, state)
    spikes = over * np.int64(value)
    most = op.spikes_per_step.value.data
    if most > 1:
        spikes = spikes * np.clip(np.floor_divide(v, threshold), 1, most).astype(np.int64)
    if op.levels is not None:
        spikes = np.minimum(spikes, op.levels.value.data - state["fired"])
    return spikes if not op.refractory.value.data else _rested(op, run, state, spikes)


def _signed(op: snn.IntegrateAndFireOp, over: Array, state: dict[str, Array]) -> Array:
    assert op.levels is not None
    up = over & (state["fired"] < op.levels.value.data)
    down = (state["v"] < 0) & (state["fired"] > 0)
    return up.astype(np.int64) - down


def _rested(op: snn.IntegrateAndFireOp, run: Run, state: dict[str, Array], spikes: Array) -> Array:
    ready = state.get("ready", np.zeros(spikes.shape, np.int64))
    spikes = np.where(run.step >= ready, spikes, 0)
    state["ready"] = np.where(spikes > 0, run.step + 1 + op.refractory.value.data, ready)
    return spikes


def _reset(op: snn.IntegrateAndFireOp, run: Run, v: Array, spikes: Array) -> Array:
    if op.reset.data == "subtract":
        return v - (spikes * run.tensor(op.threshold)).astype(v.dtype)
    value = np.int64(0) if op.reset_value is None else run.tensor(op.reset_value)
    return np.where(spikes > 0, value.astype(v.dtype), v)


# Neurons that say an integer worked out from the charge of their layer


def _speaks(op: snn.FiringTableOp, run: Run, currents: Sequence[Array]) -> Array | None:
    """The charge of a layer at the step at which it speaks; None at all others."""
    charge = _total(currents, None)
    if op.window is None:
        return charge if op.initial is None else charge + run.tensor(op.initial)
    state = run.state(op)
    if "v" not in state:
        state["v"] = _start(run, op.initial, charge)
    state["v"] = state["v"] + charge
    return state["v"] if run.step == op.window[0] else None


@means(snn.LookupOp, stateful=True)
def lookup(op: snn.LookupOp, run: Run, *currents: Array) -> Array:
    charge = _speaks(op, run, currents)
    if charge is None:
        return np.zeros_like(currents[0])
    return shared.lookup(charge, run.tensor(op.threshold), op.clip, _constant(run, op.table))


@means(snn.SoftmaxOp, stateful=True)
def softmax(op: snn.SoftmaxOp, run: Run, *currents: Array) -> Array:
    charge = _speaks(op, run, currents)
    if charge is None:
        return np.zeros_like(currents[0])
    return shared.integer_softmax(charge, run.tensor(op.divisor), run.tensor(op.table), op.levels.value.data)


@means(snn.LayerNormOp, stateful=True)
def layer_norm(op: snn.LayerNormOp, run: Run, *currents: Array) -> Array:
    charge = _speaks(op, run, currents)
    if charge is None:
        return np.zeros_like(currents[0])
    gain, shift = run.tensor(op.gain), run.tensor(op.shift)
    return shared.integer_layer_norm(charge, gain, shift, op.epsilon.value.data, op.range)


@means(snn.AccumulateOp, stateful=True)
def accumulate(op: snn.AccumulateOp, run: Run, *currents: Array) -> Array:
    state = run.state(op)
    state["v"] = _saturated(op, _integrate(op, run, state, currents))
    return state["v"]


@means(snn.ThresholdOp)
def threshold(op: snn.ThresholdOp, run: Run, x: Array) -> Array:
    least = run.tensor(op.threshold)
    return (x > least if op.strict.value.data else x >= least).astype(np.int64)


@means(snn.AddOp)
def add(op: snn.AddOp, run: Run, *signals: Array) -> Array:
    total = _total(signals, None)
    return total.astype(np.float32, copy=False) if isinstance(element_type(op.result), AnyFloat) else total


@means(snn.DelayOp, stateful=True)
def delay(op: snn.DelayOp, run: Run, x: Array) -> Array:
    state, steps = run.state(op), op.steps.value.data
    line = state.get("line", np.zeros((steps + _longest_extra(op, run), *x.shape), x.dtype))
    line = np.concatenate([line, x[None]])
    state["line"] = line[1:]
    return _late(op, run, line[: len(line) - steps])


def _oldest(op: snn.DelayOp, run: Run) -> Signal:
    """What a delay of at least one step sends before it hears anything."""
    line = run.state(op).get("line")
    if line is None:
        return None
    signal = _late(op, run, line[: len(line) - op.steps.value.data + 1])
    return signal if signal.any() else None


def _longest_extra(op: snn.DelayOp, run: Run) -> int:
    return 0 if op.extra is None else int(run.tensor(op.extra).max(initial=0))


def _late(op: snn.DelayOp, run: Run, line: Array) -> Array:
    """What every element sends, of a line whose last entry comes without extra delay."""
    if op.extra is None:
        return line[-1]
    entry = len(line) - 1 - run.tensor(op.extra)
    return np.take_along_axis(line, np.broadcast_to(entry, line.shape[1:])[None], axis=0)[0]


@means(snn.RunningMaxPool2dOp, stateful=True)
def running_max_pool2d(op: snn.RunningMaxPool2dOp, run: Run, x: Array) -> Array:
    state = run.state(op)
    counts = state.get("counts", np.zeros_like(x)) + x
    highest = shared.max_pool2d(
        counts, values_of(op.kernel), values_of(op.stride), values_of(op.padding), values_of(op.dilation)
    )
    spikes = highest - state.get("highest", np.zeros_like(highest))
    state["counts"], state["highest"] = counts, highest
    return spikes


# Synapses and index maps: the same at every step


@means(snn.Conv2dOp)
def conv2d(op: snn.Conv2dOp, run: Run, x: Array) -> Array:
    stride, padding, dilation = values_of(op.stride), values_of(op.padding), values_of(op.dilation)
    bias = _constant(run, op.bias)
    return shared.conv2d(x, run.tensor(op.weight), bias, stride, padding, dilation, op.groups.value.data)


@means(snn.LinearOp)
def linear(op: snn.LinearOp, run: Run, x: Array) -> Array:
    return shared.linear(x, run.tensor(op.weight), _constant(run, op.bias))


@means(snn.DiagonalOp)
def diagonal(op: snn.DiagonalOp, run: Run, x: Array) -> Array:
    return shared.diagonal(x, run.tensor(op.weight))


@means(snn.ProductOp)
def product(op: snn.ProductOp, run: Run, left: Array, right: Array) -> Array:
    return shared.product(left, right)


@means(snn.MatrixProductOp)
def matrix_product(op: snn.MatrixProductOp, run: Run, left: Array, right: Array) -> Array:
    return shared.matrix_product(left, right)


@means(snn.SumPool2dOp)
def sum_pool2d(op: snn.SumPool2dOp, run: Run, x: Array) -> Array:
    return shared.sum_pool2d(x, values_of(op.kernel), values_of(op.stride), values_of(op.padding))


@means(snn.MaxPool2dOp, moves=True)
def max_pool2d(op: snn.MaxPool2dOp, run: Run, x: Array) -> Array:
    kernel, stride, padding = values_of(op.kernel), values_of(op.stride), values_of(op.padding)
    return shared.max_pool2d(x, kernel, stride, padding, values_of(op.dilation))


@means(snn.ReshapeOp, moves=True)
def reshape(op: snn.ReshapeOp, run: Run, x: Array) -> Array:
    return shared.reshape(x, shape_of(op.result))


@means(snn.TransposeOp, moves=True)
def transpose(op: snn.TransposeOp, run: Run, x: Array) -> Array:
    return shared.transpose(x, values_of(op.permutation))


@means(snn.SliceOp, moves=True)
def slice_(op: snn.SliceOp, run: Run, x: Array) -> Array:
    return shared.slice_(x, values_of(op.starts), values_of(op.stops), values_of(op.steps))


@means(snn.PadOp, moves=True)
def pad(op: snn.PadOp, run: Run, x: Array) -> Array:
    return shared.pad(x, values_of(op.low), values_of(op.high))


@means(snn.ConcatOp, moves=True)
def concat(op: snn.ConcatOp, run: Run, *xs: Array) -> Array:
    return shared.concat(xs, op.axis.value.data)
