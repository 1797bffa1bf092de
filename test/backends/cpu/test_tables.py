"""Table layers and products are kept from counts over graded spikes to the program, integer for integer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.backends.cpu.run import load
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret
from neurocuda.testing_spiking import SpikingNetwork
from neurocuda.testing_tables import random_table_network

Array = NDArray[Any]
SEEDS = 40


def require_equal(found: tuple[list[Array], Mapping[str, Array]], expected: tuple[list[Array], Mapping[str, Array]]):
    """All outputs, and the counts of all layers."""
    for one, other in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert found[1].keys() == expected[1].keys()
    for origin, counts in expected[1].items():
        np.testing.assert_array_equal(found[1][origin], counts, err_msg=origin)


def executed(network: SpikingNetwork) -> tuple[list[Array], Mapping[str, Array]]:
    """What the compiled program gives."""
    network.apply("convert-snn-to-cpu", "allocate-buffers")
    execution = load(network.module, network.weights).run(network.inputs, RunOptions(counts=True))
    return list(execution.outputs), execution.counts


@pytest.mark.parametrize("seed", range(SEEDS))
def test_counts_graded_spikes_and_the_program_are_equal(seed: int) -> None:
    network = random_table_network(seed)
    expected = network.interpret()
    network.apply("encode-graded", "verify-schedule")
    require_equal(network.interpret(), expected)
    network.apply("insert-delays", "verify-schedule")
    require_equal(network.interpret(), expected)
    network.apply("convert-snn-to-cpu")
    require_equal(network.interpret(), expected)
    require_equal(executed(network), expected)


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds every loop nest of tables occurs, tensors have up to four axes, and counts both signs."""
    kinds: set[type[Operation]] = set()
    ranks: set[int] = set()
    signs: set[int] = set()
    for seed in range(SEEDS):
        network = random_table_network(seed)
        for counts in network.interpret()[1].values():
            ranks.add(counts.ndim - 1)
            signs.update(np.unique(np.sign(counts)).tolist())
        network.apply("encode-graded")
        kinds |= {type(op) for op in network.module.walk()}
        network.apply("convert-snn-to-cpu")
        kinds |= {type(op) for op in network.module.walk()}
    assert {cpu.LookupOp, cpu.SoftmaxOp, cpu.LayerNormOp, cpu.ProductOp, cpu.MatrixProductOp, snn.DelayOp} <= kinds
    assert ranks >= {2, 3, 4}
    assert signs == {-1, 0, 1}
