"""What the operations of Loihi mean, step by step, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import Run, interpret
from neurocuda.testing_loihi import random_loihi_network

TOP = 2**23 - 1


def operation(text: str) -> tuple[Operation, Run]:
    """The first operation of a function's body, not yet run."""
    context = create_context()
    module = parse_module(context, f"func.func @main(%x: tensor<1xi24>, %s: tensor<2xi32>) {{ {text} func.return }}")
    op = next(op for op in module.walk() if op.name.startswith("loihi."))
    return op, Run(weights_of(context))


def trace(options: str, currents: Sequence[int]) -> tuple[list[int], list[int]]:
    """What one neuron sends at every step, and its membrane behind it."""
    element = "i32" if options.startswith("sigma_delta") else "i1"
    name, _, rest = options.partition(" ")
    op, run = operation(f"%0, %1 = loihi.{name} %x {rest} : (tensor<1xi24>) -> tensor<1x{element}>, tensor<1xi24>")
    sent: list[int] = []
    membrane: list[int] = []
    for step, current in enumerate(currents):
        run.step = step
        spikes, potential = run.evaluate(op, [np.array([[current]], np.int32)])
        sent.append(int(spikes.item()))
        membrane.append(int(potential.item()))
    return sent, membrane


@pytest.mark.parametrize(
    ("options", "currents", "sent", "membrane"),
    [
        # Strictly above the threshold, and to zero, whatever was above it.
        ("lif du 4095 dv 0 vth 9", [9, 0, 1, 0], [0, 0, 1, 0], [576, 576, 0, 0]),
        # The membrane decays towards zero from both sides: 640 * 3072 / 4096 = 480, -640 likewise, 360, 270, 202.5.
        ("lif du 4095 dv 1024 vth 99", [10, 0, 0, 0, 0], [0] * 5, [640, 480, 360, 270, 202]),
        ("lif du 4095 dv 1024 vth 99", [-10, 0, 0, 0, 0], [0] * 5, [-640, -480, -360, -270, -202]),
        # A current with du = 0 still decays by 1 / 4096 a step, one with du = -1 does not.
        ("lif du 0 dv 4095 vth 99999", [200, 0, 0], [0] * 3, [12800, 12799, 12795]),
        ("lif du -1 dv 0 vth 99999", [200, 0, 0], [0] * 3, [12800, 25600, 38400]),
        # Every third step, counted from 1, begins anew; with an interval of 1 every step does.
        ("lif du -1 dv 0 vth 99 reset_interval 3", [10, 0, 1, 0], [0] * 4, [640, 1280, 64, 128]),
        ("lif du -1 dv 0 vth 99 reset_interval 3 reset_offset 4", [10, 0, 1, 1], [0] * 4, [640, 1280, 1984, 64]),
        ("lif du 0 dv 0 vth 99 reset_interval 1", [10, 0, 1], [0] * 3, [640, 0, 64]),
        # A bias is in units of 1, a current and a threshold are in units of 64.
        ("lif du 4095 dv 0 vth 1 bias_mant(dense<-3> : tensor<1xi16>) bias_exp 2", [0, 1], [0, 0], [-12, 40]),
        ("lif du 4095 dv 0 vth 1 initial(dense<65> : tensor<1xi32>)", [0, 0], [1, 0], [0, 0]),
        # A membrane saturates, a current wraps: 131072 * 64 = 2^23 is still itself, -2^23 and more than 2^23 are not.
        ("lif du 4095 dv 0 vth 131071", [131071, 131071], [0, 1], [131071 * 64, 0]),
        ("lif du 4095 dv 0 vth 131071", [131072], [1], [0]),
        ("lif du 4095 dv 0 vth 131071", [131073], [0], [131073 * 64 - 2**24]),
        ("lif du 4095 dv 0 vth 131071", [-131072], [1], [0]),
        ("lif du 4095 dv 0 vth 131071", [-131071, -131071], [0, 0], [-131071 * 64, -TOP]),
        # A soft reset keeps what is above the threshold.
        (
            "integrate_and_fire threshold(dense<10> : tensor<1xi32>)",
            [25, 0, 0, 4, 1],
            [1, 1, 0, 0, 1],
            [15, 5, 5, 9, 0],
        ),
        # Outside of the firing window it only integrates.
        (
            "integrate_and_fire threshold(dense<10> : tensor<1xi32>) bias(dense<1> : tensor<1xi8>) "
            "initial(dense<5> : tensor<1xi8>) fire [1, 3]",
            [20, 0, 0, 0],
            [0, 1, 1, 0],
            [25, 16, 7, 7],
        ),
        (
            "integrate_and_fire threshold(dense<8388607> : tensor<1xi32>)",
            [-TOP, -1, TOP, TOP, 1],
            [0, 0, 0, 1, 0],
            [-TOP, -TOP, 0, 0, 1],
        ),
        # Changes of the activation, as soon as they reach the threshold; relu never falls below 0.
        ("sigma_delta vth 3", [2, 2, -9, 0, 10], [0, 4, -4, 0, 5], [2, 4, -5, -5, 5]),
        ('sigma_delta vth 3 activation "unit"', [2, 2, -9], [0, 4, -9], [2, 4, -5]),
        # Thresholds and biases are scaled by 2^(spike_exp + state_exp); what is sent is in units of 2^state_exp.
        (
            "sigma_delta vth 1 bias(dense<1> : tensor<1xi8>) spike_exp 1 state_exp 1",
            [0, 3, 2, -5],
            [2, 0, 2, -3],
            [0, 3, 5, 0],
        ),
    ],
)
def test_neurons(options: str, currents: Sequence[int], sent: Sequence[int], membrane: Sequence[int]) -> None:
    assert trace(options, currents) == (list(sent), list(membrane))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ('weight(dense<[[2, 4], [6, -8]]> : tensor<2x2xi8>) sign_mode "mixed"', [2 * 3 - 4 * 5, 6 * 3 + 8 * 5]),
        ('weight(dense<[[1, 1]]> : tensor<1x2xi8>) sign_mode "excitatory" weight_exp 3', [-2 * 8]),
        # Shifted to the right, the sum is rounded down: -3 / 4.
        ('weight(dense<[[4, 3]]> : tensor<1x2xi8>) sign_mode "excitatory" weight_exp -2', [-1]),
    ],
)
def test_a_dense_synapse_shifts_its_sum(options: str, expected: list[int]) -> None:
    kind = f"message_bits 8 : tensor<2xi32> -> tensor<{len(expected)}xi24>"
    op, run = operation(f"%0 = loihi.dense %s {options} {kind}")
    (current,) = run.evaluate(op, [np.array([[3, -5]], np.int32)])
    assert current.tolist() == [expected]


