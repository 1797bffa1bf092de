"""Theorem 1: gated neurons send exactly the counts of the integer network, layer by layer, for any network."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.origin import origin_of
from neurocuda.testing import RandomNetwork, random_network

QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")

COUNTING = (ann.StaircaseOp, ann.MaxPool2dOp, snn.IntegrateAndFireOp, snn.MaxPool2dOp, snn.RunningMaxPool2dOp)


def counts_of(network: RandomNetwork) -> dict[str, NDArray[np.generic]]:
    """The count of every neuron, by origin, and the outputs."""
    found: dict[str, NDArray[np.generic]] = {}

    def observe(op: Operation, values: NDArray[np.generic]) -> None:
        if isinstance(op, COUNTING) and (origin := origin_of(op)) is not None:
            found[origin] = values

    found["outputs"] = network.interpret(network.images, observe)[0]
    return found


@pytest.mark.parametrize("seed", range(24))
def test_unary_equals_the_integer_network(seed: int) -> None:
    network = random_network(seed, mixed_levels=seed % 2 == 1)
    network.apply(*QUANTISE)
    integers = counts_of(network)
    network.apply("convert-ann-to-snn")
    counts = counts_of(network)
    network.apply("encode-unary")
    spikes = counts_of(network)

    assert integers.keys() == counts.keys() == spikes.keys()
    assert len(integers) > 2
    for origin, expected in integers.items():
        np.testing.assert_array_equal(counts[origin], expected, err_msg=origin)
        np.testing.assert_array_equal(spikes[origin], expected, err_msg=origin)


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
    found = counts_of(network)
    for origin in expected:
        np.testing.assert_array_equal(found[origin], expected[origin], err_msg=origin)
