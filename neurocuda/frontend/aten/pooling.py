"""Pooling. One-dimensional pooling is two-dimensional pooling over a height of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend.aten.convolution import spread
from neurocuda.frontend.batch_axis import leading, reducing
from neurocuda.frontend.operands import Builder, Refusal
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of

_VOLUME = ("only one- and two-dimensional pooling is supported", "fold the depth into channels")
_UNEVEN = ("its windows differ in size", "choose an output size that divides the input size")

REASONS: Final = {
    "aten.avg_pool3d": _VOLUME,
    "aten.max_pool3d": _VOLUME,
}


@imports("aten.max_pool2d.default", batch=leading)
def max_pool2d(
    build: Builder,
    x: SSAValue,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Operation:
    kernel, steps = spread(kernel_size, 2), spread(dilation, 2)
    strides = spread(stride, 2) if stride else kernel
    sides = _sides(shape_of(x), kernel, strides, spread(padding, 2), steps, ceil_mode)
    return ann.MaxPool2dOp(x, kernel, stride=strides, padding=sides, dilation=steps)


@imports("aten.max_pool2d_with_indices.default", batch=leading)
def max_pool2d_with_indices(
    build: Builder,
    x: SSAValue,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Sequence[SSAValue | None]:
    return build.add(max_pool2d(build, x, kernel_size, stride, padding, dilation, ceil_mode)), None


@imports("aten.max_pool1d.default", batch=leading)
def max_pool1d(
    build: Builder,
    x: SSAValue,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Operation:
    def pool(flat: SSAValue) -> Operation:
        strides = stride or kernel_size
        return max_pool2d(build, flat, (1, *kernel_size), (1, *strides), (0, *padding), (1, *dilation), ceil_mode)

    return _over_height_one(build, x, pool)


@imports("aten.avg_pool2d.default", batch=leading)
def avg_pool2d(
    build: Builder,
    x: SSAValue,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
) -> Operation:
    kernel, low = spread(kernel_size, 2), spread(padding, 2)
    strides = spread(stride, 2) if stride else kernel
    sides = _sides(shape_of(x), kernel, strides, low, (1, 1), ceil_mode)
    if sides == _sides(shape_of(x), kernel, strides, low, (1, 1), ceil_mode=False):
        return ann.AveragePool2dOp(x, kernel, stride=strides, padding=sides, count_include_pad=count_include_pad)
    if any(padding) and count_include_pad:
        raise Refusal("with ceil_mode its last windows count part of the padding", "use count_include_pad=False")
    return ann.AveragePool2dOp(x, kernel, stride=strides, padding=sides, count_include_pad=False)


@imports("aten.avg_pool1d.default", batch=leading)
def avg_pool1d(
    build: Builder,
    x: SSAValue,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
) -> Operation:
    def pool(flat: SSAValue) -> Operation:
        strides = stride or kernel_size
        return avg_pool2d(build, flat, (1, *kernel_size), (1, *strides), (0, *padding), ceil_mode, count_include_pad)

    return _over_height_one(build, x, pool)


@imports("aten.adaptive_avg_pool2d.default", "aten._adaptive_avg_pool2d.default", batch=leading)
def adaptive_avg_pool2d(build: Builder, x: SSAValue, output_size: Sequence[int]) -> Operation:
    kernel = _even_windows(shape_of(x)[1:], output_size)
    if kernel is None:
        return ann.AdaptiveAveragePool2dOp(x, output_size)
    return ann.AveragePool2dOp(x, kernel, stride=kernel)


@imports("aten.adaptive_avg_pool1d.default", batch=leading)
def adaptive_avg_pool1d(build: Builder, x: SSAValue, output_size: Sequence[int]) -> Operation:
    return _over_height_one(build, x, lambda flat: adaptive_avg_pool2d(build, flat, (1, *output_size)))


@imports("aten.adaptive_max_pool2d.default", batch=leading)
def adaptive_max_pool2d(build: Builder, x: SSAValue, output_size: Sequence[int]) -> Sequence[SSAValue | None]:
    return build.add(_adaptive_max_pool(x, output_size)), None


@imports("aten.adaptive_max_pool1d.default", batch=leading)
def adaptive_max_pool1d(build: Builder, x: SSAValue, output_size: Sequence[int]) -> Sequence[SSAValue | None]:
    pool = _over_height_one(build, x, lambda flat: _adaptive_max_pool(flat, (1, *output_size)))
    return build.add(pool), None


@imports("aten.amax.default", batch=reducing)
def amax(build: Builder, x: SSAValue, dim: Sequence[int], keepdim: bool) -> Operation:
    shape = shape_of(x)
    if len(shape) not in (2, 3) or min(dim) == 0:
        raise Refusal("the largest over channels has no operation in the `ann` dialect", "pool over height and width")
    image = x if len(shape) == 3 else build.reshape(x, (shape[0], 1, shape[1]))
    kernel = [size if axis in dim else 1 for axis, size in enumerate(shape)][1:]
    pool = ann.MaxPool2dOp(image, [1] * (3 - len(shape)) + kernel, stride=[1] * (3 - len(shape)) + kernel)
    kept = [1 if axis in dim else size for axis, size in enumerate(shape)]
    result = kept if keepdim else [size for axis, size in enumerate(shape) if axis not in dim]
    return ann.ReshapeOp(build.add(pool), result)


def _over_height_one(build: Builder, x: SSAValue, pool: Callable[[SSAValue], Operation]) -> Operation:
    channels, length = shape_of(x)
    pooled = build.add(pool(build.reshape(x, (channels, 1, length))))
    return ann.ReshapeOp(pooled, (channels, shape_of(pooled)[2]))


def _adaptive_max_pool(x: SSAValue, output_size: Sequence[int]) -> Operation:
    kernel = _even_windows(shape_of(x)[1:], output_size)
    if kernel is None:
        raise Refusal(*_UNEVEN)
    return ann.MaxPool2dOp(x, kernel, stride=kernel)


def _even_windows(sizes: Sequence[int], outputs: Sequence[int]) -> tuple[int, ...] | None:
    """The windows of adaptive pooling where all are alike."""
    if any(size % output for size, output in zip(sizes, outputs, strict=True)):
        return None
    return tuple(size // output for size, output in zip(sizes, outputs, strict=True))


def _sides(
    shape: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[int, ...]:
    """Top, bottom, left, right."""
    axes = zip(shape[1:], kernel, stride, padding, dilation, strict=True)
    return tuple(side for axis in axes for side in (axis[3], _high(*axis) if ceil_mode else axis[3]))


def _high(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """The padding at the end with ceil_mode: as much as the last window needs that starts before the end."""
    reach = dilation * (kernel - 1) + 1
    windows = -(-(size + 2 * padding - reach) // stride) + 1
    if (windows - 1) * stride >= size + padding:
        windows -= 1
    return max(padding, (windows - 1) * stride + reach - size - padding)
