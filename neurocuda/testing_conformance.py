"""What every target must do, as checks that its tests call: a new target gets its conformance tests in a few lines.

    CHECKED = conformance_cases(BACKEND.constraints.codes, 20)

    def test_random_networks() -> None:
        conformance = check_networks(BACKEND, CHECKED)
        if conformance.not_run:
            pytest.skip(conformance.not_run)

    @pytest.mark.parametrize("check", CHECKS)
    def test_what_every_target_does(check: Check) -> None:
        check(BACKEND)

A check that fails raises AssertionError and says for which network.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.compiling import demands_of
from neurocuda.errors import (
    InputError,
    NeuroCudaError,
    NeuroCudaWarning,
    OptionError,
    ProblemsError,
    TargetError,
    ToolchainError,
    WriteError,
)
from neurocuda.ir.backend import REFERENCE, Backend, Execution, RunOptions
from neurocuda.ir.chip import Chip
from neurocuda.ir.constraints import set_constraints
from neurocuda.ir.files import write_all
from neurocuda.ir.layout import Layout
from neurocuda.ir.origin import origin_of
from neurocuda.ir.pipelines import parse_pipeline
from neurocuda.ir.resources import ResourceUser
from neurocuda.ir.validation import observe
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.exactness import Counts, compare, counts_of
from neurocuda.options import Conversion
from neurocuda.passes.snn.verify_target import shortages
from neurocuda.pipeline import Line, Stage, balance_stage, integer_stages, source_of, spikes_stage, target_stage
from neurocuda.reference.interpreter import interpret
from neurocuda.registry import merged_universe
from neurocuda.testing import Array, RandomNetwork, random_dense_network, random_network

Check: TypeAlias = Callable[[Backend], None]

KINDS: Mapping[str, tuple[str, ...]] = {
    "dense": (),
    "convolution": ("plain", "depthwise"),
    "residual": ("residual",),
    "maximum pooling": ("max_pooled", "plain"),
    "sum pooling": ("sum_pooled", "plain"),
    "concatenation": ("joined",),
    "mixed": ("plain", "residual", "joined", "max_pooled", "sum_pooled", "depthwise"),
}
"""What the networks are made of: blocks of `random_network`; none stands for layers of vectors."""

TIMESTEPS = (1, 3, 4, 7)
"""Levels of an activation that are drawn from."""

IMAGES = 4
BLOCKS = 3

UNPLACED = "it is not said which layer is meant"

PROVENANCES = ("simulator: ", "hardware: ")
"""How a provenance begins, besides with the target's own name."""


@dataclass(frozen=True)
class Case:
    """A random network: its seed, what it is made of (one of `KINDS`), its code, levels and execution."""

    seed: int
    kind: str
    code: str
    timesteps: int
    execution: str = "events"

    def __str__(self) -> str:
        return f"network {self.seed} ({self.kind}) in code {self.code}, T = {self.timesteps}, as {self.execution}"

    @property
    def network(self) -> RandomNetwork:
        """The network and images for it; some have levels of their own per layer, huge weights, or uneven padding."""
        mixed, extreme, uneven = np.random.default_rng((self.seed, 1)).random(3) < (0.25, 0.2, 0.3)
        mixed_levels = bool(mixed) and self.code != "free"
        if not KINDS[self.kind]:
            return random_dense_network(self.seed, images=IMAGES, mixed_levels=mixed_levels, extreme=bool(extreme))
        return random_network(
            self.seed,
            images=IMAGES,
            mixed_levels=mixed_levels,
            extreme=bool(extreme),
            blocks=BLOCKS,
            kinds=KINDS[self.kind],
            even=not uneven,
        )


