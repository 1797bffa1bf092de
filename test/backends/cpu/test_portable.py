"""Programs by way of C and the system's compiler: any network, outputs and the count of every neuron, bit for bit."""

from __future__ import annotations

from shutil import which

import numpy as np
import pytest

from neurocuda.backends.cpu.build import NAMES
from neurocuda.backends.cpu.cross import load
from neurocuda.ir.backend import RunOptions
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_tables import random_table_network
from neurocuda.testing_trains import random_train_network

pytestmark = pytest.mark.skipif(not any(map(which, NAMES)), reason="there is no C compiler")


def require_kept(network: SpikingNetwork) -> None:
    """The floats are quarters and halves, so that their sums are exact, or nearly, in any order."""
    outputs, counts = network.interpret()
    network.apply('convert-snn-to-cpu{processor="c11"}', "allocate-buffers")
    execution = load(network.module, network.weights).run(network.inputs, RunOptions(counts=True))
    assert "-O3" in execution.provenance
    for one, other in zip(execution.outputs, outputs, strict=True):
        tolerance = 1e-6 * float(np.abs(other).max(initial=0)) if other.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    for origin, count in counts.items():
        if origin in execution.counts or count.any():  # layers whose window never comes have none
            np.testing.assert_array_equal(execution.counts[origin], count, err_msg=origin)


@pytest.mark.parametrize("real", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("seed", range(8))
def test_neurons(seed: int, real: bool) -> None:
    require_kept(random_spiking_network(seed, real=real))


@pytest.mark.parametrize("seed", range(10))
def test_tables(seed: int) -> None:
    network = random_table_network(seed)
    network.apply("encode-graded", "verify-schedule", "insert-delays", "verify-schedule")
    require_kept(network)


@pytest.mark.parametrize("real", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("seed", range(5))
def test_trains(seed: int, real: bool) -> None:
    require_kept(random_train_network(seed, real=real))
