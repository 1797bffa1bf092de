"""Loads weights that were saved apart from their model, without running anything that the file holds."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import torch
from torch import nn

from neurocuda.errors import ModelError, WeightsError
from neurocuda.frontend.export import FAILURES, first_line

_WRAPPING_KEYS: Final = ("state_dict", "model_state_dict", "model")
"""Under which training scripts keep the weights beside epochs and optimizers."""

_PREFIXES: Final = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put in front of every name."""


def load_weights(model: nn.Module, path: Path) -> nn.Module:
    """Puts the weights of a `.safetensors` file, or of one that torch.save wrote, into the model; returns the model.

    Raises:
        WeightsError: the file is missing, corrupt, or holds more than tensors.
        ModelError: names or shapes do not fit the model.
    """
    state = _without_prefixes(_read(path))
    try:
        model.load_state_dict(state)
    except FAILURES as reason:
        lines = [line.strip() for line in str(reason).splitlines()[1:] if line.strip()]
        raise ModelError(f"'{path}' does not fit the model: {lines[0] if lines else first_line(reason)}") from None
    return model


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    if not path.is_file():
        raise WeightsError(f"'{path}' cannot be read: there is no such file")
    try:
        return _read_safetensors(path) if path.suffix == ".safetensors" else _unwrapped(_read_torch(path), path)
    except (OSError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile, *FAILURES) as reason:
        raise WeightsError(f"'{path}' holds no weights, or is damaged: {_summary(reason)}") from None


def _read_safetensors(path: Path) -> Mapping[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as reason:
        raise WeightsError(f"'{path}' is no usable safetensors file: {first_line(reason)}") from None


def _read_torch(path: Path) -> object:
    return cast(object, torch.load(path, map_location="cpu", weights_only=True))


def _unwrapped(content: object, path: Path) -> Mapping[str, torch.Tensor]:
    for key in _WRAPPING_KEYS:
        if isinstance(content, Mapping) and isinstance(cast(Mapping[str, object], content).get(key), Mapping):
            content = cast(Mapping[str, object], content)[key]
    if not isinstance(content, Mapping):
        raise WeightsError(f"'{path}' holds a {type(content).__name__}, not the tensors of a state_dict")
    state = cast(Mapping[str, object], content)
    other = [name for name, value in state.items() if not isinstance(value, torch.Tensor)]
    if other:
        raise WeightsError(f"'{path}' is no state_dict: '{other[0]}' is no tensor")
    return cast(Mapping[str, torch.Tensor], state)


def _without_prefixes(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = dict(state)
    for prefix in _PREFIXES:
        if names and all(name.startswith(prefix) for name in names):
            names = {name.removeprefix(prefix): tensor for name, tensor in names.items()}
    return names


def _summary(reason: BaseException) -> str:
    """What torch says in a page, in a line."""
    if isinstance(reason, pickle.UnpicklingError):
        return "it holds Python objects, which could run code; save a state_dict of plain tensors"
    return first_line(reason)
