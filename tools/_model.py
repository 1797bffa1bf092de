"""The model that a command line names: a file, or a function of the user's own code and its weights."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from neurocuda.errors import ModelError, NeuroCudaError, OptionError, WeightsError

if TYPE_CHECKING:
    import torch
    from torch import nn

    State = Mapping[str, torch.Tensor]

_NESTED = ("state_dict", "model_state_dict", "model", "net")
"""Where training scripts keep the weights in a checkpoint."""

_SHOWN = 3
"""So many names of a long list are told."""


def built_model(place: str) -> nn.Module:
    """What "package.module:factory" or "file.py:factory" returns when called, or the module itself that it names.

    Modules in the current folder are found.

    Raises:
        OptionError: the text names nothing.
        ModelError: the code cannot be imported or called, or gives no `torch.nn.Module`.
    """
    from torch import nn

    source, _, attribute = place.partition(":")
    if not source or not attribute:
        raise OptionError(f"--model {place}: expected package.module:factory or file.py:factory")
    with _current_folder_importable():
        factory: object = _imported(source, place)
        for name in attribute.split("."):
            if not hasattr(factory, name):
                raise OptionError(f"--model {place}: {source} has no '{attribute}'")
            factory = getattr(factory, name)
        model = factory if isinstance(factory, nn.Module) else _called(factory, place)
    if not isinstance(model, nn.Module):
        raise ModelError(f"--model {place}: expected a torch.nn.Module, found {type(model).__name__}")
    return model.eval()


def _imported(source: str, place: str) -> ModuleType:
    try:
        return _run_file(Path(source)) if source.endswith(".py") else import_module(source)
    except NeuroCudaError:
        raise
    except ModuleNotFoundError as reason:
        raise OptionError(f"--model {place}: there is no module '{reason.name}'") from reason
    except Exception as reason:  # the user's code can raise anything
        raise ModelError(f"--model {place}: {source} cannot be imported: {_described(reason)}") from reason


def _run_file(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"neurocuda_model_{file.stem}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise OptionError(f"{file}: no such file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _called(factory: object, place: str) -> object:
    if not callable(factory):
        raise ModelError(f"--model {place}: expected a function or class, found {type(factory).__name__}")
    try:
        return factory()
    except Exception as reason:  # the user's code can raise anything
        raise ModelError(f"--model {place}: calling it failed: {_described(reason)}") from reason


@contextmanager
def _current_folder_importable() -> Generator[None]:
    """While it lasts, modules in the current folder are found first, as with `python -m`."""
    before = list(sys.path)  # noqa: TID251  the user's own modules
    sys.path.insert(0, str(Path.cwd()))  # noqa: TID251
    try:
        yield
    finally:
        sys.path[:] = before  # noqa: TID251


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
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except OSError as reason:
        raise WeightsError(f"{path}: cannot be read: {reason.strerror or reason}") from None
    except SafetensorError as reason:
        raise WeightsError(f"{path}: is no safetensors file, or is damaged: {_described(reason)}") from None


def _read_checkpoint(path: Path) -> object:
    import pickle
    from zipfile import BadZipFile

    import torch

    try:
        return cast(object, torch.load(path, map_location="cpu", weights_only=True))
    except OSError as reason:
        raise WeightsError(f"{path}: cannot be read: {reason.strerror or reason}") from None
    except pickle.UnpicklingError as reason:
        raise WeightsError(
            f"{path}: holds more than tensors, or is damaged ({_described(reason)}); "
            "save the weights with torch.save(model.state_dict(), ...)"
        ) from None
    except (RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, BadZipFile) as reason:
        raise WeightsError(f"{path}: is no checkpoint, or is damaged: {_described(reason)}") from None


def _unwrapped(content: object, path: Path) -> State:
    import torch

    while isinstance(content, Mapping):
        entries = cast("Mapping[str, object]", content)
        inner = next((entries[key] for key in _NESTED if isinstance(entries.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{path}: expected a dictionary of tensors, found {type(content).__name__}")
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


def _described(reason: BaseException) -> str:
    """An exception in one line."""
    text = str(reason).strip()
    return f"{type(reason).__name__}: {text.splitlines()[0]}" if text else type(reason).__name__
