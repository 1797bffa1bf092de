"""One pass over the images gives the same statistics whatever the batches, however the range grows."""

from __future__ import annotations

import numpy as np
import pytest

from neurocuda.passes.ann._statistics import BINS, Statistics
from neurocuda.passes.ann.calibrate import Accumulator, find_grid  # pyright: ignore[reportPrivateUsage]


def accumulated(batches: list[np.ndarray]) -> Statistics:
    accumulator = Accumulator(grid=False)
    for batch in batches:
        accumulator.add(batch.astype(np.float32))
    return accumulator.statistics()


@pytest.mark.parametrize("seed", range(6))
def test_growing_ranges_lose_nothing(seed: int) -> None:
    random = np.random.default_rng(seed)
    scales = 10.0 ** random.integers(-3, 4, 5)
    batches = [random.normal(random.normal(), 1, (3, 50)) * scale for scale in scales]
    everything = np.concatenate(batches, axis=1).astype(np.float32)
    found = accumulated(batches)

    np.testing.assert_array_equal(found.minimum, everything.min(axis=1))
    np.testing.assert_array_equal(found.maximum, everything.max(axis=1))
    np.testing.assert_allclose(found.mean, everything.mean(axis=1), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.variance, everything.var(axis=1), rtol=1e-3)
    assert (found.histogram.sum(axis=1) == everything.shape[1]).all()
    for channel, values in enumerate(everything):
        low, high = found.edges[channel].astype(np.float64)
        width = (high - low) / BINS
        middles = low + width * (np.arange(BINS) + 0.5)
        from_histogram = np.repeat(middles, found.histogram[channel])
        np.testing.assert_allclose(from_histogram, np.sort(values), atol=1.01 * width)


def test_a_channel_that_was_constant_may_start_to_vary() -> None:
    found = accumulated([np.full((1, 4), 2.0), np.array([[0.0, 4.0]])])
    assert found.histogram.sum() == 6
    assert found.histogram[0, BINS // 2] == 4
    assert found.edges[0].tolist() == [0.0, 4.0]


def test_a_constant_channel_stays_constant() -> None:
    found = accumulated([np.zeros((1, 4)), np.zeros((1, 4))])
    assert found.histogram[0, 0] == 8
    assert found.variance[0] == 0


def test_pixels_are_a_grid_and_noise_is_none() -> None:
    random = np.random.default_rng(0)
    pixels = np.unique((random.integers(0, 256, 100_000) / 255 - 0.485) / 0.229)
    grid = find_grid([pixels], 100_000)
    assert grid is not None
    np.testing.assert_allclose(grid[0], [1 / 255 / 0.229, -0.485 / 0.229, 256], rtol=1e-9)
    assert find_grid([np.sort(random.normal(size=200))], 100_000) is None


def test_a_grid_needs_evidence() -> None:
    """Two values always lie on a grid; a handful of images proves nothing."""
    assert find_grid([np.array([0.1, 0.73])], 8) is None
    assert find_grid([np.array([0.0, 1.0])], 64) is not None


def test_each_channel_may_have_its_own_grid() -> None:
    grid = find_grid([np.arange(10) * 0.5, np.arange(10) * 0.3 + 0.07], 10_000)
    assert grid is not None
    np.testing.assert_allclose(grid, [[0.5, 0.0, 10], [0.3, 0.07, 10]])
