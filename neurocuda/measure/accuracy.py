"""Accuracy with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""The two-sided 95 % quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Accuracy:
    """Correct answers out of `images`, with a 95 % interval (Wilson 1927), all as fractions of one."""

    correct: int
    images: int

    @property
    def value(self) -> float:
        """The fraction of correct answers."""
        return self.correct / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        n, p, z = self.images, self.value, Z_95
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.2f} % of {self.images} images (95 % interval {100 * low:.2f} ... {100 * high:.2f})"
