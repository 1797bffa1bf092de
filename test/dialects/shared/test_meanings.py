"""Shared meanings against loops that anyone can check, and the borders of exact integer arithmetic."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.dialects.shared import meanings, shapes

Array = NDArray[np.generic]


def convolved(
    x: Array, weight: Array, stride: list[int], padding: list[int], dilation: list[int], groups: int
) -> NDArray[np.object_]:
    """The definition of a cross-correlation, in Python's integers or floats."""
    shape = shapes.conv2d(x.shape[1:], weight.shape, stride, padding, dilation, groups)
    result = np.zeros((len(x), *shape), object)
    outputs_per_group = len(weight) // groups
    for image, out, row, column in np.ndindex(*result.shape):
        for channel, i, j in np.ndindex(*weight.shape[1:]):
            source = out // outputs_per_group * weight.shape[1] + channel
            y = row * stride[0] - padding[0] + i * dilation[0]
            z = column * stride[1] - padding[2] + j * dilation[1]
            if 0 <= y < x.shape[2] and 0 <= z < x.shape[3]:
                result[image, out, row, column] += x[image, source, y, z].item() * weight[out, channel, i, j].item()
    return result


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("seed", range(8))
def test_a_convolution_is_its_definition(seed: int, batch: int) -> None:
    random = np.random.default_rng(seed)
    groups = int(random.choice([1, 2, 4]))
    x = random.integers(-128, 128, (batch, 4, 6, 5))
    weight = random.integers(-128, 128, (4, 4 // groups, *random.integers(1, 4, 2))).astype(np.int8)
    stride, dilation = ([int(n) for n in random.integers(1, 3, 2)] for _ in range(2))
    padding = [int(n) for n in random.integers(0, 3, 4)]
    expected = convolved(x, weight, stride, padding, dilation, groups)
    found = meanings.conv2d(x, weight, None, stride, padding, dilation, groups)
    assert found.dtype == np.int64
    assert (found == expected).all()
    floats = meanings.conv2d(x.astype(np.float32), weight.astype(np.float32), None, stride, padding, dilation, groups)
    assert floats.dtype == np.float32
    assert np.allclose(floats, expected.astype(float))


@pytest.mark.parametrize(
    ("largest", "row", "expected"),
    [
        (2**24 - 1, 1, np.float32),
        (2**24, 1, np.float64),
        (2**12, 2**12, np.float64),
        (2**53 - 1, 1, np.float64),
        (2**53, 1, np.int64),
        (2**40, 2**20, np.int64),
        (0, 2**40, np.float32),
    ],
)
def test_products_are_taken_in_the_fastest_type_that_holds_them(largest: int, row: int, expected: type) -> None:
    for sign, other in product((1, -1), repeat=2):
        assert meanings.exact_type(np.array([sign * largest]), np.array([[other * row]])) == expected


def test_the_bound_is_over_all_weights_of_an_output() -> None:
    assert meanings.exact_type(np.array([2**20]), np.full((1, 15), -1)) == np.float32
    assert meanings.exact_type(np.array([2**20]), np.full((1, 16), -1)) == np.float64
    assert meanings.exact_type(np.array([2**20]), np.full((16, 15), -1)) == np.float32


def test_floats_keep_their_type() -> None:
    counts, wide = np.array([1]), np.array([[1.0]])
    assert meanings.exact_type(counts, wide.astype(np.float32)) == np.float32
    assert meanings.exact_type(counts, wide) == np.float64
    assert meanings.exact_type(counts.astype(np.float32), wide.astype(np.float32)) == np.float32


@pytest.mark.parametrize("largest", [2**24 - 1, 2**24 + 1, 2**53 - 1, 2**53 + 1, 2**61 + 1])
def test_products_are_exact_on_both_sides_of_every_border(largest: int) -> None:
    x = np.array([[largest, 1]])
    weight = np.array([[1, 1], [1, -1], [-1, 0]], np.int8)
    expected = [[largest + 1, largest - 1, -largest]]
    assert meanings.linear(x, weight, None).tolist() == expected
    convolution = meanings.conv2d(
        x[:, :, None, None], weight[:, :, None, None], None, (1, 1), (0, 0, 0, 0), (1, 1), groups=1
    )
    assert convolution[:, :, 0, 0].tolist() == expected
    assert meanings.diagonal(x, np.array([1, -1], np.int8)).tolist() == [[largest, -1]]


def test_a_bias_is_added_in_full_width() -> None:
    weight, bias = np.array([[1]], np.int8), np.array([2**31 - 1], np.int32)
    assert meanings.linear(np.array([[2**23]]), weight, bias).tolist() == [[2**31 - 1 + 2**23]]


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32])
def test_padding_never_wins_a_maximum_and_adds_nothing_to_a_sum(kind: type[np.generic]) -> None:
    x = np.array([[[[3, 1], [2, 4]]]]).astype(kind)
    found = meanings.max_pool2d(x, (2, 2), (1, 1), (1, 0, 0, 1), (1, 1))
    assert found.tolist() == [[[[3, 1], [4, 4]]]]
    assert found.dtype == kind
    assert meanings.sum_pool2d(x, (2, 2), (1, 1), (1, 0, 0, 1)).tolist() == [[[[4, 1], [10, 5]]]]


def test_negative_elements_beat_padding() -> None:
    x = -np.ones((1, 1, 1, 1), np.int64)
    assert meanings.max_pool2d(x, (2, 2), (1, 1), (1, 1, 1, 1), (1, 1)).tolist() == [[[[-1, -1], [-1, -1]]]]


def test_a_dilated_maximum_skips_elements() -> None:
    x = np.array([[[[1, 9, 2]]]])
    assert meanings.max_pool2d(x, (1, 2), (1, 1), (0, 0, 0, 0), (1, 2)).tolist() == [[[[2]]]]


@pytest.mark.parametrize(
    ("charge", "threshold", "initial", "expected"),
    [
        (9, 10, 0, 0),
        (10, 10, 0, 1),
        (5, 10, 5, 1),
        (-1, 10, 0, 0),
        (39, 10, 0, 3),
        (40, 10, 0, 3),
        (2**53 + 1, 2**53, 0, 1),
    ],
)
def test_a_staircase_is_a_floor_and_a_clip(charge: int, threshold: int, initial: int, expected: int) -> None:
    zero = np.zeros((), np.int64)
    found = meanings.staircase(np.array([charge]), zero, np.array([threshold]), np.array([initial]), 3)
    assert found.tolist() == [expected]
    assert found.dtype == np.int64
