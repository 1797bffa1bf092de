"""The public functions: thin and typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import NotImportableError, Problem, ProblemsError, told_once
from neurocuda.options import Conversion, NirOptions, Normalize, as_path, require_type

if TYPE_CHECKING:
    from xdsl.context import Context

    from neurocuda.compiled import Compiled
    from neurocuda.images import Images
    from neurocuda.imported import ImportedModel, Model
    from neurocuda.targeting import Targets


def compile(
    model: Model,
    *,
    target: str,
    calibration: Images | None = None,
    input_shape: Sequence[int] | None = None,
    preprocessing: Normalize | None = None,
    conversion: Conversion | None = None,
    nir: NirOptions | None = None,
    validate: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Compiled:
    """Compiles a trained network into a spiking one for a target.

    Args:
        model: a module, an exported program, or the path of a `.pt2` or `.nir` file. It is not changed.
        target: "<backend>" or "<backend>:<chip>", see `targets()`.
        calibration: images to choose clip ranges by, labels are ignored: a tensor, an array, a dictionary of them by
            input name, a loader or any batches (of which 1,024 images are used); without them batch-norm statistics
            serve.
        input_shape: the shape of one image, e.g. (3, 32, 32), where neither calibration nor model says it.
        preprocessing: makes uint8 images the network's input.
        conversion: how the network is quantised and said in time. That of a `.nir` file keeps its floats, or becomes
            integers with `Conversion(weight_bits=...)`, and takes no other of these options but `portable`.
        nir: how the network of a `.nir` file runs in discrete time.
        validate: checks every pass's promise, and the target count by count, on some calibration images or random ones.
        progress: called with what is done next: the name of every pass before it runs.

    Raises:
        UnsupportedModelError, LevelError: lists everything that cannot be converted, where, why, and what to do.
        ModelError, InputError, OptionError, TargetError: model, data, options or target are unusable.
        ToolchainError: a tool that the target needs is missing.
        PromiseError: `validate` found a fault of the compiler.
    """
    from neurocuda.compiling import Compilation
    from neurocuda.compiling_trains import compile_trains
    from neurocuda.images import MOST_CALIBRATION_IMAGES, as_arrays
    from neurocuda.imported import import_source
    from neurocuda.targeting import resolve_target, shared_constraints

    conversion = Conversion() if conversion is None else conversion
    require_type("conversion", conversion, Conversion, "a neurocuda.Conversion(...)")
    backend, chip = resolve_target(target)
    shared_constraints(backend, conversion.portable)  # a wrong name is told before the work begins
    what = "calibration"
    given = None if calibration is None else as_arrays(calibration, what=what, most=MOST_CALIBRATION_IMAGES)
    imported, images = import_source(
        model, given, what=what, input_shape=input_shape, preprocessing=preprocessing, nir=nir
    )
    if imported.trains:
        return compile_trains(imported, images, backend, chip, conversion, progress, validate=validate)
    return Compilation(imported, images, backend, chip, conversion, progress).run(validate=validate)


def load(path: str | Path) -> Compiled:
    """Loads a `.nca` artefact. Nothing in it is executed: native code is made again from its IR.

    Raises:
        ArtifactError: the file is missing, corrupt, tampered with, or of another format version.
        OptionError: `path` is no path.
    """
    from neurocuda.artifact import load as load_artifact

    return load_artifact(as_path(path))


@dataclass(frozen=True)
class Explanation:
    """Everything that stands between a model and a target. Prints as a list."""

    target: str
    problems: tuple[Problem, ...]

    @property
    def convertible(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.problems

    def __str__(self) -> str:
        if not self.problems:
            return f"the model can be compiled for {self.target}"
        count = len(self.problems)
        things = "1 thing stands" if count == 1 else f"{count} things stand"
        return "\n".join([f"{things} between the model and {self.target}:", *(f"  - {p}" for p in self.problems)])


def explain(
    model: Model,
    example: Images | None = None,
    *,
    target: str = "cpu",
    input_shape: Sequence[int] | None = None,
    preprocessing: Normalize | None = None,
) -> Explanation:
    """Lists everything that cannot be mapped, where in the model, why, and what to do, without compiling.

    `example` are images with a batch axis; only their shape and type matter.

    Raises:
        ModelError, InputError, TargetError: there is nothing to explain.
    """
    from neurocuda.compiling import problems_of, structural_problems_of
    from neurocuda.imported import ImportedModel
    from neurocuda.ir.context import create_context
    from neurocuda.targeting import resolve_target

    backend, chip = resolve_target(target)
    context = create_context()
    try:
        imported = _imported(model, example, input_shape, preprocessing, context)
        problems = problems_of(imported, backend, chip)
    except NotImportableError as refusal:
        rest = ImportedModel(context, refusal.rest, preprocessing)
        problems = (*refusal.problems, *structural_problems_of(rest, backend))
    except ProblemsError as refusal:
        problems = refusal.problems
    return Explanation(f"{backend.name}:{chip}", told_once(problems))


def targets() -> Targets:
    """Every target, with its chips, and whether the vendor's tools are available or how to get them."""
    from neurocuda.targeting import all_targets

    return all_targets()


def import_model(
    model: Model,
    example: Images | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    preprocessing: Normalize | None = None,
    nir: NirOptions | None = None,
) -> ImportedModel:
    """The model at level `ann-imported`, that of a `.nir` file at level `snn`; to look at, to run, to apply passes to.

    `example` are images with a batch axis; only their shape and type matter. `nir` goes with a `.nir` file.

    Raises:
        UnsupportedModelError: lists every operation that cannot be imported.
        ModelError, InputError: the model or the example is unusable.
    """
    from neurocuda.ir.context import create_context

    return _imported(model, example, input_shape, preprocessing, create_context(), nir)


def _imported(
    model: Model,
    example: Images | None,
    input_shape: Sequence[int] | None,
    preprocessing: Normalize | None,
    context: Context,
    nir: NirOptions | None = None,
) -> ImportedModel:
    from neurocuda.images import first_arrays
    from neurocuda.imported import import_source

    what = "the example"
    given = None if example is None else first_arrays(example, what=what)
    return import_source(
        model, given, what=what, input_shape=input_shape, preprocessing=preprocessing, nir=nir, context=context
    )[0]