def conformance_cases(codes: Sequence[str], count: int, first: int = 0, execution: str = "events") -> tuple[Case, ...]:
    """So many networks, with seeds from `first` on; kinds and codes take turns, levels are drawn."""
    kinds, cases = list(KINDS), list[Case]()
    for seed in range(first, first + count):
        turn, kind = divmod(seed, len(kinds))
        timesteps = int(np.random.default_rng(seed).choice(TIMESTEPS))
        cases.append(Case(seed, kinds[kind], codes[(turn + kind) % len(codes)], timesteps, execution))
    return tuple(cases)


@dataclass(frozen=True)
class Conformance:
    """What became of the networks.

    Attributes:
        counts: how many counts and outputs were compared, and all equal, by network.
        refused: why the others cannot be compiled.
        not_run: why nothing ran on the target itself; empty where it did.
    """

    counts: Mapping[Case, int] = field(default_factory=dict[Case, int])
    refused: Mapping[Case, str] = field(default_factory=dict[Case, str])
    not_run: str = ""

    @property
    def share(self) -> float:
        """The share of the networks that compile."""
        return len(self.counts) / max(1, len(self.counts) + len(self.refused))

    def __str__(self) -> str:
        refusals = "".join(f"\n  {case} is refused: {reason}" for case, reason in self.refused.items())
        where = f"the interpreter only ({self.not_run})" if self.not_run else "the target"
        return (
            f"{len(self.counts)} of {len(self.counts) + len(self.refused)} networks compile, "
            f"0 of {sum(self.counts.values()):,} counts differ on {where}{refusals}"
        )


@dataclass(frozen=True)
class Lowered:
    """A network in spikes and at the target's level, the store of both, and images."""

    spikes: ModuleOp
    module: ModuleOp
    weights: WeightStore
    images: Array


def lower(backend: Backend, case: Case) -> Lowered:
    """Takes a network through the whole line, from floats to the level of the target and the limits of its chip.

    Raises:
        ProblemsError: the line, or the target, refuses it.
    """
    network = case.network
    conversion = Conversion(code=case.code, timesteps=case.timesteps, calibration="mse", execution=case.execution)
    set_constraints(network.module, demands_of(backend, conversion)[case.code])
    line = Line.start(network.context, network.module)
    stages = (
        Stage("ann-convertible", ("calibrate", *balance_stage(conversion).passes)),
        *integer_stages(conversion, images=True),
        spikes_stage(case.code),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroCudaWarning)
        for stage in stages:
            line.run(stage)
        line = line.back_at(source_of(backend, conversion, case.code))
        line.run(target_stage(backend, backend.default_chip))
    return Lowered(line.levels["snn-integer"], line.levels[backend.level], network.weights, network.images)


def check_networks(backend: Backend, cases: Sequence[Case], least: float = 0.5, images: int = IMAGES) -> Conformance:
    """Takes every network through the whole line and compares the target with the spikes, count by count.

    The target's level is interpreted in every case; where its tools are there, its program runs, too, on
    `images` images: fewer where a simulator is slow. At least `least` of all networks must compile, and one of every
    code and kind. What is refused must say which layer is meant.
    """
    available = backend.availability()
    counts: dict[Case, int] = {}
    refused: dict[Case, str] = {}
    for case in cases:
        try:
            lowered = lower(backend, case)
        except ProblemsError as refusal:
            _require_places(case, refusal)
            refused[case] = str(refusal)
            continue
        counts[case] = compare_level(backend, case, lowered)
        if available.ready:
            counts[case] += compare_run(backend, case, replace(lowered, images=lowered.images[:images]))
    found = Conformance(counts, refused, "" if available.ready else available.detail)
    assert found.share >= least, f"fewer than {least:.0%} of the networks compile: {found}"
    for name in ("code", "kind"):
        missing = {getattr(case, name) for case in cases} - {getattr(case, name) for case in counts}
        assert not missing, f"no network of {name} {', '.join(sorted(missing))} compiles: {found}"
    return found


def _require_places(case: Case, refusal: ProblemsError) -> None:
    """The whole network has no place, its layers have."""
    for problem in refusal.problems:
        assert problem.where or not problem.what.startswith("`"), f"{case}: {UNPLACED}: {problem}"