def test_a_sparse_synapse_is_a_dense_one_with_holes() -> None:
    op, run = operation(
        "%0 = loihi.sparse %s weight(dense<[2, 4, 6]> : tensor<3xi8>) sources(dense<[0, 1, 0]> : tensor<3xi32>) "
        'targets(dense<[0, 0, 2]> : tensor<3xi32>) sign_mode "mixed" message_bits 8 : tensor<2xi32> -> tensor<3xi24>'
    )
    (current,) = run.evaluate(op, [np.array([[3, -5], [1, 0]], np.int32)])
    assert current.tolist() == [[2 * 3 - 4 * 5, 0, 6 * 3], [2, 0, 6]]


def interpreted(body: str, rows: NDArray[np.int64], result: str) -> NDArray[np.int64]:
    """What a network of one input puts out, for one image."""
    steps, *shape = rows.shape
    kind = f"tensor<{steps}x{'x'.join(map(str, shape))}xi1>"
    text = f"""
    func.func @main(%x: {kind}) -> tensor<{steps}x{result}> {{
      %y = loihi.network steps {steps} inputs(%x) {{
      ^bb0(%i: {kind}):
        %s = loihi.source %i : {kind} -> tensor<{"x".join(map(str, shape))}xi1>
        {body}
        loihi.output %o : tensor<{result}>
      }} : ({kind}) -> (tensor<{steps}x{result}>)
      func.return %y : tensor<{steps}x{result}>
    }}"""
    context = create_context()
    (output,) = interpret(parse_module(context, text), weights_of(context), [rows[None]])
    return output[0].astype(np.int64)


@pytest.mark.parametrize("delay", [0, 3])
def test_a_synapse_takes_a_step_and_its_delay(delay: int) -> None:
    rows = np.array([[1], [0], [1], [0], [0], [0], [0], [0]])
    body = f"""
        %a = loihi.dense %s weight(dense<2> : tensor<1x1xi8>) sign_mode "mixed" delay {delay}
               : tensor<1xi1> -> tensor<1xi24>
        %f, %o = loihi.lif %a du 4095 dv 4095 vth 9 : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>"""
    membrane = interpreted(body, rows, "1xi24").ravel()
    expected = np.zeros(8, np.int64)
    expected[[1 + delay, 3 + delay]] = 128
    assert membrane.tolist() == expected.tolist()


def test_a_group_may_hear_itself() -> None:
    """Two neurons that pass one spike to and fro."""
    body = """
        %a = loihi.dense %s weight(dense<[[2], [0]]> : tensor<2x1xi8>) sign_mode "mixed" : tensor<1xi1> -> tensor<2xi24>
        %b = loihi.dense %o weight(dense<[[0, 2], [2, 0]]> : tensor<2x2xi8>) sign_mode "mixed"
               : tensor<2xi1> -> tensor<2xi24>
        %o, %m = loihi.lif %a, %b du 4095 dv 0 vth 1 : (tensor<2xi24>, tensor<2xi24>) -> tensor<2xi1>, tensor<2xi24>"""
    spikes = interpreted(body, np.array([[1], [0], [0], [0], [0]]), "2xi1")
    assert spikes.tolist() == [[0, 0], [1, 0], [0, 1], [1, 0], [0, 1]]


