"""Every error a user can meet. Each message says what, where in the user's model, why, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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


class NeuroCudaError(Exception):
    """The base of all errors that NeuroCUDA raises on purpose; the command line prints them as one line."""


class ProblemsError(NeuroCudaError):
    """An error that lists every problem found, not only the first."""

    def __init__(self, headline: str, problems: Sequence[Problem]) -> None:
        self.headline = headline
        self.problems = tuple(problems)
        super().__init__("\n".join([headline, *(f"  - {problem}" for problem in self.problems)]))


class LevelError(ProblemsError):
    """A module breaks the contract of a level."""


class UnsupportedModelError(ProblemsError):
    """The model uses operations, shapes or values that cannot be imported or converted."""


class ModelError(NeuroCudaError):
    """The model itself is unusable: a corrupt file, NaN weights, an unsupported dtype, data-dependent control flow."""


class InputError(NeuroCudaError):
    """Images, labels or calibration data have the wrong shape, dtype, number or values."""


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
