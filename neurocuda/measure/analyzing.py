"""Finds out where a spiking network differs from the float one: by layer and cause, image by image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.tables import TableLayerOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.images import Array
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.analysis import CAUSES, AccuracyAt, Analysis, CodeAt, Part
from neurocuda.measure.evaluation import correct_answers
from neurocuda.measure.layers import WATCHED, Synapse, Traffic
from neurocuda.measure.raster import raster_of
from neurocuda.measure.replay import Layer, Replay, bounds_of, senders_of, stages_of_input, stages_of_layer, tail
from neurocuda.measure.tally import Tally
from neurocuda.measure.trials import trials_of
from neurocuda.passes.snn.analysis.activity import NEURONS
from neurocuda.passes.snn.analysis.spikes import spikes_per_count
from neurocuda.reference.interpreter import Run, execute, interpret, main_function

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled, Progress

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

AT_ONCE = 64
"""Images looked at together, at most."""

VALUES_AT_ONCE = 1 << 22
"""Activations of all layers and images looked at together; a hundred bytes are needed for each."""

LAYERS = (ann.StaircaseOp, TableLayerOp)
"""Layers of neurons in integers."""

STAGES = ("float", "quantised", "spiking")
"""The networks whose right answers are counted."""


@dataclass(frozen=True)
class Batch:
    """Some images and what became of them.

    `exact` is the float network and `alone` the quantised one, each on its own; `floats` and `integers` are the same
    two, each layer given what the target sent. `outputs` are those of the four, in this order, and the target's.
    """

    inputs: Sequence[Array]
    exact: Replay
    alone: Replay
    floats: Replay
    integers: Replay
    outputs: tuple[Sequence[Array], ...]

    def output_stages(self, index: int) -> list[Floats]:
        """One output from float to what the target gave, one cause after the other; see `CAUSES`."""
        exact, _, floats, integers, sent = (np.asarray(found[index], np.float64) for found in self.outputs)
        return [exact, floats, integers, integers, integers, sent]


class Analyzer:
    """Compares the levels of one compiled network, batch by batch."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.weights = compiled.weights
        self.float = compiled.level("ann-convertible")
        self.integer = compiled.level("ann-quantized")
        self.float_senders = senders_of(self.float)
        self.senders = {name: op for name, op in senders_of(self.integer).items() if name in self.float_senders}
        self.traffic = Traffic(compiled.level("snn-integer"))
        self.spiking = {origin_of(op): op for op in compiled.level("snn-integer").walk() if isinstance(op, NEURONS)}
        self.tallies = {name: Tally() for name in self.senders}
        self.output_tallies = [Tally() for _ in outputs_of(self.integer)]
        self.correct = dict.fromkeys(STAGES, 0)
        self.provenance = ""
        self.trials, self.no_trials = trials_of(compiled)
        self.correct_with = dict.fromkeys(self.trials, 0)
        self.correct_free = dict.fromkeys(self.trials, 0)

    def run(self, inputs: Sequence[Array], labels: Integers | None, progress: Progress | None) -> Analysis:
        """All images, some at a time.

        Raises:
            ToolchainError: a tool that the target needs is missing.
        """
        images = len(inputs[0])
        self.traffic.watch(self.weights, [array[:WATCHED] for array in inputs])
        size = max(1, min(AT_ONCE, VALUES_AT_ONCE // max(1, self.compiled.neurons)))
        for start in range(0, images, size):
            stop = min(start + size, images)
            self._add([array[start:stop] for array in inputs], None if labels is None else labels[start:stop])
            if progress is not None:
                progress(stop, images)
        own = self.compiled.conversion.timesteps
        return Analysis(
            compiled=self.compiled,
            images=images,
            labelled=labels is not None,
            provenance=self.provenance,
            accuracy={name: Accuracy(correct, images) for name, correct in self.correct.items()},
            parts=tuple(self._parts()),
            raster=raster_of(self.compiled.level("snn-integer"), self.weights, [array[:1] for array in inputs]),
            by_timesteps=tuple(AccuracyAt(t, Accuracy(n, images), t == own) for t, n in self.correct_with.items()),
            by_steps=tuple(self._by_steps(images)),
            no_timesteps=self.no_trials,
        )

    def _add(self, inputs: Sequence[Array], labels: Integers | None) -> None:
        batch = self._batch(inputs)
        exact, alone, *_, sent = (found[0] for found in batch.outputs)
        truth = classes_of(exact) if labels is None else labels
        stages = {name: self._stages(name, batch) for name in self.senders}
        for name, found in stages.items():
            self._tally(name, found, batch)
        for index, tally in enumerate(self.output_tallies):
            tally.add(batch.output_stages(index), np.asarray(batch.outputs[1][index], np.float64))
        self._attribute(batch, stages, truth)
        for name, outputs in zip(STAGES, (exact, alone, sent), strict=True):
            self.correct[name] += correct_answers(outputs, truth)
        for timesteps, trial in self.trials.items():
            own = timesteps == self.compiled.conversion.timesteps
            outputs = alone if own else interpret(trial.module, trial.weights, inputs)[0]
            self.correct_with[timesteps] += correct_answers(outputs, truth)
            if trial.free is not None:
                free = trial.free.run(inputs, RunOptions(counts=False)).outputs[0]
                self.correct_free[timesteps] += correct_answers(free, truth)

    def _batch(self, inputs: Sequence[Array]) -> Batch:
        done = self.compiled.program.run(inputs, RunOptions(counts=True))
        self.provenance = done.provenance
        exact = Replay(self.weights, {})
        integers = Replay(self.weights, done.counts)
        outputs = execute(exact, self.float, inputs), execute(integers, self.integer, inputs)
        alone, alone_outputs = integers, outputs[1]
        if any((done.counts[name] != own).any() for name, own in integers.own.items() if name in done.counts):
            alone = Replay(self.weights, {})
            alone_outputs = execute(alone, self.integer, inputs)
        floats = Replay(self.weights, {name: self._value(name, integers) for name in self.senders})
        float_outputs = execute(floats, self.float, inputs)
        every = (outputs[0], alone_outputs, float_outputs, outputs[1], done.outputs)
        return Batch(inputs, exact, alone, floats, integers, every)

    def _value(self, name: str, run: Replay) -> Array:
        """What was sent, in the float network's units."""
        op = self.senders[name]
        counts = run.sent.get(name, run.own[name])
        offset = self.weights.array(op.offset) if isinstance(op, host.QuantizeOp) else 0.0
        scale = self.weights.array(op.properties["scale"])
        return np.asarray(counts * scale + offset, np.float32)

    def _stages(self, name: str, batch: Batch) -> list[Floats]:
        op, neuron = self.senders[name], self.float_senders[name]
        if isinstance(op, host.QuantizeOp):
            return stages_of_input(op, self.weights, batch.exact.own[name], batch.integers.own[name])
        assert isinstance(op, LAYERS)
        floats = (batch.exact.own[name], batch.floats.own[name])
        return stages_of_layer(neuron, op, self.weights, floats, batch.integers)

    def _tally(self, name: str, stages: Sequence[Floats], batch: Batch) -> None:
        tally = self.tallies[name]
        alone = self._value(name, batch.alone) if batch.alone is not batch.integers else stages[-1]
        tally.add(stages, np.asarray(alone, np.float64))
        op = self.senders[name]
        if isinstance(op, LAYERS):
            own = batch.integers.own[name]
            sent = batch.integers.sent.get(name, own)
            tally.add_counts(sent, own, stages[0], self._spikes(name, sent, op))

    def _spikes(self, name: str, sent: Array, op: Layer) -> float:
        """The spikes that said these counts; of a signed code the mean of the images that were run step by step."""
        if isinstance(op, TableLayerOp):
            return float(np.count_nonzero(sent))
        said = spikes_per_count(self.compiled.code, op.levels.value.data)
        if said is not None:
            return float(said[sent].sum())
        return len(sent) * self.traffic.spikes(self.spiking[name].result)

    def _attribute(self, batch: Batch, stages: Mapping[str, Sequence[Floats]], truth: Integers) -> None:
        """Switches inputs, layers and outputs from float to spiking one after the other, cause by cause.

        Whatever a switch does to the first output is booked on its layer and cause.
        """
        ledger = Ledger(batch.outputs[0][0], truth)
        run = Run(self.weights)
        known: dict[SSAValue, Array] = {}
        for name, values in stages.items():
            result = self.float_senders[name].results[0]
            for cause, (before, after) in zip(CAUSES, pairwise(values), strict=True):
                if cause != "inherited" and not np.array_equal(before, after):
                    known[result] = after.astype(np.float32)
                    ledger.book(self.tallies[name], cause, tail(self.float, run, batch.inputs, known)[0])
            known[result] = values[-1].astype(np.float32)
        for cause, (_, after) in zip(CAUSES, pairwise(batch.output_stages(0)), strict=True):
            ledger.book(self.output_tallies[0], cause, after)

    def _by_steps(self, images: int) -> Iterator[CodeAt]:
        """Exact codes answer what the quantised network answers; only their steps differ."""
        own = (self.compiled.code, self.compiled.conversion.timesteps)
        for code in self.compiled.backend.constraints.codes:
            correct = self.correct_free if code == "free" else self.correct_with
            for timesteps, trial in self.trials.items():
                if code in trial.steps:
                    accuracy = Accuracy(correct[timesteps], images)
                    yield CodeAt(code, timesteps, trial.steps[code], accuracy, (code, timesteps) == own)

    def _parts(self) -> Iterator[Part]:
        for name, op in self.senders.items():
            kind = "neurons" if isinstance(op, LAYERS) else "input"
            synapses = synapses_of(self.spiking[name]) if kind == "neurons" else None
            yield self._part(name, kind, op.results[0], self.tallies[name], synapses)
        counted: set[Synapse] = set()
        spiking = outputs_of(self.compiled.level("snn-integer"))
        for index, (value, tally) in enumerate(zip(outputs_of(self.integer), self.output_tallies, strict=True)):
            readouts = [op for op in readouts_of(spiking[index]) if op not in counted]
            counted.update(readouts)
            yield self._part(f"output {index}", "output", value, tally, readouts)

    def _part(self, name: str, kind: str, value: SSAValue, tally: Tally, synapses: Sequence[Synapse] | None) -> Part:
        op = value.owner
        scaled = isinstance(op, (host.QuantizeOp, host.DequantizeOp, *LAYERS))
        scale = self.weights.array(op.properties["scale"]) if scaled else np.zeros(1)
        return Part(
            name=name,
            where=user_location(op) if isinstance(op, Operation) else "",
            kind=kind,
            elements=prod(shape_of(value)),
            levels=bounds_of(op)[1] if isinstance(op, (host.QuantizeOp, *LAYERS)) else 0,
            scale=(float(scale.min()), float(scale.max())),
            errors=tally.errors(self.output_tallies[0].values),
            firing=tally.firing(),
            operations=None if synapses is None else self.traffic.operations(self.weights, synapses),
        )


def classes_of(outputs: Array) -> Integers:
    """The largest output of every image."""
    return outputs.reshape(len(outputs), -1).argmax(axis=1)


def outputs_of(module: ModuleOp) -> Sequence[SSAValue]:
    """What the network returns."""
    last = main_function(module).body.block.last_op
    assert last is not None
    return last.operands


def synapses_of(op: NEURONS) -> list[Synapse]:
    """The synapses of a layer of neurons, behind whatever delays their currents."""
    found: list[Synapse] = []
    for current in op.currents:
        while isinstance(current.owner, snn.DelayOp):
            current = current.owner.input
        if isinstance(current.owner, Synapse):
            found.append(current.owner)
    return found


def readouts_of(value: SSAValue) -> list[Synapse]:
    """The synapses of level `snn-integer` that an output follows from with no neurons between."""
    waiting, found = [value], dict[Synapse, None]()
    while waiting:
        value = waiting.pop()
        op = value.owner
        if isinstance(op, Synapse):
            found[op] = None
        elif isinstance(op, snn.NetworkOp) and op.body.block.last_op is not None:
            waiting.append(op.body.block.last_op.operands[op.results.index(value)])
        elif isinstance(op, Operation) and not isinstance(op, NEURONS):
            waiting += op.operands
    return list(found)


class Ledger:
    """Books what becomes of the first output on layers and causes."""

    def __init__(self, exact: Array, truth: Integers) -> None:
        self._exact = exact.astype(np.float64)
        self._truth = truth
        self._correct = correct_answers(exact, truth)
        self._error = 0.0

    def book(self, tally: Tally, cause: str, outputs: Array) -> None:
        """Books the step from the outputs before to these."""
        correct, error = correct_answers(outputs, self._truth), float(np.square(outputs - self._exact).sum())
        tally.charge(cause, self._correct - correct, error - self._error)
        self._correct, self._error = correct, error
