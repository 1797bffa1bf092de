"""Whole layers of counts: every count of random ones on every processor, and what their hot loops look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.cpu.run import CpuProgram, load_here
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.cpu.llvm.dense_products import Dot, Pairs, Plain, Products, products_of
from neurocuda.passes.cpu.llvm.dense_tiles import cut, tile_of
from neurocuda.passes.cpu.llvm.features import LEVELS, features_named
from neurocuda.testing_assembly import assembly_of, inner_loops, spills
from neurocuda.testing_layers import random_count_layer

Ways = Callable[[ModuleOp, WeightStore, int], Iterator[tuple[str, CpuProgram]]]

LAYER = """
func.func @main(%x: tensor<HxHxCxui8>) -> tensor<HxHxCxui8> {
  %y = cpu.program "network" mode "counts" steps 1 inputs(%x) {
  ^bb0(%0: memref<HxHxCxui8>):
    %1 = cpu.buffer : memref<HxHxCxui8>
    cpu.count_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>]
      weights [dense<1> : tensor<1x3x3xCxCxi8>] threshold(dense<9> : tensor<1xi32>) levels 15 layout [1, 2, 0]
      steps [0, 1] : (memref<HxHxCxui8>) -> memref<HxHxCxui8>
    cpu.output %1 : memref<HxHxCxui8>
  } : (tensor<HxHxCxui8>) -> (tensor<HxHxCxui8>)
  func.return %y : tensor<HxHxCxui8>
}
"""


def convolution(size: int, channels: int) -> str:
    """A layer of 3x3 weights over an image."""
    return LAYER.replace("H", str(size)).replace("xC", f"x{channels}")


@pytest.mark.parametrize("seed", range(24))
def test_every_count_is_kept(seed: int, ways: Ways) -> None:
    """Synapses of all kinds and widths at any border; threads share a single image."""
    network = random_count_layer(seed)
    (expected,) = network.interpret()
    for name, program in ways(network.module, network.weights, seed):
        for inputs, threads in ((network.inputs, 1), ([array[:1] for array in network.inputs], 2)):
            (found,) = program.run(inputs, RunOptions(threads=threads)).outputs
            np.testing.assert_array_equal(found, expected[: len(found)], err_msg=f"{name}, {threads} threads")


@pytest.mark.slow
@pytest.mark.parametrize("features", ["host", "avx512vnni", "avx2", "baseline"])
def test_every_count_is_kept_at_every_level(features: str) -> None:
    if not features_named(features).flags <= features_named("host").flags:
        pytest.skip(f"this processor is less than {features}")
    for seed in range(100, 140):
        network = random_count_layer(seed)
        (found,) = load_here(network.module, network.weights, features).run(network.inputs).outputs
        np.testing.assert_array_equal(found, network.interpret()[0], err_msg=str(seed))


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds every kind of synapse occurs, with groups, pools and signs, and counts of all sizes."""
    synapses: set[str] = set()
    counts: set[int] = set()
    for seed in range(24):
        network = random_count_layer(seed)
        counts |= set(np.unique(network.interpret()[0]).tolist())
        layers = [op for op in network.module.walk() if isinstance(op, cpu.CountLayerOp)]
        synapses |= {word for op in layers for each in op.synapses.data for word in str(each).split()}
        synapses |= {str(source.type).rpartition("x")[2] for op in layers for source in op.sources}
    kinds = {"#cpu.synapse<linear>", "#cpu.synapse<diagonal>", "#cpu.synapse<conv2d", "#cpu.synapse<depthwise_conv2d"}
    assert kinds | {"pool", "dilation", "i1>", "i8>", "ui8>", "ui16>"} <= synapses
    assert len(counts) > 100


@pytest.mark.parametrize(
    ("largest", "levels"),
    [(2**31 - 1, 255), (2**30, 3), (10**6, 255), (1000, 65535), (1, 65535)],
)
def test_charges_are_divided_exactly(largest: int, levels: int) -> None:
    """At every multiple of a threshold and beside it, up to the end of 32 bits."""
    random = np.random.default_rng(largest)
    thresholds = np.unique(np.concatenate([random.integers(1, largest + 1, 600), [1, largest]]))[:500]
    times = random.integers(0, levels + 2, len(thresholds))
    charges = np.clip(thresholds * times + random.integers(-1, 2, len(thresholds)), -(2**31), 2**31 - 1)
    size, kind = len(thresholds), "ui8" if levels < 256 else "ui16"
    text = f"""
func.func @main(%x: tensor<{size}xui8>) -> tensor<{size}x{kind}> {{
  %y = cpu.program "network" mode "counts" steps 1 inputs(%x) {{
  ^bb0(%0: memref<{size}xui8>):
    %1 = cpu.buffer : memref<{size}x{kind}>
    cpu.count_layer(%0) -> %1 synapses [#cpu.synapse<diagonal>] weights [dense<1> : tensor<1xi8>]
      threshold(dense<{thresholds.tolist()}> : tensor<{size}xi32>) bias(dense<{charges.tolist()}> : tensor<{size}xi32>)
      levels {levels} layout [0] steps [0, 1] : (memref<{size}xui8>) -> memref<{size}x{kind}>
    cpu.output %1 : memref<{size}x{kind}>
  }} : (tensor<{size}xui8>) -> (tensor<{size}x{kind}>)
  func.return %y : tensor<{size}x{kind}>
}}"""
    context = create_context()
    program = load_here(parse_module(context, text), weights_of(context))
    (found,) = program.run([np.zeros((1, size), np.uint8)]).outputs
    np.testing.assert_array_equal(found[0], np.clip(charges // thresholds, 0, levels))


@pytest.mark.parametrize("size", [32, 16, 8, 4])
def test_sums_stay_in_registers(size: int) -> None:
    """The layers of ResNet-18: nothing is spilled where products are summed, two instructions for every four loads."""
    context = create_context()
    module = parse_module(context, convolution(size, 2048 // size))
    loops = inner_loops(assembly_of(module, weights_of(context), "avx512vnni"), "count_layer_0")
    hot = [loop for loop in loops if any(line.startswith("vpdpbusd") for line in loop)]
    assert hot
    for loop in hot:
        assert not spills(loop), "\n".join(loop)
        assert sum(line.startswith("vpdpbusd") for line in loop) * 2 > len(loop)


@pytest.mark.parametrize("features", LEVELS)
def test_a_tile_fits_into_registers(features: str) -> None:
    products = products_of(features_named(features))
    for width in range(1, 40):
        for vectors in range(1, 12):
            size, count = tile_of(width, vectors, products)
            assert size * count + count * products.spare + products.spare < products.registers
            assert sum(cut(width, size)) == width
            assert max(cut(width, size)) <= size


def test_every_processor_has_its_products() -> None:
    kinds: dict[str, type[Products]] = {"baseline": Pairs, "avx2": Pairs, "avx512vnni": Dot, "neon": Plain}
    assert {name: type(products_of(features)) for name, features in LEVELS.items()} == kinds
    for features in LEVELS:
        context = create_context()
        assert assembly_of(parse_module(context, convolution(8, 32)), weights_of(context), features)