def compare_level(backend: Backend, case: Case, lowered: Lowered) -> int:
    """How many counts and outputs of the target's level, interpreted, were compared; all are those of the spikes."""
    inputs = [lowered.images]
    expected = counts_of(lowered.spikes, lowered.weights, inputs)
    scaled, _ = observe(lowered.spikes, lowered.weights, inputs)
    found, _ = observe(lowered.module, lowered.weights, inputs)
    wanted = {name: scaled[name] if name in found else counts for name, counts in expected.items()}
    return _equal(case, backend.level, wanted, {**_integers(lowered, expected), **found})


def _integers(lowered: Lowered, layers: Counts) -> dict[str, Array]:
    """What layers said at the target's level: those whose scale is not known there, too."""
    said: dict[str, Array] = {}

    def note(op: Operation, values: Array) -> None:
        origin = origin_of(op)
        layer = None if origin is None else layers.get(origin)
        if origin is not None and layer is not None and layer.shape == values.shape and values.dtype.kind in "iu":
            said[origin] = values

    interpret(lowered.module, lowered.weights, [lowered.images], note)
    return said


def compare_run(backend: Backend, case: Case, lowered: Lowered) -> int:
    """How many counts and outputs of the target's program were compared; all are those of the spikes."""
    done = _run(backend, lowered)
    outputs = {f"output {index}": output for index, output in enumerate(done.outputs)}
    expected = counts_of(lowered.spikes, lowered.weights, [lowered.images])
    return _equal(case, f"the program ({done.provenance})", expected, {**done.counts, **outputs})


def _run(backend: Backend, lowered: Lowered) -> Execution:
    return backend.load(lowered.module, lowered.weights).run([lowered.images], RunOptions(counts=True))


def _equal(case: Case, after: str, expected: Counts, found: Counts) -> int:
    comparison = compare("snn-integer", after, expected, found)
    assert comparison.exact, f"{case}: {comparison}"
    return comparison.counts


# What every target does besides


def _sample(backend: Backend) -> Lowered:
    """The first network that compiles."""
    refused: list[str] = []
    for case in conformance_cases(backend.constraints.codes, 2 * len(KINDS)):
        try:
            return lower(backend, case)
        except ProblemsError as refusal:
            refused.append(f"{case}: {refusal}")
    raise AssertionError("\n".join(["no network compiles:", *refused]))


def _require(expected: type[Exception], what: str, action: Callable[[], object]) -> str:
    """What an error says that has to come."""
    try:
        action()
    except expected as reason:
        return str(reason)
    raise AssertionError(f"{what} is taken, and should be refused with a {expected.__name__}")


def check_availability(backend: Backend) -> None:
    """Says what there is, or how to get it; without its tools nothing runs instead."""
    state = backend.availability()
    assert state.detail, "availability says neither what was found nor how to get it"
    if not state.ready:
        lowered = _sample(backend)
        told = _require(ToolchainError, "a missing tool", lambda: _run(backend, lowered))
        assert state.detail in told, f"a run does not say how to get what is missing ({state.detail}): {told}"


def check_emission(backend: Backend) -> None:
    """Gives the same bytes every time, changes nothing, takes nothing else, and is written whole or not at all."""
    lowered = _sample(backend)
    given = str(lowered.module)
    try:
        files = backend.emit(lowered.module, lowered.weights)
    except ToolchainError:
        assert not backend.availability().ready, "everything is there, and emission fails"
        return
    assert files, "nothing is emitted"
    assert files == backend.emit(lowered.module, lowered.weights), "two emissions differ"
    assert str(lowered.module) == given, "emission changes the module"
    for name, content in files.items():
        assert content, f"{name} is empty"
    _require(NeuroCudaError, "a network at another level", lambda: backend.emit(lowered.spikes, lowered.weights))
    _check_that_all_or_nothing_is_written(files)


