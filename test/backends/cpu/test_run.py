"""Running batches: threads, progress, inputs, and what stands beside the program."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.backends.cpu import BACKEND
from neurocuda.backends.cpu.cost import cost
from neurocuda.backends.cpu.run import CpuProgram, load
from neurocuda.errors import InputError, OptionError
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network

LOWER = ("convert-snn-to-cpu", "allocate-buffers")


def program(text: str) -> tuple[CpuProgram, SpikingNetwork]:
    """A network given as text, lowered and built."""
    context = create_context()
    network = SpikingNetwork(context, parse_module(context, text), [])
    network.apply(*LOWER)
    return load(network.module, weights_of(context)), network


PIXELS = """
func.func @main(%x: tensor<2xui8>) -> tensor<2xf32> {
  %n = host.quantize %x step(dense<1.0> : tensor<1xf64>) shift(dense<128.0> : tensor<1xf64>)
    scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
    : tensor<2xui8> -> tensor<2x!ann.count<-128, 127>>
  %a = snn.network code "unary" steps 4 inputs(%n) {
  ^bb0(%i: tensor<2x!ann.count<-128, 127>>):
    %p = snn.input %i : tensor<2x!ann.count<-128, 127>> -> tensor<2x!snn.graded<-128, 127>>
    %c = snn.diagonal %p weight(dense<3> : tensor<2xi8>) : tensor<2x!snn.graded<-128, 127>> -> tensor<2xi32>
    %o = snn.accumulate %c : (tensor<2xi32>) -> tensor<2xi32>
    snn.output %o : tensor<2xi32>
  } : (tensor<2x!ann.count<-128, 127>>) -> (tensor<2xi32>)
  %f = host.dequantize %a scale(dense<0.5> : tensor<1xf64>) : tensor<2xi32> -> tensor<2xf32>
  %y = "host.segment"(%f) ({
  ^bb0(%s: tensor<2xf32>):
    %r = ann.softmax %s axis 0 : tensor<2xf32> -> tensor<2xf32>
    host.yield %r : tensor<2xf32>
  }) : (tensor<2xf32>) -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}
