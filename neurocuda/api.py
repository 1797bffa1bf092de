"""The public functions: thin and typed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from neurocuda.errors import (
    InputError,
    ModelError,
    NeuroCudaWarning,
    Problem,
    ProblemsError,
    TargetError,
)
from neurocuda.options import Conversion, NirOptions, Normalize

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from torch import nn
    from torch.export import ExportedProgram
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.compiled import Compiled
    from neurocuda.images import Images
    from neurocuda.ir.backend import Backend
    from neurocuda.pipeline import Line, Stage

    Model: TypeAlias = "nn.Module | ExportedProgram | str | Path"
    Array: TypeAlias = "NDArray[np.generic]"
    Example: TypeAlias = "torch.Tensor | Array"

PLANNED = ("akida", "fpga", "gpu", "loihi", "loihi2", "loihi3", "nir", "spinnaker")
"""Targets that the design names and this version does not have."""

LADDER = (3, 4, 5, 7, 10, 15, 22, 31, 45, 63)
"""Numbers of time steps that timesteps="auto" tries, smallest first."""


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
        model: a module, an exported program, or the path of a `.pt2` file. It is not changed.
        target: "<backend>" or "<backend>:<chip>", see `targets()`.
        calibration: images to choose clip ranges by, labels are ignored; without them batch-norm statistics serve.
        input_shape: the shape of one image, e.g. (3, 32, 32), where neither calibration nor model says it.
        preprocessing: makes uint8 images the network's input.
        conversion: how the network is quantised and said in time.
        nir: for `.nir` files, which are planned.
        validate: checks every pass's promise on some calibration images (or random ones).
        progress: called with the name of every pass before it runs.

    Raises:
        UnsupportedModelError, LevelError: lists everything that cannot be converted, where, why, and what to do.
        ModelError, InputError, OptionError, TargetError, ToolchainError: model, data, options or target are unusable.
    """
    from neurocuda.compiled import Compiled
    from neurocuda.pipeline import chosen_code, float_stage, integer_stages, target_stages

    conversion = conversion or Conversion()
    backend, chip = resolve_target(target)
    code = chosen_code(conversion, backend)
    context, module, images = _imported(model, calibration, input_shape, preprocessing, nir)
    _constrain(module, backend, conversion)
    line = _line(context, module)
    sample = None if not validate else _sample(module, images)
    _give_images(line.module, context, images)
    line.run(float_stage(conversion, calibrated=images is not None), validate_on=sample, progress=progress)
    if conversion.timesteps == "auto":
        conversion = replace(conversion, timesteps=_chosen_timesteps(line, conversion, images))
        line.run(_balance_only(conversion), validate_on=sample, progress=progress)
    _take_images(line)
    for stage in (*integer_stages(conversion), *target_stages(backend, chip, code)):
        line.run(stage, validate_on=sample, progress=progress)
    facts: dict[str, float | str] = {"seconds to compile, measured": sum(line.seconds.values())}
    return Compiled(context, backend, chip, code, conversion, preprocessing, line.levels, _name(module), facts)


def load(path: str | Path) -> Compiled:
    """Loads a `.nca` artefact. Nothing in it is executed: native code is made again from its IR.

    Raises:
        ArtifactError: the file is missing, corrupt, tampered with, or of another format version.
    """
    from neurocuda.artifact import load as load_artifact

    return load_artifact(Path(path))


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
    example: Example | None = None,
    *,
    target: str = "cpu",
    input_shape: Sequence[int] | None = None,
    preprocessing: Normalize | None = None,
) -> Explanation:
    """Lists everything that cannot be mapped, where in the model, why, and what to do, without compiling.

    Raises:
        ModelError, InputError, TargetError: there is nothing to explain.
    """
    from neurocuda.dialects.levels import ANN_CONVERTIBLE
    from neurocuda.pipeline import STRUCTURE, Stage

    backend, chip = resolve_target(target)
    name = f"{backend.name}:{chip}"
    try:
        context, module, _ = _imported(model, None, input_shape, preprocessing, None, example=example)
        line = _line(context, module)
        line.run(Stage("ann-structure", STRUCTURE))
    except ProblemsError as refusal:
        return Explanation(name, refusal.problems)
    return Explanation(name, tuple(ANN_CONVERTIBLE.violations(line.module, structure_only=True)))


@dataclass(frozen=True)
class Target:
    """A target: its name, what it is, its chips, and whether its tools are here (or how to get them)."""

    name: str
    summary: str
    chips: tuple[str, ...]
    available: bool
    detail: str

    def __str__(self) -> str:
        word = "available" if self.available else "not available"
        return f"{self.name} ({', '.join(self.chips)}): {self.summary}; {word}: {self.detail}"


