"""What the border between floats and integers means."""

from __future__ import annotations

import numpy as np
import pytest

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret


def quantised(values: list[float], step: float = 0.5, shift: float = 0.0) -> list[int]:
    context = create_context()
    text = f"""
    func.func @main(%x: tensor<{len(values)}xf32>) -> tensor<{len(values)}x!ann.count<-4, 3>> {{
      %0 = host.quantize %x step(dense<{step}> : tensor<1xf64>) shift(dense<{shift}> : tensor<1xf64>) scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) : tensor<{len(values)}xf32> -> tensor<{len(values)}x!ann.count<-4, 3>>
      func.return %0 : tensor<{len(values)}x!ann.count<-4, 3>>
    }}"""  # noqa: E501
    (found,) = interpret(parse_module(context, text), weights_of(context), [np.array([values], np.float32)])
    assert found.dtype == np.int64
    return found[0].tolist()


def test_counts_are_the_nearest_steps() -> None:
    assert quantised([0.0, 0.2, 0.3, -0.3, 1.0]) == [0, 0, 1, -1, 2]


def test_ties_go_to_even() -> None:
    assert quantised([0.25, 0.75, 1.25, -0.25, -0.75]) == [0, 2, 2, 0, -2]


def test_counts_stay_in_their_range() -> None:
    assert quantised([100.0, -100.0, 1.5, -2.0]) == [3, -4, 3, -4]


def test_a_shift_comes_before_the_step() -> None:
    assert quantised([1.0, 1.5, 0.5], shift=1.0) == [0, 1, -1]


def test_rounding_is_done_in_double_precision() -> None:
    # float32(0.35) is 0.34999999: 3.4999999 steps, but 3.5 in single precision, which would round to 4.
    assert quantised([np.float32(-0.35).item()], step=0.1) == [-3]


@pytest.mark.parametrize(
    ("offset", "expected"), [("", [1.5, -0.5]), (" offset(dense<[10.0, 20.0]> : tensor<2xf64>)", [11.5, 19.5])]
)
def test_accumulators_come_back_as_floats(offset: str, expected: list[float]) -> None:
    context = create_context()
    text = f"""
    func.func @main(%x: tensor<2xi32>) -> tensor<2xf32> {{
      %0 = host.dequantize %x scale(dense<[0.5, 0.25]> : tensor<2xf64>){offset} : tensor<2xi32> -> tensor<2xf32>
      func.return %0 : tensor<2xf32>
    }}"""
    images = [np.array([[3, -2], [0, 0]])]
    (found,) = interpret(parse_module(context, text), weights_of(context), images)
    assert found.dtype == np.float32
    assert found[0].tolist() == expected


def test_a_segment_runs_its_body() -> None:
    context = create_context()
    text = """
    func.func @main(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
      %0, %1 = "host.segment"(%x, %y) ({
      ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
        %2 = ann.sub %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
        host.yield %2, %a : tensor<2xf32>, tensor<2xf32>
      }) : (tensor<2xf32>, tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>)
      func.return %0, %1 : tensor<2xf32>, tensor<2xf32>
    }"""
    images = [np.array([[3, 4]], np.float32), np.array([[1, 1]], np.float32)]
    found = interpret(parse_module(context, text), weights_of(context), images)
    assert [output.tolist() for output in found] == [[[2, 3]], [[3, 4]]]
