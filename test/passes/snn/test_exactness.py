"""Exact codes say exactly the counts of the integer network, neuron by neuron, for any network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.origin import origin_of
from neurocuda.options import EXACT_CODES
from neurocuda.testing import RandomNetwork, random_network

Array = NDArray[Any]

QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")

COUNTING = (ann.StaircaseOp, ann.MaxPool2dOp, snn.IntegrateAndFireOp, snn.MaxPool2dOp, snn.RunningMaxPool2dOp)

NETWORKS = 18


def integer_network(seed: int, images: int) -> RandomNetwork:
    """A random integer network; two in three have layers of different T, every third extreme weights and images."""
    network = random_network(seed, mixed_levels=seed % 3 > 0, extreme=seed % 3 == 2, images=images)
    network.apply(*QUANTISE)
    return network


def counts_of(network: RandomNetwork) -> dict[str, Array]:
    """The count of every neuron, by origin, and the outputs."""
    found: dict[str, Array] = {}

    def observe(op: Operation, values: Array) -> None:
        if isinstance(op, COUNTING) and (origin := origin_of(op)) is not None:
            found[origin] = values

    found["outputs"] = network.interpret(network.images, observe)[0]
    return found


def require_equal(found: Mapping[str, Array], expected: Mapping[str, Array], what: str) -> int:
    """Compares all counts; returns how many."""
    assert found.keys() == expected.keys()
    for origin, counts in expected.items():
        np.testing.assert_array_equal(found[origin], counts, err_msg=f"{what}: {origin}")
    return sum(counts.size for counts in expected.values())


@pytest.mark.parametrize("code", EXACT_CODES)
def test_an_exact_code_says_the_integer_network(code: str) -> None:
    """Over all codes more than a million counts: residuals, concatenations, poolings, depthwise layers, mixed T."""
    compared = 0
    for seed in range(NETWORKS):
        network = integer_network(seed, 24)
        integers = counts_of(network)
        network.apply("convert-ann-to-snn")
        require_equal(counts_of(network), integers, f"network {seed}")
        network.apply(f"encode-{code}")
        compared += require_equal(counts_of(network), integers, f"network {seed}")
    assert compared > 200_000


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds some neurons are silent, some saturated, some in between."""
    seen: set[str] = set()
    for seed in range(6):
        network = random_network(seed)
        network.apply(*QUANTISE)
        for origin, values in counts_of(network).items():
            if origin.startswith("neuron"):
                values = values.astype(np.int64)
                seen |= {"silent"} if (values == 0).any() else set()
                seen |= {"saturated"} if (values == 7).any() else set()
                seen |= {"between"} if ((values > 0) & (values < 7)).any() else set()
    assert seen == {"silent", "saturated", "between"}


@pytest.mark.parametrize("seed", range(8))
def test_free_running_is_close_but_promises_nothing(seed: int) -> None:
    network = random_network(seed)
    network.apply(*QUANTISE, "convert-ann-to-snn")
    expected = network.interpret(network.images)[0].astype(np.float64)
    network.apply("encode-free")
    found = network.interpret(network.images)[0].astype(np.float64)

    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 2 * np.abs(expected).max() + 1


def test_free_running_is_exact_for_one_layer() -> None:
    """Lemma 1: a constant current is integrated exactly."""
    network = random_network(3, blocks=0)
    network.apply(*QUANTISE)
    expected = counts_of(network)
    network.apply("convert-ann-to-snn", "encode-free")
    require_equal(counts_of(network), expected, "free")


@pytest.mark.parametrize("code", ["unary", "radix", "latency", "graded"])
def test_delays_on_shortcuts_keep_every_count(code: str) -> None:
    """And the schedule that is in the text then still holds."""
    shorter = 0
    for seed in range(9):
        network = integer_network(seed, 4)
        integers = counts_of(network)
        network.apply("convert-ann-to-snn", f"encode-{code}")
        before = interval_of(network)
        network.apply("insert-delays", "verify-schedule")
        require_equal(counts_of(network), integers, f"network {seed}")
        assert interval_of(network) <= before
        shorter += interval_of(network) < before
    assert shorter


def interval_of(network: RandomNetwork) -> int:
    """The interval that the text states."""
    (found,) = [op for op in network.module.walk() if isinstance(op, snn.NetworkOp)]
    assert found.interval is not None
    return found.interval.value.data


def test_a_delay_of_a_window_makes_free_running_exact() -> None:
    network = random_network(3)
    network.apply(*QUANTISE)
    integers = counts_of(network)
    network.apply("convert-ann-to-snn", "encode-free{delay=7}")
    require_equal(counts_of(network), integers, "delay 7")
