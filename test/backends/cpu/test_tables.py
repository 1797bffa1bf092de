"""Table layers and products are kept from counts over graded spikes to the program, integer for integer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.cpu.run import CpuProgram, load
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.testing_spiking import SpikingNetwork
from neurocuda.testing_tables import random_table_network

Array = NDArray[Any]
Ways = Callable[[ModuleOp, WeightStore, int], Iterator[tuple[str, CpuProgram]]]
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
def test_counts_graded_spikes_and_the_program_are_equal(seed: int, ways: Ways) -> None:
    network = random_table_network(seed)
    expected = network.interpret()
    network.apply("encode-graded", "verify-schedule")
    require_equal(network.interpret(), expected)
    network.apply("insert-delays", "verify-schedule")
    require_equal(network.interpret(), expected)
    network.apply("convert-snn-to-cpu")
    require_equal(network.interpret(), expected)
    network.apply("allocate-buffers")
    for _, program in ways(network.module, network.weights, seed):
        execution = program.run(network.inputs, RunOptions(counts=True))
        require_equal((list(execution.outputs), execution.counts), expected)


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
    assert {cpu.LookupOp, cpu.SoftmaxOp, cpu.LayerNormOp, cpu.ProductOp, cpu.MatrixProductOp} <= kinds
    assert {snn.DelayOp, snn.MaxPool2dOp, snn.RunningMaxPool2dOp} <= kinds
    assert ranks >= {2, 3, 4}
    assert signs == {-1, 0, 1}


EXTREME = """
func.func @main(%x: tensor<64x3x!ann.count<-8, 7>>) -> (tensor<64x3xi32>, tensor<64x3xi32>, tensor<64x3xi32>) {
  %y:3 = snn.network code "count" steps 1 inputs(%x) {
  ^bb0(%i: tensor<64x3x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<64x3x!ann.count<-8, 7>> -> tensor<64x3x!ann.count<-8, 7>>
    %1 = snn.diagonal %0 weight(dense<268435456> : tensor<1xi32>) : tensor<64x3x!ann.count<-8, 7>> -> tensor<64x3xi32>
    %2 = snn.lookup %1 threshold(dense<THRESHOLD> : tensor<1xi32>) clip -2147483647 to 2147483647 : (tensor<64x3xi32>)
      -> tensor<64x3x!ann.count<-2147483647, 2147483647>>
    %3 = snn.softmax %1 divisor(dense<DIVISOR> : tensor<1xi32>) table(dense<[2147483647, 9, 0]> : tensor<3xi32>)
      levels 1000000000 : (tensor<64x3xi32>) -> tensor<64x3x!ann.count<0, 1000000000>>
    %4 = snn.diagonal %0 weight(dense<54000001> : tensor<1xi32>) : tensor<64x3x!ann.count<-8, 7>> -> tensor<64x3xi32>
    %5 = snn.layer_norm %4 gain(dense<[1800000000, -7, 1]> : tensor<3xi32>) shift(dense<-1000> : tensor<1xi32>)
      epsilon 1 : i64 : (tensor<64x3xi32>) -> tensor<64x3x!ann.count<-2000000000, 2000000000>>
    %6 = snn.diagonal %2 weight(dense<1> : tensor<1xi8>)
      : tensor<64x3x!ann.count<-2147483647, 2147483647>> -> tensor<64x3xi32>
    %7 = snn.diagonal %3 weight(dense<1> : tensor<1xi8>) : tensor<64x3x!ann.count<0, 1000000000>> -> tensor<64x3xi32>
    %8 = snn.diagonal %5 weight(dense<1> : tensor<1xi8>)
      : tensor<64x3x!ann.count<-2000000000, 2000000000>> -> tensor<64x3xi32>
    %9 = snn.accumulate %6 : (tensor<64x3xi32>) -> tensor<64x3xi32>
    %10 = snn.accumulate %7 : (tensor<64x3xi32>) -> tensor<64x3xi32>
    %11 = snn.accumulate %8 : (tensor<64x3xi32>) -> tensor<64x3xi32>
    snn.output %9, %10, %11 : tensor<64x3xi32>, tensor<64x3xi32>, tensor<64x3xi32>
  } : (tensor<64x3x!ann.count<-8, 7>>) -> (tensor<64x3xi32>, tensor<64x3xi32>, tensor<64x3xi32>)
  func.return %y#0, %y#1, %y#2 : tensor<64x3xi32>, tensor<64x3xi32>, tensor<64x3xi32>
}
"""


@pytest.mark.parametrize(("threshold", "divisor"), [(1, 1), (7, 2147483647), (2147483647, 1000)])
def test_nothing_overflows_at_the_ends_of_the_ranges(threshold: int, divisor: int) -> None:
    """Against Python's integers, which have no ends."""
    text = EXTREME.replace("THRESHOLD", str(threshold)).replace("DIVISOR", str(divisor))
    context = create_context()
    images = np.random.default_rng(0).integers(-8, 8, (4, 64, 3))
    images[:, :3] = [[-8, 7, 7], [7, 7, 7], [-8, -8, 7]]
    network = SpikingNetwork(context, parse_module(context, text), [images])
    rows = [row for image in images.tolist() for row in image]
    counts = [max(charge * 268435456 // threshold, -2147483647) for row in rows for charge in row]
    shares = [share for row in rows for share in shares_of([charge * 268435456 for charge in row], divisor)]
    normed = [level for row in rows for level in normed_of([charge * 54000001 for charge in row])]
    expected = [np.reshape(np.array(each), images.shape) for each in (counts, shares, normed)]
    require_equal(network.interpret(), (expected, {}))
    network.apply("encode-graded")
    require_equal(network.interpret(), (expected, {}))
    require_equal(executed(network), (expected, {}))
    require_equal(network.interpret(), (expected, {}))


def shares_of(row: list[int], divisor: int) -> list[int]:
    """The integer softmax of a row."""
    parts = [[2147483647, 9, 0][min((max(row) - charge) // divisor, 2)] for charge in row]
    return [(1000000000 * part + sum(parts) // 2) // sum(parts) for part in parts]


def normed_of(row: list[int]) -> list[int]:
    """The integer layer norm of a row."""
    centred = [len(row) * charge - sum(row) for charge in row]
    deviation = math.isqrt(sum(each * each for each in centred) + 1)
    levels = [(each * gain // deviation - 1000) >> 8 for each, gain in zip(centred, (1800000000, -7, 1), strict=True)]
    return [min(max(level, -2000000000), 2000000000) for level in levels]
