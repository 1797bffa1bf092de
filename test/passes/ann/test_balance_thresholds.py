"""The clip range with the least square error, against a search that looks at every bin."""

from __future__ import annotations

import numpy as np
import pytest

from neurocuda.passes.ann._statistics import BINS, Statistics
from neurocuda.passes.ann.balance_thresholds import CANDIDATES, centres, layer_percentile, least_square_clip


def random_statistics(seed: int, channels: int = 4) -> Statistics:
    random = np.random.default_rng(seed)
    high = random.uniform(0.1, 10, channels).astype(np.float32)
    shape = np.exp(-np.arange(BINS) / random.uniform(50, 900, (channels, 1)))
    histogram = random.poisson(1000 * shape).astype(np.int32)
    edges = np.stack([np.zeros_like(high), high], axis=1)
    mean = (high / 2).astype(np.float32)
    return Statistics(np.zeros_like(high), high, mean, high, edges, histogram)


@pytest.mark.parametrize("levels", [1, 4, 15, 63])
@pytest.mark.parametrize("seed", range(4))
def test_running_sums_find_what_a_plain_search_finds(seed: int, levels: int) -> None:
    statistics = random_statistics(seed)
    values, counts = centres(statistics), statistics.histogram.astype(np.float64)
    candidates = statistics.maximum.astype(np.float64)[:, None] * np.linspace(0.05, 1.2, CANDIDATES)
    errors = np.empty_like(candidates)
    for column, clip in enumerate(candidates.T):
        unit = clip[:, None] / levels
        rounded = np.clip(np.floor(values / unit + 0.5), 0, levels) * unit
        errors[:, column] = (counts * np.square(rounded - values)).sum(axis=1)
    found, least = least_square_clip(statistics, levels)
    for channel, clip in enumerate(found):
        column = int(np.abs(candidates[channel] - clip).argmin())
        assert errors[channel, column] <= errors[channel].min() * (1 + 1e-9)
    np.testing.assert_allclose(least, errors.min(axis=1), rtol=1e-6)


def test_more_levels_reach_further() -> None:
    statistics = random_statistics(0)
    few, many = (least_square_clip(statistics, levels)[0] for levels in (2, 63))
    assert (many > few).all()


def test_the_percentile_counts_the_whole_layer() -> None:
    statistics = random_statistics(1)
    values = np.repeat(centres(statistics).ravel(), statistics.histogram.ravel())
    expected = np.percentile(values, 99.9, method="inverted_cdf")
    assert layer_percentile(statistics, 99.9) == pytest.approx(expected, rel=1e-3)
