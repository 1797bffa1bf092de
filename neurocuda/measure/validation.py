"""Every stage of a compiled network compared with the one before, down to the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from neurocuda.errors import TargetError
from neurocuda.images import Array
from neurocuda.ir.backend import REFERENCE
from neurocuda.measure.exactness import Comparison, Counts, Residual, compare, counts_of, residuals_of
from neurocuda.measure.words import counted
from neurocuda.reference.interpreter import interpret

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled
    from neurocuda.ir.backend import Program

JoinedT = TypeVar("JoinedT", Comparison, "Divergence")

FLOATS = ("ann-imported", "ann-convertible", "ann-quantized")
"""Levels whose outputs move, in order."""

INTEGERS = ("ann-quantized", "snn-count", "snn-integer")
"""Levels that hold the same integers, in order."""

NEARLY = 1e-4
"""Floats that differ by less than this share of the largest are the same, but for rounding."""

TOLERATED = 1e-3
"""The share of values that rounding may change where networks are made of floats: one spike moved moves others."""

AT_ONCE = 16
"""Images whose counts are held at every level at the same time."""


@dataclass(frozen=True)
class Drift:
    """How far the outputs move from one level to the next.

    `rms` is the root mean square of the differences, `size` that of the outputs before; `agreement` is the share of
    images whose largest output stays the largest.
    """

    before: str
    after: str
    rms: float
    size: float
    agreement: float

    def __str__(self) -> str:
        return (
            f"{self.before} -> {self.after}: outputs move by {self.rms:.3g} (root mean square; their own is "
            f"{self.size:.3g}), {100 * self.agreement:.1f} % of classes stay"
        )


@dataclass(frozen=True)
class Divergence:
    """What a target makes of a network of floats, whose sums it rounds in another order.

    `values` are the spikes of every neuron, summed over time, and every output at every step; `differing` those that
    differ, of outputs that are no spikes by more than 1e-4 of the largest; `largest` is the largest difference.
    """

    before: str
    after: str
    values: int
    differing: int
    largest: float

    @property
    def small(self) -> bool:
        """Whether so few values differ that the order of additions explains it."""
        return self.differing <= TOLERATED * self.values

    def joined(self, other: Divergence) -> Divergence:
        """The same on further recordings."""
        values, differing = self.values + other.values, self.differing + other.differing
        return Divergence(self.before, self.after, values, differing, max(self.largest, other.largest))

    def __str__(self) -> str:
        return (
            f"{self.before} -> {self.after}: {self.differing:,} of {self.values:,} spike counts and outputs differ, by "
            f"at most {self.largest:.3g} (floats are added up in another order)"
        )


@dataclass(frozen=True)
class Validation:
    """Every stage compared with the one before: exact stages count by count, the others by how far outputs move.

    `recorded` says that an artefact tells of it, and that it was not made by this process.
    """

    images: int
    exact: tuple[Comparison, ...]
    residuals: tuple[Residual, ...]
    drifts: tuple[Drift, ...]
    divergences: tuple[Divergence, ...] = ()
    recorded: bool = False

    @property
    def passed(self) -> bool:
        """Whether every stage that promises equality kept it, or floats nearly, and all outputs are numbers."""
        kept = all(comparison.exact for comparison in self.exact) and all(each.small for each in self.divergences)
        return kept and all(isfinite(drift.rms) for drift in self.drifts)

    @property
    def mismatches(self) -> int:
        """Counts that differ where they should be equal."""
        return sum(comparison.mismatches for comparison in self.exact)

    @property
    def counts(self) -> int:
        """Counts that were compared where they should be equal."""
        return sum(comparison.counts for comparison in self.exact)

    @property
    def headline(self) -> str:
        """The outcome in a line."""
        when = " before saving" if self.recorded else ""
        outcome = "passed" if self.passed else "FAILED"
        if self.divergences:
            values, differing = (sum(getattr(d, name) for d in self.divergences) for name in ("values", "differing"))
            what = f"{differing:,} of {values:,} spike counts and outputs of floats differ"
            return f"validated on {counted(self.images, 'recording')}{when}: {outcome}, {what}"
        return (
            f"validated on {counted(self.images, 'image')}{when}: {outcome}, {self.mismatches:,} of {self.counts:,} "
            "counts differ where they should be equal"
        )

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  {item}" for item in (*self.drifts, *self.exact, *self.divergences)]
        off = [residual for residual in self.residuals if residual.off]
        if self.residuals and not off:
            lines.append("  no neuron has a residual: these inferences equal the integer network")
        return "\n".join([*lines, *(f"  {residual}" for residual in off)])


class Validator:
    """Compares the levels of one compiled network."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.weights = compiled.weights
        self.levels = compiled.levels

    def run(self, inputs: Sequence[Array], against: str | None) -> Validation:
        """Compares everything, or the target with one other thing.

        Raises:
            TargetError: there is no target `against`, or it cannot say the network's code.
        """
        if self.compiled.trains:
            return self._trains(inputs, against)
        images = len(inputs[0])
        other = None if against in (None, REFERENCE) else self._other(str(against))
        exact: list[Comparison] = []
        residuals: list[Residual] = []
        for start in range(0, images, AT_ONCE):
            part = [array[start : start + AT_ONCE] for array in inputs]
            found = self._compared(part, against, other)
            exact = found if not exact else [old.joined(new) for old, new in zip(exact, found, strict=True)]
            if self.compiled.code == "free" and against is None:
                more = residuals_of(self.levels["snn-integer"], self.weights, part)
                residuals = (
                    more if not residuals else [old.joined(new) for old, new in zip(residuals, more, strict=True)]
                )
        drifts = self._drifts(inputs) if against is None else ()
        return Validation(images, tuple(exact), tuple(residuals), drifts)

    def _trains(self, inputs: Sequence[Array], against: str | None) -> Validation:
        """Integers are compared with the target value by value; of floats, what differs is counted."""
        source, images = self.compiled.source, len(inputs[0])
        other = None if against in (None, REFERENCE) else self._other(str(against))
        exact: list[Comparison] = []
        divergences: list[Divergence] = []
        for start in range(0, images, AT_ONCE):
            part = [array[start : start + AT_ONCE] for array in inputs]
            found = self._counted(self.compiled.program, part)
            expected = (
                counts_of(self.levels[source], self.weights, part) if other is None else self._counted(other, part)
            )
            names = (source if other is None else str(against), self.compiled.target)
            if source == "snn-integer":
                exact.append(compare(*names, expected, found))
            else:
                divergences.append(divergence(*names, expected, found))
        moved = against is None and source == "snn-integer"
        outputs = [self._output(level, inputs).sum(axis=1) for level in ("snn", source)] if moved else []
        drifts = (drift("snn", source, *outputs),) if moved else ()
        return Validation(images, _all(exact), (), drifts, _all(divergences))

    def _compared(self, inputs: Sequence[Array], against: str | None, other: Program | None) -> list[Comparison]:
        target = self._counted(self.compiled.program, inputs)
        if against is not None and other is not None:
            return [compare(against, self.compiled.target, self._counted(other, inputs), target)]
        levels = INTEGERS if against is None else INTEGERS[-1:]
        counts = {level: counts_of(self.levels[level], self.weights, inputs) for level in levels}
        pairs = [pair for pair in pairwise(levels) if self._is_exact(pair[1])]
        last = levels[-1]
        return [
            *(compare(before, after, counts[before], counts[after]) for before, after in pairs),
            compare(last, self.compiled.target, counts[last], target),
        ]

    def _is_exact(self, level: str) -> bool:
        return self.compiled.code != "free" or level != "snn-integer"

    def _counted(self, program: Program, inputs: Sequence[Array]) -> Counts:
        from neurocuda.ir.backend import RunOptions

        done = program.run(inputs, RunOptions(counts=True))
        outputs = {f"output {index}": np.asarray(output, np.float32) for index, output in enumerate(done.outputs)}
        return dict(done.counts) | outputs

    def _other(self, target: str) -> Program:
        """The same spikes on another target."""
        from neurocuda.pipeline import Line, target_stage
        from neurocuda.targeting import resolve_target

        backend, chip = resolve_target(target)
        says = backend.runs_trains if self.compiled.trains else self.compiled.code in backend.constraints.codes
        if not says:
            raise TargetError(f'target {target} has no code "{self.compiled.code}"')
        line = Line(self.compiled.context, self.levels[self.compiled.source].clone(), {}, {}, {})
        line.run(target_stage(backend, chip))
        return backend.load(line.module, self.weights)

    def _drifts(self, inputs: Sequence[Array]) -> tuple[Drift, ...]:
        names = (*FLOATS, "snn-integer") if self.compiled.code == "free" else FLOATS
        outputs = {name: self._output(name, inputs) for name in names}
        return tuple(drift(before, after, outputs[before], outputs[after]) for before, after in pairwise(names))

    def _output(self, level: str, inputs: Sequence[Array]) -> Array:
        parts = [
            interpret(self.levels[level], self.weights, [array[start : start + AT_ONCE] for array in inputs])[0]
            for start in range(0, len(inputs[0]), AT_ONCE)
        ]
        return np.concatenate(parts).astype(np.float64)


def _all(parts: Sequence[JoinedT]) -> tuple[JoinedT, ...]:
    """What was found on all parts of the images, as one."""
    return (reduce(lambda one, other: one.joined(other), parts),) if parts else ()


def divergence(before: str, after: str, expected: Counts, found: Counts) -> Divergence:
    """Compares what two of them make of a network of floats."""
    values, differing, largest = 0, 0, 0.0
    for name, old in expected.items():
        difference = np.abs(found[name].astype(np.float64) - old)
        integers = old.dtype.kind != "f"
        tolerated = 0.0 if integers else NEARLY * float(np.abs(old).max(initial=0))
        values += difference.size
        differing += int((difference > tolerated).sum())
        largest = max(largest, float(difference.max(initial=0)))
    return Divergence(before, after, values, differing, largest)


def drift(before: str, after: str, old: Array, new: Array) -> Drift:
    """How far outputs moved; both have the batch axis first."""
    rms = float(np.sqrt(np.square(new - old).mean()))
    size = float(np.sqrt(np.square(old).mean()))
    classes = [array.reshape(len(array), -1).argmax(axis=1) for array in (old, new)]
    return Drift(before, after, rms, size, float((classes[0] == classes[1]).mean()))
