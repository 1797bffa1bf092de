"""Whole layers mean what their loop nests mean: on random trains, step by step and all at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.dialects.cpu.semantics import packed, unpacked
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret

Array = NDArray[np.int64]
STEPS = 6


@pytest.mark.parametrize("channels", [1, 63, 64, 65, 130])
def test_trains_come_back_as_they_were_packed(channels: int) -> None:
    spikes = np.random.default_rng(channels).integers(0, 2, (2, STEPS, 3, 4, channels))
    train = packed(spikes)
    assert train.shape == (2, 3, 4, STEPS, -(-channels // 64))
    np.testing.assert_array_equal(unpacked(train, channels), spikes)


def layer(text: str, source: Array, target: str) -> Array:
    """What a layer makes of a train of (T, 5, 4, 2) spikes."""
    train = packed(source[None])
    module_text = f"""
    func.func @main(%x: tensor<5x4x{STEPS}x1xi64>) -> tensor<{target}xi64> {{
      %y = cpu.program "network" steps 1 inputs(%x) {{
      ^bb0(%0: memref<5x4x{STEPS}x1xi64>):
        %1 = cpu.buffer : memref<{target}xi64>
        cpu.spike_layer(%0, %0) -> %1 {text} steps [0, 1]
          : (memref<5x4x{STEPS}x1xi64>, memref<5x4x{STEPS}x1xi64>) -> memref<{target}xi64>
        cpu.output %1 : memref<{target}xi64>
      }} : (tensor<5x4x{STEPS}x1xi64>) -> (tensor<{target}xi64>)
      func.return %y : tensor<{target}xi64>
    }}"""
    context = create_context()
    module = parse_module(context, module_text)
    return unpacked(interpret(module, weights_of(context), [train])[0], 2)[0]


def fired(charge: Array, threshold: int, reset: int | None = None) -> Array:
    """Integrate-and-fire over the first axis, step by step."""
    membrane, spikes = np.ones_like(charge[0]), list[Array]()
    for each in charge:
        membrane = membrane + each
        spikes.append((membrane >= threshold).astype(np.int64))
        membrane = np.where(spikes[-1], membrane - threshold if reset is None else reset, membrane)
    return np.stack(spikes)


@pytest.fixture
def source() -> Array:
    return np.random.default_rng(0).integers(0, 2, (STEPS, 5, 4, 2))


TWO = (
    "synapses [#cpu.synapse<diagonal>, #cpu.synapse<diagonal>] "
    "weights [dense<3> : tensor<2xi8>, dense<[1, -2]> : tensor<2xi8>] "
    "threshold(dense<4> : tensor<1xi32>) bias(dense<1> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>)"
)
REST = "channels 2 of [2, 2] layout [1, 2, 0]"


def test_every_synapse_and_the_bias_arrive_at_every_step(source: Array) -> None:
    charge = source * 3 + source * np.array([1, -2]) + 1
    np.testing.assert_array_equal(layer(f"{TWO} {REST}", source, f"5x4x{STEPS}x1"), fired(charge, 4))


def test_a_reset_value_takes_the_place_of_what_was_left(source: Array) -> None:
    charge = source * 3 + source * np.array([1, -2]) + 1
    text = f"{TWO} reset_value(dense<-1> : tensor<1xi32>) {REST}"
    np.testing.assert_array_equal(layer(text, source, f"5x4x{STEPS}x1"), fired(charge, 4, -1))


def test_gated_neurons_fire_when_all_has_arrived(source: Array) -> None:
    charge = source * 3 + source * np.array([1, -2]) + 1
    at_once = np.concatenate([charge.sum(axis=0, keepdims=True), np.zeros_like(charge[1:])])
    np.testing.assert_array_equal(layer(f"{TWO} gated true {REST}", source, f"5x4x{STEPS}x1"), fired(at_once, 4))


def test_pooled_windows_are_summed_before_they_are_weighted(source: Array) -> None:
    pooled = "#cpu.synapse<conv2d padding [0, 0, 0, 0] pool [2, 2]>"
    text = f"synapses [{pooled}, {pooled}] weights [dense<1> : tensor<1x1x1x2x2xi8>, dense<0> : tensor<1x1x1x2x2xi8>]"
    text += f" threshold(dense<3> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) {REST}"
    sums = source[:, :4].reshape(STEPS, 2, 2, 2, 2, 2).sum(axis=(2, 4)).sum(axis=-1, keepdims=True)
    expected = fired(np.repeat(sums, 2, axis=-1), 3)
    np.testing.assert_array_equal(layer(text, source, f"2x2x{STEPS}x1"), expected)
