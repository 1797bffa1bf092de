"""The program is the `snn` network: interpreted and compiled, outputs and the count of every neuron, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import BoolAttr, ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.cpu.run import CpuProgram, load
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.errors import PromiseError
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import origin_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.validation import check_promise
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.convert.convert_snn_to_cpu import ConvertSnnToCpuPass
from neurocuda.reference.interpreter import interpret
from neurocuda.testing import RandomNetwork, random_network
from neurocuda.testing_spiking import random_spiking_network

Array = NDArray[Any]
Ways = Callable[[ModuleOp, WeightStore, int], Iterator[tuple[str, CpuProgram]]]
LAYERS = ("cpu.count_layer", "cpu.spike_layer", "cpu.current_layer", "cpu.max_pool_train", "cpu.count_train")
"""Whole layers are made of loops by passes with tests of their own: test_make_layer_major.py, test_fuse_layers.py."""
LOWER = ("convert-snn-to-cpu", "allocate-buffers")
QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")


def require_equal(found: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """Layers whose window never comes have no counts in a program."""
    for origin, counts in expected.items():
        if origin in found:
            np.testing.assert_array_equal(found[origin], counts, err_msg=origin)
        else:
            assert not counts.any(), f"{origin} is missing"


@pytest.mark.parametrize("real", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("seed", range(17))
def test_any_spiking_network_is_kept(seed: int, real: bool, ways: Ways) -> None:
    """The floats are quarters and halves, so that their sums are exact in any order."""
    network = random_spiking_network(seed, real=real)
    outputs, counts = network.interpret()
    for step in LOWER:
        network.apply(step)
        found, spikes = network.interpret()
        for one, other in zip(found, outputs, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=step)
        require_equal(spikes, counts)
    for way, program in ways(network.module, network.weights, seed + real):
        execution = program.run(network.inputs, RunOptions(counts=True))
        for one, other in zip(execution.outputs, outputs, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=way)
        require_equal(execution.counts, counts)


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds every loop nest occurs that needs no code "graded", and neurons fire."""
    kinds: set[type[Operation]] = set()
    fired = 0
    for seed in range(17):
        network = random_spiking_network(seed)
        fired += sum(int(counts.any()) for counts in network.interpret()[1].values())
        network.apply(*LOWER)
        kinds |= {type(op) for op in network.module.walk()}
    missing = {kind for kind in cpu.DIALECT.operations if issubclass(kind, cpu.LoopOp)} - kinds
    graded = {"cpu.lookup", "cpu.softmax", "cpu.layer_norm", "cpu.product", "cpu.matrix_product"}
    assert {kind.name for kind in missing} <= {"cpu.leak", "cpu.quantize", "cpu.dequantize", *LAYERS, *graded}
    assert fired > 14


LEAKY = """
func.func @main(%x: tensor<6xf32>) -> (tensor<4xf32>, tensor<5x!snn.spikes<0, 40>>) {
  %y, %z = snn.network code "free" steps 40 inputs(%x) {
  ^bb0(%i: tensor<6xf32>):
    %0 = snn.input %i code "current" : tensor<6xf32> -> tensor<6xf32>
    %1 = snn.linear %0 weight(WEIGHT0) : tensor<6xf32> -> tensor<5xf32>
    %2 = snn.integrate_and_fire %1 threshold(dense<[1.1, 0.7, 0.9, 1.3, 0.8]> : tensor<5xf32>)
      bias(dense<0.01> : tensor<1xf32>) membrane_decay(dense<[0.9, 0.95, 0.8, 0.85, 0.97]> : tensor<5xf32>)
      current_decay(dense<0.6> : tensor<1xf32>) {nc.origin = "leaky"}
      : (tensor<5xf32>) -> tensor<5x!snn.spikes<0, 40>>
    %3 = snn.linear %2 weight(WEIGHT1) : tensor<5x!snn.spikes<0, 40>> -> tensor<4xf32>
    %4 = snn.accumulate %3 : (tensor<4xf32>) -> tensor<4xf32>
    snn.output %4, %2 : tensor<4xf32>, tensor<5x!snn.spikes<0, 40>>
  } : (tensor<6xf32>) -> (tensor<4xf32>, tensor<5x!snn.spikes<0, 40>>)
  func.return %y, %z : tensor<4xf32>, tensor<5x!snn.spikes<0, 40>>
}
"""


def test_leaky_floats_agree_within_a_tolerance() -> None:
    random = np.random.default_rng(0)
    text = LEAKY
    for name, shape in (("WEIGHT0", (5, 6)), ("WEIGHT1", (4, 5))):
        rows = random.normal(0, 0.3, shape).astype(np.float32).tolist()
        text = text.replace(name, f"dense<{rows}> : tensor<{shape[0]}x{shape[1]}xf32>")
    context = create_context()
    module = parse_module(context, text)
    images = random.normal(0, 1, (50, 6)).astype(np.float32)
    counts: dict[str, Array] = {}
    outputs = interpret(module, weights_of(context), [images], lambda op, x: counts.update({origin_of(op) or "": x}))
    for step in LOWER:
        RandomNetwork(context, module, images).apply(step)
    execution = load(module, weights_of(context)).run([images], RunOptions(counts=True))
    same = (execution.counts["leaky"] == counts["leaky"]).all(axis=1)
    assert counts["leaky"].sum() > 500
    assert same.mean() > 0.95, "a spike may fall on another step where a membrane meets its threshold"
    found, expected = (np.asarray(each[0][same], np.float64) for each in (execution.outputs, outputs))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_validation_compares_counts_across_the_lowering() -> None:
    """A program whose neurons fire otherwise breaks the promise of the pass, and the layer is named."""
    network = random_network(3)
    network.apply(*QUANTISE, "convert-ann-to-snn", "encode-unary")
    before = network.module.clone()
    network.apply(*LOWER)
    promise = ConvertSnnToCpuPass.promise
    reports = check_promise(before, network.module, promise, network.weights, [network.images], name="lowering")
    fires = [op for op in network.module.walk() if isinstance(op, cpu.FireOp)]
    assert {origin_of(op) for op in fires} <= {report.name for report in reports}
    fires[0].properties["strict"] = BoolAttr.from_bool(True)
    fires[0].properties["threshold"] = network.weights.add(np.full((1,), 7, np.int32), "threshold")
    with pytest.raises(PromiseError, match=f"lowering changed {origin_of(fires[0])}"):
        check_promise(before, network.module, promise, network.weights, [network.images], name="lowering")
