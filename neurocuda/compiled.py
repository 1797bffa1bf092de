"""A compiled network: running it, measuring it, checking it, saving it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import InputError, OptionError
from neurocuda.images import Images, as_arrays, checked
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.exactness import Comparison, Residual, compare, counts_of, residuals_of
from neurocuda.options import Conversion, Normalize

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.backend import Backend, Program
    from neurocuda.ir.weights import WeightStore

Array: TypeAlias = NDArray[np.generic]
Progress: TypeAlias = Callable[[int, int], None]
"""Called with (images done, images in all)."""

REFERENCE = "reference"
"""The word for results of the interpreter."""

EQUAL_LEVELS = ("ann-quantized", "snn-count", "snn-integer")
"""Levels that hold the same integers, in order."""


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        outputs: float32, batch axis first; a tuple of them where the network has several outputs.
        counts: spikes of every neuron per image, by layer, integers with the batch axis first; empty unless asked for.
        steps: time steps per image.
        seconds: the time the whole run took, measured.
        provenance: what ran: "reference", "simulator: ..." or "hardware: ..."; for native code the target and compiler.
    """

    outputs: NDArray[np.float32] | tuple[NDArray[np.float32], ...]
    counts: Mapping[str, Array]
    steps: int
    seconds: float
    provenance: str


@dataclass(frozen=True)
class Evaluation:
    """Accuracy and activity on labelled images.

    `spikes_per_neuron` is the mean per image over all neurons, `sparsity` the share of neurons that stayed silent;
    both are None where the run counted no spikes. `seconds_per_image` is measured, over the whole run.
    """

    accuracy: Accuracy
    spikes_per_neuron: float | None
    sparsity: float | None
    seconds_per_image: float
    steps: int
    provenance: str

    def __str__(self) -> str:
        activity = ""
        if self.spikes_per_neuron is not None and self.sparsity is not None:
            activity = (
                f", {self.spikes_per_neuron:.2f} spikes per neuron, {100 * self.sparsity:.1f} % of neurons silent"
            )
        latency = f"{1e3 * self.seconds_per_image:.2f} ms per image (measured), {self.steps} steps"
        return f"{self.accuracy}{activity}, {latency}, {self.provenance}"


