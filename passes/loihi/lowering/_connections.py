"""What a synapse of a spiking network connects, in the terms of Lava: a convolution, a matrix, or a list of pairs.

A synapse reads a group directly or through index maps and sums of windows. A convolution of what a group sends, or of
sums of its windows, stays one; a matrix product of a flattened group stays one; of anything else the pairs of neurons
are worked out one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation

from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import Conv2dBase, DiagonalBase, LinearBase, Pool2dOp, SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import meaning_of

Shape: TypeAlias = "tuple[int, ...]"
Whole: TypeAlias = NDArray[np.int64]

MOST_PAIRS = 200_000_000
"""Pairs of neurons that are listed one by one; more would not fit into memory."""

MOST_ZEROS = 8
"""Fewer zeros than this are put around a kernel, so that it can be padded by the same number at both ends."""

DENSE_ENOUGH = 0.5
"""From this share of all pairs on, a matrix is smaller than a list."""


@dataclass(frozen=True)
class Step:
    """An index map or a pooling, and which of its operands the signal is. Of a pooling all of a window is meant."""

    op: Operation
    operand: int = 0


@dataclass(frozen=True)
class Convolution:
    """Weights (out, width, height, in / groups), kernels flipped, and the geometry of width and height."""

    weight: Whole
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class Matrix:
    """Weights (out, in). `flattened`: the source's neurons are in the user's order; else both sides are in Lava's."""

    weight: Whole
    flattened: bool = False


@dataclass(frozen=True)
class Pairs:
    """One weight for every pair of neurons, in the order of targets, then sources; both count in Lava's order."""

    weight: Whole
    sources: Whole
    targets: Whole


Connection: TypeAlias = "Convolution | Matrix | Pairs"


class TooManyPairsError(ValueError):
    """A synapse has more pairs of neurons than can be listed."""


def scaled(connection: Connection, factor: int) -> Connection:
    """The same connection with all weights times a factor."""
    return replace(connection, weight=connection.weight * factor)


def without_zeros(found: Pairs) -> Pairs:
    """Pairs of weight 0 left out."""
    there = found.weight != 0
    return Pairs(found.weight[there], found.sources[there], found.targets[there])


def connection(synapse: SynapseOp, shape: Shape, steps: Sequence[Step], weights: WeightStore) -> Connection:
    """What a synapse connects of a group of `shape`, whose spikes reach it through `steps`.

    Raises:
        TooManyPairsError: the pairs would have to be listed, and are too many.
    """
    weight = weights.array(synapse.weight).astype(np.int64)
    maps = [step.op for step in steps]
    if not maps or (len(maps) == 1 and isinstance(maps[0], snn.SumPool2dOp)):
        window = maps[0] if maps else None
        found = _convolution(synapse, weight, window if isinstance(window, snn.SumPool2dOp) else None)
        if found is not None:
            return found
    if isinstance(synapse, LinearBase) and len(shape_of(synapse.input)) == 1:
        if len(maps) == 2 and isinstance(maps[0], snn.SumPool2dOp) and isinstance(maps[1], snn.ReshapeOp):
            found = _behind_all(weight, maps[0])
            if found is not None:
                return found
        if not maps and len(shape) == 1:
            return Matrix(weight)
        if len(maps) == 1 and isinstance(maps[0], snn.ReshapeOp):
            return Matrix(weight, flattened=True)
    return pairs(synapse, shape, steps, weights)


