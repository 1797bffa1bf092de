"""Figures with their nouns."""

from __future__ import annotations

import pytest

from neurocuda.measure.words import amount, counted, percent, size_of, starred


def test_one_is_singular() -> None:
    assert (counted(0, "step"), counted(1, "step"), counted(1024, "step")) == ("0 steps", "1 step", "1,024 steps")


@pytest.mark.parametrize(
    ("size", "text"),
    [(1, "1 byte"), (999, "999 bytes"), (43_210, "43.2 kB"), (999_600, "1 MB"), (1_070_000, "1.07 MB")],
)
def test_sizes_have_the_unit_that_fits(size: int, text: str) -> None:
    assert size_of(size) == text


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.1234, "12 %"), (0.01234, "1.2 %"), (1e-6, "<.001 %"), (float("nan"), "n/a")],
)
def test_percent(share: float, told: str) -> None:
    assert percent(share) == told


def test_what_is_assumed_has_a_star() -> None:
    assert [starred(kind) for kind in ("measured", "assumed")] == ["measured", "assumed*"]


def test_whole_figures_have_all_their_digits() -> None:
    assert [amount(value) for value in (1572864, 23.6, 1 / 3, 0)] == ["1,572,864", "23.6", "0.333333", "0"]
