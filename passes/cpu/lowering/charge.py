"""What the synapses of a layer bring in all: weights seen through pools and copies, common factors, bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, prod
from typing import TYPE_CHECKING, Any

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_shape
from neurocuda.ir.attributes import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


@dataclass(frozen=True)
class Weighted:
    """A synapse and its weight, integers."""

    how: cpu.SynapseAttr
    array: Array


def narrowed(array: Array) -> Array:
    """Integers in the narrowest signed type that holds them."""
    import numpy as np

    lowest, highest = int(array.min(initial=0)), int(array.max(initial=0))
    kinds = (np.int8, np.int16, np.int32)
    fits = (kind for kind in kinds if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max)
    return array.astype(next(fits, np.int32))


def without_common_factor(arrays: Sequence[Array]) -> tuple[int, list[Array]]:
    """The largest factor that all have in common and what it leaves, where that makes them narrower; else 1."""
    import numpy as np

    factor = gcd(*(int(np.gcd.reduce(np.abs(array.astype(np.int64)), axis=None)) for array in arrays))
    plain = [narrowed(array) for array in arrays]
    divided = [narrowed(array // max(1, factor)) for array in arrays]
    narrower = max(each.itemsize for each in divided) < max(each.itemsize for each in plain)
    return (factor, divided) if narrower else (1, plain)


def charge_bits(synapses: Sequence[Weighted]) -> int:
    """The narrowest register, 16 or 32 bits, that holds what any spikes bring at a step, and every sum on the way."""
    import numpy as np

    lowest, highest = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for synapse in synapses:
        rows = _rows_by_channel(synapse)
        lowest = lowest + np.minimum(rows, 0).sum(axis=0)
        highest = highest + np.maximum(rows, 0).sum(axis=0)
    return 16 if lowest.min() >= -(2**15) and highest.max() < 2**15 else 32


def _rows_by_channel(synapse: Weighted) -> Array:
    """(what may arrive at once, channels): the weights towards each channel, as often as a pool repeats them."""
    import numpy as np

    how, array = synapse.how, synapse.array.astype(np.int64)
    area = prod(values_of(how.pool))
    if how.kind.data == "conv2d":
        groups, rows, columns, inner, outer = array.shape
        return area * array.transpose(1, 2, 3, 0, 4).reshape(rows * columns * inner, groups * outer)
    if how.kind.data == "diagonal":
        shape = array.shape or (1,)
        every = array.reshape(-1, shape[-1])
        return np.stack([np.minimum(every, 0).min(axis=0), np.maximum(every, 0).max(axis=0)])
    return area * array.reshape(-1, array.shape[-1])


def seen_through(chain: Sequence[cpu.SumPool2dOp | cpu.CopyOp], weight: Array, source: Sequence[int]) -> Array:
    """The weight of a linear synapse, (in, out), for what stands in front of pools and copies: (elements, out)."""
    import numpy as np

    weight = weight.astype(np.int64)
    for op in reversed(chain):
        before = np.zeros((prod(buffer_shape(op.source)), weight.shape[1]), np.int64)
        for reading, writing in _pairs(op):
            np.add.at(before, reading, weight[writing])
        weight = before
    assert len(weight) == prod(source)
    return narrowed(weight)


def as_convolution(op: cpu.CopyOp) -> tuple[cpu.SynapseAttr, Array] | None:
    """A copy of an image that takes every so many rows, pads, and maps channels, as a 1 x 1 convolution; else None.

    The weight is (1, 1, 1, in, out), of zeros and ones.
    """
    import numpy as np

    source, target = buffer_shape(op.source), buffer_shape(op.target)
    if len(source) != 3 or len(target) != 3:
        return None
    ((reading, writing),) = _pairs(op)
    read, put = np.unravel_index(reading, source), np.unravel_index(writing, target)
    axes = [_stepped(read[axis], put[axis], source[axis], target[axis]) for axis in range(2)]
    if axes[0] is None or axes[1] is None:
        return None
    (down, top, bottom), (right, before, behind) = axes[0], axes[1]
    weight = np.zeros((1, 1, 1, source[2], target[2]), np.int8)
    weight[0, 0, 0, read[2], put[2]] = 1
    complete = len(reading) == np.prod([len(np.unique(put[axis])) for axis in range(2)]) * weight.sum()
    how = cpu.SynapseAttr.of("conv2d", (down, right), (top, bottom, before, behind))
    return (how, weight) if complete else None


def _stepped(read: Array, put: Array, size: int, count: int) -> tuple[int, int, int] | None:
    """(stride, padding before, padding behind) of windows of one element that read and put just these places."""
    import numpy as np

    first, last = int(put.argmin()), int(put.argmax())
    apart = int(put[last] - put[first])
    stride = int(read[last] - read[first]) // apart if apart else size + count
    low = int(put[first]) * stride - int(read[first])
    behind = max(0, (count - 1) * stride + 1 - size - low)
    windows = np.arange((size + low + behind - 1) // stride + 1 if stride > 0 else 0)
    places = windows * stride - low
    inside = windows[(places >= 0) & (places < size)]
    fits = stride > 0 and low >= 0 and len(windows) == count and np.array_equal(np.unique(put), inside)
    return (stride, low, behind) if fits and np.array_equal(read, put * stride - low) else None


def _pairs(op: cpu.SumPool2dOp | cpu.CopyOp) -> Sequence[tuple[Array, Array]]:
    """(elements read, elements that they are added to), flat."""
    import numpy as np

    if isinstance(op, cpu.CopyOp):
        index = np.indices(values_of(op.sizes)).reshape(len(values_of(op.sizes)), -1)
        reading = op.from_offset.value.data + np.asarray(values_of(op.from_strides)) @ index
        return [(reading, op.to_offset.value.data + np.asarray(values_of(op.to_strides)) @ index)]
    source = np.arange(prod(buffer_shape(op.source))).reshape(buffer_shape(op.source))
    target = np.arange(prod(buffer_shape(op.target))).reshape(buffer_shape(op.target))
    pairs: list[tuple[Array, Array]] = []
    for tap in np.ndindex(*values_of(op.kernel)):
        rows, columns = (_read(op, axis, tap[axis]) for axis in range(2))
        inside = [(at >= 0) & (at < size) for at, size in zip((rows, columns), source.shape, strict=False)]
        read = source[np.ix_(rows[inside[0]], columns[inside[1]])]
        pairs.append((read.reshape(-1), target[np.ix_(inside[0], inside[1])].reshape(-1)))
    return pairs


def _read(op: cpu.SumPool2dOp, axis: int, tap: int) -> Array:
    """The row, or column, that a tap reads for every window."""
    import numpy as np

    stride, dilation, low = values_of(op.stride)[axis], values_of(op.dilation)[axis], values_of(op.padding)[2 * axis]
    return np.arange(buffer_shape(op.target)[axis]) * stride - low + tap * dilation
