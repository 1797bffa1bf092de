"""What each `nir` operation means, in NumPy, with a leading batch axis: float32, as in the frameworks that read files.

NIR's own meaning, which is in continuous time, by the Euler method with the graph's dt: a neuron adds up, compares
strictly, and is set to its reset value, in that order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.nir.nodes import both_ends
from neurocuda.dialects.shared import meanings as shared
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.ir.attributes import Dense, element_type, shape_of, values_of
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array, meaning_of, means

Floats = NDArray[np.float32]


@means(nir.GraphOp)
def graph(op: nir.GraphOp, run: Run, *inputs: Array) -> tuple[Array, ...]:
    clock = _Clock(op, run, inputs)
    for _ in run.clock(clock.steps):
        clock.tick()
    run.step = 0
    clock.report()
    return clock.outputs()


class _Clock:
    """Runs the nodes of a graph step by step, in order."""

    def __init__(self, op: nir.GraphOp, run: Run, inputs: Sequence[Array]) -> None:
        self.run = run
        self.block: Block = op.body.block
        self.results = op.outputs
        self.arguments: dict[SSAValue, Array] = dict(zip(self.block.args, inputs, strict=True))
        self.batch = len(inputs[0])
        self.steps = inputs[0].shape[1] if op.steps is None else op.steps.value.data
        self.late = [op for op in self.block.ops if isinstance(op, nir.DelayOp) and _steps(op, run).min(initial=1)]
        self.values = run.said
        self.sums: dict[Operation, Array] = {}
        self.read: list[list[Array]] = [[] for _ in op.outputs]

    def tick(self) -> None:
        """One step of every node; what a cycle brings is still that of the step before."""
        for op in self.block.ops:
            if isinstance(op, nir.OutputOp):
                self._read(op)
            else:
                self._say(op, self._signal(op.results[0]) if op in self.late else self._evaluate(op))
        self.values |= {op.results[0]: self._evaluate(op) for op in self.late}

    def _evaluate(self, op: Operation) -> Array:
        signal = meaning_of(type(op)).function(op, self.run, *map(self._signal, op.operands))
        assert not isinstance(signal, tuple)
        return signal

    def _say(self, op: Operation, signal: Array) -> None:
        self.values[op.results[0]] = signal
        if self.run.observer is not None:
            self._note(op, signal)
        if self.run.on_signal is not None and signal.any():
            self.run.on_signal(op, self.run.step, signal)

    def _signal(self, value: SSAValue) -> Array:
        if value in self.arguments:
            return self.arguments[value]
        found = self.values.get(value)
        return np.zeros((self.batch, *shape_of(value)), np.float32) if found is None else found

    def _read(self, op: nir.OutputOp) -> None:
        for found, value in zip(self.read, op.values, strict=True):
            if op.read.data != "train" and found:
                found[0] = found[0] + self.values[value] if op.read.data == "sum" else self.values[value]
            else:
                found.append(self.values[value])

    def _note(self, op: Operation, signal: Array) -> None:
        counts = isinstance(element_type(op.results[0]), RangeType)
        said = signal.astype(np.int64) if counts else signal
        self.sums[op] = self.sums[op] + said if counts and op in self.sums else said

    def report(self) -> None:
        """Tells the observer how often every neuron fired, and what all other nodes were at last."""
        if self.run.observer is not None:
            for op, values in self.sums.items():
                self.run.observer(op, values)

    def outputs(self) -> tuple[Array, ...]:
        """What was read: integers where the graph's result is of integers, and along time where it has that axis."""
        return tuple(
            self._typed(self._along_time(found, result) if result_has_time else found[0], result)
            for found, result, result_has_time in zip(self.read, self.results, self._have_time(), strict=True)
        )

    def _along_time(self, train: Sequence[Array], result: SSAValue) -> Array:
        silence = np.zeros((self.batch, 0, *shape_of(result)[1:]), np.float32)
        return np.stack(train, axis=1) if train else silence

    def _have_time(self) -> list[bool]:
        last = self.block.last_op
        assert isinstance(last, nir.OutputOp)
        return [last.read.data == "train"] * len(last.values)

    def _typed(self, array: Array, result: SSAValue) -> Array:
        return array if isinstance(element_type(result), AnyFloat) else np.rint(array).astype(np.int64)


@means(nir.InputOp)
def input_(op: nir.InputOp, run: Run, x: Array) -> Floats:
    if op.present.data == "train":
        return run.row(x).astype(np.float32)
    return (x if run.step == 0 or op.present.data == "always" else np.zeros_like(x)).astype(np.float32)


def _sum(inputs: Sequence[Array]) -> Array:
    total = inputs[0].astype(np.float32)
    for each in inputs[1:]:
        total = total + each
    return total


# Without state


@means(nir.AffineOp)
def affine(op: nir.AffineOp, run: Run, *inputs: Array) -> Array:
    return shared.linear(_sum(inputs), _single(run, op.weight), _single(run, op.bias))


@means(nir.LinearOp)
def linear(op: nir.LinearOp, run: Run, *inputs: Array) -> Array:
    return shared.linear(_sum(inputs), _single(run, op.weight), None)


@means(nir.ScaleOp)
def scale(op: nir.ScaleOp, run: Run, *inputs: Array) -> Array:
    return _sum(inputs) * _single(run, op.scale)


@means(nir.Conv1dOp)
def conv1d(op: nir.Conv1dOp, run: Run, *inputs: Array) -> Array:
    pad = op.padding.value.data
    geometry = ((1, op.stride.value.data), (0, 0, pad, pad), (1, op.dilation.value.data), op.groups.value.data)
    weight, bias = _single(run, op.weight)[:, :, None], _single(run, op.bias)
    return shared.conv2d(_sum(inputs)[:, :, None], weight, bias, *geometry)[:, :, 0]


