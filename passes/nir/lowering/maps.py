"""Synapses, poolings and index maps as nodes: NIR has sums and flattening, so all else becomes weights of 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.shared.bases import Pool2dOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import SpikesType
from neurocuda.ir.attributes import element_type, integer, integers, shape_of, values_of
from neurocuda.passes.nir.lowering.builder import Builder, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

NO_SUCH = "NIR has no such index map"


def lower_conv2d(build: Builder, op: snn.Conv2dOp, source: Signal, bias: Array | None) -> Signal:
    """A convolution, without groups and with a square kernel: nir 1.0.8 gets the types of others wrong."""
    import numpy as np

    weight = _dense(build.array(op.weight), op.groups.value.data)
    found = _evened(op, weight)
    if found is None:
        why = (
            f"its kernel of {weight.shape[2]} x {weight.shape[3]} with padding {list(values_of(op.padding))} is uneven"
        )
        build.refuse(op, why, "Use a square kernel, padded by the same number at both ends.")
        return source
    total = np.zeros(len(weight)) if bias is None else bias
    return (_conv(build, op, source, found[0], total, found[1], values_of(op.stride), values_of(op.dilation)),)


def lower_conv1d(build: Builder, op: snn.Conv2dOp, source: Signal, bias: Array | None) -> Signal:
    """A convolution of a single row, whose unit axis the graph does not have."""
    import numpy as np

    weight = _dense(build.array(op.weight), op.groups.value.data)[:, :, 0]
    size, count = shape_of(op.input)[2], shape_of(op.result)[2]
    ends, stride, dilation = values_of(op.padding)[2:], values_of(op.stride)[1], values_of(op.dilation)[1]
    choices = _even_kernels(size, count, ends, weight.shape[2], stride, dilation)
    if not choices or weight.shape[2:] != build.array(op.weight).shape[3:] or any(values_of(op.padding)[:2]):
        build.refuse(op, f"its padding {list(values_of(op.padding))} is uneven", "Pad by the same number at both ends.")
        return source
    longer, front = min(choices.items())
    geometry: dict[str, Attribute] = {
        "weight": build.floats(np.pad(weight, ((0, 0), (0, 0), (front, longer - weight.shape[2] - front))), "weight"),
        "bias": build.floats(np.zeros(len(weight)) if bias is None else bias, "bias"),
        "stride": integer(stride),
        "padding": integer(ends[0] + front * dilation),
        "dilation": integer(dilation),
    }
    return (build.node(nir.Conv1dOp, op, source, (len(weight), count), **geometry),)


def _conv(
    build: Builder,
    like: Operation,
    source: Signal,
    weight: Array,
    bias: Array,
    padding: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int] = (1, 1),
    role: str = "",
) -> SSAValue:
    geometry: dict[str, Attribute] = {
        "weight": build.floats(weight, "weight"),
        "bias": build.floats(bias, "bias"),
        "stride": integers(stride),
        "padding": integers(padding),
        "dilation": integers(dilation),
        "groups": integer(1),
    }
    return build.node(nir.Conv2dOp, like, source, shape_of(like.results[0]), role, **geometry)


def _dense(weight: Array, groups: int) -> Array:
    """The same weights without groups, zeros in between."""
    import numpy as np

    if groups == 1:
        return weight
    outer, inner = len(weight) // groups, weight.shape[1]
    full = np.zeros((len(weight), inner * groups, *weight.shape[2:]), weight.dtype)
    for group in range(groups):
        rows, columns = slice(group * outer, (group + 1) * outer), slice(group * inner, (group + 1) * inner)
        full[rows, columns] = weight[rows]
    return full


MOST_ZEROS = 8
"""So many rows of zeros are tried around a kernel."""


def _evened(op: snn.Conv2dOp, weight: Array) -> tuple[Array, tuple[int, int]] | None:
    """The weights in a square kernel, zeros around them where needed, and a padding that is the same at both ends.

    None where no such kernel of a reasonable size has the same windows.
    """
    import numpy as np

    padding = values_of(op.padding)
    geometry = (weight.shape[2:], values_of(op.stride), values_of(op.dilation))
    axes = zip(shape_of(op.input)[1:], shape_of(op.result)[1:], (padding[:2], padding[2:]), *geometry, strict=True)
    choices = [_even_kernels(*axis) for axis in axes]
    common = min(set(choices[0]) & set(choices[1]), default=None)
    if common is None:
        return None
    fronts = [choice[common] for choice in choices]
    ends = [(front, common - size - front) for front, size in zip(fronts, weight.shape[2:], strict=True)]
    height, width = (
        low + front * reach
        for low, front, reach in zip((padding[0], padding[2]), fronts, values_of(op.dilation), strict=True)
    )
    return np.pad(weight, ((0, 0), (0, 0), *ends)), (height, width)


def _even_kernels(
    size: int, count: int, ends: Sequence[int], kernel: int, stride: int, dilation: int
) -> dict[int, int]:
    """Kernel lengths that can do without uneven padding, each with the zeros that go in front of the kernel."""
    found: dict[int, int] = {}
    for front in range(MOST_ZEROS):
        room = size + 2 * (ends[0] + front * dilation) - 1
        for longer in range(kernel + front, kernel + front + MOST_ZEROS):
            if (room - dilation * (longer - 1)) // stride + 1 == count:
                found.setdefault(longer, front)
    return found


def lower_linear(build: Builder, op: snn.LinearOp, source: Signal, bias: Array | None) -> Signal:
    """A matrix product of a vector."""
    import numpy as np

    if len(shape_of(op.input)) != 1:
        build.refuse(op, "NIR has matrix products of vectors alone", "Flatten before the layer.")
        return source
    return (_affine(build, op, source, build.array(op.weight), np.zeros(1) if bias is None else bias),)


def _affine(build: Builder, like: Operation, source: Signal, weight: Array, bias: Array, role: str = "") -> SSAValue:
    import numpy as np

    full = np.broadcast_to(bias, (len(weight),))
    parameters: dict[str, Attribute] = {"weight": build.floats(weight, "weight"), "bias": build.floats(full, "bias")}
    return build.node(nir.AffineOp, like, source, (len(weight),), role, **parameters)


def lower_diagonal(build: Builder, op: snn.DiagonalOp, source: Signal) -> Signal:
    """A factor per element; factors of 1 need no node. In the compatible file, which has no scales, a 1 x 1 kernel."""
    import numpy as np

    weight, shape = build.array(op.weight), shape_of(op.result)
    if (weight == 1).all():
        return source
    if build.exact:
        return (build.scaled(op, source, weight, ""),)
    full = np.broadcast_to(weight, shape)
    if len(shape) == 1:
        return (_affine(build, op, source, np.diag(full), np.zeros(1)),)
    if len(shape) == 3 and (full == full[:, :1, :1]).all():
        return (select_channels(build, op, source, np.diag(full[:, 0, 0])),)
    build.refuse(op, "readers of the compatible file have no factors per element", 'Use target "nir:exact".')
    return source


def select_channels(
    build: Builder, like: Operation, source: Signal, weight: Array, stride: Sequence[int] = (1, 1), pad: int = 0
) -> SSAValue:
    """A 1 x 1 convolution with an (out, in) weight."""
    import numpy as np

    return _conv(build, like, source, weight[:, :, None, None], np.zeros(len(weight)), (pad, pad), stride)


# Poolings


def lower_sum_pool2d(build: Builder, op: Pool2dOp, source: Signal, role: str = "") -> Signal:
    """Sums of windows."""
    padding = values_of(op.padding)
    if padding[0] != padding[1] or padding[2] != padding[3]:
        build.refuse(op, f"padding {list(padding)} differs at the two ends, which NIR cannot say", "Pad evenly.")
        return source
    if any(padding) and not build.exact:
        build.refuse(op, "readers of NIR ignore the padding of a sum pooling", 'Pad by none, or use "nir:exact".')
        return source
    window: dict[str, DenseArrayBase] = {
        "kernel_size": op.kernel,
        "stride": op.stride,
        "padding": integers((padding[0], padding[2])),
    }
    return (build.node(nir.SumPool2dOp, op, source, shape_of(op.result), role, **window),)


def lower_max_pool2d(build: Builder, op: snn.MaxPool2dOp, source: Signal) -> Signal:
    """Of plain spikes, which are 0 or 1, the maximum is whether the sum is positive."""
    plain = isinstance(element_type(op.input), SpikesType) and values_of(op.dilation) == (1, 1)
    if not plain or not build.exact:
        build.refuse(op, "NIR has no max pooling", "Use average pooling.")
        return source
    sums = lower_sum_pool2d(build, op, source, "sum")
    half, shape = build.floats(0.5, "threshold"), shape_of(op.result)
    return (build.node(nir.ThresholdOp, op, sums, shape, element=element_type(op.result), threshold=half),)


# Index maps


def lower_reshape(build: Builder, op: snn.ReshapeOp, source: Signal) -> Signal:
    """Neighbouring axes become one."""
    before, after = shape_of(op.input), shape_of(op.result)
    if after in (shape_of(source[0]), (*before[:1], 1, *before[1:])):  # a row goes on without its unit axis
        return source
    start = next((axis for axis, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after) - 1)
    merged = len(before) - len(after) + 1
    if merged < 2 or before[start + merged :] != after[start + 1 :] or before[:start] != after[:start]:
        build.refuse(op, f"NIR merges axes and does nothing else to them: {before} becomes {after}", "Flatten instead.")
        return source
    stop = start + merged - 1
    end = integer(-1 if stop == len(before) - 1 else stop)
    return (build.node(nir.FlattenOp, op, source, after, start_dim=integer(start), end_dim=end),)


def lower_slice(build: Builder, op: snn.SliceOp, source: Signal) -> Signal:
    """Every n-th element from the first one on, and any channels."""
    import numpy as np

    before, after = shape_of(op.input), shape_of(op.result)
    starts, stops, steps = values_of(op.starts), values_of(op.stops), values_of(op.steps)
    channels = np.eye(before[0])[starts[0] : stops[0] : steps[0]]
    if len(before) == 1:
        return (_affine(build, op, source, channels, np.zeros(1)),)
    whole = all(n == -(-size // step) for n, size, step in zip(after[1:], before[1:], steps[1:], strict=True))
    if len(before) == 3 and not any(starts[1:]) and whole:
        return (select_channels(build, op, source, channels, steps[1:]),)
    build.refuse(op, NO_SUCH, "Slice channels, or every n-th row and column from the first one on.")
    return source


def lower_pad(build: Builder, op: snn.PadOp, source: Signal) -> Signal:
    """Channels that are zero, and as many rows and columns at both ends."""
    import numpy as np

    low, high, before = values_of(op.low), values_of(op.high), shape_of(op.input)
    channels = np.pad(np.eye(before[0]), ((low[0], high[0]), (0, 0)))
    if len(before) == 1:
        return (_affine(build, op, source, channels, np.zeros(1)),)
    if len(before) == 3 and len({*low[1:], *high[1:]}) == 1:
        return (select_channels(build, op, source, channels, pad=low[1]),)
    build.refuse(op, NO_SUCH, "Pad channels, or rows and columns evenly.")
    return source


def lower_concat(build: Builder, op: snn.ConcatOp, sources: Sequence[Signal]) -> Signal:
    """Each part among zeros: what reads them adds them up."""
    import numpy as np

    shape, axis = shape_of(op.result), op.axis.value.data
    if axis or len(shape) not in (1, 3):
        build.refuse(op, "NIR has no concatenation, and readers add up channels alone", "Join along channels.")
        return sources[0]
    parts: list[SSAValue] = []
    offset = 0
    for value, source in zip(op.inputs, sources, strict=True):
        size = shape_of(value)[0]
        place = np.zeros((shape[0], size))
        place[offset : offset + size] = np.eye(size)
        offset += size
        if len(shape) == 1:
            parts.append(_affine(build, op, source, place, np.zeros(1)))
        else:
            parts.append(select_channels(build, op, source, place))
    return tuple(parts)