class Targets(tuple[Target, ...]):
    """All targets. Prints as a list."""

    __slots__ = ()

    def __str__(self) -> str:
        return "\n".join(str(target) for target in self)


def targets() -> Targets:
    """Every target, with its chips, and whether the vendor's tools are available or how to get them."""
    from neurocuda.registry import backend_factories

    found: list[Target] = []
    for name, factory in backend_factories().items():
        try:
            backend = cast("Backend", factory())
        except TargetError as reason:  # a plug-in that does not load
            found.append(Target(name, "a plug-in", (), False, str(reason)))
            continue
        state = backend.availability()
        found.append(Target(name, backend.summary, tuple(backend.chips), state.ready, state.detail))
    return Targets(found)


@dataclass(frozen=True)
class ImportedModel:
    """A model at an `ann` level. Passes give new objects; nothing is changed."""

    context: Context
    module: ModuleOp

    def interpret(self, images: Images) -> NDArray[np.float32]:
        """The first output under the reference interpreter; images have a leading batch axis."""
        import numpy as np

        from neurocuda.images import as_arrays
        from neurocuda.ir.context import weights_of
        from neurocuda.reference.interpreter import interpret

        return np.asarray(interpret(self.module, weights_of(self.context), as_arrays(images))[0], np.float32)

    def ir(self, *, locations: bool = False) -> str:
        """The text of the module, large weights by name only."""
        from neurocuda.ir.printing import module_text

        return module_text(self.module, self.context, locations=locations, elide=True)

    def apply(self, pipeline: str) -> ImportedModel:
        """The model after a pipeline such as "fold-batch-norm,merge-residual".

        Raises:
            OptionError: a pass or an option is unknown.
        """
        from neurocuda.ir.pipelines import parse_pipeline
        from neurocuda.ir.verifying import verify_module
        from neurocuda.pipeline import NAMED_PIPELINES
        from neurocuda.registry import pass_factories

        module = self.module.clone()
        for step in parse_pipeline(pipeline, pass_factories(), NAMED_PIPELINES):
            step.apply(self.context, module)
            verify_module(module)
        return ImportedModel(self.context, module)


def import_model(
    model: Model,
    example: Example | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    preprocessing: Normalize | None = None,
) -> ImportedModel:
    """The model at level `ann-imported`, to look at and to apply passes to.

    Raises:
        UnsupportedModelError: lists every operation that cannot be imported.
        ModelError, InputError: the model or the example is unusable.
    """
    context, module, _ = _imported(model, None, input_shape, preprocessing, None, example=example)
    return ImportedModel(context, module)


def resolve_target(target: str) -> tuple[Backend, str]:
    """The backend and chip that "<backend>", "<backend>:<chip>" or a chip's unique name stands for.

    Raises:
        TargetError: it stands for nothing, or for something planned.
    """
    from neurocuda.registry import backend_factories

    factories = backend_factories()
    name, _, chip = target.partition(":")
    if name in factories:
        backend = cast("Backend", factories[name]())
        return backend, backend.chip(chip or None).name
    owners = [backend for backend in _loadable(factories) if not chip and name in backend.chips]
    if len(owners) == 1:
        return owners[0], name
    if name in PLANNED:
        raise TargetError(f"target '{target}' is planned but not in this version; there are {', '.join(factories)}")
    raise TargetError(f"unknown target '{target}'; there are {', '.join(factories)}")


def _loadable(factories: Mapping[str, Callable[[], object]]) -> Iterator[Backend]:
    """The backends without those of plug-ins that do not load."""
    for factory in factories.values():
        with suppress(TargetError):
            yield cast("Backend", factory())


def _imported(
    model: Model,
    calibration: Images | None,
    input_shape: Sequence[int] | None,
    preprocessing: Normalize | None,
    nir: NirOptions | None,
    *,
    example: Example | None = None,
) -> tuple[Context, ModuleOp, list[Array] | None]:
    """The imported module and the calibration images, checked against its inputs."""
    from neurocuda.frontend.torch_export import import_torch
    from neurocuda.images import MOST_CALIBRATION_IMAGES, as_arrays
    from neurocuda.ir.context import create_context

    source = Path(model) if isinstance(model, str | Path) else model
    if nir is not None or (isinstance(source, Path) and source.suffix == ".nir"):
        raise ModelError("reading .nir files is planned but not in this version; give a PyTorch model")
    images = None if calibration is None else as_arrays(calibration, most=MOST_CALIBRATION_IMAGES)
    first = [array[:1] for array in images] if images is not None else example
    normalize = None if preprocessing is None else (preprocessing.mean, preprocessing.std)
    context = create_context()
    module = import_torch(source, first, input_shape=input_shape, normalize=normalize, context=context)
    return context, module, None if images is None else _fitting(images, module, preprocessing is not None)