def _check_that_all_or_nothing_is_written(files: Mapping[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        written = {Path(folder) / name: content for name, content in files.items()}
        blocked = list(written)[-1]
        blocked.mkdir(parents=True)
        _require(WriteError, "a folder in the way", lambda: write_all(written))
        left = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert not left, f"after an error these are left: {left}"


def check_limits(backend: Backend) -> None:
    """Says where its numbers come from, and refuses what is beyond any of its limits, an operation with its place."""
    for chip in backend.chips.values():
        figures = {name: limit.figure for name, limit in chip.limits.items()} | {**chip.energies, **chip.constants}
        unsourced = [name for name, figure in figures.items() if not figure.source.strip()]
        assert not unsourced, f"chip {chip.name} does not say where {', '.join(unsourced)} is from"
    lowered, chip = _sample(backend), backend.chip()
    layout = backend.layout(lowered.module, lowered.weights, chip.name) or Layout(chip, ())
    assert not shortages(lowered.module, layout)
    told = {name for core in layout.cores for name in core.uses}
    untold = {name for name, limit in chip.limits.items() if limit.per == "core"} - told
    assert not untold, f"a core has limits, and no core says how much it uses of {', '.join(sorted(untold))}"
    for name in _used(lowered.module, layout) & chip.limits.keys():
        problems = shortages(lowered.module, replace(layout, chip=_without(chip, name)))
        assert any(name in problem.why for problem in problems), f"a chip without any {name} is not told to lack it"
        for problem in problems:
            assert problem.where or not problem.what.startswith("`"), f"{UNPLACED}: {problem}"


def _used(module: ModuleOp, layout: Layout) -> set[str]:
    """What operations, cores and chips use something of."""
    amounts = [op.uses() for op in module.walk() if isinstance(op, ResourceUser)]
    amounts += [uses for per in ("core", "chip", "network") for _, uses in layout.uses(per)]
    return {name for uses in amounts for name, amount in uses.items() if amount > 0}


def _without(chip: Chip, name: str) -> Chip:
    """A chip that has nothing of one resource."""
    limit = chip.limits[name]
    return replace(chip, limits={**chip.limits, name: replace(limit, figure=replace(limit.figure, value=0))})


def check_options(backend: Backend) -> None:
    """Knows the passes of its pipeline, and refuses options and chips that there are not."""
    passes = merged_universe().all_passes
    for step in backend.pipeline:
        parse_pipeline(step.replace("$chip", backend.default_chip), passes)
        name = step.partition("{")[0]
        strange = f"{name}{{no-such-option=1}}"
        _require(OptionError, strange, lambda text=strange: parse_pipeline(text, passes))
    _require(TargetError, "an unknown chip", lambda: backend.chip("no-such-chip"))


def check_run(backend: Backend) -> None:
    """Says what ran, gives the same twice, counts when asked to, keeps its inputs, and refuses what does not fit."""
    if not backend.availability().ready:
        return
    lowered = _sample(backend)
    images = lowered.images.copy()
    program = backend.load(lowered.module, lowered.weights)
    first, second = (program.run([images], RunOptions()) for _ in range(2))
    assert np.array_equal(images, lowered.images), "a run changes its inputs"
    assert not first.counts, "counts were not asked for"
    assert first.steps > 0, "a run takes no steps"
    known = (*PROVENANCES, f"{backend.name}: ")
    assert first.provenance == REFERENCE or first.provenance.startswith(known), f"what is '{first.provenance}'?"
    for one, other in zip(first.outputs, second.outputs, strict=True):
        assert np.array_equal(one, other), "two runs differ"
    _require(InputError, "a run without inputs", lambda: program.run([]))
    _require(InputError, "an input of another shape", lambda: program.run([images[:, :-1]]))


CHECKS: tuple[Check, ...] = (check_availability, check_emission, check_limits, check_options, check_run)
"""What every target does, whatever the network."""