def test_a_convolution_flips_its_kernel() -> None:
    """A single spike shows the kernel as it is: (width, height, channel), from the top left."""
    rows = np.zeros((2, 5, 4, 1), np.int64)
    rows[0, 2, 1, 0] = 1
    body = """
        %a = loihi.conv %s
               weight(dense<[[[[2], [4], [6]], [[8], [10], [12]], [[14], [16], [18]]]]> : tensor<1x3x3x1xi8>)
               padding [1, 1] sign_mode "mixed" : tensor<5x4x1xi1> -> tensor<5x4x1xi24>
        %f, %o = loihi.lif %a du 4095 dv 0 vth 99 : (tensor<5x4x1xi24>) -> tensor<5x4x1xi1>, tensor<5x4x1xi24>"""
    membrane = interpreted(body, rows, "5x4x1xi24")[1, :, :, 0]
    expected = np.zeros((5, 4), np.int64)
    expected[1:4, 0:3] = np.array([[2, 4, 6], [8, 10, 12], [14, 16, 18]]) * 64
    assert membrane.tolist() == expected.tolist()


def test_a_source_falls_silent_and_observers_hear_groups() -> None:
    context = create_context()
    text = """
    func.func @main(%x: tensor<1x1xi1>) -> tensor<4x1xi1> {
      %y = loihi.network steps 4 inputs(%x) {
      ^bb0(%i: tensor<1x1xi1>):
        %0 = loihi.source %i : tensor<1x1xi1> -> tensor<1xi1>
        %1 = loihi.dense %0 weight(dense<2> : tensor<1x1xi8>) sign_mode "mixed" : tensor<1xi1> -> tensor<1xi24>
        %2, %3 = loihi.integrate_and_fire %1 threshold(dense<1> : tensor<1xi8>)
                   : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
        loihi.output %2 : tensor<1xi1>
      } : (tensor<1x1xi1>) -> (tensor<4x1xi1>)
      func.return %y : tensor<4x1xi1>
    }"""
    sums: dict[str, int] = {}
    steps: list[int] = []
    (output,) = interpret(
        parse_module(context, text),
        weights_of(context),
        [np.ones((1, 1, 1), np.int64)],
        observer=lambda op, sent: sums.update({op.name: int(sent.sum())}),
        on_signal=lambda _op, step, _sent: steps.append(step),
    )
    assert output.ravel().tolist() == [0, 1, 1, 0]
    assert sums["loihi.integrate_and_fire"] == 2
    assert steps == [1, 2]


@pytest.mark.parametrize("seed", range(20))
def test_images_do_not_hear_each_other(seed: int) -> None:
    network = random_loihi_network(seed, images=3)
    together = network.interpret()
    for image in range(3):
        alone = interpret(network.module, network.weights, [rows[image : image + 1] for rows in network.inputs])
        assert all(np.array_equal(one[0], all_[image]) for one, all_ in zip(alone, together, strict=True))


def test_a_stimulus_reverses_axes_and_a_readout_reverses_them_back() -> None:
    text = """
    func.func @main(%x: tensor<2x3xi8>) -> (tensor<2x3xi32>, tensor<2x3xi32>, tensor<1x2x3xi32>) {
      %r = loihi.stimulus %x factors [3, -1] : tensor<2x3xi8> -> tensor<2x3x2xi32>
      %a = loihi.readout %r "last" : tensor<2x3x2xi32> -> tensor<2x3xi32>
      %b = loihi.readout %r "sum" divisor 2 : tensor<2x3x2xi32> -> tensor<2x3xi32>
      %c = loihi.readout %r "train" skip 1 : tensor<2x3x2xi32> -> tensor<1x2x3xi32>
      func.return %a, %b, %c : tensor<2x3xi32>, tensor<2x3xi32>, tensor<1x2x3xi32>
    }
    """
    context = create_context()
    value = np.arange(6).reshape(1, 2, 3)
    last, total, train = interpret(parse_module(context, text), weights_of(context), [value])
    np.testing.assert_array_equal(last, -value)
    np.testing.assert_array_equal(total, value)
    np.testing.assert_array_equal(train, -value[:, None])


def test_pulses_reach_every_image() -> None:
    text = """
    func.func @main(%x: tensor<1x1xi32>) -> tensor<4x1xi24> {
      %y:2 = loihi.network steps 4 inputs(%x) {
      ^bb0(%i: tensor<1x1xi32>):
        %p = loihi.pulses steps [0, 2] payloads [5, -2] : tensor<1xi32>
        %c = loihi.dense %p weight(dense<3> : tensor<1x1xi8>) sign_mode "excitatory" message_bits 8
               : tensor<1xi32> -> tensor<1xi24>
        %s, %m = loihi.lif %c du 4095 dv 0 vth 99 : (tensor<1xi24>) -> tensor<1xi1>, tensor<1xi24>
        loihi.output %m, %s : tensor<1xi24>, tensor<1xi1>
      } : (tensor<1x1xi32>) -> (tensor<4x1xi24>, tensor<4x1xi1>)
      func.return %y#0 : tensor<4x1xi24>
    }
    """
    context = create_context()
    (membrane,) = interpret(parse_module(context, text), weights_of(context), [np.zeros((2, 1, 1), np.int64)])
    assert membrane[:, :, 0].tolist() == [[0, 15 * 64, 15 * 64, 9 * 64]] * 2
