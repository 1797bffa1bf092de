"""The NumPy meanings of what several dialects share. Every array has a leading batch axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from neurocuda.dialects.shared.tables import NORM_BITS
from neurocuda.reference.meaning import Array


def exact_type(values: Array, weight: Array) -> np.dtype[np.generic]:
    """The type in which a product is exact, the fastest first.

    Floats keep their type. For integers every partial sum is bounded by max|x| times the largest row of sum|w|;
    float32 holds integers up to 2^24 exactly, float64 up to 2^53, and int64 the rest.
    """
    if values.dtype.kind == "f" or weight.dtype.kind == "f":
        kinds = [array.dtype for array in (values, weight) if array.dtype.kind == "f"]
        return np.result_type(*kinds)
    largest = int(np.abs(values.astype(np.int64)).max(initial=0))
    row = int(np.abs(weight.astype(np.int64)).reshape(len(weight), -1).sum(axis=1).max(initial=0))
    bound = largest * row
    if bound < 2**24:
        return np.dtype(np.float32)
    return np.dtype(np.float64 if bound < 2**53 else np.int64)


def accumulator(product: Array, values: Array, weight: Array) -> Array:
    """Integer products come back as int64, floats stay."""
    if values.dtype.kind == "f" or weight.dtype.kind == "f":
        return product
    return product.astype(np.int64)


def windows(
    values: Array,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    fill: float = 0,
) -> Array:
    """All windows of (batch, channels, height, width): (batch, channels, rows, columns, *kernel)."""
    top, bottom, left, right = padding
    if any(padding):
        values = np.pad(values, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    reach = [spread * (size - 1) + 1 for size, spread in zip(kernel, dilation, strict=True)]
    view = sliding_window_view(values, reach, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def conv2d(
    values: Array,
    weight: Array,
    bias: Array | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Array:
    """Cross-correlation as one matrix product per image and group."""
    exact = exact_type(values, weight)
    patches = _patches(values.astype(exact, copy=False), weight.shape[2:], stride, padding, dilation)
    batch, channels, _, _, rows, columns = patches.shape
    depth = channels // groups * weight.shape[2] * weight.shape[3]
    matrix = weight.astype(exact, copy=False).reshape(groups, len(weight) // groups, depth)
    product = np.matmul(matrix, patches.reshape(batch, groups, depth, rows * columns))
    result = accumulator(product.reshape(batch, len(weight), rows, columns), values, weight)
    return result if bias is None else result + bias[:, None, None]


def _patches(
    values: Array, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Array:
    """What each weight of a kernel reads: (batch, channels, kernel height, kernel width, rows, columns)."""
    view = windows(values, kernel, stride, padding, dilation)
    if tuple(kernel) == (1, 1):
        return view.transpose(0, 1, 4, 5, 2, 3)
    batch, channels, rows, columns = view.shape[:4]
    patches = np.empty((batch, channels, *kernel, rows, columns), values.dtype)
    for row, column in np.ndindex(*kernel):
        patches[:, :, row, column] = view[..., row, column]
    return patches


def linear(values: Array, weight: Array, bias: Array | None) -> Array:
    """A matrix product over the last axis."""
    exact = exact_type(values, weight)
    product = np.matmul(values.astype(exact, copy=False), weight.astype(exact, copy=False).T)
    result = accumulator(product, values, weight)
    return result if bias is None else result + bias


def diagonal(values: Array, weight: Array) -> Array:
    """Every element times its own weight."""
    if values.dtype.kind == "f" or weight.dtype.kind == "f":
        exact = exact_type(values, weight)
        return np.multiply(values.astype(exact, copy=False), weight.astype(exact, copy=False))
    return values.astype(np.int64) * weight.astype(np.int64)


def decayed(values: Array, decay: Array, bits: int | None) -> Array:
    """values * decay; of integers values * decay / 2^bits, rounded toward zero."""
    if bits is None:
        return (values * decay).astype(values.dtype)
    product = values.astype(np.int64) * decay.astype(np.int64)
    return (np.sign(product) * (np.abs(product) >> bits)).astype(values.dtype)


def aligned(left: Array, right: Array) -> tuple[Array, Array]:
    """Both with the same rank, ones inserted behind the batch axis."""
    rank = max(left.ndim, right.ndim)
    one, other = (array.reshape(len(array), *(1,) * (rank - array.ndim), *array.shape[1:]) for array in (left, right))
    return one, other


def product(left: Array, right: Array) -> Array:
    """Element by element, broadcast, of integers."""
    one, other = aligned(left.astype(np.int64), right.astype(np.int64))
    return one * other


def matrix_product(left: Array, right: Array) -> Array:
    """The matrix product of integers over the last two axes, in floats where those are exact."""
    bound = int(np.abs(left).max(initial=0)) * int(np.abs(right).max(initial=0)) * left.shape[-1]
    exact = np.float32 if bound < 2**24 else np.float64 if bound < 2**53 else np.int64
    return np.matmul(left.astype(exact), right.astype(exact)).astype(np.int64)


def sum_pool2d(values: Array, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> Array:
    """The sum of every window."""
    wide = values if values.dtype.kind == "f" else values.astype(np.int64)
    return cast(Array, windows(wide, kernel, stride, padding, (1, 1)).sum(axis=(4, 5)))


def max_pool2d(
    values: Array, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Array:
    """The largest element of every window; padding never wins."""
    lowest = -np.inf if values.dtype.kind == "f" else np.iinfo(cast("np.dtype[np.integer]", values.dtype)).min
    return cast(Array, windows(values, kernel, stride, padding, dilation, fill=lowest).max(axis=(4, 5)))


def reshape(values: Array, shape: Sequence[int]) -> Array:
    """Another shape, the same row-major order."""
    return values.reshape(len(values), *shape)


def transpose(values: Array, permutation: Sequence[int]) -> Array:
    """Axes in another order."""
    return values.transpose(0, *(axis + 1 for axis in permutation))


def slice_(values: Array, starts: Sequence[int], stops: Sequence[int], steps: Sequence[int]) -> Array:
    """`start:stop:step` along every axis."""
    return values[(slice(None), *(slice(*bounds) for bounds in zip(starts, stops, steps, strict=True)))]


def pad(values: Array, low: Sequence[int], high: Sequence[int]) -> Array:
    """Zeros at the ends."""
    return np.pad(values, ((0, 0), *zip(low, high, strict=True)))


def concat(values: Sequence[Array], axis: int) -> Array:
    """Joined along one axis."""
    return np.concatenate(values, axis=axis + 1)


def staircase(current: Array, bias: Array, threshold: Array, initial: Array, levels: int) -> NDArray[np.int64]:
    """clip(floor((current + bias + initial) / threshold), 0, levels), exactly for integers."""
    steps = np.floor_divide(current + bias + initial, threshold)
    return np.clip(steps, 0, levels).astype(np.int64)


def lookup(charge: Array, threshold: Array, clip: tuple[int, int], table: Array | None) -> NDArray[np.int64]:
    """n = clip(floor(charge / threshold), lowest, highest): table[n - lowest], or n itself; exactly for integers."""
    index = np.clip(np.floor_divide(charge, threshold), *clip).astype(np.int64)
    return index if table is None else table.astype(np.int64)[index - clip[0]]


def integer_softmax(charge: Array, divisor: Array, table: Array, levels: int) -> NDArray[np.int64]:
    """Shares of every row (the last axis) in `levels`, of table[floor((largest - charge) / divisor)]."""
    below = np.floor_divide(charge.max(axis=-1, keepdims=True) - charge, divisor).astype(np.int64)
    parts = table.astype(np.int64)[np.minimum(below, len(table) - 1)]
    total = parts.sum(axis=-1, keepdims=True)
    return (levels * parts + total // 2) // total


def integer_layer_norm(
    charge: Array, gain: Array, shift: Array, epsilon: float, clip: tuple[int, int]
) -> NDArray[np.int64]:
    """Every row (the last axis) without its mean, over its deviation, times gain / 2^8, plus shift / 2^8; clipped."""
    wide = charge if charge.dtype.kind == "f" else charge.astype(np.int64)
    centred = wide * wide.shape[-1] - wide.sum(axis=-1, keepdims=True)
    squares = np.square(centred).sum(axis=-1, keepdims=True) + epsilon
    deviation = isqrt(squares) if squares.dtype.kind == "i" else np.sqrt(squares)
    quotient = np.where(deviation > 0, np.floor_divide(centred * gain, np.where(deviation > 0, deviation, 1)), 0)
    return np.clip(np.floor_divide(quotient + shift, 2**NORM_BITS), *clip).astype(np.int64)


def isqrt(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest integers whose squares do not exceed the values. The float root may be off by one beyond 2^52."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)
    root -= root * root > values
    return root + ((root + 1) * (root + 1) <= values)
