"""Example inputs: only their shapes matter. They come from the caller, or from what a model says about itself."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import SupportsIndex, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from neurocuda.errors import InputError
from neurocuda.images import FIRST_ONLY

Array: TypeAlias = NDArray[np.generic]
Tensor: TypeAlias = "torch.Tensor | Array"
Example: TypeAlias = "Tensor | Sequence[Tensor] | Mapping[str, Tensor]"
"""Inputs with a leading batch axis: one, several in order, or several by the names in `forward`."""

LARGEST_IMAGE = 1 << 28
"""Numbers in one image: more is a mistake, and would not fit into memory."""

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

_WAYS = (
    "give calibration images or an example, or input_shape=(channels, height, width), in the shell --input-shape; "
    "an exported program, `default_cfg['input_size']` and `example_input_array` of the model are used too"
)


def example_inputs(
    model: nn.Module, example: Example | None, input_shape: Sequence[int] | None, *, pixels: bool = False
) -> tuple[torch.Tensor, ...]:
    """Float32 inputs with a batch axis, in the order of `forward`.

    Args:
        example: wins over everything else.
        input_shape: one image's, without a batch axis; wins over what the model says about itself.
        pixels: the example is uint8 images, which the network normalises.

    Raises:
        InputError: the example is unusable, or nothing says the shape; names the ways to say it.
    """
    if example is not None:
        tensors = _in_order(model, example)
        checked = tuple(_checked(tensor, index, pixels) for index, tensor in enumerate(tensors))
        if input_shape is not None and _shape(checked[0]) != _sizes(input_shape):
            raise InputError(f"input_shape is {tuple(input_shape)}, but the example has shape {_shape(checked[0])}")
        return checked
    if input_shape is not None:
        return (_blank(input_shape),)
    return _own_example(model)


def keyword_inputs(model: nn.Module) -> list[str]:
    """The inputs that `forward` needs and takes by name only; they come last."""
    return _needed(inspect.signature(model.forward), inspect.Parameter.KEYWORD_ONLY)


def _in_order(model: nn.Module, example: Example) -> list[torch.Tensor]:
    signature = inspect.signature(model.forward)
    if isinstance(example, Mapping):
        try:
            bound = signature.bind(**example)
        except TypeError as reason:
            raise InputError(f"the inputs {sorted(example)} do not fit the model: {reason}") from None
        optional = sorted(set(bound.kwargs) - set(keyword_inputs(model)))
        if optional:
            raise InputError(f"input '{optional[0]}' is optional and taken by name only; leave it out")
        given: Sequence[Tensor] = [*bound.args, *bound.kwargs.values()]
    else:
        given = _listed(example)
    _require_all(signature, len(given))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of read-only arrays; nothing is written here
        return [_tensor(array, index) for index, array in enumerate(given)]


def _needed(signature: inspect.Signature, *kinds: object) -> list[str]:
    """The parameters of some kinds that have no default."""
    return [
        name for name, found in signature.parameters.items() if found.default is found.empty and found.kind in kinds
    ]


def _require_all(signature: inspect.Signature, count: int) -> None:
    """
    Raises:
        InputError: `forward` needs more inputs than are given.
    """
    needed = _needed(signature, *_BY_PLACE, inspect.Parameter.KEYWORD_ONLY)
    if count < len(needed):
        raise InputError(
            f"the model takes {len(needed)} inputs, {count} were given; give a dictionary with one array for each of "
            f"{', '.join(map(repr, needed))} ({FIRST_ONLY})"
        )


def _tensor(array: Tensor, index: int) -> torch.Tensor:
    try:
        return torch.as_tensor(array)
    except (RuntimeError, TypeError, ValueError):
        kind = getattr(array, "dtype", type(array).__name__)
        raise InputError(f"input {index} is {kind}: expected numbers") from None


def _checked(tensor: torch.Tensor, index: int, pixels: bool) -> torch.Tensor:
    tensor = tensor.detach().cpu()
    if tensor.dim() < 2 or 0 in tensor.shape:
        raise InputError(f"input {index} has shape {tuple(tensor.shape)}: expected images with a leading batch axis")
    if pixels and tensor.dtype != torch.uint8:
        raise InputError(f"input {index} is {_name(tensor.dtype)}: with preprocessing, images are uint8")
    if not pixels and not tensor.is_floating_point():
        raise InputError(
            f"input {index} is {_name(tensor.dtype)}: expected float32; uint8 images need "
            "preprocessing=Normalize(mean, std), in the shell --mean and --std"
        )
    return tensor.float()


def require_shapes(
    expected: Mapping[str, Sequence[object]], example: Example | None, input_shape: Sequence[int] | None
) -> None:
    """Compares what a program takes with what the caller says it takes; both are optional.

    Raises:
        InputError: they differ.
    """
    given: list[tuple[int, ...]] = []
    if example is not None:
        arrays = example.values() if isinstance(example, Mapping) else _listed(example)
        given = [tuple(array.shape[1:]) for array in arrays]
    elif input_shape is not None:
        given = [_sizes(input_shape)]
    for (name, shape), found in zip(expected.items(), given, strict=False):
        if tuple(shape[1:]) != found:
            raise InputError(f"input '{name}' of the program takes shape {tuple(shape[1:])}, not {found}")


def _listed(example: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    return [example] if isinstance(example, torch.Tensor | np.ndarray) else example


def _own_example(model: nn.Module) -> tuple[torch.Tensor, ...]:
    configuration = getattr(model, "default_cfg", None)
    if isinstance(configuration, Mapping) and "input_size" in configuration:
        return (_blank(cast(Sequence[int], configuration["input_size"])),)
    example = getattr(model, "example_input_array", None)
    if example is not None:
        return example_inputs(model, cast(Example, example), None)
    raise InputError(f"nothing says the shape of the input: {_WAYS}")


def _blank(shape: Sequence[int]) -> torch.Tensor:
    return torch.zeros(1, *_sizes(shape))


def _sizes(shape: object) -> tuple[int, ...]:
    """A shape that a user gave.

    Raises:
        InputError: it is none, or an image of it would not fit into memory.
    """
    given = tuple(shape) if isinstance(shape, Iterable) else ()
    sizes = tuple(int(size) for size in given if isinstance(size, SupportsIndex) and not isinstance(size, bool))
    if not given or len(sizes) < len(given) or min(sizes) < 1:
        raise InputError(f"input_shape {shape!r} is not a list of positive sizes without a batch axis")
    if prod(sizes) > LARGEST_IMAGE:
        raise InputError(f"input_shape {shape!r} is too large: an image has at most {LARGEST_IMAGE:,} numbers")
    return sizes


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape[1:])


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
