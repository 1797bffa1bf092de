"""The exact graph is the `snn` network: outputs and the count of every neuron, bit for bit."""

from __future__ import annotations

import pytest

from neurocuda.backends.nir.run import load
from neurocuda.dialects.nir import ops as nir
from neurocuda.ir.backend import RunOptions
from neurocuda.measure.exactness import compare, counts_of
from neurocuda.testing import random_network

SEEDS = (0, 2, 8, 9, 16, 25, 27, 28, 29, 37, 39, 49, 54, 58)
"""Of networks that neither pad unevenly nor count in a max pooling, which NIR cannot say."""
QUANTISE = ("calibrate", "balance-thresholds{timesteps=4}", "quantize-activations{timesteps=4}", "quantize-weights")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_count_stays_where_layers_wait(seed: int) -> None:
    network = random_network(seed, images=3)
    network.apply(*QUANTISE, "convert-ann-to-snn", "encode-free{delay=2}")
    expected = counts_of(network.module, network.weights, [network.images])
    network.apply("convert-snn-to-nir")
    execution = load(network.module, network.weights).run([network.images], RunOptions(counts=True))
    found = dict(execution.counts) | {f"output {index}": array for index, array in enumerate(execution.outputs)}
    comparison = compare("snn", "nir", expected, found)
    assert comparison.counts > 0
    assert comparison.exact, str(comparison)


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds all kinds of nodes occur that integer networks need."""
    kinds: set[type[object]] = set()
    for seed in SEEDS:
        network = random_network(seed, images=1)
        network.apply(*QUANTISE, "convert-ann-to-snn", "encode-unary", "convert-snn-to-nir")
        kinds |= {type(op) for op in network.module.walk()}
    needed = {nir.AffineOp, nir.Conv2dOp, nir.FlattenOp, nir.IOp, nir.ScaleOp, nir.SumPool2dOp, nir.ThresholdOp}
    assert needed <= kinds
