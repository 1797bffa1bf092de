"""NeuroCUDA compiles trained PyTorch networks into spiking networks.

The names below are the public ones. They are imported when first used, so that `import neurocuda` costs nothing.
"""

from __future__ import annotations

import os.path
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurocuda.api import compile, explain, import_model, load, targets
    from neurocuda.compiled import Compiled, Result
    from neurocuda.errors import (
        ArtifactError,
        InputError,
        LevelError,
        ModelError,
        NeuroCudaError,
        NeuroCudaWarning,
        OptionError,
        ParsingError,
        Problem,
        ProblemsError,
        PromiseError,
        StreamError,
        TargetError,
        ToolchainError,
        TrainingError,
        UnsupportedModelError,
        VerificationError,
        WeightsError,
        WriteError,
    )
    from neurocuda.options import Conversion, NirOptions, Normalize
    from neurocuda.streaming import Session

__version__ = "0.1.0"

__all__ = [
    "ArtifactError",
    "Compiled",
    "Conversion",
    "InputError",
    "LevelError",
    "ModelError",
    "NeuroCudaError",
    "NeuroCudaWarning",
    "NirOptions",
    "Normalize",
    "OptionError",
    "ParsingError",
    "Problem",
    "ProblemsError",
    "PromiseError",
    "Result",
    "Session",
    "StreamError",
    "TargetError",
    "ToolchainError",
    "TrainingError",
    "UnsupportedModelError",
    "VerificationError",
    "WeightsError",
    "WriteError",
    "compile",
    "explain",
    "import_model",
    "load",
    "targets",
]

_HOMES = {
    "neurocuda.api": ("compile", "explain", "import_model", "load", "targets"),
    "neurocuda.compiled": ("Compiled", "Result"),
    "neurocuda.options": ("Conversion", "NirOptions", "Normalize"),
    "neurocuda.streaming": ("Session",),
}
"""Where the names are that `neurocuda.errors` does not hold."""

# A checkout whose file system knows no links: the folders beside this one are subpackages all the same.
if not os.path.isdir(os.path.join(os.path.dirname(__file__), "dialects")):
    __path__.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'neurocuda' has no attribute '{name}'")
    home = next((module for module, names in _HOMES.items() if name in names), "neurocuda.errors")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
