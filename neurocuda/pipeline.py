"""The way from an imported network to a target, as data: which passes, and the level reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, TypeAlias

from neurocuda.errors import TargetError
from neurocuda.options import EXACT_CODES, Conversion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.backend import Backend
    from neurocuda.ir.constraints import Constraints
    from neurocuda.ir.validation import ValueReport

    Array: TypeAlias = NDArray[np.generic]


@dataclass(frozen=True)
class Stage:
    """Some passes and the level behind them, which is checked and kept for inspection."""

    level: str
    passes: tuple[str, ...]


STRUCTURE = (
    "defer-rounding",
    "remove-identities",
    "fold-constants",
    "decompose-attention",
    "fuse-pad",
    "annotate-ranges-from-batch-norm",
    "fold-batch-norm",
    "replace-average-pooling",
    "fold-constants",
    "hoist-activations",
    "insert-relays",
    "merge-residual",
    "remove-identities",
    "outline-host-segments",
)
"""From `ann-imported` to neuron layers fed by synapses; without calibration images, ranges are estimated on the way."""

CALIBRATE = ("calibrate", "balance-thresholds")
QUANTIZE = ("quantize-activations", "quantize-weights")
TO_SPIKES = ("convert-ann-to-snn", "encode-unary")


def _named_pipelines() -> dict[str, str]:
    convertible = (*STRUCTURE, *CALIBRATE)
    named = {
        "ann-to-convertible": convertible,
        "ann-to-quantized": (*convertible, *QUANTIZE),
        "ann-to-snn": (*convertible, *QUANTIZE, *TO_SPIKES),
        "convertible-to-quantized": QUANTIZE,
        "quantized-to-snn": TO_SPIKES,
    }
    return {name: ",".join(passes) for name, passes in named.items()}


NAMED_PIPELINES: Mapping[str, str] = _named_pipelines()
"""Pipelines with a name, for `nc-opt -p`. Calibration images are those that the module names, if any."""


WALKS: Mapping[str, tuple[str, ...]] = {
    "light": ("bias", "threshold", "equalize", "output-mean"),
    "advanced": ("least-squares", "rounding", "bias", "threshold", "equalize", "output-mean"),
    "joint": ("least-squares", "rounding", "bias", "threshold", "equalize", "output-mean", "joint"),
}
"""The steps of `calibrate-layers` behind a name of `Conversion.calibration`."""


def float_stage(conversion: Conversion) -> Stage:
    """From `ann-imported` to `ann-convertible`; without images, ranges come from batch-norm statistics."""
    hosted = ("move-to-host",) if conversion.host == "allow" else ()
    return Stage("ann-convertible", (*STRUCTURE, *hosted, "calibrate", *balance_stage(conversion).passes))


def balance_stage(conversion: Conversion) -> Stage:
    """Levels and clip ranges for a number of time steps, from statistics that are there."""
    timesteps = conversion.timesteps if isinstance(conversion.timesteps, int) else Conversion().timesteps
    method = "mse" if conversion.calibration in WALKS else conversion.calibration
    budget = conversion.latency_budget
    chosen = () if budget is None else (f"choose-levels{{budget={budget}}}",)
    options = f'method="{method}" timesteps={timesteps} percentile={conversion.percentile}'
    return Stage("ann-convertible", (*chosen, f"balance-thresholds{{{options}}}"))


def integer_stages(conversion: Conversion, *, images: bool) -> tuple[Stage, ...]:
    """From `ann-convertible` to the integer network and its reading as counts; with images, layers are calibrated."""
    timesteps = conversion.timesteps if isinstance(conversion.timesteps, int) else Conversion().timesteps
    bits = "" if conversion.weight_bits is None else f"weight-bits={conversion.weight_bits}"
    passes = (
        *((_walk(conversion, f"timesteps={timesteps} {bits}"),) if images else ()),
        f"quantize-activations{{timesteps={timesteps} initial={conversion.initial}}}",
        f"quantize-weights{{{bits}}}" if bits else "quantize-weights",
    )
    return (Stage("ann-quantized", passes), Stage("snn-count", ("convert-ann-to-snn",)))


def _walk(conversion: Conversion, options: str) -> str:
    """The pass that walks the layers with calibration images."""
    steps = WALKS.get(conversion.calibration)
    if steps is None:
        return f"equalize-layers{{{options.strip()}}}"
    named = ",".join(f'"{step}"' for step in steps)
    at_once = conversion.code == "free" and not conversion.firing_delay  # layers that wait come near to whole counts
    code = ' code="free"' if at_once else ""
    return f"calibrate-layers{{steps={named} {options.strip()}{code}}}"


def train_stages(conversion: Conversion) -> tuple[Stage, ...]:
    """From a network of spike trains in floats to what the target lowers: integers where their width is asked for."""
    if conversion.weight_bits is None:
        return ()
    return (Stage("snn-integer", (f"quantize-neurons{{weight-bits={conversion.weight_bits}}}",)),)


def spikes_stage(code: str, firing_delay: int = 0, *, activity: bool = False) -> Stage:
    """From counts to spikes; with `activity`, how many each layer sends on the calibration images is noted."""
    annotate = (f"annotate-activity{{code={code}}}",) if activity else ()
    encode = f"encode-free{{delay={firing_delay}}}" if firing_delay else f"encode-{code}"
    return Stage("snn-integer", (*annotate, encode, "verify-schedule"))


def target_stage(backend: Backend, chip: str) -> Stage:
    """From spikes to the target, with every limit of the chip checked.

    Raises:
        TargetError: nothing defines the target's level.
    """
    from neurocuda.dialects.levels import find_level

    if find_level(backend.level) is None:
        why = f"no dialect '{backend.level}' has a level.py with a LEVEL of that name beside its ops.py"
        raise TargetError(f"target '{backend.name}' is at level \"{backend.level}\", which does not exist: {why}")
    lowering = (step.replace("$chip", chip) for step in backend.pipeline)
    return Stage(backend.level, (*lowering, f'verify-target{{target="{backend.name}:{chip}"}}'))


def execution_of(backend: Backend, conversion: Conversion, code: str) -> str:
    """How the target computes a network of this code: "counts" or "events"."""
    able = backend.runs_counts and code in EXACT_CODES
    return "counts" if able and conversion.execution != "events" else "events"


def source_of(backend: Backend, conversion: Conversion, code: str) -> str:
    """The level from which a network of this code is lowered to the target."""
    return "snn-count" if execution_of(backend, conversion, code) == "counts" else "snn-integer"


def possible_codes(conversion: Conversion, constraints: Constraints, target: str) -> tuple[str, ...]:
    """The codes that the network may be said in: the one asked for, or all exact ones, as the target lists them.

    Raises:
        TargetError: the target cannot say that code, or no exact one.
    """
    exact = tuple(code for code in constraints.codes if code in EXACT_CODES)
    if conversion.code == "auto" and exact:
        return exact
    known = ", ".join(constraints.codes)
    if conversion.code == "auto":
        raise TargetError(f"target {target} has no exact code; say which of these the network may have: {known}")
    if conversion.code not in constraints.codes:
        raise TargetError(f'target {target} has no code "{conversion.code}"; it has {known}')
    return (conversion.code,)


@dataclass
class Line:
    """A network on its way: the module, and what every stage left behind."""

    context: Context
    module: ModuleOp
    levels: dict[str, ModuleOp]
    seconds: dict[str, float]
    deviations: dict[str, list[ValueReport]]

    @staticmethod
    def start(context: Context, module: ModuleOp) -> Line:
        """A line whose first level is the module's own."""
        from neurocuda.ir.level import level_name

        return Line(context, module, {level_name(module) or "ann-imported": module.clone()}, {}, {})

    def back_at(self, level: str) -> Line:
        """A copy that goes on from a level that was reached before."""
        return replace(self.branch(), module=self.levels[level].clone())

    def branch(self) -> Line:
        """A copy that goes on from here on its own; the weight store is shared."""
        return replace(
            self,
            module=self.module.clone(),
            levels=dict(self.levels),
            seconds=dict(self.seconds),
            deviations=dict(self.deviations),
        )

    def run(
        self,
        stage: Stage,
        *,
        validate_on: Sequence[Array] | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        """Runs a stage and keeps the level it reached.

        With `validate_on`, inputs with a batch axis, every pass's promise is checked on them.

        Raises:
            LevelError: the stage did not reach its level; lists every violation.
            PromiseError: a pass broke its promise.
        """
        from neurocuda.dialects.levels import find_level
        from neurocuda.ir.context import weights_of
        from neurocuda.ir.level import set_level
        from neurocuda.ir.pipelines import parse_pipeline
        from neurocuda.ir.validation import validate_pass
        from neurocuda.ir.verifying import verify_module
        from neurocuda.registry import merged_universe

        for step in parse_pipeline(",".join(stage.passes), merged_universe().all_passes):
            if progress is not None:
                progress(step.name)
            started = perf_counter()
            if validate_on is None:
                step.apply(self.context, self.module)
            else:
                self.deviations[step.name] = validate_pass(step, self.context, self.module, validate_on)
            self.seconds[step.name] = self.seconds.get(step.name, 0.0) + perf_counter() - started
        verify_module(self.module)
        name_layers(self.module)
        set_level(self.module, stage.level)
        level = find_level(stage.level)
        if level is not None:
            level.require(self.module, weights_of(self.context))
        self.levels[stage.level] = self.module.clone()


def name_layers(module: ModuleOp) -> None:
    """Gives every neuron layer that a pass has made anew a name of its own, by which later levels are compared."""
    from neurocuda.dialects.ann.analysis import acts_on_charge, is_charge_of_another
    from neurocuda.dialects.ann.ops import NeuronOp, RelayOp
    from neurocuda.ir.origin import origin_of, set_origin, user_location

    taken = {origin for op in module.walk() if (origin := origin_of(op)) is not None}
    for op in module.walk():
        relay = isinstance(op, RelayOp) and not is_charge_of_another(op)
        if not (relay or isinstance(op, NeuronOp) or acts_on_charge(op)) or origin_of(op) is not None:
            continue
        place = user_location(op).partition(",")[0] or "neurons"
        names = (place, *(f"{place}#{number}" for number in range(2, len(taken) + 3)))
        name = next(name for name in names if name not in taken)
        set_origin(op, name)
        taken.add(name)
