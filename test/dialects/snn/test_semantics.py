"""What spiking operations mean, step by step, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import Run, interpret

Array = NDArray[np.generic]


def neuron(options: str, element: str = "i32") -> tuple[Operation, Run]:
    """One neuron, not yet run."""
    context = create_context()
    kind = "graded" if "values" in options or "signed" in options else "spikes"
    text = f"""
    func.func @main(%x: tensor<1x{element}>) {{
      %0 = snn.integrate_and_fire %x {options} : (tensor<1x{element}>) -> tensor<1x!snn.{kind}<0, 99>>
      func.return
    }}"""
    module = parse_module(context, text)
    op = next(op for op in module.walk() if op.name == "snn.integrate_and_fire")
    return op, Run(weights_of(context))


def spikes(options: str, currents: Sequence[float], element: str = "i32") -> list[int]:
    """What a neuron sends at every step."""
    op, run = neuron(options, element)
    kind = np.int64 if element == "i32" else np.float32
    found: list[int] = []
    for step, current in enumerate(currents):
        run.step = step
        (sent,) = run.evaluate(op, [np.array([[current]], kind)])
        found.append(int(sent.item()))
    return found


def interpreted(text: str, *inputs: Array) -> list[list[float]]:
    """The outputs of a module for one image each, flattened."""
    context = create_context()
    module = parse_module(context, text)
    return [output.ravel().tolist() for output in interpret(module, weights_of(context), inputs)]


THRESHOLD = "threshold(dense<10> : tensor<1xi32>)"
FLOAT = "threshold(dense<1.0> : tensor<1xf32>)"


@pytest.mark.parametrize(
    ("options", "currents", "expected"),
    [
        # v: 4, 8, 12-10, 6, 10-10
        (THRESHOLD, [4, 4, 4, 4, 4], [0, 0, 1, 0, 1]),
        # v: 30-10, 20-10, 10-10, 0: one spike a step, the rest is kept
        (THRESHOLD, [30, 0, 0, 0], [1, 1, 1, 0]),
        # initial value
        (f"{THRESHOLD} initial(dense<6> : tensor<1xi32>)", [4, 4], [1, 0]),
        # bias at every step
        (f"{THRESHOLD} bias(dense<5> : tensor<1xi32>)", [0, 0, 0, 0], [0, 1, 0, 1]),
        # above, not at the threshold: v: 10, 20-10, 20-10
        (f"{THRESHOLD} strict true", [10, 10, 10], [0, 1, 1]),
        # at most three spikes a step: v: 45-30, 15-10, 5
        (f"{THRESHOLD} spikes_per_step 3", [45, 0, 0], [3, 1, 0]),
        # several spikes only above the threshold
        (f"{THRESHOLD} strict true spikes_per_step 3", [10, 11], [0, 2]),
        # at most two spikes in all
        (f"{THRESHOLD} levels 2", [30, 0, 0, 0], [1, 1, 0, 0]),
        # the cap counts several spikes of one step
        (f"{THRESHOLD} levels 3 spikes_per_step 2", [50, 0, 0], [2, 1, 0]),
        # reset to zero: the rest is lost
        (f'{THRESHOLD} reset "zero"', [30, 0, 9, 1], [1, 0, 0, 1]),
        # reset to another value, below zero
        (f'{THRESHOLD} reset "zero" reset_value(dense<-5.0> : tensor<1xf32>)', [30, 14, 1], [1, 0, 1]),
        # two steps of rest after a spike
        (f"{THRESHOLD} refractory 2", [50, 0, 0, 0, 0], [1, 0, 0, 1, 0]),
        # fires in steps 1 and 2 only
        (f"{THRESHOLD} fire [1, 3]", [50, 0, 0, 0], [0, 1, 1, 0]),
        # a lower bound: v: -3, 7, 17-10
        (f"{THRESHOLD} lower_bound(dense<-3.0> : tensor<1xf32>)", [-50, 10, 10], [0, 0, 1]),
        # without one: v: -50, -40, -30
        (THRESHOLD, [-50, 10, 10], [0, 0, 0]),
        # 59 holds 5 thresholds: v: 59-40, 19, 19-10
        (f"{THRESHOLD} fire [0, 3] values [4, 2, 1]", [59, 0, 0], [4, 0, 1]),
        # too much for the window: all values
        (f"{THRESHOLD} fire [0, 3] values [4, 2, 1]", [99, 0, 0], [4, 2, 1]),
        # the cap counts values, and only what was sent is subtracted: v: 99-40, 59-10, 49
        (f"{THRESHOLD} levels 5 fire [0, 3] values [4, 2, 1]", [99, 0, 0], [4, 1, 0]),
        # one spike: 39 holds three thresholds but not four
        (f'{THRESHOLD} reset "zero" fire [1, 5] values [4, 3, 2, 1]', [39, 0, 0, 0, 0], [0, 0, 3, 0, 0]),
        # strictly above: 30 does not exceed three thresholds
        (f"{THRESHOLD} strict true fire [0, 2] values [3, 2]", [30, 0], [0, 2]),
        # v: 25-10, 15-10, 5, -15+10, -5+10
        (f"{THRESHOLD} levels 9 signed true", [25, 0, 0, -20, 0], [1, 1, 0, -1, -1]),
        # nothing is taken back that was not sent
        (f"{THRESHOLD} levels 9 signed true", [-25, 0], [0, 0]),
        # at most two are out at a time: v: 45-10, 25, 25, -15+10
        (f"{THRESHOLD} levels 2 signed true", [45, 0, 0, -40, 20], [1, 1, 0, -1, 1]),
    ],
)
def test_integers(options: str, currents: list[float], expected: list[int]) -> None:
    assert spikes(options, currents) == expected


@pytest.mark.parametrize(
    ("options", "currents", "expected"),
    [
        (FLOAT, [0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1]),
        # v: 0.75, 0.375 + 0.75 = 1.125
        (f"{FLOAT} membrane_decay(dense<0.5> : tensor<1xf32>)", [0.75, 0.75, 0.75], [0, 1, 0]),
        # i: 0.5, 0.25, 0.625; v: 0.5, 0.75, 1.375 - 1
        (f"{FLOAT} current_decay(dense<0.5> : tensor<1xf32>)", [0.5, 0.0, 0.5], [0, 0, 1]),
        # i: 1, 0.5; v: 1 - 1, 0.5
        (f"{FLOAT} current_decay(dense<0.5> : tensor<1xf32>)", [1.0, 0.0, 0.0, 0.0], [1, 0, 0, 0]),
        # both: i: 1, 0.5, 0.25; v: 1 (not above), 1, 0.75
        (
            f"{FLOAT} strict true membrane_decay(dense<0.5> : tensor<1xf32>) current_decay(dense<0.5> : tensor<1xf32>)",
            [1.0, 0.0, 0.0],
            [0, 0, 0],
        ),
        # the bias charges the membrane; the synaptic current decays without it: i: 0.5, 0.25; v: 0.75, 1.25
        (
            f"{FLOAT} bias(dense<0.25> : tensor<1xf32>) current_decay(dense<0.5> : tensor<1xf32>)",
            [0.5, 0.0],
            [0, 1],
        ),
        # a reset value in between: v: 1 -> 0.25, 1.0 -> 0.25
        (f'{FLOAT} reset "zero" reset_value(dense<0.25> : tensor<1xf32>)', [1.0, 0.75, 0.5], [1, 1, 0]),
        # the current stays, the membrane forgets: i and v: 0.75, 1.25
        (
            f"{FLOAT} membrane_decay(dense<0.0> : tensor<1xf32>) current_decay(dense<1.0> : tensor<1xf32>)",
            [0.75, 0.5],
            [0, 1],
        ),
    ],
)
def test_floats(options: str, currents: list[float], expected: list[int]) -> None:
    assert spikes(options, currents, "f32") == expected


def test_every_image_of_a_batch_has_a_membrane_of_its_own() -> None:
    op, run = neuron(f"{THRESHOLD} levels 2 refractory 1")
    sent = list[list[int]]()
    for step in range(4):
        run.step = step
        sent.append(run.evaluate(op, [np.array([[20], [5], [0]])])[0].ravel().tolist())
    assert sent == [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]]


def test_currents_add_up_and_constants_broadcast_over_channels() -> None:
    text = """
    func.func @main(%x: tensor<2x1x1xi32>, %y: tensor<2x1x1xi32>) -> tensor<2x1x1x!ann.count<0, 3>> {
      %0 = snn.integrate_and_fire %x, %y threshold(dense<[[[10]], [[20]]]> : tensor<2x1x1xi32>) initial(dense<5> : tensor<1xi32>) bias(dense<1> : tensor<1xi32>) levels 3 : (tensor<2x1x1xi32>, tensor<2x1x1xi32>) -> tensor<2x1x1x!ann.count<0, 3>>
      func.return %0 : tensor<2x1x1x!ann.count<0, 3>>
    }"""  # noqa: E501
    x, y = np.array([[[[30]], [[-3]]]]), np.array([[[[4]], [[40]]]])
    # In code "count" a neuron is a staircase: floor((34 + 5 + 1) / 10) capped at 3, floor((37 + 5 + 1) / 20).
    assert interpreted(text, x, y) == [[3, 2]]


@pytest.mark.parametrize(("charge", "expected"), [(-1, 0), (9, 0), (10, 1), (25, 2), (99, 3)])
def test_a_count_is_a_staircase(charge: int, expected: int) -> None:
    text = """
    func.func @main(%x: tensor<1xi32>) -> tensor<1x!ann.count<0, 3>> {
      %0 = snn.integrate_and_fire %x threshold(dense<10> : tensor<1xi32>) levels 3 : (tensor<1xi32>) -> tensor<1x!ann.count<0, 3>>
      func.return %0 : tensor<1x!ann.count<0, 3>>
    }"""  # noqa: E501
    assert interpreted(text, np.array([[charge]])) == [[expected]]


def clocked(body: str, steps: int, result: str, argument: str = "tensor<2x!ann.count<-8, 7>>") -> str:
    """A network of code "free" with the input %i."""
    return f"""
    func.func @main(%x: {argument}) -> {result} {{
      %y = snn.network code "free" steps {steps} inputs(%x) {{
      ^bb0(%i: {argument}):
        {body}
      }} : ({argument}) -> ({result})
      func.return %y : {result}
    }}"""


GRADED = "tensor<2x!snn.graded<-8, 7>>"
IMAGE = np.array([[3, -2]])


@pytest.mark.parametrize(("code", "expected"), [("payload", [[3, -2]]), ("current", [[15, -10]])])
def test_an_input_comes_once_or_at_every_step(code: str, expected: list[list[int]]) -> None:
    body = f"""
        %0 = snn.input %i code "{code}" : tensor<2x!ann.count<-8, 7>> -> {GRADED}
        %1 = snn.diagonal %0 weight(dense<1> : tensor<1xi8>) : {GRADED} -> tensor<2xi32>
        %2 = snn.accumulate %1 : (tensor<2xi32>) -> tensor<2xi32>
        snn.output %2 : tensor<2xi32>"""
    assert interpreted(clocked(body, 5, "tensor<2xi32>"), IMAGE) == expected


def test_an_accumulator_starts_at_its_initial_value_and_gains_its_bias_at_every_step() -> None:
    body = f"""
        %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> {GRADED}
        %1 = snn.diagonal %0 weight(dense<[10, 100]> : tensor<2xi8>) : {GRADED} -> tensor<2xi32>
        %2 = snn.accumulate %1, %1 initial(dense<[5, 6]> : tensor<2xi32>) bias(dense<1> : tensor<1xi32>) : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
        snn.output %2 : tensor<2xi32>"""  # noqa: E501
    assert interpreted(clocked(body, 3, "tensor<2xi32>"), IMAGE) == [[60 + 5 + 3, -400 + 6 + 3]]


@pytest.mark.parametrize(("steps", "expected"), [(2, [[0, 0]]), (3, [[3, -2]]), (4, [[0, 0]])])
def test_a_delay_keeps_a_signal_back(steps: int, expected: list[list[int]]) -> None:
    body = f"""
        %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> {GRADED}
        %1 = snn.delay %0 steps 2 : {GRADED} -> {GRADED}
        snn.output %1 : {GRADED}"""
    assert interpreted(clocked(body, steps, GRADED), IMAGE) == expected


def test_a_running_maximum_sends_a_spike_when_the_largest_count_grows() -> None:
    context = create_context()
    train = "tensor<1x1x2x!snn.spikes<0, 4>>"
    text = f"""
    func.func @main(%x: {train}) {{
      %0 = snn.running_max_pool2d %x kernel [1, 2] : {train} -> tensor<1x1x1x!snn.spikes<0, 4>>
      func.return
    }}"""
    op = next(op for op in parse_module(context, text).walk() if op.name == "snn.running_max_pool2d")
    run = Run(weights_of(context))
    steps = [[1, 0], [0, 1], [0, 1], [0, 0], [1, 1]]  # counts: 1 0, 1 1, 1 2, 1 2, 2 3
    sent = [run.evaluate(op, [np.array(step).reshape(1, 1, 1, 2)])[0].item() for step in steps]
    assert sent == [1, 0, 1, 0, 1]


def test_a_maximum_at_a_step_is_an_or() -> None:
    train = "tensor<1x1x2x!snn.spikes<0, 4>>"
    text = f"""
    func.func @main(%x: {train}) -> tensor<1x1x1x!snn.spikes<0, 4>> {{
      %0 = snn.max_pool2d %x kernel [1, 2] : {train} -> tensor<1x1x1x!snn.spikes<0, 4>>
      func.return %0 : tensor<1x1x1x!snn.spikes<0, 4>>
    }}"""
    assert interpreted(text, np.array([[[[1, 0]]], [[[0, 0]]], [[[1, 1]]]])) == [[1, 0, 1]]


def test_a_bias_of_a_synapse_acts_at_every_step_whatever_other_images_do() -> None:
    body = f"""
        %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> {GRADED}
        %1 = snn.linear %0 weight(dense<[[1, 1]]> : tensor<1x2xi8>) bias(dense<10> : tensor<1xi32>) : {GRADED} -> tensor<1xi32>
        %2 = snn.accumulate %1 : (tensor<1xi32>) -> tensor<1xi32>
        snn.output %2 : tensor<1xi32>"""  # noqa: E501
    text = clocked(body, 4, "tensor<1xi32>")
    assert interpreted(text, IMAGE) == [[41]]
    assert interpreted(text, np.zeros((1, 2), np.int64)) == [[40]]
    assert interpreted(text, np.array([[3, -2], [0, 0]])) == [[41, 40]]


def test_a_train_of_spikes_sums_to_the_count() -> None:
    """A rate code: 3 and 5 of 8 spikes, then a weighted sum."""
    spikes_type = "tensor<2x!snn.spikes<0, 8>>"
    body = f"""
        %0 = snn.input %i code "current" : tensor<2x!ann.count<-8, 7>> -> {GRADED}
        %1 = snn.diagonal %0 weight(dense<1> : tensor<1xi8>) : {GRADED} -> tensor<2xi32>
        %2 = snn.integrate_and_fire %1 threshold(dense<8> : tensor<1xi32>) : (tensor<2xi32>) -> {spikes_type}
        %3 = snn.linear %2 weight(dense<[[1, 100]]> : tensor<1x2xi8>) : {spikes_type} -> tensor<1xi32>
        %4 = snn.accumulate %3 : (tensor<1xi32>) -> tensor<1xi32>
        snn.output %4 : tensor<1xi32>"""
    assert interpreted(clocked(body, 8, "tensor<1xi32>"), np.array([[3, 5]])) == [[503]]


def test_state_starts_anew_at_every_run() -> None:
    context = create_context()
    body = f"""
        %0 = snn.input %i : tensor<2x!ann.count<-8, 7>> -> {GRADED}
        %1 = snn.diagonal %0 weight(dense<1> : tensor<1xi8>) : {GRADED} -> tensor<2xi32>
        %2 = snn.accumulate %1 : (tensor<2xi32>) -> tensor<2xi32>
        snn.output %2 : tensor<2xi32>"""
    module = parse_module(context, clocked(body, 2, "tensor<2xi32>"))
    for _ in range(2):
        assert interpret(module, weights_of(context), [IMAGE])[0].tolist() == [[3, -2]]


def test_a_leaky_network_in_floats() -> None:
    floats = "tensor<1xf32>"
    body = f"""
        %0 = snn.input %i code "current" : {floats} -> {floats}
        %1 = snn.linear %0 weight(dense<[[0.5]]> : tensor<1x1xf32>) : {floats} -> {floats}
        %2 = snn.integrate_and_fire %1 threshold(dense<1.0> : tensor<1xf32>) membrane_decay(dense<0.5> : tensor<1xf32>) : ({floats}) -> tensor<1x!snn.spikes<0, 4>>
        %3 = snn.linear %2 weight(dense<[[0.25]]> : tensor<1x1xf32>) : tensor<1x!snn.spikes<0, 4>> -> {floats}
        %4 = snn.accumulate %3 : ({floats}) -> {floats}
        snn.output %4 : {floats}"""  # noqa: E501
    # v: 0.75, 1.125 - 1, 0.8125, 1.15625 - 1: two spikes.
    assert interpreted(clocked(body, 4, floats, floats), np.array([[1.5]], np.float32)) == [[0.5]]
