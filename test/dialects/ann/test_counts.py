"""What `ann` operations mean on integers. Expected values are worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret

IN_PARENTHESES = ("ann.staircase", "ann.lookup", "ann.integer_", "ann.product", "ann.matrix_product")
"""Operations that print the types of their operands in parentheses."""


def run(operation: str, types: str, result: str, *inputs: object, dtype: str = "int64") -> NDArray[np.int64]:
    """What an operation on %0, %1, ... makes of inputs, one image each."""
    arguments = ", ".join(f"%{index}: {kind}" for index, kind in enumerate(types.split(" | ")))
    context = create_context()
    operands = types.replace(" | ", ", ")
    signature = f"({operands})" if operation.startswith(IN_PARENTHESES) else operands
    text = f"""
        func.func @main({arguments}) -> {result} {{
          %r = {operation} : {signature} -> {result}
          func.return %r : {result}
        }}
    """
    arrays = [np.array([image], dtype) for image in inputs]
    found = interpret(parse_module(context, text), weights_of(context), arrays)[0][0]
    return found.astype(np.int64) if dtype == "int64" else found


STAIRCASE = (
    "ann.staircase {} bias(dense<{}> : tensor<1xi32>) threshold(dense<{}> : tensor<1xi32>) "
    "initial(dense<{}> : tensor<1xi32>) scale(dense<1.0> : tensor<1xf64>) levels 3"
)


@pytest.mark.parametrize(
    ("charge", "count"),
    [(-1000, 0), (-6, 0), (-5, 0), (4, 0), (5, 1), (14, 1), (15, 2), (24, 2), (25, 3), (34, 3), (35, 3), (10**6, 3)],
)
def test_a_staircase_rounds_down_and_is_clipped(charge: int, count: int) -> None:
    found = run(STAIRCASE.format("%0", 0, 10, 5), "tensor<1xi32>", "tensor<1x!ann.count<0, 3>>", [charge])
    assert found.tolist() == [count]


def test_a_staircase_sums_its_currents_and_its_bias() -> None:
    operation = STAIRCASE.format("%0, %1", -2, 4, 0)
    found = run(operation, "tensor<2xi32> | tensor<2xi32>", "tensor<2x!ann.count<0, 3>>", [7, 3], [3, 6])
    assert found.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("charge", "said"), [(-1000, -4), (-7, -4), (-6, 9), (-1, 9), (0, 5), (5, 5), (6, 2), (900, 2)]
)
def test_a_lookup_says_what_its_table_holds_at_the_clipped_index(charge: int, said: int) -> None:
    table = "table(dense<[-4, 9, 5, 2]> : tensor<4xi32>)"
    operation = f"ann.lookup %0 threshold(dense<6> : tensor<1xi32>) clip -2 to 1 {table}"
    assert run(operation, "tensor<1xi32>", "tensor<1x!ann.count<-4, 9>>", [charge]).tolist() == [said]


@pytest.mark.parametrize(
    ("charge", "said"), [(-26, -3), (-25, -2), (-6, -1), (-5, 0), (4, 0), (5, 1), (24, 2), (99, 3)]
)
def test_a_lookup_without_a_table_rounds_its_charge(charge: int, said: int) -> None:
    operation = "ann.lookup %0 threshold(dense<10> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>) clip -3 to 3"
    assert run(operation, "tensor<1xi32>", "tensor<1x!ann.count<-3, 3>>", [charge]).tolist() == [said]


SOFTMAX = "ann.integer_softmax %0 divisor(dense<10> : tensor<1xi32>) table(dense<[8, 4, 0]> : tensor<3xi32>) levels 60"


@pytest.mark.parametrize(
    ("charges", "shares"),
    [
        ([7, 7, 7], [20, 20, 20]),
        ([20, 11, 10], [24, 24, 12]),  # of 8, 8, 4: floor((480 + 10) / 20), floor((240 + 10) / 20)
        ([0, -9999, 9], [30, 0, 30]),
        ([-50, -71, -60], [40, 0, 20]),
    ],
)
def test_a_softmax_shares_in_powers_of_the_distance_to_the_largest(charges: list[int], shares: list[int]) -> None:
    found = run(SOFTMAX, "tensor<3xi32>", "tensor<3x!ann.count<0, 60>>", charges)
    assert found.tolist() == shares


def test_a_softmax_is_that_of_every_row() -> None:
    found = run(SOFTMAX, "tensor<2x2xi32>", "tensor<2x2x!ann.count<0, 60>>", [[0, 0], [10, 0]])
    assert found.tolist() == [[30, 30], [40, 20]]


NORM = "ann.integer_layer_norm %0 gain(dense<{}> : tensor<1xi32>) shift(dense<{}> : tensor<1xi32>) epsilon {} : i64"


@pytest.mark.parametrize(
    ("gain", "shift", "epsilon", "charges", "said"),
    [
        (1000, 0, 0, [1, 4], [-3, 2]),  # d = -3, 3; r = isqrt(18) = 4; -750 and 750 over 256
        (1000, 128, 0, [1, 4], [-3, 3]),  # to the nearest
        (1000, 0, 18, [1, 4], [-2, 1]),  # r = isqrt(36) = 6, -500 and 500
        (1000, 0, 0, [5, 5], [0, 0]),  # without deviation there is nothing to divide
        (1000, 512, 0, [5, 5], [2, 2]),
        (10**6, 0, 0, [1, 4], [-7, 7]),  # clipped
    ],
)
def test_a_layer_norm_divides_by_the_root_rounded_down(
    gain: int, shift: int, epsilon: int, charges: list[int], said: list[int]
) -> None:
    found = run(NORM.format(gain, shift, epsilon), "tensor<2xi32>", "tensor<2x!ann.count<-7, 7>>", charges)
    assert found.tolist() == said


def test_a_layer_norm_is_exact_up_to_roots_beyond_floats() -> None:
    """d = 2^30 - 1 and its negative: the squares' sum leaves 53 bits, the root is 2^30 sqrt(2) rounded down."""
    distance = 2**30 - 1
    operation = NORM.format(2**31 - 1, 0, 0)
    found = run(operation, "tensor<2xi32>", f"tensor<2x!ann.count<{-(2**23)}, {2**23}>>", [distance, 0])
    root = math.isqrt(2 * distance**2)
    assert found.tolist() == [(distance * (2**31 - 1) // root) >> 8, (-distance * (2**31 - 1) // root) >> 8]


def test_products_of_counts_broadcast() -> None:
    types = "tensor<2x2x!ann.count<-8, 7>> | tensor<2x!ann.count<0, 255>>"
    found = run("ann.product %0, %1", types, "tensor<2x2xi32>", [[-8, 7], [1, 0]], [255, 2])
    assert found.tolist() == [[-2040, 14], [255, 0]]


def test_matrix_products_of_counts_are_those_of_every_image() -> None:
    types = "tensor<1x2x2x!ann.count<-8, 7>> | tensor<1x2x1x!ann.count<-8, 7>>"
    found = run("ann.matrix_product %0, %1", types, "tensor<1x2x1xi32>", [[[1, -8], [7, 0]]], [[[-8], [7]]])
    assert found.tolist() == [[[-64], [-56]]]


def test_products_of_integers_are_exact_beyond_floats() -> None:
    weight = "weight(dense<[[127, 127, 127]]> : tensor<1x3xi8>) bias(dense<1> : tensor<1xi32>)"
    counts = [2**24 + 1, 2**24 + 3, 1]
    found = run(f"ann.linear %0 {weight}", f"tensor<3x!ann.count<0, {2**25}>>", "tensor<1xi32>", counts)
    assert found.tolist() == [127 * (2**25 + 5) + 1]


def test_a_convolution_of_counts_pads_with_the_count_zero() -> None:
    operation = "ann.conv2d %0 weight(dense<[[[[1, -10]]]]> : tensor<1x1x1x2xi8>) padding [0, 0, 1, 0]"
    found = run(operation, "tensor<1x1x2x!ann.count<-8, 7>>", "tensor<1x1x2xi32>", [[[3, -4]]])
    assert found.tolist() == [[[-30, 43]]]


def test_a_diagonal_weighs_every_count() -> None:
    operation = "ann.diagonal %0 weight(dense<[[[100]], [[-100]]]> : tensor<2x1x1xi8>)"
    found = run(operation, "tensor<2x1x1x!ann.count<0, 255>>", "tensor<2x1x1xi32>", [[[255]], [[2]]])
    assert found.tolist() == [[[25500]], [[-200]]]


def test_pooling_of_counts() -> None:
    kind = "tensor<1x1x2x!ann.count<-8, 7>>"
    largest = run("ann.max_pool2d %0 kernel [1, 2] padding [0, 0, 1, 0]", kind, kind, [[[-5, -7]]])
    assert largest.tolist() == [[[-5, -5]]]
    total = run("ann.sum_pool2d %0 kernel [1, 2]", kind, "tensor<1x1x1x!ann.count<-16, 14>>", [[[-5, 7]]])
    assert total.tolist() == [[[2]]]


def test_pixels_are_normalised() -> None:
    operation = "ann.input %0 mean(dense<[0.5, 0.0]> : tensor<2xf32>) std(dense<[0.25, 1.0]> : tensor<2xf32>)"
    found = run(operation, "tensor<2x1x2xui8>", "tensor<2x1x2xf32>", [[[0, 255]], [[51, 255]]], dtype="uint8")
    assert found.dtype == np.float32
    assert found.ravel() == pytest.approx([-2.0, 2.0, 0.2, 1.0])
