"""Models that the user's own code builds."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from neurocuda.errors import ModelError, NeuroCudaError, OptionError
from neurocuda.tools._command import described

if TYPE_CHECKING:
    from torch import nn


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
    except (Exception, SystemExit) as reason:  # the user's code can raise anything
        raise ModelError(f"--model {place}: {source} cannot be imported: {described(reason)}") from reason


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
    except (Exception, SystemExit) as reason:  # the user's code can raise anything
        raise ModelError(f"--model {place}: calling it failed: {described(reason)}") from reason


@contextmanager
def _current_folder_importable() -> Generator[None]:
    """While it lasts, modules in the current folder are found first, as with `python -m`."""
    before = list(sys.path)  # noqa: TID251  the user's own modules
    sys.path.insert(0, str(Path.cwd()))  # noqa: TID251
    try:
        yield
    finally:
        sys.path[:] = before  # noqa: TID251