@means(nir.Conv2dOp)
def conv2d(op: nir.Conv2dOp, run: Run, *inputs: Array) -> Array:
    stride, dilation = values_of(op.stride), values_of(op.dilation)
    weight, bias = _single(run, op.weight), _single(run, op.bias)
    return shared.conv2d(_sum(inputs), weight, bias, stride, both_ends(op.padding), dilation, op.groups.value.data)


@means(nir.SumPool2dOp)
def sum_pool2d(op: nir.SumPool2dOp, run: Run, *inputs: Array) -> Array:
    return shared.sum_pool2d(_sum(inputs), values_of(op.kernel_size), values_of(op.stride), both_ends(op.padding))


@means(nir.AvgPool2dOp)
def avg_pool2d(op: nir.AvgPool2dOp, run: Run, *inputs: Array) -> Array:
    kernel = values_of(op.kernel_size)
    sums = shared.sum_pool2d(_sum(inputs), kernel, values_of(op.stride), both_ends(op.padding))
    return sums / np.float32(kernel[0] * kernel[1])


@means(nir.FlattenOp)
def flatten(op: nir.FlattenOp, run: Run, *inputs: Array) -> Array:
    return shared.reshape(_sum(inputs), shape_of(op.result))


@means(nir.ThresholdOp)
def threshold(op: nir.ThresholdOp, run: Run, *inputs: Array) -> Array:
    return (_sum(inputs) > _single(run, op.threshold)).astype(np.float32)


# With state


def _single(run: Run, parameter: Dense) -> Floats:
    return run.tensor(parameter).astype(np.float32)


def _double(run: Run, parameter: Dense) -> NDArray[np.float64]:
    return run.tensor(parameter).astype(np.float64)


def _dt(op: Operation) -> float:
    parent = op.parent_op()
    assert isinstance(parent, nir.GraphOp)
    return parent.dt.value.data


@means(nir.DelayOp, stateful=True)
def delay(op: nir.DelayOp, run: Run, *inputs: Array) -> Array:
    """What is said at this step, or at the next one where no element comes at once: then it listens last."""
    x, steps = _sum(inputs), _steps(op, run)
    state = run.state(op)
    line = state.get("line", np.zeros((int(steps.max()) + 1, *x.shape), np.float32))
    line = state["line"] = np.concatenate([x[None], line[:-1]])  # line[k] is k steps old
    age = steps - 1 if steps.min() else steps
    return np.take_along_axis(line, np.broadcast_to(age, x.shape)[None], axis=0)[0]


def _steps(op: nir.DelayOp, run: Run) -> NDArray[np.int64]:
    return np.rint(_double(run, op.delay) / _dt(op)).astype(np.int64)


def _leaky(run: Run, op: Operation, name: str, x: Array, tau: Dense | None, gain: Dense, leak: Dense | None) -> Array:
    """state <- state + dt / tau (leak - state + gain x); without tau, state + dt gain x. Factors come from float64."""
    share = _dt(op) if tau is None else _dt(op) / _double(run, tau)
    state = run.state(op)
    kept = state.get(name, np.zeros_like(x))
    if tau is not None:
        kept = kept * np.asarray(1 - share, np.float32)
    arriving = x * np.asarray(share * _double(run, gain), np.float32)
    if leak is not None and _double(run, leak).any():
        arriving = arriving + np.asarray(share * _double(run, leak), np.float32)
    state[name] = kept + arriving
    return state[name]


def _current(run: Run, op: nir.CubaLIOp | nir.CubaLIFOp, inputs: Sequence[Array]) -> Array:
    return _leaky(run, op, "i", _sum(inputs), op.tau_syn, op.w_in, None)


@means(nir.IOp, stateful=True)
def integrator(op: nir.IOp, run: Run, *inputs: Array) -> Array:
    return _leaky(run, op, "v", _sum(inputs), None, op.r, None)


@means(nir.LIOp, stateful=True)
def leaky_integrator(op: nir.LIOp, run: Run, *inputs: Array) -> Array:
    return _leaky(run, op, "v", _sum(inputs), op.tau, op.r, op.v_leak)


@means(nir.CubaLIOp, stateful=True)
def current_based_integrator(op: nir.CubaLIOp, run: Run, *inputs: Array) -> Array:
    return _leaky(run, op, "v", _current(run, op, inputs), op.tau_mem, op.r, op.v_leak)


def _fired(op: nir.FiringOp, run: Run, v: Array) -> Array:
    spikes = v > _single(run, op.v_threshold)
    run.state(op)["v"] = np.where(spikes, _single(run, op.v_reset), v)
    return spikes.astype(np.float32)


@means(nir.IFOp, stateful=True)
def integrate_and_fire(op: nir.IFOp, run: Run, *inputs: Array) -> Array:
    return _fired(op, run, _leaky(run, op, "v", _sum(inputs), None, op.r, None))


@means(nir.LIFOp, stateful=True)
def leaky_integrate_and_fire(op: nir.LIFOp, run: Run, *inputs: Array) -> Array:
    return _fired(op, run, _leaky(run, op, "v", _sum(inputs), op.tau, op.r, op.v_leak))


@means(nir.CubaLIFOp, stateful=True)
def current_based_neuron(op: nir.CubaLIFOp, run: Run, *inputs: Array) -> Array:
    return _fired(op, run, _leaky(run, op, "v", _current(run, op, inputs), op.tau_mem, op.r, op.v_leak))
