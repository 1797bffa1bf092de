"""The exact graph is the `snn` network: outputs and the count of every neuron, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
from numpy.typing import NDArray

from neurocuda.backends.nir.run import load
from neurocuda.dialects.nir import ops as nir
from neurocuda.errors import UnsupportedModelError
from neurocuda.ir.backend import RunOptions
from neurocuda.measure.exactness import compare, counts_of
from neurocuda.testing import RandomNetwork, random_network

Array = NDArray[Any]
SEEDS = range(40)
CODES = ("unary", "free", "free{delay=2}")
QUANTISE = ("calibrate", "balance-thresholds{timesteps=4}", "quantize-activations{timesteps=4}", "quantize-weights")


def refusals(network: RandomNetwork) -> set[str] | None:
    """Lowers a network; what NIR cannot say of it, or None."""
    try:
        network.apply("convert-snn-to-nir")
    except UnsupportedModelError as refusal:
        return {problem.what for problem in refusal.problems}
    return None


def difference(seed: int, code: str) -> tuple[int, int] | None:
    """(counts, those that differ) of a random network in a code; None where NIR cannot say it."""
    network = random_network(seed, images=3)
    network.apply(*QUANTISE, "convert-ann-to-snn", f"encode-{code}")
    expected = counts_of(network.module, network.weights, [network.images])
    if (refused := refusals(network)) is not None:
        assert refused <= {"`snn.running_max_pool2d`", "`snn.conv2d`"}
        return None
    execution = load(network.module, network.weights).run([network.images], RunOptions(counts=True))
    found = dict(execution.counts) | {f"output {index}": array for index, array in enumerate(execution.outputs)}
    comparison = compare("snn", "nir", expected, found)
    assert not comparison.missing
    return comparison.counts, comparison.mismatches


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_count_stays(seed: int, code: str) -> None:
    found = difference(seed, code)
    if found is None:
        pytest.skip("it counts in a max pooling, or pads unevenly")
    counts, mismatches = found
    assert counts > 0
    assert mismatches == 0


def test_the_property_is_not_vacuous() -> None:
    """Many networks are said, and over the seeds all kinds of nodes occur that integer networks need."""
    kinds: set[type[object]] = set()
    said = 0
    for seed in SEEDS:
        network = random_network(seed, images=1)
        network.apply(*QUANTISE, "convert-ann-to-snn", "encode-unary")
        if refusals(network) is not None:
            continue
        said += 1
        kinds |= {type(op) for op in network.module.walk()}
    assert said > 10
    needed = {nir.AffineOp, nir.Conv2dOp, nir.FlattenOp, nir.IOp, nir.ScaleOp, nir.SumPool2dOp, nir.ThresholdOp}
    assert needed <= kinds
