"""What one count of every value stands for."""

from __future__ import annotations

import numpy as np

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.scales import scales_of

QUANTIZE = (
    "host.quantize %x step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) "
    "scale(dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf64>) offset(dense<0.0> : tensor<1xf64>) "
    ": tensor<2x1x2xf32> -> tensor<2x1x2x!ann.count<0, 7>>"
)


def scale_of_last(*lines: str) -> object:
    """The scale of the value that the last line defines, %n being counts of shape (2, 1, 2) and scales 2 and 3."""
    text = "\n".join([f"%n = {QUANTIZE}", *lines, "func.return"])
    context = create_context()
    module = parse_module(context, f"func.func @main(%x: tensor<2x1x2xf32>) {{\n{text}\n}}")
    *_, last = (op for op in module.walk() if op.results)
    found = scales_of(module, weights_of(context)).get(last.results[0])
    return None if found is None else np.asarray(found).tolist()


def test_an_input_says_its_scale() -> None:
    assert scale_of_last() == [[[2, 2]], [[3, 3]]]


def test_index_maps_act_on_scales_as_on_counts() -> None:
    kind = "tensor<2x1x2x!ann.count<0, 7>>"
    turned = f"%t = ann.transpose %n permutation [2, 1, 0] : {kind} -> {kind}"
    assert scale_of_last(turned) == [[[2, 3]], [[2, 3]]]
    flat = f"%f = ann.reshape %t : {kind} -> tensor<4x!ann.count<0, 7>>"
    assert scale_of_last(turned, flat) == [2, 3, 2, 3]
    part = "%p = ann.slice %f starts [1] stops [4] steps [2] : tensor<4x!ann.count<0, 7>> -> tensor<2x!ann.count<0, 7>>"
    assert scale_of_last(turned, flat, part) == [3, 3]


def test_max_pooling_keeps_the_scale() -> None:
    pool = "%m = ann.max_pool2d %n kernel [1, 2] : tensor<2x1x2x!ann.count<0, 7>> -> tensor<2x1x1x!ann.count<0, 7>>"
    assert scale_of_last(pool) == [[[2]], [[3]]]


STAIRCASE = (
    "%y = ann.staircase %c bias(dense<0> : tensor<1xi32>) threshold(dense<1> : tensor<1xi32>) "
    "initial(dense<0> : tensor<1xi32>) scale(dense<{scale}> : tensor<1xf64>) levels 7 "
    ": (tensor<2x1x2xi32>) -> tensor<2x1x2x!ann.count<0, 7>>"
)
DIAGONAL = "%c = ann.diagonal %n weight(dense<1> : tensor<1xi8>) : tensor<2x1x2x!ann.count<0, 7>> -> tensor<2x1x2xi32>"


def test_a_neuron_layer_says_its_scale_and_a_current_has_none() -> None:
    assert scale_of_last(DIAGONAL) is None
    assert scale_of_last(DIAGONAL, STAIRCASE.format(scale=0.5)) == [[[0.5, 0.5]], [[0.5, 0.5]]]


def test_joined_values_keep_their_own_scales() -> None:
    join = (
        "%j = ann.concat %y, %n axis 1 : (tensor<2x1x2x!ann.count<0, 7>>, tensor<2x1x2x!ann.count<0, 7>>) "
        "-> tensor<2x2x2x!ann.count<0, 7>>"
    )
    expected = [[[0.5, 0.5], [2, 2]], [[0.5, 0.5], [3, 3]]]
    assert scale_of_last(DIAGONAL, STAIRCASE.format(scale=0.5), join) == expected


def test_what_follows_from_an_unknown_scale_is_unknown() -> None:
    context = create_context()
    text = """
        func.func @main(%x: tensor<2x!ann.count<0, 7>>) {
          %0 = ann.reshape %x : tensor<2x!ann.count<0, 7>> -> tensor<1x2x!ann.count<0, 7>>
          func.return
        }
    """
    assert scales_of(parse_module(context, text), weights_of(context)) == {}


def test_scales_enter_a_spiking_network() -> None:
    network = """
        snn.network code "count" steps 1 inputs(%n) {
        ^bb0(%i: tensor<2x1x2x!ann.count<0, 7>>):
          %p = snn.input %i : tensor<2x1x2x!ann.count<0, 7>> -> tensor<2x1x2x!ann.count<0, 7>>
          %r = snn.reshape %p : tensor<2x1x2x!ann.count<0, 7>> -> tensor<4x!ann.count<0, 7>>
          snn.output
        } : (tensor<2x1x2x!ann.count<0, 7>>) -> ()
    """
    assert scale_of_last(network) == [2, 2, 3, 3]
