"""Shapes of results from shapes of operands, without a batch axis. Every function raises ValueError with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

Shape = tuple[int, ...]


def window_extent(size: int, kernel: int, stride: int, low: int, high: int, dilation: int) -> int:
    """The number of windows along one axis.

    Raises:
        ValueError: no window fits.
    """
    reach = dilation * (kernel - 1) + 1
    if size + low + high < reach:
        raise ValueError(f"a window of {reach} does not fit into {size} with padding {low} and {high}")
    return (size + low + high - reach) // stride + 1


def windows2d(
    shape: Shape, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Shape:
    """(height, width) of the windows over a (channels, height, width) tensor; padding is top, bottom, left, right."""
    if len(shape) != 3:
        raise ValueError(f"expected channels, height and width, found shape {shape}")
    if len(kernel) != 2 or len(stride) != 2 or len(dilation) != 2 or len(padding) != 4:
        raise ValueError("kernel, stride and dilation take two values, padding takes top, bottom, left and right")
    if min((*kernel, *stride, *dilation)) < 1 or min(padding) < 0:
        raise ValueError("kernel, stride and dilation must be positive, padding not negative")
    top, bottom, left, right = padding
    return (
        window_extent(shape[1], kernel[0], stride[0], top, bottom, dilation[0]),
        window_extent(shape[2], kernel[1], stride[1], left, right, dilation[1]),
    )


def conv2d(
    shape: Shape, weight: Shape, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], groups: int
) -> Shape:
    """The result of a convolution with a (out, in / groups, kernel height, kernel width) weight."""
    if len(weight) != 4:
        raise ValueError(f"expected a weight of rank 4, found {weight}")
    height, width = windows2d(shape, weight[2:], stride, padding, dilation)
    if groups < 1 or shape[0] % groups or weight[0] % groups:
        raise ValueError(f"{groups} groups divide neither {shape[0]} input nor {weight[0]} output channels")
    if weight[1] * groups != shape[0]:
        raise ValueError(f"the weight reads {weight[1]} x {groups} channels, the input has {shape[0]}")
    return weight[0], height, width


def linear(shape: Shape, weight: Shape) -> Shape:
    """The result of a matrix product over the last axis with an (out, in) weight."""
    if len(weight) != 2:
        raise ValueError(f"expected a weight of rank 2, found {weight}")
    if not shape or shape[-1] != weight[1]:
        raise ValueError(f"the weight reads {weight[1]} features, the input has shape {shape}")
    return *shape[:-1], weight[0]


def broadcastable(shape: Shape, onto: Shape) -> bool:
    """Whether `shape` broadcasts onto `onto` without changing it."""
    if len(shape) > len(onto):
        return False
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(onto), strict=False))


def broadcast(left: Shape, right: Shape) -> Shape:
    """The shape that both broadcast onto."""
    rank = max(len(left), len(right))
    pairs = zip((1,) * (rank - len(left)) + left, (1,) * (rank - len(right)) + right, strict=True)
    result: list[int] = []
    for a, b in pairs:
        if a != b and 1 not in (a, b):
            raise ValueError(f"{left} and {right} do not broadcast")
        result.append(max(a, b))
    return tuple(result)


def matmul(left: Shape, right: Shape) -> Shape:
    """The matrix product over the last two axes; leading axes agree."""
    if len(left) < 2 or len(left) != len(right) or left[:-2] != right[:-2] or left[-1] != right[-2]:
        raise ValueError(f"{left} and {right} have no matrix product")
    return *left[:-1], right[-1]


def neuron_layer(currents: Sequence[Shape], constants: Sequence[Shape]) -> Shape:
    """The one shape of the currents that meet in a layer of neurons, onto which its constants broadcast."""
    if not currents:
        raise ValueError("at least one current is needed")
    shape = currents[0]
    for current in currents:
        if current != shape:
            raise ValueError(f"currents of shapes {shape} and {current} meet")
    for constant in constants:
        if not broadcastable(constant, shape):
            raise ValueError(f"a constant of shape {constant} does not broadcast onto {shape}")
    return shape


def reshape(shape: Shape, result: Shape) -> Shape:
    """The result of a reshape to `result`."""
    if prod(shape) != prod(result):
        raise ValueError(f"{shape} has {prod(shape)} elements, {result} has {prod(result)}")
    return result


def transpose(shape: Shape, permutation: Sequence[int]) -> Shape:
    """The result of reordering the axes."""
    if sorted(permutation) != list(range(len(shape))):
        raise ValueError(f"{list(permutation)} is no permutation of {len(shape)} axes")
    return tuple(shape[axis] for axis in permutation)


def slice_(shape: Shape, starts: Sequence[int], stops: Sequence[int], steps: Sequence[int]) -> Shape:
    """The result of taking `start:stop:step` along every axis."""
    if not len(shape) == len(starts) == len(stops) == len(steps):
        raise ValueError(f"one start, stop and step per axis of {shape} are needed")
    for size, start, stop, step in zip(shape, starts, stops, steps, strict=True):
        if not (0 <= start < stop <= size and step > 0):
            raise ValueError(f"{start}:{stop}:{step} is empty or outside 0:{size}")
    return tuple(-(-(stop - start) // step) for start, stop, step in zip(starts, stops, steps, strict=True))


def pad(shape: Shape, low: Sequence[int], high: Sequence[int]) -> Shape:
    """The result of adding `low` and `high` elements at the ends of every axis."""
    if not len(shape) == len(low) == len(high):
        raise ValueError(f"one low and one high padding per axis of {shape} are needed")
    if min((*low, *high), default=0) < 0:
        raise ValueError("padding cannot be negative")
    return tuple(size + a + b for size, a, b in zip(shape, low, high, strict=True))


def concat(shapes: Sequence[Shape], axis: int) -> Shape:
    """The result of joining along `axis`."""
    if not shapes:
        raise ValueError("nothing to concatenate")
    first = shapes[0]
    if not 0 <= axis < len(first):
        raise ValueError(f"axis {axis} is outside the {len(first)} axes of {first}")
    for shape in shapes[1:]:
        if len(shape) != len(first) or shape[:axis] != first[:axis] or shape[axis + 1 :] != first[axis + 1 :]:
            raise ValueError(f"{shape} and {first} differ outside axis {axis}")
    return *first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :]
