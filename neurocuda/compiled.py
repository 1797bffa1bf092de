"""A compiled network: running it, measuring it, checking it, saving it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import InputError, OptionError, TargetError
from neurocuda.images import Array, Images, InputSpec, as_arrays, checked
from neurocuda.ir.backend import REFERENCE
from neurocuda.ir.origin import origin_of
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.evaluation import Activity, Evaluation, correct_answers, labels_of
from neurocuda.measure.layers import TRAIN, WATCHED, Layer, layers_of, operations_of, train_layers_of
from neurocuda.measure.trains import CountRange, count_ranges
from neurocuda.measure.validation import Validation, Validator
from neurocuda.options import Conversion, Normalize, as_path, require_type
from neurocuda.pipeline import execution_of
from neurocuda.reference.program import ReferenceProgram

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.backend import Backend, Program
    from neurocuda.ir.weights import WeightStore
    from neurocuda.measure.analysis import Analysis
    from neurocuda.measure.certificate import Certificate
    from neurocuda.measure.neurobench import NeuroBench
    from neurocuda.streaming import Session

Outputs: TypeAlias = "NDArray[np.float32] | tuple[NDArray[np.float32], ...]"
Progress: TypeAlias = Callable[[int, int], None]
"""Called with (images done, images in all)."""

COUNTED_BYTES = 1 << 29
"""Spike counts of more than so many bytes are only kept where they are asked for."""

COUNT_BYTES = 2
"""The size of a spike count."""

EVALUATED_AT_ONCE = 256
"""Images between two reports of progress."""


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        outputs: float32, batch axis first, and behind it time where the network is one of spike trains; a tuple of
            them where the network has several outputs.
        counts: what every neuron said per image, by layer, integers with the batch axis first; in codes "unary" and
            "free" the number of its spikes.
        steps: time steps per image.
        seconds: the time the whole run took, measured.
        provenance: what ran: "reference", "simulator: ..." or "hardware: ..."; for native code the target and compiler.
        over_time: whether the axis behind the batch is time.
    """

    outputs: Outputs
    counts: Mapping[str, Array]
    steps: int
    seconds: float
    provenance: str
    over_time: bool = False

    @property
    def scores(self) -> NDArray[np.float32]:
        """One number per class: the first output, summed over time where it has a time axis."""
        return _scores(self.outputs, over_time=self.over_time)


