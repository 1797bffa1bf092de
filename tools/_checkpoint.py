"""Weights from checkpoints; nothing in a file is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from neurocuda.errors import WeightsError
from neurocuda.tools._command import described

if TYPE_CHECKING:
    import torch
    from torch import nn

    State = Mapping[str, torch.Tensor]

_NESTED = ("state_dict", "model_state_dict", "model", "net")
"""Where training scripts keep the weights in a checkpoint."""

_FOREIGN = re.compile(r"Unsupported global: GLOBAL ([\w.]+)")
"""How torch names an object that it does not make from a file unless told to trust it."""

_SHOWN = 3
"""So many names of a long list are told."""


def load_weights(model: nn.Module, path: Path) -> None:
    """Fills a model with the weights of a checkpoint; nothing in the file is executed.

    The weights may lie in an entry `state_dict`, and their names may begin with `module.` as DataParallel writes them.

    Raises:
        WeightsError: the file is missing or damaged, or its names or shapes are not the model's.
    """
    state = _unwrapped(_read_safetensors(path) if path.suffix == ".safetensors" else _read_checkpoint(path), path)
    expected = cast("State", model.state_dict())
    if all(name.startswith("module.") for name in state) and not any(name.startswith("module.") for name in expected):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    misfits = _misfits(expected, state)
    if misfits:
        raise WeightsError(f"{path} does not fit {type(model).__name__}: {'; '.join(misfits)}")
    model.load_state_dict(state)


def _read_safetensors(path: Path) -> Mapping[str, object]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(path.read_bytes())
    except OSError as reason:
        raise WeightsError(f"{path}: cannot be read: {reason.strerror or reason}") from None
    except SafetensorError as reason:
        raise WeightsError(f"{path}: is no safetensors file, or is damaged: {described(reason)}") from None


def _read_checkpoint(path: Path) -> object:
    import pickle
    import warnings
    from zipfile import BadZipFile

    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of what it then refuses
            return cast(object, torch.load(path, map_location="cpu", weights_only=True))
    except OSError as reason:
        raise WeightsError(f"{path}: cannot be read: {reason.strerror or reason}") from None
    except pickle.UnpicklingError as reason:
        found = _FOREIGN.search(str(reason))
        what = f"holds more than tensors: {found[1]}" if found else "holds more than tensors, or is damaged"
        raise WeightsError(f"{path}: {what}; save the weights with torch.save(model.state_dict(), ...)") from None
    except (RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, BadZipFile):
        # torch's own words are about its reader, not about the file
        raise WeightsError(f"{path}: is no checkpoint of torch.save, or is cut short or damaged") from None


def _unwrapped(content: object, path: Path) -> State:
    import torch

    while isinstance(content, Mapping):
        entries = cast("Mapping[str, object]", content)
        inner = next((entries[key] for key in _NESTED if isinstance(entries.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        kind = type(cast(object, content)).__name__
        raise WeightsError(f"{path}: expected a dictionary of tensors, found {'nothing' if kind == 'dict' else kind}")
    entries = cast("Mapping[object, object]", content)
    for name, tensor in entries.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise WeightsError(f"{path}: expected a dictionary of tensors, but {name!r} is {type(tensor).__name__}")
    return cast("State", content)


def _misfits(expected: State, found: State) -> list[str]:
    """In which ways names and shapes differ."""
    told: list[str] = []
    missing, unexpected = [n for n in expected if n not in found], [n for n in found if n not in expected]
    if missing:
        told.append(f"{_some(missing)} missing")
    if unexpected:
        told.append(f"{_some(unexpected)} unexpected")
    for name in expected:
        if name in found and expected[name].shape != found[name].shape:
            told.append(f"{name} has shape {tuple(found[name].shape)}, not {tuple(expected[name].shape)}")
    return told if len(told) <= _SHOWN else [*told[:_SHOWN], f"{len(told) - _SHOWN} more"]


def _some(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more} {'is' if len(names) == 1 else 'are'}"
