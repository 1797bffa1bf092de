"""What counts as keeping a promise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.ir.promise import Approximates, Deviation, Equal, Promise, Within

Values = NDArray[np.float64]


def values(*numbers: float) -> Values:
    return np.array(numbers)


@pytest.mark.parametrize(
    ("promise", "before", "after", "kept"),
    [
        (Equal(), [1.0, -2.0], [1.0, -2.0], True),
        (Equal(), [1.0, -2.0], [1.0, -2.0 - 1e-15], False),
        (Equal(1e-3), [0.0, 100.0], [0.09, 100.0], True),  # relative to the largest magnitude of the tensor
        (Equal(1e-3), [0.0, 100.0], [0.11, 100.0], False),
        (Equal(1e-3), [0.0, 0.0], [1e-30, 0.0], False),
        (Within(0.5), [0.0, 100.0], [0.5, 99.5], True),
        (Within(0.5), [0.0, 100.0], [0.0, 99.4], False),
        (Approximates(), [0.0, 1.0], [1e9, -1e9], True),
    ],
)
def test_tolerances(promise: Promise, before: list[float], after: list[float], kept: bool) -> None:
    assert (promise.broken_by(values(*before), values(*after)) is None) is kept


@pytest.mark.parametrize("promise", [Equal(1e-3), Within(1.0)])
def test_an_infinity_must_stay_and_excuses_nothing(promise: Promise) -> None:
    before = values(np.inf, 1.0)
    assert promise.broken_by(before, values(np.inf, 1.0)) is None
    assert promise.broken_by(before, values(np.inf, 3.0)) is not None
    assert promise.broken_by(before, values(-np.inf, 1.0)) is not None
    assert promise.broken_by(before, values(5.0, 1.0)) is not None


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_what_becomes_infinite_or_nan_breaks_every_promise(bad: float) -> None:
    assert Approximates().broken_by(values(0.0, 1.0), values(0.0, bad)) is not None


def test_nan_must_stay_where_it_was() -> None:
    assert Equal(1.0).broken_by(values(np.nan, 1.0), values(np.nan, 1.0)) is None
    assert Equal(1.0).broken_by(values(np.nan, 1.0), values(1.0, 1.0)) == "it holds NaN on one side only"
    assert Equal(1.0).broken_by(values(np.nan, 1.0), values(1.0, np.nan)) == "it holds NaN on one side only"


@pytest.mark.parametrize("promise", [Equal(), Within(1.0), Approximates()])
def test_a_shape_must_stay(promise: Promise) -> None:
    assert promise.broken_by(np.zeros((2, 3)), np.zeros((3, 2))) == "its shape changed from (2, 3) to (3, 2)"


def test_the_worst_element_is_named() -> None:
    reason = Within(0.5).broken_by(np.zeros((2, 3)), np.array([[0, 0, 0.6], [0, -2.0, 0]]))
    assert reason is not None
    assert reason.startswith("element [1, 1] was 0 and is -2;")
    assert reason.endswith("Within(bound=0.5) allows a difference of 0.5, 2 of 6 differ")


def test_deviations_are_measured_with_their_sign() -> None:
    assert Deviation.between(values(1.0, 2.0), values(4.0, 1.0)) == Deviation(bias=1.0, rms=5**0.5, largest=3.0)
    assert Deviation.between(values(), values()) == Deviation(0.0, 0.0, 0.0)
    assert Deviation.between(values(np.inf, 0.0), values(np.inf, 2.0)) == Deviation(1.0, 2**0.5, 2.0)
