"""Networks of spike trains in integers: the CPU keeps them bit for bit, and wide integers keep the floats."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.backends.cpu.run import load
from neurocuda.dialects.levels import SNN_INTEGER
from neurocuda.errors import LevelError, UnsupportedModelError
from neurocuda.testing_spiking import SpikingNetwork
from neurocuda.testing_trains import random_train_network

LOWER = ("convert-snn-to-cpu", "allocate-buffers")
INPUT = "input-lowest=-8 input-highest=7 input-step=0.25"


def quantised(seed: int, bits: int) -> SpikingNetwork | None:
    """A random network in integers; None where it has none: it reads currents twice, say."""
    network = random_train_network(seed, real=True)
    try:
        network.apply(f"quantize-neurons{{{INPUT} weight-bits={bits}}}")
    except LevelError:
        return None
    return network


@pytest.mark.parametrize("seed", range(24))
def test_integers_are_the_same_on_the_cpu(seed: int) -> None:
    network = quantised(seed, 6)
    if network is None:
        pytest.skip("this network has no integer form")
    SNN_INTEGER.require(network.module)
    expected = network.interpret()[0]
    try:
        network.apply(*LOWER)
    except UnsupportedModelError:
        pytest.skip("this network leaves 32 bits")
    for one, other in zip(load(network.module, network.weights).run(network.inputs).outputs, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_wide_integers_say_nearly_what_the_floats_say() -> None:
    """Over the seeds, spikes that differ are a small share, and smaller with wider weights."""
    shares = [_share(bits) for bits in (4, 12)]
    assert shares[1] < shares[0] < 0.2
    assert shares[1] < 0.005


def _share(bits: int) -> float:
    """The share of neurons whose spikes are other ones."""
    differing, neurons = 0, 0
    for seed in range(24):
        network = quantised(seed, bits)
        if network is None:
            continue
        floats: dict[str, NDArray[np.generic]] = random_train_network(seed, real=True).interpret()[1]
        integers = network.interpret()[1]
        differing += sum(int((integers[name] != counts).sum()) for name, counts in floats.items())
        neurons += sum(counts.size for counts in floats.values())
    assert neurons > 1000
    return differing / neurons
