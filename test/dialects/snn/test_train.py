"""Networks of spike trains: time comes in and goes out, and delays close cycles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.meaning import Array

FRAME = """
func.func @main(%events: tensor<?x2xf32>) -> tensor<?x2xf32> {{
  %y = snn.network code "train" inputs(%events) {{
  ^bb0(%x: tensor<?x2xf32>):
    %i = snn.input %x code "spikes" : tensor<?x2xf32> -> tensor<2xf32>
    {body}
    snn.output %o : tensor<2xf32>
  }} : (tensor<?x2xf32>) -> (tensor<?x2xf32>)
  func.return %y : tensor<?x2xf32>
}}
"""
TENSOR = "tensor<2xf32>"


def run(body: str, train: Sequence[Sequence[float]]) -> Array:
    """What comes out at every step, (steps, 2)."""
    context = create_context()
    module = parse_module(context, FRAME.format(body=body))
    return interpret(module, weights_of(context), [np.array([train], np.float32).reshape(1, -1, 2)])[0][0]


def test_what_is_read_is_what_every_step_says() -> None:
    body = f"%o = snn.accumulate %i membrane_decay(dense<0.5> : tensor<1xf32>) : ({TENSOR}) -> {TENSOR}"
    np.testing.assert_array_equal(run(body, [[1, 0], [0, 4], [2, 0]]), [[1, 0], [0.5, 4], [2.25, 2]])


def test_a_synaptic_current_decays_on_its_own() -> None:
    body = f"""%o = snn.accumulate %i bias(dense<[0.0, 0.25]> : {TENSOR}) membrane_decay(dense<0.0> : tensor<1xf32>)
      current_decay(dense<0.5> : tensor<1xf32>) : ({TENSOR}) -> {TENSOR}"""
    np.testing.assert_array_equal(run(body, [[1, 0], [1, 8], [0, 0]]), [[1, 0.25], [1.5, 8.25], [0.75, 4.25]])


def test_a_delay_closes_a_cycle() -> None:
    body = f"""%b = snn.delay %o steps 2 : {TENSOR} -> {TENSOR}
    %o = snn.add %i, %b : ({TENSOR}, {TENSOR}) -> {TENSOR}"""
    train = [[1, 0], [0, 1], [0, 0], [1, 0], [0, 0]]
    np.testing.assert_array_equal(run(body, train), [[1, 0], [0, 1], [1, 0], [1, 1], [1, 0]])


@pytest.mark.parametrize(
    ("delay", "late"), [("steps 1", [1, 1]), ("steps 1 extra(dense<[2, 0]> : tensor<2xi32>)", [3, 1])]
)
def test_a_delay_may_differ_from_element_to_element(delay: str, late: Sequence[int]) -> None:
    train = np.arange(1, 13).reshape(6, 2)
    expected = [np.concatenate([np.zeros(by), train[: 6 - by, column]]) for column, by in enumerate(late)]
    found = run(f"%o = snn.delay %i {delay} : {TENSOR} -> {TENSOR}", train.tolist())
    np.testing.assert_array_equal(found, np.stack(expected, axis=1))


def test_some_elements_may_come_without_delay() -> None:
    body = f"%o = snn.delay %i steps 0 extra(dense<[0, 1]> : tensor<2xi32>) : {TENSOR} -> {TENSOR}"
    np.testing.assert_array_equal(run(body, [[1, 2], [3, 4]]), [[1, 0], [3, 2]])


def test_a_threshold_of_zero_fires_in_silence() -> None:
    spikes = "tensor<2x!snn.spikes<0, 1>>"
    body = f"""%s = snn.threshold %i threshold(dense<[0.0, 1.0]> : {TENSOR}) : {TENSOR} -> {spikes}
    %o = snn.diagonal %s weight(dense<3.0> : tensor<1xf32>) : {spikes} -> {TENSOR}"""
    np.testing.assert_array_equal(run(body, [[0, 1], [0, 0], [-1, 2]]), [[3, 3], [3, 0], [0, 3]])


def test_a_train_without_steps_is_none() -> None:
    assert run(f"%o = snn.delay %i steps 1 : {TENSOR} -> {TENSOR}", np.zeros((0, 2)).tolist()).shape == (0, 2)


def test_spikes_may_reach_neurons_of_floats_without_a_synapse() -> None:
    spikes = "tensor<2x!snn.spikes<0, 1>>"
    body = f"""%s = snn.threshold %i threshold(dense<0.5> : tensor<1xf32>) : {TENSOR} -> {spikes}
    %t = snn.integrate_and_fire %s threshold(dense<0.75> : tensor<1xf32>) : ({spikes}) -> {spikes}
    %z = snn.integrate_and_fire %s threshold(dense<0.75> : tensor<1xf32>) reset "zero"
      reset_value(dense<-0.5> : tensor<1xf32>) : ({spikes}) -> {spikes}
    %o = snn.add %t, %z : ({spikes}, {spikes}) -> {TENSOR}"""
    np.testing.assert_array_equal(run(body, [[1, 0], [1, 0], [1, 0], [0, 0]]), [[2, 0], [1, 0], [2, 0], [1, 0]])
