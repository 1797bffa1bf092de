"""What nodes mean, worked out by hand: states, cycles, delays, and how a graph is given its input and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]
SPIKES = "!snn.spikes<0, 1>"


def train(
    body: str, inputs: Sequence[Sequence[float]], *, dt: float = 1.0, shape: str = "1", element: str = "f32"
) -> Array:
    """What %out is at every step, of a graph that reads %in: a train of vectors."""
    width = len(inputs[0])
    text = f"""
    func.func @main(%x: tensor<?x{width}xf32>) -> tensor<?x{shape}xf32> {{
      %y = nir.graph "network" dt {dt} inputs(%x) {{
      ^bb0(%a: tensor<?x{width}xf32>):
        %in = nir.input "input"(%a) "train" : tensor<?x{width}xf32> -> tensor<{width}xf32>
        {body}
        nir.output %out "train" : tensor<{shape}x{element}>
      }} : (tensor<?x{width}xf32>) -> (tensor<?x{shape}xf32>)
      func.return %y : tensor<?x{shape}xf32>
    }}"""
    context = create_context()
    module = parse_module(context, text)
    return interpret(module, weights_of(context), [np.array([inputs], np.float32)])[0][0]


def constant(name: str, value: float) -> str:
    return f"{name}(dense<{value}> : tensor<1xf32>)"


def node(kind: str, name: str, inputs: str, element: str = "f32", **parameters: float) -> str:
    """A node of one element, by its parameters."""
    said = " ".join(constant(key, value) for key, value in parameters.items())
    types = ", ".join(["tensor<1xf32>"] * (inputs.count("%")))
    return f'%{name} = nir.{kind} "{name}"({inputs}) {said} : ({types}) -> tensor<1x{element}>'


ONES = [[1.0]] * 4


def test_an_integrator_adds_up_dt_r_x() -> None:
    found = train(node("i", "out", "%in", r=3.0), ONES, dt=0.5)
    np.testing.assert_array_equal(found[:, 0], [1.5, 3, 4.5, 6])


def test_a_leaky_integrator_goes_to_its_leak_and_its_drive() -> None:
    found = train(node("li", "out", "%in", tau=2.0, r=3.0, v_leak=5.0), ONES)
    np.testing.assert_array_equal(found[:, 0], [4, 6, 7, 7.5])


def test_a_current_leaks_before_its_membrane() -> None:
    found = train(
        node("cuba_li", "out", "%in", tau_syn=2.0, tau_mem=4.0, r=4.0, v_leak=0.0, w_in=2.0), [[1.0], [0], [0]]
    )
    np.testing.assert_array_equal(found[:, 0], [1, 1.25, 1.1875])


def test_a_neuron_compares_strictly_and_is_set_to_its_reset() -> None:
    found = train(node("if", "out", "%in", SPIKES, r=1.0, v_threshold=2.0, v_reset=1.0), ONES, element=SPIKES)
    np.testing.assert_array_equal(found[:, 0], [0, 0, 1, 0])


def test_a_leaky_neuron() -> None:
    body = node("lif", "out", "%in", SPIKES, tau=2.0, r=4.0, v_leak=0.0, v_threshold=2.5, v_reset=0.0)
    np.testing.assert_array_equal(train(body, ONES, element=SPIKES)[:, 0], [0, 1, 0, 1])


def test_a_leaky_neuron_of_a_leaky_current() -> None:
    parameters = {"tau_syn": 1.0, "tau_mem": 1.0, "r": 2.0, "v_leak": 0.0, "w_in": 1.0}
    body = node("cuba_lif", "out", "%in", SPIKES, **parameters, v_threshold=1.5, v_reset=0.0)
    np.testing.assert_array_equal(train(body, [[1.0], [0.5], [2.0]], element=SPIKES)[:, 0], [1, 0, 1])


def test_what_closes_a_cycle_is_of_the_step_before() -> None:
    """A reset by subtraction: an integrator, a threshold, and a factor back."""
    body = "\n".join(
        [
            node("i", "v", "%in, %back", r=1.0),
            node("threshold", "out", "%v", SPIKES, threshold=1.5),
            f'%back = nir.scale "back"(%out) {constant("scale", -2.0)} : (tensor<1x{SPIKES}>) -> tensor<1xf32>',
        ]
    )
    found = train(body, [[3.0], [0], [1], [0], [9]], element=SPIKES)
    np.testing.assert_array_equal(found[:, 0], [1, 0, 1, 0, 1])


@pytest.mark.parametrize("first", [True, False], ids=["before what it reads", "behind it"])
def test_a_delay_may_stand_anywhere(first: bool) -> None:
    lines = [
        node("scale", "twice", "%in", scale=2.0),
        '%late = nir.delay "late"(%twice) delay(dense<0.2> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1xf32>',
    ]
    end = node("scale", "out", "%late", scale=1.0)
    found = train("\n".join([*(reversed(lines) if first else lines), end]), [[1.0], [2], [3], [4]], dt=0.1)
    np.testing.assert_array_equal(found[:, 0], [0, 0, 2, 4])


def test_every_element_has_its_own_delay() -> None:
    body = '%out = nir.delay "late"(%in) delay(dense<[0.0, 2.0]> : tensor<2xf32>) : (tensor<2xf32>) -> tensor<2xf32>'
    found = train(body, [[1.0, 1], [2, 2], [3, 3]], shape="2")
    np.testing.assert_array_equal(found, [[1, 0], [2, 0], [3, 1]])


def at_once(body: str, inputs: Array, result: str) -> Array:
    """What %out is for an input of one step."""
    kind = f"tensor<{'x'.join(map(str, inputs.shape))}xf32>"
    text = f"""
    func.func @main(%x: {kind}) -> {result} {{
      %y = nir.graph "network" dt 1.0 steps 1 inputs(%x) {{
      ^bb0(%a: {kind}):
        %in = nir.input "input"(%a) "once" : {kind} -> {kind}
        {body} : ({kind}) -> {result}
        nir.output %out "last" : {result}
      }} : ({kind}) -> ({result})
      func.return %y : {result}
    }}"""
    context = create_context()
    return interpret(parse_module(context, text), weights_of(context), [inputs[None].astype(np.float32)])[0][0]


def test_convolutions_and_pools_along_space() -> None:
    row = np.array([[1, 2, 3, 4]])
    weight = "weight(dense<[[[1.0, 10.0]]]> : tensor<1x1x2xf32>) bias(dense<0.5> : tensor<1xf32>)"
    found = at_once(f'%out = nir.conv1d "out"(%in) {weight} stride 2 padding 1', row, "tensor<1x3xf32>")
    np.testing.assert_array_equal(found, [[10.5, 32.5, 4.5]])
    image = np.array([[[1, 2], [3, 4]]])
    window = "kernel_size [2, 2] stride [2, 2] padding [1, 1]"
    found = at_once(f'%out = nir.sum_pool2d "out"(%in) {window}', image, "tensor<1x2x2xf32>")
    np.testing.assert_array_equal(found, image)
    found = at_once(f'%out = nir.avg_pool2d "out"(%in) {window}', image, "tensor<1x2x2xf32>")
    np.testing.assert_array_equal(found, image / 4)
    weight = "weight(dense<2.0> : tensor<2x1x1x1xf32>) bias(dense<[0.0, 1.0]> : tensor<2xf32>)"
    found = at_once(f'%out = nir.conv2d "out"(%in) {weight} stride [2, 2]', image, "tensor<2x1x1xf32>")
    np.testing.assert_array_equal(found, [[[2]], [[3]]])


def test_a_product_with_a_bias() -> None:
    parameters = "weight(dense<[[1.0, 2.0]]> : tensor<1x2xf32>) bias(dense<3.0> : tensor<1xf32>)"
    found = at_once(f'%out = nir.affine "out"(%in) {parameters}', np.array([4, 5]), "tensor<1xf32>")
    np.testing.assert_array_equal(found, [17])


@pytest.mark.parametrize(
    ("present", "read", "expected"),
    [("once", "last", 1), ("once", "sum", 3), ("always", "last", 3), ("always", "sum", 6)],
)
def test_how_a_graph_is_given_its_input_and_read(present: str, read: str, expected: float) -> None:
    text = f"""
    func.func @main(%x: tensor<1xi8>) -> tensor<1xi32> {{
      %y = nir.graph "network" dt 1.0 steps 3 inputs(%x) {{
      ^bb0(%a: tensor<1xi8>):
        %0 = nir.input "input"(%a) "{present}" : tensor<1xi8> -> tensor<1xf32>
        {node("i", "v", "%0", r=1.0)}
        nir.output %v "{read}" : tensor<1xf32>
      }} : (tensor<1xi8>) -> (tensor<1xi32>)
      func.return %y : tensor<1xi32>
    }}"""
    context = create_context()
    (found,) = interpret(parse_module(context, text), weights_of(context), [np.array([[1]], np.int8)])
    assert found.dtype == np.int64
    assert found.item() == expected