"""


def test_a_host_segment_behind_the_program_is_interpreted() -> None:
    runner, _ = program(PIXELS)
    images = np.array([[0, 255], [128, 129], [7, 7]], np.uint8)
    found = np.asarray(runner.run([images]).outputs[0], np.float64)
    logits = (images.astype(float) - 128) * 1.5
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-6, atol=1e-30)


def test_quantising_inside_is_what_the_interpreter_does() -> None:
    """Ties, the ends of the range, infinities: everything but NaN, which is no image."""
    text = PIXELS.replace("tensor<2xui8>", "tensor<2xf32>").replace("dense<128.0>", "dense<0.25>")
    context = create_context()
    module = parse_module(context, text)
    values = [0.75, 1.75, -0.25, 2.25, 1e30, -1e30, np.inf, -np.inf, 127.75, -128.25, 3.1, 0.2500001]
    images = np.array(values, np.float32).reshape(-1, 2)
    expected = interpret(module, weights_of(context), [images])[0]
    network = SpikingNetwork(context, module, [])
    network.apply(*LOWER)
    np.testing.assert_array_equal(load(module, weights_of(context)).run([images]).outputs[0], expected)


def test_threads_change_nothing_but_time() -> None:
    network = random_spiking_network(4, batch=37)
    network.apply(*LOWER)
    runner = load(network.module, network.weights)
    one = runner.run(network.inputs, RunOptions(counts=True, threads=1))
    many = runner.run(network.inputs, RunOptions(counts=True, threads=5))
    for left, right in zip(one.outputs, many.outputs, strict=True):
        np.testing.assert_array_equal(left, right)
    assert one.counts.keys() == many.counts.keys()
    for origin, counts in one.counts.items():
        np.testing.assert_array_equal(counts, many.counts[origin])
    assert not runner.run(network.inputs).counts, "counts are only kept when asked for"


def test_progress_reaches_the_end() -> None:
    network = random_spiking_network(4, batch=37)
    network.apply(*LOWER)
    seen: list[tuple[int, int]] = []
    options = RunOptions(threads=2, progress=lambda done, whole: seen.append((done, whole)))
    load(network.module, network.weights).run(network.inputs, options)
    assert len(seen) > 4
    assert seen == sorted(seen)
    assert seen[-1] == (37, 37)


def test_an_empty_batch_gives_empty_outputs() -> None:
    runner, _ = program(PIXELS)
    assert runner.run([np.zeros((0, 2), np.uint8)]).outputs[0].shape == (0, 2)


def test_results_say_what_ran() -> None:
    runner, network = program(PIXELS)
    execution = runner.run([np.zeros((5, 2), np.uint8)], RunOptions(counts=True))
    assert execution.provenance.startswith("cpu: ")
    assert execution.steps == 4
    readings = {reading.name: reading for reading in cost(network.module, network.weights, BACKEND.chip(), execution)}
    assert readings["dense synaptic operations"].value == 2
    assert readings["dense synaptic operations"].kind == "estimated"
    assert readings["latency"].kind == "measured"
    assert readings["latency"].value > 0


def test_counts_reach_the_cost_report() -> None:
    network = random_spiking_network(4, batch=6)
    _, counts = network.interpret()
    network.apply(*LOWER)
    execution = load(network.module, network.weights).run(network.inputs, RunOptions(counts=True))
    readings = {
        reading.name: reading.value for reading in cost(network.module, network.weights, BACKEND.chip(), execution)
    }
    assert readings["counts"] == sum(int(each.sum()) for each in counts.values()) / 6


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 3), np.uint8), r"expected images of shape \(2,\), found \(3,\)"),
        (np.full((3, 2), 256), "values from 256 to 256 do not fit into uint8"),
        (np.zeros((3, 2), np.float32), "expected integers, found float32"),
    ],
)
def test_wrong_inputs_are_refused(images: NDArray[np.generic], message: str) -> None:
    runner, _ = program(PIXELS)
    with pytest.raises(InputError, match=message):
        runner.run([images])


def test_the_number_of_inputs_and_threads_is_checked() -> None:
    runner, _ = program(PIXELS)
    with pytest.raises(InputError, match="the network has 1 inputs, 2 were given"):
        runner.run([np.zeros((1, 2), np.uint8)] * 2)
    with pytest.raises(OptionError, match="threads must be at least 1, not 0"):
        runner.run([np.zeros((1, 2), np.uint8)], RunOptions(threads=0))


def test_two_networks_become_two_programs() -> None:
    text = PIXELS.replace('%y = "host.segment"', '%g = "host.segment"').replace(
        "func.return %y",
        """%m = host.quantize %g step(dense<0.125> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
    scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<2xf32> -> tensor<2x!ann.count<0, 15>>
  %b = snn.network code "unary" steps 1 inputs(%m) {
  ^bb0(%i: tensor<2x!ann.count<0, 15>>):
    %p = snn.input %i : tensor<2x!ann.count<0, 15>> -> tensor<2x!snn.graded<0, 15>>
    %c = snn.linear %p weight(dense<[[1, 2], [-3, 4]]> : tensor<2x2xi8>) : tensor<2x!snn.graded<0, 15>> -> tensor<2xi32>
    %o = snn.accumulate %c : (tensor<2xi32>) -> tensor<2xi32>
    snn.output %o : tensor<2xi32>
  } : (tensor<2x!ann.count<0, 15>>) -> (tensor<2xi32>)
  %y = host.dequantize %b scale(dense<1.0> : tensor<1xf64>) : tensor<2xi32> -> tensor<2xf32>
  func.return %y""",
    )
    context = create_context()
    module = parse_module(context, text)
    images = np.array([[0, 255], [128, 129], [7, 7]], np.uint8)
    expected = interpret(module, weights_of(context), [images])[0]
    network = SpikingNetwork(context, module, [])
    network.apply(*LOWER)
    runner = load(module, weights_of(context))
    assert {native.interface.symbol for native in runner.natives.values()} == {"model", "model_1"}
    execution = runner.run([images])
    np.testing.assert_array_equal(execution.outputs[0], expected)
    assert execution.steps == 5
