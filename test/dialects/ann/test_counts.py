"""What `ann` operations mean on integers. Expected values are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret


def run(operation: str, types: str, result: str, *inputs: object, dtype: str = "int64") -> NDArray[np.int64]:
    """What an operation on %0, %1, ... makes of inputs, one image each."""
    arguments = ", ".join(f"%{index}: {kind}" for index, kind in enumerate(types.split(" | ")))
    context = create_context()
    operands = types.replace(" | ", ", ")
    signature = f"({operands})" if operation.startswith("ann.staircase") else operands
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
