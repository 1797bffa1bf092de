"""What `compile` does with a network of spike trains: it keeps its floats, or becomes integers of declared widths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from time import perf_counter

from neurocuda.compiled import Compiled
from neurocuda.compiling import context_of, require_kept
from neurocuda.errors import OptionError, TargetError
from neurocuda.images import Array
from neurocuda.imported import ImportedModel
from neurocuda.ir.backend import Backend
from neurocuda.ir.constraints import set_constraints
from neurocuda.ir.validation import IMAGES, random_inputs
from neurocuda.measure.layers import TRAIN
from neurocuda.options import Conversion
from neurocuda.pipeline import Line, target_stage, train_stages
from neurocuda.targeting import shared_constraints

TAKEN = ("weight_bits", "portable")
"""The options of a conversion that go with spike trains; they run as events, whether that is asked for or not."""

VALIDATED_STEPS = 64
"""Of recordings, so many steps are run in the interpreter to check promises."""


def compile_trains(
    imported: ImportedModel,
    recordings: Sequence[Array] | None,
    backend: Backend,
    chip: str,
    conversion: Conversion,
    progress: Callable[[str], None] | None = None,
    *,
    validate: bool,
) -> Compiled:
    """All stages, from level `snn` on, the target's program included.

    With `conversion.weight_bits` the network becomes integers (`quantize-neurons`), without it stays as it is.

    Raises:
        LevelError, UnsupportedModelError: lists everything that the target cannot do.
        PromiseError: `validate` found a broken promise.
        OptionError, TargetError: an option or the target does not go with spike trains.
        ToolchainError: a tool that the target needs is missing.
    """
    started = perf_counter()
    _require_fitting(conversion)
    constraints = shared_constraints(backend, conversion.portable, TRAIN)
    if not backend.runs_trains:
        raise TargetError(f"target {backend.name} runs no networks of spike trains; target cpu does")
    bits = conversion.weight_bits
    if bits is not None and bits > constraints.weight_bits:
        raise TargetError(f"weight_bits={bits}: target {backend.name} takes at most {constraints.weight_bits}")
    module = imported.module.clone()
    sample = None
    if validate:
        given = None if recordings is None else [array[:IMAGES, :VALIDATED_STEPS] for array in recordings]
        sample = random_inputs(module) if given is None else given
    set_constraints(module, constraints)
    line = Line.start(imported.context, module)
    for stage in (*train_stages(conversion), target_stage(backend, chip)):
        line.run(stage, validate_on=sample, progress=progress)
    context = context_of(line.levels.values(), imported.context)
    compiled = Compiled(context, backend, chip, TRAIN, conversion, None, line.levels, imported.name)
    if progress is not None:
        progress("building for the target")
    _ = compiled.program
    compiled.facts["seconds to compile after importing, measured"] = perf_counter() - started
    if sample is not None:
        require_kept(compiled, sample)
    return compiled


def _require_fitting(conversion: Conversion) -> None:
    """
    Raises:
        OptionError: an option is about how images become counts.
    """
    default = Conversion()
    given = {field.name: getattr(conversion, field.name) for field in fields(Conversion)}
    other = [name for name, value in given.items() if name not in TAKEN and value != getattr(default, name)]
    other = [name for name in other if (name, given[name]) != ("execution", "events")]
    if other:
        raise OptionError(
            f"{', '.join(other)}: spike trains stand for themselves; only {' and '.join(TAKEN)} go with a .nir file"
        )
