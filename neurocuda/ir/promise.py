"""What a pass promises about the values it keeps, and whether it kept its word."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Deviation:
    """How far a value moved, in the value's own units: mean, root mean square and largest magnitude."""

    bias: float
    rms: float
    largest: float

    @staticmethod
    def between(before: NDArray[np.float64], after: NDArray[np.float64]) -> Deviation:
        """The deviation of `after` from `before`, arrays of one shape."""
        import numpy as np

        difference = _difference(before, after)
        if not difference.size:
            return Deviation(0.0, 0.0, 0.0)
        return Deviation(
            float(difference.mean()), float(np.sqrt(np.square(difference).mean())), float(np.abs(difference).max())
        )


def _difference(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """after - before, zero where both are the same infinity or NaN."""
    import numpy as np

    with np.errstate(invalid="ignore"):
        difference = after - before
    return np.where((before == after) | (np.isnan(before) & np.isnan(after)), 0.0, difference)


class Promise(ABC):
    """What a pass keeps of the values that survive it."""

    @abstractmethod
    def tolerance(self, before: NDArray[np.float64]) -> float | None:
        """The largest deviation allowed for a value, or None where none is promised."""

    def broken_by(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> str | None:
        """Why the promise is broken for this value, or None where it is kept."""
        if before.shape != after.shape:
            return f"its shape changed from {before.shape} to {after.shape}"
        import numpy as np

        if not np.array_equal(np.isnan(before), np.isnan(after)):
            return "it holds NaN on one side only"
        if not np.array_equal(np.isinf(before), np.isinf(after)):
            return "it holds infinity on one side only"
        allowed = self.tolerance(before)
        if allowed is None or not before.size:
            return None
        difference = np.abs(_difference(before, after))
        worst = np.unravel_index(int(difference.argmax()), difference.shape)
        if difference[worst] <= allowed:
            return None
        index = ", ".join(str(int(axis)) for axis in worst)
        count = int((difference > allowed).sum())
        return (
            f"element [{index}] was {before[worst]:.9g} and is {after[worst]:.9g}; "
            f"{self} allows a difference of {allowed:.3g}, {count} of {difference.size} differ"
        )


@dataclass(frozen=True)
class Equal(Promise):
    """Values stay: bit for bit, or within `rtol` of the tensor's largest magnitude."""

    rtol: float = 0.0

    def tolerance(self, before: NDArray[np.float64]) -> float:
        import numpy as np

        return self.rtol * float(np.abs(before[np.isfinite(before)]).max(initial=0.0))


@dataclass(frozen=True)
class Within(Promise):
    """Values move by at most `bound`, in their own units."""

    bound: float

    def tolerance(self, before: NDArray[np.float64]) -> float:
        return self.bound


@dataclass(frozen=True)
class Approximates(Promise):
    """No bound is promised; bias and root mean square are measured for every value."""

    def tolerance(self, before: NDArray[np.float64]) -> None:
        return None