def _fitting(images: list[Array], module: ModuleOp, pixels: bool) -> list[Array]:
    from neurocuda.images import checked
    from neurocuda.ir.attributes import shape_of
    from neurocuda.reference.interpreter import main_function

    shapes = [shape_of(argument) for argument in main_function(module).body.block.args]
    return checked(images, shapes, pixels=pixels, what="calibration")


def _constrain(module: ModuleOp, backend: Backend, conversion: Conversion) -> None:
    """Writes what the target, and every target the network must also serve, demands of integers."""
    from neurocuda.ir.constraints import set_constraints

    constraints = backend.constraints
    for name in conversion.portable:
        constraints = constraints.meet(resolve_target(name)[0].constraints)
    if conversion.weight_bits is not None and conversion.weight_bits > constraints.weight_bits:
        raise TargetError(
            f"weight_bits={conversion.weight_bits}: target {backend.name} takes at most {constraints.weight_bits}"
        )
    set_constraints(module, constraints)


def _line(context: Context, module: ModuleOp) -> Line:
    from neurocuda.pipeline import Line

    return Line.start(context, module)


def _sample(module: ModuleOp, images: list[Array] | None) -> list[Array] | None:
    """A few inputs to check promises on."""
    from neurocuda.ir.validation import IMAGES, random_inputs

    return random_inputs(module) if images is None else [array[:IMAGES] for array in images]


def _give_images(module: ModuleOp, context: Context, images: list[Array] | None) -> None:
    from xdsl.dialects.builtin import ArrayAttr

    from neurocuda.ir.context import weights_of
    from neurocuda.passes.ann.calibrate import IMAGES

    if images is not None:
        weights = weights_of(context)
        module.attributes[IMAGES] = ArrayAttr([weights.add(array, "calibration") for array in images])


def _take_images(line: Line) -> None:
    """Images are no part of what was compiled."""
    from neurocuda.passes.ann.calibrate import IMAGES

    for module in (line.module, *line.levels.values()):
        module.attributes.pop(IMAGES, None)


def _chosen_timesteps(line: Line, conversion: Conversion, images: list[Array] | None) -> int:
    """The smallest T of the ladder whose classes agree with the float network's on the calibration images.

    Raises:
        InputError: there are no images.
    """
    if images is None:
        raise InputError('timesteps="auto" needs calibration images to compare with the float network')
    from neurocuda.pipeline import integer_stages

    expected = _classes(line, "ann-convertible", images)
    for timesteps in LADDER:
        trial = replace(conversion, timesteps=timesteps)
        branch = line.branch()
        branch.run(_balance_only(trial))
        branch.run(integer_stages(trial)[0])
        loss = 100 * float((_classes(branch, "ann-quantized", images) != expected).mean())
        if loss <= conversion.max_accuracy_loss:
            return timesteps
    warnings.warn(
        f"no T up to {LADDER[-1]} agrees with the float network to {conversion.max_accuracy_loss} points on the "
        f"calibration images; T = {LADDER[-1]} is taken",
        NeuroCudaWarning,
        stacklevel=3,
    )
    return LADDER[-1]


def _balance_only(conversion: Conversion) -> Stage:
    """Clip ranges for another number of time steps; the statistics are there."""
    from neurocuda.pipeline import float_stage

    stage = float_stage(conversion, calibrated=True)
    return replace(stage, passes=stage.passes[-1:])


def _classes(line: Line, level: str, images: list[Array]) -> NDArray[np.int64]:
    import numpy as np

    from neurocuda.ir.context import weights_of
    from neurocuda.reference.interpreter import interpret

    weights, batch = weights_of(line.context), 64
    parts = [
        interpret(line.levels[level], weights, [array[start : start + batch] for array in images])[0]
        for start in range(0, len(images[0]), batch)
    ]
    outputs = np.concatenate(parts)
    return outputs.reshape(len(outputs), -1).argmax(axis=1)


def _name(module: ModuleOp) -> str:
    attribute = module.attributes.get("nc.name")
    return str(getattr(attribute, "data", "network"))
