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
    """How many bits hold what any spikes bring at one step, and every sum on the way."""
    import numpy as np

    lowest, highest = np.zeros(1, np.int64), np.zeros(1, np.int64)
    for synapse in synapses:
        rows = _rows_by_channel(synapse)
        lowest = lowest + np.minimum(rows, 0).sum(axis=0)
        highest = highest + np.maximum(rows, 0).sum(axis=0)
    return 1 + max(int(highest.max()).bit_length(), (-int(lowest.min()) - 1).bit_length() if lowest.min() < 0 else 0)


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
