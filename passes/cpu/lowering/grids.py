"""Index maps as grids: chains of slices, paddings and transpositions become one strided copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from xdsl.ir import Operation

from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import values_of

Shape = tuple[int, ...]
Layout = tuple[int, ...]
"""Axis i of the memory is axis layout[i] of the tensor."""


def row_major(rank: int) -> Layout:
    """Memory in the tensor's own order."""
    return tuple(range(rank))


def natural(rank: int) -> Layout:
    """Channels last, so that inner loops over channels are contiguous; other tensors in their own order."""
    return (1, 2, 0) if rank == 3 else row_major(rank)


def memory_shape(shape: Shape, layout: Layout) -> Shape:
    """The shape of a tensor in memory."""
    return tuple(shape[axis] for axis in layout)


def same_memory(shape: Shape, one: Layout, other: Layout) -> bool:
    """Whether two layouts put every element at one place: they differ in axes of extent 1 alone."""
    return [axis for axis in one if shape[axis] > 1] == [axis for axis in other if shape[axis] > 1]


def strides(shape: Shape, layout: Layout) -> Shape:
    """The distance in memory, in elements, between neighbours along every axis of the tensor."""
    sizes = memory_shape(shape, layout)
    found = [0] * len(shape)
    for place, axis in enumerate(layout):
        found[axis] = prod(sizes[place + 1 :])
    return tuple(found)


@dataclass(frozen=True)
class Axis:
    """Along one axis of the result: element low + i is element start + i step of the source's axis `source`."""

    source: int
    start: int
    step: int
    low: int
    count: int
    size: int


@dataclass(frozen=True)
class Grid:
    """A box of the result filled from a grid of the source; the rest of the result is zero."""

    axes: tuple[Axis, ...]

    @staticmethod
    def identity(shape: Shape) -> Grid:
        """Everything where it is."""
        return Grid(tuple(Axis(axis, 0, 1, 0, size, size) for axis, size in enumerate(shape)))

    def then(self, op: Operation) -> Grid:
        """Followed by a slice, padding or transposition."""
        if isinstance(op, snn.SliceOp):
            bounds = zip(values_of(op.starts), values_of(op.stops), values_of(op.steps), strict=True)
            return Grid(tuple(_sliced(axis, *limits) for axis, limits in zip(self.axes, bounds, strict=True)))
        if isinstance(op, snn.PadOp):
            ends = zip(self.axes, values_of(op.low), values_of(op.high), strict=True)
            return Grid(
                tuple(replace(axis, low=axis.low + low, size=axis.size + low + high) for axis, low, high in ends)
            )
        assert isinstance(op, snn.TransposeOp)
        return Grid(tuple(self.axes[axis] for axis in values_of(op.permutation)))

    @property
    def shape(self) -> Shape:
        """The result's shape."""
        return tuple(axis.size for axis in self.axes)

    @property
    def covers(self) -> bool:
        """Whether the box is all of the result."""
        return all(axis.count == axis.size for axis in self.axes)

    @property
    def empty(self) -> bool:
        """Whether nothing of the source is left."""
        return any(axis.count < 1 for axis in self.axes)


def _sliced(axis: Axis, start: int, stop: int, step: int) -> Axis:
    """The elements start, start + step, ... of what is there now."""
    size = -(-(stop - start) // step)
    first = max(0, -(-(axis.low - start) // step))
    last = min(size - 1, (axis.low + axis.count - 1 - start) // step)
    begin = axis.start + axis.step * (start + first * step - axis.low)
    return Axis(axis.source, begin, axis.step * step, first, max(0, last - first + 1), size)


@dataclass(frozen=True)
class StridedCopy:
    """What `cpu.copy` is told: sizes, and an offset and strides on either side, in elements."""

    sizes: Shape
    from_offset: int
    from_strides: Shape
    to_offset: int
    to_strides: Shape


def strided_copy(
    grid: Grid, source: Shape, source_layout: Layout, target_layout: Layout, *, target: Shape, origin: Sequence[int]
) -> StridedCopy:
    """The copy that a grid is, with its result placed at `origin` in a tensor of shape `target`."""
    reading, writing = strides(source, source_layout), strides(target, target_layout)
    axes = [(grid.axes[place], writing[place], origin[place]) for place in target_layout]
    return StridedCopy(
        tuple(axis.count for axis, _, _ in axes),
        sum(axis.start * reading[axis.source] for axis, _, _ in axes),
        tuple(axis.step * reading[axis.source] for axis, _, _ in axes),
        sum((axis.low + begin) * stride for axis, stride, begin in axes),
        tuple(stride for _, stride, _ in axes),
    )