@dataclass(frozen=True)
class Validation:
    """Every stage compared with the one before: exact stages count by count, the others by how far they moved."""

    images: int
    exact: tuple[Comparison, ...]
    residuals: tuple[Residual, ...]
    deviations: Mapping[str, float]

    @property
    def passed(self) -> bool:
        """Whether every stage that promises equality kept it."""
        return all(comparison.exact for comparison in self.exact)

    @property
    def mismatches(self) -> int:
        """Counts that differ where they should be equal."""
        return sum(comparison.mismatches for comparison in self.exact)

    def __str__(self) -> str:
        lines = [f"validated on {self.images} images"]
        lines += [f"  {name}: root mean square deviation {rms:.4g}" for name, rms in self.deviations.items()]
        lines += [f"  {comparison}" for comparison in self.exact]
        lines += [f"  {residual}" for residual in self.residuals if residual.off]
        return "\n".join(lines)


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

    @property
    def target(self) -> str:
        """The target, "<backend>:<chip>"."""
        return f"{self.backend.name}:{self.chip}"

    @property
    def weights(self) -> WeightStore:
        """The store of every level's constants."""
        from neurocuda.ir.context import weights_of

        return weights_of(self.context)

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
        counts: bool = False,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Result:
        """Runs images on the target.

        Args:
            images: batch axis first; uint8 where the network was compiled with preprocessing, else floats.
            counts: also return the spikes of every neuron.
            threads: how many, where the target has threads; None for one per processor.

        Raises:
            InputError: the images do not fit.
            ToolchainError: a tool that the target needs is missing.
        """
        from neurocuda.ir.backend import RunOptions

        arrays = self._checked(images, "images")
        if threads is not None and threads < 1:
            raise OptionError(f"threads must be positive, not {threads}")
        done = self.program.run(arrays, RunOptions(counts=counts, threads=threads, progress=progress))
        outputs = tuple(np.asarray(output, np.float32) for output in done.outputs)
        return Result(
            outputs[0] if len(outputs) == 1 else outputs, done.counts, done.steps, done.seconds, done.provenance
        )

    def interpret(self, images: Images, level: str | None = None) -> NDArray[np.float32]:
        """The first output of a level under the reference interpreter.

        Raises:
            InputError: the images do not fit.
            OptionError: there is no such level.
        """
        from neurocuda.reference.interpreter import interpret

        module = self._level(level or self.backend.level)
        return np.asarray(interpret(module, self.weights, self._checked(images, "images"))[0], np.float32)

    def evaluate(
        self,
        images: Images,
        labels: object,
        *,
        level: str | None = None,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Accuracy (largest output), spikes and latency on labelled images.

        With `level` the reference interpreter runs that level instead of the target, e.g. "ann-quantized".

        Raises:
            InputError: images or labels do not fit.
        """
        arrays = as_arrays(images)
        truth = _labels(labels, len(arrays[0]))
        if level is not None:
            return self._evaluate_level(arrays, truth, level)
        total = _Activity()
        correct, seconds, steps, provenance = 0, 0.0, 0, ""
        for start in range(0, len(truth), EVALUATED_AT_ONCE):
            batch = [array[start : start + EVALUATED_AT_ONCE] for array in arrays]
            result = self.run(batch[0] if len(batch) == 1 else _named(batch), counts=True, threads=threads)
            correct += _correct(_first(result.outputs), truth[start : start + EVALUATED_AT_ONCE])
            seconds, steps, provenance = seconds + result.seconds, result.steps, result.provenance
            total.add(result.counts)
            if progress is not None:
                progress(min(start + EVALUATED_AT_ONCE, len(truth)), len(truth))
        accuracy = Accuracy(correct, len(truth))
        return Evaluation(accuracy, total.spikes_per_neuron, total.sparsity, seconds / len(truth), steps, provenance)

    def _evaluate_level(self, arrays: Sequence[Array], truth: NDArray[np.int64], level: str) -> Evaluation:
        from time import perf_counter

        started, correct = perf_counter(), 0
        for start in range(0, len(truth), EVALUATED_AT_ONCE):
            batch = [array[start : start + EVALUATED_AT_ONCE] for array in arrays]
            outputs = self.interpret(batch[0] if len(batch) == 1 else _named(batch), level)
            correct += _correct(outputs, truth[start : start + EVALUATED_AT_ONCE])
        seconds = (perf_counter() - started) / len(truth)
        return Evaluation(Accuracy(correct, len(truth)), None, None, seconds, 1, f"{REFERENCE}: level {level}")

    def validate(self, images: Images, against: str | None = None) -> Validation:
        """Compares every stage with the one before on images, and the target with the last of them.

        Exact stages are compared neuron by neuron; a free-running network's residual certificate is reported instead.
        `against` compares the target with one thing only: "reference" (the interpreter at level snn-integer).

        Raises:
            InputError: the images do not fit.
            OptionError: `against` is unknown.
        """
        arrays = self._checked(images, "images")
        if against not in (None, REFERENCE, self.backend.name):
            raise OptionError(f'against must be "{REFERENCE}" or "{self.backend.name}", not {against!r}')
        counts = {level: counts_of(self.levels[level], self.weights, arrays) for level in self._exact_levels()}
        pairs = list(zip(list(counts), list(counts)[1:], strict=False)) if against is None else []
        exact = [compare(a, b, counts[a], counts[b]) for a, b in pairs]
        last = self._level("snn-integer")
        expected = counts.get("snn-integer") or counts_of(last, self.weights, arrays)
        exact.append(compare("snn-integer", self.target, expected, self._target_counts(arrays)))
        residuals = residuals_of(last, self.weights, arrays) if self.code == "free" else []
        deviations = self._deviations(arrays) if against is None else {}
        return Validation(len(arrays[0]), tuple(exact), tuple(residuals), deviations)

    def _exact_levels(self) -> list[str]:
        known = [level for level in EQUAL_LEVELS if level in self.levels]
        return known if self.code != "free" else [level for level in known if level != "snn-integer"]

    def _target_counts(self, arrays: Sequence[Array]) -> dict[str, Array]:
        result = self.run(arrays[0] if len(arrays) == 1 else _named(arrays), counts=True)
        outputs = result.outputs if isinstance(result.outputs, tuple) else (result.outputs,)
        return dict(result.counts) | {f"output {index}": output for index, output in enumerate(outputs)}

    def _deviations(self, arrays: Sequence[Array]) -> dict[str, float]:
        """How far the outputs moved at every level, root mean square, from the imported network's."""
        from neurocuda.reference.interpreter import interpret

        first, *others = [level for level in self.levels if level != self.backend.level]
        expected = np.asarray(interpret(self.levels[first], self.weights, arrays)[0], np.float64)
        found: dict[str, float] = {}
        for level in others:
            outputs = np.asarray(interpret(self.levels[level], self.weights, arrays)[0], np.float64)
            found[f"{first} -> {level}"] = float(np.sqrt(np.square(outputs - expected).mean()))
        return found

    def ir(self, level: str | None = None, *, locations: bool = False) -> str:
        """The text of a level, large weights by name only; without `level`, the target's.

        Raises:
            OptionError: there is no such level.
        """
        from neurocuda.ir.printing import module_text

        return module_text(self._level(level or self.backend.level), self.context, locations=locations, elide=True)

    def report(self) -> str:
        """What was compiled, layer by layer, and what is known of its accuracy and cost."""
        from neurocuda.measure.report import report

        return report(self)

    def save(self, path: str | Path) -> None:
        """Writes a `.nca` artefact: IR of every level, weights, target code, hashes.

        Raises:
            WriteError: the file cannot be written; nothing half-written is left behind.
        """
        from neurocuda.artifact import save

        save(self, Path(path))

    def _level(self, level: str) -> ModuleOp:
        if level not in self.levels:
            raise OptionError(f"there is no level '{level}'; there are {', '.join(self.levels)}")
        return self.levels[level]

    def _checked(self, images: Images, what: str) -> list[Array]:
        from neurocuda.ir.attributes import shape_of
        from neurocuda.reference.interpreter import main_function

        arguments = main_function(self.levels[self.backend.level]).body.block.args
        shapes = [shape_of(argument) for argument in arguments]
        return checked(as_arrays(images), shapes, pixels=self.preprocessing is not None, what=what)


EVALUATED_AT_ONCE = 256
"""Images between two reports of progress; spikes of more are not held at once."""


class _Activity:
    """Sums spikes over batches."""

    def __init__(self) -> None:
        self.spikes = 0
        self.silent = 0
        self.neurons = 0

    def add(self, counts: Mapping[str, Array]) -> None:
        for values in counts.values():
            self.spikes += int(values.sum())
            self.silent += int((values == 0).sum())
            self.neurons += values.size

    @property
    def spikes_per_neuron(self) -> float | None:
        return self.spikes / self.neurons if self.neurons else None

    @property
    def sparsity(self) -> float | None:
        return self.silent / self.neurons if self.neurons else None


def _named(arrays: Sequence[Array]) -> dict[str, Array]:
    return {f"input {index}": array for index, array in enumerate(arrays)}


def _first(outputs: NDArray[np.float32] | tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
    return outputs[0] if isinstance(outputs, tuple) else outputs


def _correct(outputs: NDArray[np.float32], truth: NDArray[np.int64]) -> int:
    return int((outputs.reshape(len(outputs), -1).argmax(axis=1) == truth).sum())


def _labels(labels: object, images: int) -> NDArray[np.int64]:
    """Class numbers, one per image.

    Raises:
        InputError: they are no whole numbers, or not as many as images.
    """
    array = as_arrays(labels)[0] if hasattr(labels, "detach") else np.asarray(labels)  # pyright: ignore[reportArgumentType]
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise InputError(f"labels: expected one class number per image, found {array.dtype} of shape {array.shape}")
    if len(array) != images:
        raise InputError(f"{images} images but {len(array)} labels")
    return array.astype(np.int64)
