"""A model at its first level: to look at, to run, and to apply passes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import OptionError
from neurocuda.images import Array, Arrays, Images, InputSpec, as_arrays, checked, require_channels_first
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.level import level_name
from neurocuda.options import NirOptions, Normalize, require_type
from neurocuda.reference.interpreter import interpret

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

Model: TypeAlias = "nn.Module | ExportedProgram | str | Path"


@dataclass(frozen=True)
class ImportedModel:
    """A model at an `ann` level, or of spike trains at level `snn`. Passes give new objects; nothing is changed."""

    context: Context
    module: ModuleOp
    preprocessing: Normalize | None = None

    @property
    def trains(self) -> bool:
        """Whether it is a network of spike trains already, with time as an axis."""
        return level_name(self.module) == "snn"

    @property
    def name(self) -> str:
        """What the model is called."""
        return str(getattr(self.module.attributes.get("nc.name"), "data", "network"))

    def interpret(self, images: Images) -> NDArray[np.float32] | tuple[NDArray[np.float32], ...]:
        """The output under the reference interpreter, batch axis first; a tuple where there are several outputs.

        Raises:
            InputError: the images do not fit.
        """
        spec = InputSpec.of(self.module, pixels=self.preprocessing is not None)
        arrays = checked(as_arrays(images), spec)
        outputs = tuple(np.asarray(out, np.float32) for out in interpret(self.module, weights_of(self.context), arrays))
        return outputs[0] if len(outputs) == 1 else outputs

    def ir(self, *, locations: bool = False) -> str:
        """The text of the module, large weights by name only; with `locations`, the user's lines."""
        from neurocuda.ir.printing import module_text

        return module_text(self.module, self.context, locations=locations, elide=True)

    def apply(self, pipeline: str, **options: bool | int | float | str) -> ImportedModel:
        """The model after a pass, or after a pipeline such as "fold-batch-norm,merge-residual".

        `options` are those of a single pass, e.g. apply("quantize-activations", timesteps=7).

        Raises:
            OptionError: a pass or an option is unknown, or options are given for several passes.
            NeuroCudaError: a pass refuses the model.
        """
        from neurocuda.ir.pipelines import parse_pipeline, run_passes
        from neurocuda.pipeline import NAMED_PIPELINES
        from neurocuda.registry import merged_universe

        module = self.module.clone()
        text = _with_options(pipeline, options)
        run_passes(self.context, module, parse_pipeline(text, merged_universe().all_passes, NAMED_PIPELINES))
        return ImportedModel(self.context, module, self.preprocessing)

    def __str__(self) -> str:
        return self.ir()


def _with_options(pipeline: str, options: dict[str, bool | int | float | str]) -> str:
    if not options:
        return pipeline
    if "," in pipeline or "{" in pipeline:
        raise OptionError(f"options belong to one pass, not to the pipeline '{pipeline}'")
    parts = (f"{name.replace('_', '-')}={_spelled(value)}" for name, value in options.items())
    return f"{pipeline}{{{' '.join(parts)}}}"


def _spelled(value: bool | int | float | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def import_source(
    model: Model,
    images: Arrays | None,
    *,
    what: str,
    input_shape: Sequence[int] | None,
    preprocessing: Normalize | None,
    nir: NirOptions | None = None,
    context: Context | None = None,
) -> tuple[ImportedModel, list[Array] | None]:
    """As `import_torch_model`; but the network in a `.nir` file is at level `snn`, and takes recordings for images.

    Raises:
        UnsupportedModelError, ModelError, InputError, OptionError: as there.
    """
    path = Path(model) if isinstance(model, str | Path) else None
    if path is None or path.suffix != ".nir":
        if nir is not None:
            raise OptionError("nir=NirOptions(...) goes with a .nir file, and this model is none")
        return import_torch_model(
            model, images, what=what, input_shape=input_shape, preprocessing=preprocessing, context=context
        )
    if input_shape is not None or preprocessing is not None:
        raise OptionError(f"'{path}' says its shapes, and recordings are no images: no input_shape, no preprocessing")
    from neurocuda.frontend.nir.importer import import_nir

    options = NirOptions() if nir is None else nir
    require_type("nir", options, NirOptions, "a neurocuda.NirOptions(...)")
    context = context or create_context()
    imported = ImportedModel(context, import_nir(path, options, context))
    if images is None:
        return imported, None
    return imported, checked(images, InputSpec.of(imported.module, pixels=False), what)


def import_torch_model(
    model: Model,
    images: Arrays | None,
    *,
    what: str,
    input_shape: Sequence[int] | None,
    preprocessing: Normalize | None,
    context: Context | None = None,
) -> tuple[ImportedModel, list[Array] | None]:
    """The model at level `ann-imported`, and the images, checked against its inputs.

    `what` names the images in messages; the model gets a context of its own where none is given.

    Raises:
        UnsupportedModelError: lists every operation that cannot be imported.
        ModelError, InputError, OptionError: the model, the images or the options are unusable.
    """
    from torch.export import ExportedProgram

    from neurocuda.frontend.torch_export import import_torch

    source = Path(model) if isinstance(model, str | Path) else model
    if preprocessing is not None:
        require_type("preprocessing", preprocessing, Normalize, "a neurocuda.Normalize(mean, std)")
    if images is not None and preprocessing is not None:
        require_channels_first(images, len(preprocessing.mean), what)
    normalize = None if preprocessing is None else (preprocessing.mean, preprocessing.std)
    context = context or create_context()
    example = None if isinstance(source, ExportedProgram | Path) else _first_images(images)  # it says its own shapes
    module = import_torch(source, example, input_shape=input_shape, normalize=normalize, context=context)
    imported = ImportedModel(context, module, preprocessing)
    if images is None:
        return imported, None
    return imported, checked(images, InputSpec.of(module, pixels=preprocessing is not None), what)


def _first_images(arrays: Arrays | None) -> Arrays | None:
    if arrays is None or isinstance(arrays, list):
        return None if arrays is None else [array[:1] for array in arrays]
    if len(arrays) == 1:  # one input: its name does not matter
        return [array[:1] for array in arrays.values()]
    return {name: array[:1] for name, array in arrays.items()}