def pairs(synapse: SynapseOp, shape: Shape, steps: Sequence[Step], weights: WeightStore) -> Matrix | Pairs:
    """What a synapse connects, pair by pair; as a matrix where that is smaller.

    Raises:
        TooManyPairsError: there are too many.
    """
    weight = weights.array(synapse.weight).astype(np.int64)
    fields = _fields(shape, steps, weights)
    _require_listable(synapse, weight, len(fields))
    count, outputs = int(np.prod(shape)), int(np.prod(shape_of(synapse.result)))
    found = [part for field in fields for part in _pairs_of(synapse, weight, field)]
    values, sources, targets = (np.concatenate([part[index].ravel() for part in found]) for index in range(3))
    known = sources > 0
    sources = _lavas_order(shape)[sources[known] - 1]
    targets = _lavas_order(shape_of(synapse.result))[targets[known]]
    keys, places = np.unique(targets * count + sources, return_inverse=True)
    total = np.bincount(places, values[known], len(keys)).astype(np.int64)
    if len(keys) >= DENSE_ENOUGH * count * outputs:
        matrix = np.zeros((outputs, count), np.int64)
        matrix[keys // count, keys % count] = total
        of_vector = len(shape_of(synapse.result)) == 1  # then the user's order needs no other on the far side
        return Matrix(matrix[:, _lavas_order(shape)], flattened=True) if of_vector else Matrix(matrix)
    return without_zeros(Pairs(total, keys % count, keys // count))


# Convolutions


def _convolution(synapse: SynapseOp, weight: Whole, window: snn.SumPool2dOp | None) -> Convolution | None:
    """A convolution of a group, or of the sums of its windows; None where the padding is uneven or it is none."""
    if isinstance(synapse, Conv2dBase):
        ends, groups = values_of(synapse.padding), synapse.groups.value.data
        stride, dilation = values_of(synapse.stride), values_of(synapse.dilation)
    elif isinstance(synapse, DiagonalBase) and len(shape_of(synapse.input)) == 3:
        channels = shape_of(synapse.input)[0]
        full = np.broadcast_to(weight, shape_of(synapse.input))
        if (full != full[:, :1, :1]).any():
            return None
        weight, ends, groups, stride, dilation = full[:, :1, :1, None], (0, 0, 0, 0), channels, (1, 1), (1, 1)
    else:
        return None
    read = synapse.input
    if window is not None:
        if dilation != (1, 1) or (any(ends) and not _tiled(window)):
            return None
        weight, stride, ends = _behind_windows(weight, stride, ends, window)
        read = window.input
    if shapes.conv2d(shape_of(read), weight.shape, stride, ends, dilation, groups) != shape_of(synapse.result):
        return None
    found = [
        _zeros(
            shape_of(read)[axis + 1],
            weight.shape[axis + 2],
            shape_of(synapse.result)[axis + 1],
            ends[2 * axis],
            stride[axis],
            dilation[axis],
        )
        for axis in range(2)
    ]
    if found[0] is None or found[1] is None:
        return None
    (above, below), (left, right) = found[0], found[1]
    weight = np.pad(weight, ((0, 0), (0, 0), (above, below), (left, right)))
    padding = (ends[2] + left * dilation[1], ends[0] + above * dilation[0])
    flipped = weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)
    return Convolution(flipped, _turned(stride), padding, _turned(dilation), groups)


def _behind_all(weight: Whole, window: snn.SumPool2dOp) -> Convolution | None:
    """A matrix of sums over whole channels as a convolution with one position; None where it has more."""
    if shape_of(window.result)[1:] != (1, 1) or any(values_of(window.padding)):
        return None
    height, width = values_of(window.kernel)
    if shape_of(window.input)[1:] != (height, width):
        return None
    kernel = np.broadcast_to(weight[:, None, None, :], (len(weight), width, height, weight.shape[1]))
    return Convolution(np.ascontiguousarray(kernel))


def _zeros(size: int, kernel: int, count: int, padding: int, stride: int, dilation: int) -> tuple[int, int] | None:
    """Zeros in front of and behind a kernel, as few as can be, with which it may be padded evenly.

    `padding` is what stands in front of the image. None where no few zeros do.
    """
    for more in range(MOST_ZEROS):
        for front in range(more + 1):
            room = size + 2 * (padding + front * dilation) - dilation * (kernel + more - 1) - 1
            if room // stride + 1 == count:
                return front, more - front
    return None


def _turned(pair: Sequence[int]) -> tuple[int, int]:
    """(height, width) as (width, height)."""
    return pair[1], pair[0]


def _tiled(window: snn.SumPool2dOp) -> bool:
    """Whether windows fill the image side by side, so that outside of them there is nothing but its outside."""
    _, *sizes = shape_of(window.input)
    whole = all(size % step == 0 for size, step in zip(sizes, values_of(window.stride), strict=True))
    return whole and values_of(window.kernel) == values_of(window.stride) and not any(values_of(window.padding))


def _behind_windows(
    weight: Whole, stride: Sequence[int], ends: Sequence[int], window: snn.SumPool2dOp
) -> tuple[Whole, tuple[int, int], tuple[int, ...]]:
    """A convolution of sums of windows as one convolution: (weight, stride, padding)."""
    kernel, step, border = values_of(window.kernel), values_of(window.stride), values_of(window.padding)
    height, width = (
        (size - 1) * each + reach for size, each, reach in zip(weight.shape[2:], step, kernel, strict=True)
    )
    spread = np.zeros((*weight.shape[:2], height, width), np.int64)
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            rows = slice(row, row + (weight.shape[2] - 1) * step[0] + 1, step[0])
            columns = slice(column, column + (weight.shape[3] - 1) * step[1] + 1, step[1])
            spread[:, :, rows, columns] += weight
    strides = (stride[0] * step[0], stride[1] * step[1])
    padding = tuple(end * step[axis // 2] + border[axis] for axis, end in enumerate(ends))
    return spread, strides, padding


# Pairs


def _lavas_order(shape: Shape) -> Whole:
    """Where in Lava's order, axes reversed, the neurons stand that are in the user's."""
    return np.arange(int(np.prod(shape))).reshape(shape[::-1]).transpose().ravel()


def _fields(shape: Shape, steps: Sequence[Step], weights: WeightStore) -> list[Whole]:
    """Fields whose sum is the signal: every element is 1 + the number of the neuron that it is, or 0 for none."""
    fields = [np.arange(1, int(np.prod(shape)) + 1).reshape(shape)]
    for step in steps:
        fields = [new for field in fields for new in _stepped(step, field, weights)]
    return fields


def _stepped(step: Step, field: Whole, weights: WeightStore) -> Iterator[Whole]:
    if isinstance(step.op, Pool2dOp):
        (height, width), (rows, columns) = values_of(step.op.kernel), values_of(step.op.dilation)
        for row in range(0, height * rows, rows):
            for column in range(0, width * columns, columns):
                yield _windows(field, values_of(step.op.padding), (row, column), step.op, values_of(step.op.stride))
        return
    operands = [
        field if index == step.operand else np.zeros(shape_of(operand), np.int64)
        for index, operand in enumerate(step.op.operands)
    ]
    moved = meaning_of(type(step.op)).function(step.op, Run(weights), *(operand[None] for operand in operands))
    assert not isinstance(moved, tuple)
    yield moved[0]


def _windows(field: Whole, ends: Sequence[int], place: tuple[int, int], op: Operation, stride: Sequence[int]) -> Whole:
    """What stands at one place of every window."""
    padded = np.pad(field, ((0, 0), tuple(ends[:2]), tuple(ends[2:])))
    _, height, width = shape_of(op.results[0])
    rows = slice(place[0], place[0] + (height - 1) * stride[0] + 1, stride[0])
    columns = slice(place[1], place[1] + (width - 1) * stride[1] + 1, stride[1])
    return padded[:, rows, columns]


def _require_listable(synapse: SynapseOp, weight: Whole, fields: int) -> None:
    """
    Raises:
        TooManyPairsError: there are too many pairs.
    """
    outputs = int(np.prod(shape_of(synapse.result)))
    reads = 1 if isinstance(synapse, DiagonalBase) else weight[0].size
    if outputs * reads * fields > MOST_PAIRS:
        raise TooManyPairsError(f"it connects {outputs * reads * fields:,} pairs of neurons that are to be listed")


Part: TypeAlias = "tuple[Whole, Whole, Whole]"
"""(weights, sources, targets) of one shape; sources count from 1, 0 is none; all in the user's order."""


def _pairs_of(synapse: SynapseOp, weight: Whole, field: Whole) -> Iterator[Part]:
    shape = shape_of(synapse.result)
    targets = np.arange(int(np.prod(shape))).reshape(shape)
    if isinstance(synapse, DiagonalBase):
        yield np.broadcast_to(weight, shape), field, targets
    elif isinstance(synapse, LinearBase):
        full = (*shape, field.shape[-1])
        yield (
            np.broadcast_to(weight, full),
            np.broadcast_to(field[..., None, :], full),
            np.broadcast_to(targets[..., None], full),
        )
    else:
        assert isinstance(synapse, Conv2dBase)
        yield from _pairs_of_convolution(synapse, weight, field, targets)


def _pairs_of_convolution(synapse: Conv2dBase, weight: Whole, field: Whole, targets: Whole) -> Iterator[Part]:
    groups, (rows, columns) = synapse.groups.value.data, values_of(synapse.dilation)
    outer, inner = len(weight) // groups, weight.shape[1]
    for row in range(weight.shape[2]):
        for column in range(weight.shape[3]):
            place = (row * rows, column * columns)
            seen = _windows(field, values_of(synapse.padding), place, synapse, values_of(synapse.stride))
            for group in range(groups):
                out, into = slice(group * outer, (group + 1) * outer), slice(group * inner, (group + 1) * inner)
                full = (outer, inner, *targets.shape[1:])
                yield (
                    np.broadcast_to(weight[out, :, row, column][:, :, None, None], full),
                    np.broadcast_to(seen[into], full),
                    np.broadcast_to(targets[out][:, None], full),
                )
