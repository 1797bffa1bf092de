"""Every error a user can meet. Each message says what, where in the user's model, why, and what to do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp


@dataclass(frozen=True)
class Problem:
    """One thing that stands in the way: what it is, where in the user's model, why, and the remedy."""

    what: str
    where: str = ""
    why: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        reason = f": {self.why}" if self.why else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{self.what}{place}{reason}{remedy}"


MOST_PRINTED = 25
"""So many problems are printed; an error's `problems` and `explain` have all of them."""


def told_once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems in order, those that differ in nothing but their place told once, with how many places there are."""
    places: dict[Problem, list[str]] = {}
    for problem in problems:
        places.setdefault(replace(problem, where=""), []).append(problem.where)
    return tuple(replace(problem, where=_first(where)) for problem, where in places.items())


def _first(places: Sequence[str]) -> str:
    """The first place, and how many more there are, or how often it comes."""
    others = set(places) - {places[0]}
    if others:
        return f"{places[0]}; and {len(others)} more"
    times = f"{len(places)} times" if len(places) > 1 else ""
    return ", ".join(filter(None, (places[0], times)))


class NeuroCudaError(Exception):
    """The base of all errors that NeuroCUDA raises on purpose; the command line prints them as one line."""


class ProblemsError(NeuroCudaError):
    """An error that lists every problem found, not only the first; equal ones in several places are told once."""

    def __init__(self, headline: str, problems: Sequence[Problem]) -> None:
        self.headline = headline
        self.problems = told_once(problems)
        lines = [f"  - {problem}" for problem in self.problems[:MOST_PRINTED]]
        if len(self.problems) > MOST_PRINTED:
            lines.append(f"  and {len(self.problems) - MOST_PRINTED} more")
        super().__init__("\n".join([headline, *lines]))


class LevelError(ProblemsError):
    """A module breaks the contract of a level."""


class UnsupportedModelError(ProblemsError):
    """The model uses operations, shapes or values that cannot be imported or converted."""


class NotImportableError(UnsupportedModelError):
    """Operations that cannot be imported; `rest` is the model with activations in their place, to look for more."""

    def __init__(self, headline: str, problems: Sequence[Problem], rest: ModuleOp) -> None:
        super().__init__(headline, problems)
        self.rest = rest


class ModelError(NeuroCudaError):
    """The model itself is unusable: a corrupt file, NaN weights, an unsupported dtype, data-dependent control flow."""


class InputError(NeuroCudaError):
    """Images, labels or calibration data have the wrong shape, dtype, number or values."""


class StreamError(NeuroCudaError):
    """A stream is pushed after it was closed."""


class OptionError(NeuroCudaError):
    """An option is unknown or out of range."""


class TargetError(NeuroCudaError):
    """The target is unknown, planned but absent, or cannot hold the network."""


class CapacityError(ProblemsError, TargetError):
    """The network is too large for the chip; lists everything that does not fit."""


class ToolchainError(NeuroCudaError):
    """A tool that the target needs (a C compiler, a vendor SDK) is missing or failed."""


class ArtifactError(NeuroCudaError):
    """A .nca artefact is corrupt, tampered with, or of another format version."""


class WeightsError(NeuroCudaError):
    """A weights file is missing, corrupt, or does not match the IR."""


class ParsingError(NeuroCudaError):
    """IR text cannot be read."""


class VerificationError(NeuroCudaError):
    """An operation of the IR breaks its own rules, or a value is used where it is not defined."""


class PromiseError(NeuroCudaError):
    """A pass changed a value that it had promised to keep; names the first value that differs."""


class TrainingError(NeuroCudaError):
    """Fine-tuning cannot go on: the loss is not finite, or a checkpoint is damaged or of another run."""


class WriteError(NeuroCudaError):
    """A file could not be written; nothing half-written is left behind."""


class NeuroCudaWarning(UserWarning):
    """Something the user should know that does not stop the compilation."""


def warn(message: str) -> None:
    """Gives a `NeuroCudaWarning` at the line of the user's code that called into the library."""
    level, frame = 2, sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  skip_file_prefixes needs Python 3.12
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("neurocuda."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, NeuroCudaWarning, stacklevel=level)
