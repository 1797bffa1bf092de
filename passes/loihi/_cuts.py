"""Groups cut into blocks: along every axis into parts as even as can be, the larger ones first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.loihi.neurons import GroupOp
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.ir.attributes import shape_of, values_of

Array: TypeAlias = NDArray[Any]


def outer(factors: Sequence[Array]) -> Array:
    """The products of one element of each vector: an axis for every vector; 1 without any."""
    return reduce(np.multiply.outer, factors, np.ones((), np.int64))


@dataclass(frozen=True)
class Cut:
    """Neurons of a shape, cut into as many parts along every axis as `tiles` says. Blocks are in row-major order."""

    shape: Shape
    tiles: Shape

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return prod(self.tiles)

    @property
    def largest(self) -> int:
        """The neurons of the first block, which is the largest."""
        return prod(-(-size // parts) for size, parts in zip(self.shape, self.tiles, strict=True))

    def sizes(self, axis: int) -> Array:
        """The lengths of the parts along an axis."""
        size, parts = self.shape[axis], self.tiles[axis]
        return size // parts + (np.arange(parts) < size % parts)

    def starts(self, axis: int) -> Array:
        """Where the parts along an axis begin."""
        return np.cumsum(self.sizes(axis)) - self.sizes(axis)

    def parts(self, axis: int) -> Array:
        """The part in which every index along an axis lies."""
        return np.repeat(np.arange(self.tiles[axis]), self.sizes(axis))

    def neurons(self) -> Array:
        """The neurons in every block, an array of the shape of `tiles`."""
        return outer([self.sizes(axis) for axis in range(len(self.shape))])

    def labels(self) -> Array:
        """The block in which every neuron lies, an array of the neurons' shape."""
        strides = [prod(self.tiles[axis + 1 :]) for axis in range(len(self.shape))]
        along = [self.parts(axis) * stride for axis, stride in enumerate(strides)]
        return reduce(np.add.outer, along, np.zeros((), np.int64))


def whole(group: GroupOp) -> Cut:
    """A group in one block."""
    shape = shape_of(group.spikes)
    return Cut(shape, (1,) * len(shape))


def cut_of(group: GroupOp) -> Cut:
    """The cut that a group's tiles say; one block where it has no place."""
    return whole(group) if group.tiles is None else Cut(shape_of(group.spikes), values_of(group.tiles))