@dataclass
class Compiled:
    """A network compiled for a target. `compile` and `load` make these.

    Attributes:
        target: "<backend>:<chip>".
        code: how integers are said in time.
        conversion: the options it was compiled with; `timesteps` is the number chosen.
        preprocessing: what the network does to uint8 images, or None where it takes floats.
        levels: the module at every level reached, in order.
        facts: figures noted while compiling, by name.
        evaluations: what `evaluate` found last, by what was run.
        validation: what `validate` found last.
        in_neurobench: what `neurobench` found last.
    """

    context: Context
    backend: Backend
    chip: str
    code: str
    conversion: Conversion
    preprocessing: Normalize | None
    levels: Mapping[str, ModuleOp]
    name: str = "network"
    facts: dict[str, float | str] = field(default_factory=dict[str, "float | str"])
    evaluations: dict[str, Evaluation] = field(default_factory=dict[str, Evaluation])
    validation: Validation | None = None
    in_neurobench: NeuroBench | None = None

    def __repr__(self) -> str:
        steps = "" if self.trains else f", T = {self.conversion.timesteps}"
        return f'<Compiled {self.name} for {self.target}, code "{self.code}"{steps}>'

    @property
    def target(self) -> str:
        """The target, "<backend>:<chip>"."""
        return f"{self.backend.name}:{self.chip}"

    @property
    def trains(self) -> bool:
        """Whether it takes and gives spike trains, with time as an axis, and not images."""
        return self.code == TRAIN

    @property
    def execution(self) -> str:
        """How the target computes: "events" of one time step after the other, or "counts", layer after layer."""
        return execution_of(self.backend, self.conversion, self.code)

    @property
    def source(self) -> str:
        """The level whose spikes the target says: integers, unless the network keeps its floats."""
        return "snn-integer" if "snn-integer" in tuple(self.levels) else "snn"

    @property
    def weights(self) -> WeightStore:
        """The store of every level's constants."""
        from neurocuda.ir.context import weights_of

        return weights_of(self.context)

    @cached_property
    def inputs(self) -> InputSpec:
        """Names and shapes of the inputs."""
        return InputSpec.of(self.levels[self.source], pixels=self.preprocessing is not None)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of neurons, in order."""
        return train_layers_of(self.levels[self.source]) if self.trains else layers_of(self.levels["ann-quantized"])

    @property
    def neurons(self) -> int:
        """The number of neurons."""
        return sum(layer.neurons for layer in self.layers)

    @cached_property
    def program(self) -> Program:
        """The network ready to run on its target; built at first use.

        Raises:
            ToolchainError: a tool that the target needs is missing.
        """
        return self.backend.load(self.levels[self.backend.level], self.weights)

    def run(
        self,
        images: Images,
        *,
        counts: bool | None = None,
        on: str | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Result:
        """Runs images on the target.

        Args:
            images: batch axis first; uint8 where the network was compiled with preprocessing, else floats.
            counts: whether to keep the spikes of every neuron; None keeps them up to half a gigabyte.
            on: "reference" has the reference interpreter run what was lowered for the target, in the target's place,
                without any of its tools.
            threads: how many, where the target has threads; None for one per processor.
            progress: called with (images done, images in all).

        Raises:
            InputError: the images do not fit.
            OptionError: the number of threads is not positive, or there is nothing to run on by that name.
            ToolchainError: a tool that the target needs is missing.
        """
        _require_place(on)
        arrays = self._checked(images)
        if counts is None:
            counts = len(arrays[0]) * self.neurons * COUNT_BYTES <= COUNTED_BYTES
        return self._run(self._program_on(on), arrays, counts=counts, threads=threads, progress=progress)

    def stream(self, *, on: str | None = None) -> Session:
        """Opens a session, which keeps the network's state between calls: for networks of spike trains.

        Args:
            on: "reference" has the reference interpreter run what was lowered for the target, in the target's place.

        Raises:
            OptionError: the network takes whole images, or there is nothing to run on by that name.
            TargetError: the target takes whole recordings.
            ToolchainError: a tool that the target needs is missing.
        """
        from neurocuda.ir.backend import StreamingProgram
        from neurocuda.streaming import Session

        _require_place(on)
        if not self.trains:
            raise OptionError(
                "a stream goes through a network of spike trains, from a .nir file; this one runs whole images"
            )
        program = self._program_on(on)
        if not isinstance(program, StreamingProgram):
            raise TargetError(
                f"target {self.target} takes whole recordings; cpu:host, cpu:c11 and nir take streams, "
                f'and so does on="{REFERENCE}"'
            )
        return Session(program.stream(), self.inputs, self._ranges)

    def _program_on(self, on: str | None) -> Program:
        """The target's program, or what was lowered for the target under the reference interpreter."""
        if on is None:
            return self.program
        names = {layer.name for layer in self.layers}
        return ReferenceProgram(self.level(self.backend.level), self.weights, lambda op: origin_of(op) in names)

    def _run(
        self,
        program: Program,
        arrays: Sequence[Array],
        *,
        counts: bool,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Result:
        from neurocuda.ir.backend import RunOptions

        if threads is not None:
            require_type("threads", threads, int, "a positive number")
            if threads < 1:
                raise OptionError(f"threads must be positive, not {threads}")
        done = program.run(arrays, RunOptions(counts=counts, threads=threads, progress=progress))
        return Result(_as_outputs(done.outputs), done.counts, done.steps, done.seconds, done.provenance, self.trains)

    def interpret(self, images: Images, level: str | None = None) -> Outputs:
        """The output of a level, by default the target's, under the reference interpreter.

        Raises:
            InputError: the images do not fit.
            OptionError: there is no such level.
        """
        return self._interpret(self._checked(images), level or self.backend.level)

    def _interpret(self, arrays: Sequence[Array], level: str) -> Outputs:
        from neurocuda.reference.interpreter import interpret

        return _as_outputs(interpret(self.level(level), self.weights, arrays))

    def evaluate(
        self,
        images: Images,
        labels: object,
        *,
        level: str | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Accuracy (largest output, of trains largest sum over time), spikes and latency on labelled images.

        With `level` the reference interpreter runs that level instead of the target, e.g. "ann-quantized".

        Raises:
            InputError: images or labels do not fit.
            OptionError: there is no such level.
        """
        arrays = self._checked(images)
        truth = labels_of(labels, len(arrays[0]))
        if level is None:
            found = self._evaluate_target(arrays, truth, threads, progress)
        else:
            found = self._evaluate_level(arrays, truth, level, progress)
        self.evaluations[level or self.target] = found
        return found

    def _evaluate_target(
        self, arrays: Sequence[Array], truth: NDArray[np.int64], threads: int | None, progress: Progress | None
    ) -> Evaluation:
        activity = Activity(self.code, self.layers)
        correct, seconds, steps, provenance = 0, 0.0, 0, ""
        for part in self._parts(len(truth), progress):
            result = self._run(self.program, [array[part] for array in arrays], counts=True, threads=threads)
            correct += correct_answers(result.scores, truth[part])
            activity.add(result.counts)
            seconds, steps, provenance = seconds + result.seconds, result.steps, result.provenance
        accuracy, latency = Accuracy(correct, len(truth)), seconds / len(truth)
        if self.trains:
            spikes, sparsity = activity.spikes_per_neuron, activity.sparsity
            return Evaluation(accuracy, spikes, sparsity, latency, steps, provenance)
        few = [array[:WATCHED] for array in arrays]
        operations = operations_of(self.levels["snn-integer"], self.weights, few)
        on_the_way = self.code == "signed"
        seen = operations.spikes / max(1, self.neurons)
        return Evaluation(
            accuracy,
            seen if on_the_way else activity.spikes_per_neuron,
            activity.sparsity,
            latency,
            steps,
            provenance,
            operations,
            operations.images if on_the_way else None,
        )

    def _evaluate_level(
        self, arrays: Sequence[Array], truth: NDArray[np.int64], level: str, progress: Progress | None
    ) -> Evaluation:
        started, correct = perf_counter(), 0
        for part in self._parts(len(truth), progress):
            outputs = self._interpret([array[part] for array in arrays], level)
            correct += correct_answers(_scores(outputs, over_time=self.trains), truth[part])
        seconds = (perf_counter() - started) / len(truth)
        return Evaluation(Accuracy(correct, len(truth)), None, None, seconds, 1, f"{REFERENCE}: level {level}")

    def _parts(self, images: int, progress: Progress | None) -> Iterator[slice]:
        """So many images at a time that their spike counts fit into memory."""
        size = max(1, min(EVALUATED_AT_ONCE, COUNTED_BYTES // (COUNT_BYTES * max(1, self.neurons))))
        for start in range(0, images, size):
            stop = min(start + size, images)
            yield slice(start, stop)
            if progress is not None:
                progress(stop, images)

    def validate(self, images: Images, against: str | None = None) -> Validation:
        """Compares every stage with the one before on images, and the target with the last of them.

        Exact stages are compared neuron by neuron; a free-running network's residual certificate is reported instead.
        `against` compares the target with one thing only: "reference" (the interpreter, step by step) or another
        target that can say the network's code.

        Raises:
            InputError: the images do not fit.
            TargetError: there is no target `against`, or it cannot say the code.
        """
        return self.validate_arrays(self._checked(images), against)

    def validate_arrays(self, inputs: Sequence[Array], against: str | None = None) -> Validation:
        """As `validate`, for one checked array per input."""
        self.validation = Validator(self).run(inputs, against)
        return self.validation

    def analyze(self, images: Images, labels: object = None, *, progress: Progress | None = None) -> Analysis:
        """Where accuracy went: every layer's error against the float network, taken apart by cause.

        Without labels, the float network's own answers count as right. Everything but the target runs in the reference
        interpreter: a few hundred images are enough.

        Raises:
            InputError: images or labels do not fit.
            ToolchainError: a tool that the target needs is missing.
        """
        from neurocuda.measure.analyzing import Analyzer

        arrays = self._checked(images)
        truth = None if labels is None else labels_of(labels, len(arrays[0]))
        return Analyzer(self).run(arrays, truth, progress)

    def neurobench(self, images: Images, labels: object) -> NeuroBench:
        """This network and the float network it came from in NeuroBench's terms, and the accuracy of both.

        Both run in the reference interpreter, this one step by step: a hundred images are enough. What was found is
        kept for `report`.

        Raises:
            InputError: images or labels do not fit.
            OptionError: the network is one of spike trains.
        """
        from neurocuda.measure.neurobench import neurobench

        arrays = self._checked(images)
        self.in_neurobench = neurobench(self, arrays, labels_of(labels, len(arrays[0])))
        return self.in_neurobench

    def certificate(self) -> Certificate:
        """Why the spikes say the integer network's counts, and what of that was checked so far."""
        from neurocuda.measure.certificate import certificate

        return certificate(self)

    def ir(self, level: str | None = None, *, locations: bool = False) -> str:
        """The text of a level, large weights by name only; without `level`, the target's.

        Raises:
            OptionError: there is no such level.
        """
        from neurocuda.ir.printing import module_text

        return module_text(self.level(level or self.backend.level), self.context, locations=locations, elide=True)

    def report(self) -> str:
        """What was compiled, layer by layer, and what is known of its accuracy and cost."""
        from neurocuda.measure.report import report

        return report(self)

    def save(self, path: str | Path) -> None:
        """Writes a `.nca` artefact: IR of every level, weights, target code, hashes.

        Raises:
            WriteError: the file cannot be written; nothing half-written is left behind.
            OptionError: `path` is no path.
        """
        from neurocuda.artifact import save

        save(self, as_path(path))

    def export(self, folder: str | Path) -> tuple[Path, ...]:
        """Writes what the target takes into a folder: C code and weights, or a .nir file. Returns what was written.

        Raises:
            WriteError: a file cannot be written; nothing half-written is left behind.
            OptionError: `folder` is no path.
            ToolchainError: a tool that the target needs for writing is missing.
        """
        from neurocuda.ir.files import write_all

        files = self.backend.emit(self.levels[self.backend.level], self.weights)
        written = {as_path(folder) / name: content for name, content in files.items()}
        write_all(written)
        return tuple(written)

    def level(self, name: str) -> ModuleOp:
        """The module at a level.

        Raises:
            OptionError: there is no such level.
        """
        if name not in self.levels:
            raise OptionError(f"there is no level '{name}'; there are {', '.join(self.levels)}")
        return self.levels[name]

    def _checked(self, images: Images) -> list[Array]:
        arrays = checked(as_arrays(images), self.inputs)
        for place, taken in self._ranges.items():
            taken.require(arrays[place], "recording")
        return arrays

    @cached_property
    def _ranges(self) -> Mapping[int, CountRange]:
        """What the inputs of a network of spike trains in integers take, by their place."""
        integers = self.trains and self.source == "snn-integer"
        return count_ranges(self.levels[self.source], self.weights) if integers else {}


def _require_place(on: str | None) -> None:
    """
    Raises:
        OptionError: there is nothing to run on by that name.
    """
    if on not in (None, REFERENCE):
        raise OptionError(f'a network runs on its target, or on="{REFERENCE}", not on={on!r}')


def _as_outputs(arrays: Sequence[Array]) -> Outputs:
    outputs = tuple(np.asarray(array, np.float32) for array in arrays)
    return outputs[0] if len(outputs) == 1 else outputs


def _scores(outputs: Outputs, *, over_time: bool) -> NDArray[np.float32]:
    """
    Raises:
        InputError: the first output has no axis of classes.
    """
    first = outputs[0] if isinstance(outputs, tuple) else outputs
    found = first.sum(axis=1) if over_time else first
    if found.ndim < 2:
        raise InputError("accuracy needs an output with one score per class")
    return found
