"""What `compile` does, step by step, and what `explain` finds out on the way."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp

from neurocuda.compiled import Compiled
from neurocuda.dialects.ann.analysis import is_charge_of_another, is_layer
from neurocuda.dialects.ann.ops import InputOp, NeuronOp, RelayOp
from neurocuda.dialects.levels import ANN_CONVERTIBLE
from neurocuda.errors import (
    InputError,
    LevelError,
    NeuroCudaWarning,
    Problem,
    ProblemsError,
    PromiseError,
    TargetError,
    warn,
)
from neurocuda.images import Array
from neurocuda.imported import ImportedModel
from neurocuda.ir.constraints import Constraints, set_constraints
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.printing import referenced_keys
from neurocuda.ir.validation import IMAGES as VALIDATED_IMAGES
from neurocuda.ir.validation import random_inputs
from neurocuda.measure.agreement import answers
from neurocuda.measure.weight_format import FACT, has_limits, told_weight_format
from neurocuda.measure.words import counted
from neurocuda.options import Conversion
from neurocuda.passes.ann._narrowed import NARROWED
from neurocuda.passes.ann._statistics import IMAGES, STATISTICS, statistics_of
from neurocuda.passes.ann.calibrate_layers import FEWEST_IMAGES
from neurocuda.pipeline import (
    STRUCTURE,
    WALKS,
    Line,
    Stage,
    balance_stage,
    execution_of,
    float_stage,
    integer_stages,
    possible_codes,
    source_of,
    spikes_stage,
    target_stage,
)
from neurocuda.targeting import shared_constraints

if TYPE_CHECKING:
    from neurocuda.ir.backend import Backend

LADDER = (3, 4, 5, 7, 10, 15, 22, 31, 45, 63)
"""Numbers of time steps that timesteps="auto" tries, smallest first."""

Progress = Callable[[str], None]

Demands: TypeAlias = Mapping[str, Constraints]
"""What a target demands of integers, by the code that they are to be said in, the code to be tried first first."""


@dataclass
class Compilation:
    """One network on its way to one target.

    `images` are the calibration images, one array per input, or None. `progress` is told what happens next.
    """

    imported: ImportedModel
    images: Sequence[Array] | None
    backend: Backend
    chip: str
    conversion: Conversion
    progress: Progress | None = None

    def run(self, *, validate: bool) -> Compiled:
        """All stages, the target's program included.

        Raises:
            LevelError, UnsupportedModelError: lists everything that cannot be converted.
            PromiseError: `validate` found a broken promise, or counts that differ.
            ToolchainError: a tool that the target needs is missing.
        """
        started = perf_counter()
        demands = self._demands()
        module = self.imported.module.clone()
        sample = self._sample(module) if validate else None
        set_constraints(module, first(demands))
        self._give_images(module)
        line = Line.start(self.imported.context, module)
        line.run(float_stage(self.conversion), validate_on=sample, progress=self.progress)
        if self.images is not None:
            warn_of_silence(line)
            warn_of_few(self.images, self.conversion)
        facts = self._choose_timesteps(line)
        calibrated = line.branch()
        for stage in integer_stages(self.conversion, images=self.images is not None):
            line.run(stage, validate_on=sample, progress=self.progress)
        if has_limits(first(demands_of(self.backend, self.conversion))):
            self._say("comparing with integers without limits")
            facts[FACT] = told_weight_format(line, calibrated, self.conversion, self.images)
        line, code = in_spikes(
            line,
            demands,
            self.conversion,
            counted=[code for code in demands if self._reads_activity(code)],
            validate_on=sample,
            progress=self.progress,
        )
        line = line.back_at(source_of(self.backend, self.conversion, code))
        line.run(target_stage(self.backend, self.chip), validate_on=sample, progress=self.progress)
        self._forget_images(line)
        compiled = self._compiled(line, code, facts)
        self._say("building for the target")
        _ = compiled.program
        compiled.facts["seconds to compile after importing, measured"] = perf_counter() - started
        if sample is not None:
            self._say("comparing the target with the interpreter")
            require_kept(compiled, sample)
        return compiled

    def _say(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what)

    def _demands(self) -> Demands:
        """What the target demands of every code that the network may be said in; integers are chosen for the first.

        Raises:
            TargetError: the target has no such code, or cannot do what the conversion asks for.
        """
        if self.conversion.host == "allow" and not self.backend.runs_segments:
            raise TargetError(f'host="allow": target {self.backend.name} runs nothing on the host between layers')
        demands = demands_of(self.backend, self.conversion)
        if self.conversion.execution == "counts" and not self.backend.runs_counts:
            raise TargetError(f'execution="counts": target {self.backend.name} walks through time steps')
        bits, most = self.conversion.weight_bits, first(demands).weight_bits
        if bits is not None and bits > most:
            raise TargetError(f"weight_bits={bits}: target {self.backend.name} takes at most {most}")
        asked = self.conversion.threshold_granularity
        if asked is None:
            return demands
        return {code: each.meet(replace(each, threshold_granularity=asked)) for code, each in demands.items()}

    def _reads_activity(self, code: str) -> bool:
        """Whether lowering a network of this code depends on how often its neurons fire."""
        return self.backend.reads_activity and execution_of(self.backend, self.conversion, code) == "events"

    def _sample(self, module: ModuleOp) -> list[Array] | None:
        """A few inputs to check promises on."""
        if self.images is None:
            return random_inputs(module)
        return [array[:VALIDATED_IMAGES] for array in self.images]

    def _give_images(self, module: ModuleOp) -> None:
        if self.images is not None:
            weights = weights_of(self.imported.context)
            module.attributes[IMAGES] = ArrayAttr([weights.add(array, "calibration") for array in self.images])

    def _forget_images(self, line: Line) -> None:
        """Images and what the layers did with them have done their work; they are no part of what was compiled.

        The statistics of inputs, and of charges that tables divide, stay: they say how floats become integers.
        """
        for module in (line.module, *line.levels.values()):
            module.attributes.pop(IMAGES, None)
            module.attributes.pop(NARROWED, None)
        for op in line.levels["ann-convertible"].walk():
            if not isinstance(op, InputOp) and not (isinstance(op, RelayOp) and is_charge_of_another(op)):
                op.attributes.pop(STATISTICS, None)

    def _choose_timesteps(self, line: Line) -> dict[str, float | str]:
        """Replaces timesteps="auto" by a number; returns what was found."""
        if self.conversion.timesteps != "auto" or self.conversion.latency_budget is not None:
            return {}
        timesteps, loss = chosen_timesteps(line, self.conversion, self.images)
        self.conversion = replace(self.conversion, timesteps=timesteps)
        line.run(balance_stage(self.conversion), progress=self.progress)
        return {f"calibration images whose class changes with T = {timesteps}": f"{loss:.2f} %"}

    def _compiled(self, line: Line, code: str, facts: dict[str, float | str]) -> Compiled:
        context = context_of(line.levels.values(), self.imported.context)
        preprocessing = self.imported.preprocessing
        return Compiled(
            context,
            self.backend,
            self.chip,
            code,
            self.conversion,
            preprocessing,
            line.levels,
            self.imported.name,
            facts,
        )


def warn_of_silence(line: Line) -> None:
    """Says which inputs and layers of neurons the calibration images tell nothing about."""
    weights, silent = weights_of(line.context), list[str]()
    for op in line.module.walk():
        found = statistics_of(op, weights) if isinstance(op, InputOp) or is_layer(op) else None
        if found is not None and (found.maximum <= (0 if isinstance(op, NeuronOp) else found.minimum)).all():
            silent.append(user_location(op) or op.name)
    if silent:
        warn(
            f"on the calibration images nothing ever happens in {'; '.join(silent)}: such ranges are guesses; "
            "look whether the images are the right ones and normalised as for training"
        )


def warn_of_few(images: Sequence[Array], conversion: Conversion) -> None:
    """Says that few images tell little about others, unless layers are calibrated, where the pass says it."""
    if len(images[0]) < FEWEST_IMAGES and conversion.calibration not in WALKS:
        warn(
            f"clip ranges are chosen on only {counted(len(images[0]), 'calibration image')}; "
            f"give at least {FEWEST_IMAGES}, better 256"
        )


def context_of(modules: Iterable[ModuleOp], context: Context) -> Context:
    """A new context that holds the constants of these modules and nothing else."""
    lean = create_context()
    weights_of(context).lend(weights_of(lean), {key for module in modules for key in referenced_keys(module)})
    return lean


def require_kept(compiled: Compiled, inputs: Sequence[Array]) -> None:
    """Compares every exact stage, and the target, count by count.

    Raises:
        PromiseError: counts differ, of floats too many for rounding to explain it.
    """
    validation = compiled.validate_arrays(inputs)
    wrong = [comparison for comparison in validation.exact if not comparison.exact]
    wrong += [divergence for divergence in validation.divergences if not divergence.small]
    if wrong:
        raise PromiseError(str(wrong[0]))


def demands_of(backend: Backend, conversion: Conversion) -> Demands:
    """What a target, and those that share the integers, demand of every code that the network may be said in.

    Raises:
        TargetError: there is no such code.
    """
    portable = conversion.portable
    codes = possible_codes(conversion, shared_constraints(backend, portable), backend.name)
    return {code: replace(shared_constraints(backend, portable, code), codes=codes) for code in codes}


def first(demands: Demands) -> Constraints:
    """What integers are chosen for."""
    return next(iter(demands.values()))


def in_spikes(
    line: Line,
    demands: Demands,
    conversion: Conversion,
    *,
    counted: Container[str] = (),
    validate_on: Sequence[Array] | None = None,
    progress: Progress | None = None,
) -> tuple[Line, str]:
    """The network in the first of these codes that every layer can be said in, and that code.

    In the codes `counted` it is noted how often the neurons fire.

    Warns:
        NeuroCudaWarning: codes before it were refused, and why.

    Raises:
        LevelError: lists what stands in the way of every code.
    """
    refusals: dict[str, LevelError] = {}
    for code, constraints in demands.items():
        branch = line.branch()
        set_constraints(branch.module, constraints)
        try:
            stage = spikes_stage(code, conversion.firing_delay, activity=code in counted)
            branch.run(stage, validate_on=validate_on, progress=progress)
        except LevelError as refusal:
            refusals[code] = refusal
            continue
        if refusals:
            warn("\n".join([f'code "{code}" is taken:', *map(str, refusals.values())]))
        return branch, code
    raise LevelError(f"the network has no code that the target knows ({', '.join(demands)}):", _refused(refusals))


def _refused(refusals: Mapping[str, LevelError]) -> list[Problem]:
    """What stands in the way, once for all codes that it concerns."""
    told: dict[Problem, list[str]] = {}
    for code, refusal in refusals.items():
        for problem in refusal.problems:
            told.setdefault(problem, []).append(code)
    return [replace(problem, what=f"{problem.what} in code {', '.join(codes)}") for problem, codes in told.items()]


def chosen_timesteps(line: Line, conversion: Conversion, images: Sequence[Array] | None) -> tuple[int, float]:
    """The smallest T of the ladder that loses few enough classes of the float network, and how many it loses.

    The loss is the percentage of calibration images whose largest output is another one: accuracy cannot fall by more.
    Exact codes lose what the integer network loses; code "free" is run step by step.

    Raises:
        InputError: there are no images.
    """
    if images is None:
        raise InputError('timesteps="auto" needs calibration images to compare with the float network')
    weights = weights_of(line.context)
    expected = answers(line.levels["ann-convertible"], weights, images)
    loss = 100.0
    for timesteps in LADDER:
        trial = replace(conversion, timesteps=timesteps)
        stages = (
            balance_stage(trial),
            *integer_stages(trial, images=True),
            *((spikes_stage("free", conversion.firing_delay),) if conversion.code == "free" else ()),
        )
        branch = line.branch()
        for stage in stages:
            branch.run(stage)
        loss = 100 * float((answers(branch.levels[stages[-1].level], weights, images) != expected).mean())
        if loss <= conversion.max_accuracy_loss:
            return timesteps, loss
    warn(
        f"T = {LADDER[-1]} is taken although {loss:.2f} % of the calibration images change their class with it; "
        f"max_accuracy_loss={conversion.max_accuracy_loss} is reached by no T up to there"
    )
    return LADDER[-1], loss


def problems_of(imported: ImportedModel, backend: Backend, chip: str) -> tuple[Problem, ...]:
    """Everything that stands between a model and a target, as far as that shows without images."""
    if imported.trains:
        return _problems_of_trains(_unmeasured_line(imported, backend.constraints), backend, chip)
    conversion = Conversion()
    demands = demands_of(backend, conversion)
    line = _unmeasured_line(imported, first(demands))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroCudaWarning)  # that there are no images is no news here
        try:
            problems = _structural_problems(line)
            if problems:
                return problems
            give_noise(line)
            line.run(Stage("ann-convertible", ("calibrate", *balance_stage(conversion).passes)))
            for stage in integer_stages(conversion, images=False):
                line.run(stage)
            line, code = in_spikes(line, demands, conversion)
            line.back_at(source_of(backend, conversion, code)).run(target_stage(backend, chip))
        except ProblemsError as refusal:
            return refusal.problems
    return ()


def _problems_of_trains(line: Line, backend: Backend, chip: str) -> tuple[Problem, ...]:
    try:
        line.run(target_stage(backend, chip))
    except ProblemsError as refusal:
        return refusal.problems
    return ()


def give_noise(line: Line) -> None:
    """Lets noise calibrate what nothing but images can: only the structure matters."""
    inputs = random_inputs(line.module)
    if inputs is not None and any(isinstance(op, RelayOp) for op in line.module.walk()):
        weights = weights_of(line.context)
        line.module.attributes[IMAGES] = ArrayAttr([weights.add(array, "noise") for array in inputs])


def structural_problems_of(imported: ImportedModel, backend: Backend) -> tuple[Problem, ...]:
    """What stands in the way of the structure alone, of a model whose activations mean nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroCudaWarning)
        try:
            return _structural_problems(_unmeasured_line(imported, backend.constraints))
        except ProblemsError as refusal:
            return refusal.problems


def _unmeasured_line(imported: ImportedModel, constraints: Constraints) -> Line:
    line = Line.start(imported.context, imported.module.clone())
    set_constraints(line.module, constraints)
    return line


def _structural_problems(line: Line) -> tuple[Problem, ...]:
    line.run(Stage("ann-structure", STRUCTURE))
    return tuple(ANN_CONVERTIBLE.violations(line.module, weights_of(line.context), structure_only=True))
