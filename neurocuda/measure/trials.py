"""The same network with other T and in other codes: what answers cost in steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import NeuroCudaError, ProblemsError
from neurocuda.ir.backend import Program
from neurocuda.ir.constraints import set_constraints
from neurocuda.ir.context import weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.layers import TRAIN
from neurocuda.measure.raster import schedule_of
from neurocuda.pipeline import Line, integer_stages, spikes_stage, target_stage

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled

TIMESTEPS = (1, 3, 7, 15, 31, 63)
"""Numbers of time steps that accuracy is told for, beside the network's own and those that differ enough from it."""


@dataclass(frozen=True)
class Trial:
    """The quantised network with some T, in a weight store of its own.

    `steps` are those from an image to its answer, by code; a code that cannot say the network is left out. `free` is
    the free-running network on the target, if it can say that.
    """

    module: ModuleOp
    weights: WeightStore
    steps: Mapping[str, int]
    free: Program | None


def trials_of(compiled: Compiled) -> tuple[Mapping[int, Trial], str]:
    """The network with every T that is told, or why there is none.

    Raises:
        ToolchainError: a tool that the target needs is missing.
    """
    budget, own = compiled.conversion.latency_budget, int(compiled.conversion.timesteps)
    if budget is not None:
        return {}, f"its layers have levels of their own, chosen for latency_budget={budget}"
    found: dict[int, Trial] = {}
    for timesteps in sorted({own, *(other for other in TIMESTEPS if not 3 * own < 4 * other < 6 * own)}):
        try:
            line = _quantised(compiled, timesteps)
        except NeuroCudaError as reason:
            return {}, str(reason)
        found[timesteps] = _trial(compiled, line, compiled.conversion.firing_delay * timesteps // own)
    return found, ""


def _quantised(compiled: Compiled, timesteps: int) -> Line:
    """The network at level `ann-quantized`, as it is or quantised again."""
    from neurocuda.compiling import context_of

    conversion = compiled.conversion
    level = "ann-quantized" if timesteps == conversion.timesteps else "ann-convertible"
    module = compiled.level(level)
    line = Line(context_of([module], compiled.context), module.clone(), {}, {}, {})
    if timesteps != conversion.timesteps:
        line.run(integer_stages(replace(conversion, timesteps=timesteps), images=False)[0])
    return line


def _trial(compiled: Compiled, line: Line, delay: int) -> Trial:
    """What the codes of the target make of a quantised network."""
    counts = line.branch()
    counts.run(integer_stages(compiled.conversion, images=False)[1])
    steps: dict[str, int] = {}
    free: Program | None = None
    for code in compiled.backend.constraints.codes:
        if code == TRAIN:
            continue  # trains stand for themselves, not for counts
        said, waits = counts.branch(), delay if code == "free" else 0
        set_constraints(said.module, compiled.backend.constraints_for(code))
        try:
            said.run(spikes_stage(code, waits))
            if code == "free":
                said.run(target_stage(compiled.backend, compiled.chip))
                free = compiled.backend.load(said.module, weights_of(said.context))
        except ProblemsError:
            continue
        steps[code] = schedule_of(said.levels["snn-integer"])[0]
    return Trial(line.module, weights_of(line.context), steps, free)
