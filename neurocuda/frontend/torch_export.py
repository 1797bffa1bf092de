"""Imports a PyTorch model: exported by torch, then written in the `ann` dialect operation by operation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import InputError, ModelError
from neurocuda.frontend.example import Example, example_inputs, require_shapes
from neurocuda.frontend.export import decomposed, export
from neurocuda.frontend.hygiene import require_values, usable
from neurocuda.frontend.pt2 import load_program
from neurocuda.frontend.sizes import input_shapes
from neurocuda.frontend.translation import Translation
from neurocuda.ir.attributes import Dense
from neurocuda.ir.context import weights_of
from neurocuda.ir.weights import WeightStore

TorchModel: TypeAlias = "nn.Module | ExportedProgram | Path"


def import_torch(
    model: TorchModel,
    example: Example | None = None,
    *,
    input_shape: Sequence[int] | None = None,
    normalize: tuple[Sequence[float], Sequence[float]] | None = None,
    context: Context,
) -> ModuleOp:
    """A model as a module of level `ann-imported`, one `ann` operation per ATen operation.

    Args:
        model: a module, an exported program, or the path of a `.pt2` file. It is not changed.
        example: inputs with a leading batch axis; one array, or one per input. Only shapes and dtypes matter.
        input_shape: the shape of one image without a batch axis, e.g. (3, 32, 32), where there is no example.
        normalize: mean and standard deviation per channel; then the network's input is uint8 images.
        context: from `neurocuda.ir.context.create_context`; its weight store takes the weights.

    Raises:
        UnsupportedModelError: lists every operation that cannot be imported.
        ModelError: the model is unusable: a corrupt file, NaN weights, control flow that depends on the data.
        InputError: the example does not fit the model, or nothing says the input's shape.
    """
    weights = weights_of(context)
    program, name = _exported(model, example, input_shape, normalize is not None)
    pixels = None if normalize is None else _pixels(weights, normalize)
    return Translation(program, weights, pixels).run(name)


def _exported(
    model: TorchModel, example: Example | None, input_shape: Sequence[int] | None, pixels: bool
) -> tuple[ExportedProgram, str]:
    """(program, name of the model)"""
    if isinstance(model, nn.Module):
        ready = usable(model)
        return export(ready, example_inputs(ready, example, input_shape, pixels=pixels)), type(ready).__name__
    program = load_program(model) if isinstance(model, Path) else model
    if not isinstance(program, ExportedProgram):  # pyright: ignore[reportUnnecessaryIsInstance]  users pass anything
        kind = type(program).__name__
        raise ModelError(f"expected a torch.nn.Module, an ExportedProgram or the Path of a .pt2 file, found {kind}")
    tensors = {**program.state_dict, **program.constants}
    require_values((name, tensor) for name, tensor in tensors.items() if isinstance(tensor, torch.Tensor))
    program = decomposed(program)
    require_shapes(input_shapes(program), example, input_shape)
    return program, model.stem if isinstance(model, Path) else "program"


def _pixels(weights: WeightStore, normalize: tuple[Sequence[float], Sequence[float]]) -> tuple[Dense, Dense]:
    mean, std = (np.asarray(values, dtype=np.float32) for values in normalize)
    if mean.ndim != 1 or mean.shape != std.shape or not (std > 0).all() or not np.isfinite(mean).all():
        raise InputError("normalize takes one mean and one positive standard deviation per channel")
    return weights.add(mean, "mean"), weights.add(std, "std")
