"""Convolutions. A one-dimensional convolution is a two-dimensional one over a height of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend.batch_axis import leading
from neurocuda.frontend.operands import Builder, Constant, Operand, Refusal
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import dense_shape, shape_of

_TRANSPOSED = (
    "transposed convolutions have no operation in the `ann` dialect",
    "use a classifier or another network without them",
)
_VOLUME = ("only one- and two-dimensional convolutions are supported", "fold the depth into channels")

REASONS: Final = {
    "aten.conv_transpose1d": _TRANSPOSED,
    "aten.conv_transpose2d": _TRANSPOSED,
    "aten.conv_transpose3d": _VOLUME,
    "aten.conv3d": _VOLUME,
}


@imports("aten.conv2d.default", "aten.conv2d.padding", batch=leading)
def conv2d(
    build: Builder,
    x: SSAValue,
    weight: Operand,
    bias: Operand | None,
    stride: Sequence[int],
    padding: Sequence[int] | str,
    dilation: Sequence[int],
    groups: int,
) -> Operation:
    kernel = build.dense(weight)
    dilation = spread(dilation, 2)
    return ann.Conv2dOp(
        x,
        kernel,
        build.optional(bias),
        stride=spread(stride, 2),
        padding=_sides(padding, dense_shape(kernel)[2:], dilation),
        dilation=dilation,
        groups=groups,
    )


@imports("aten.conv1d.default", "aten.conv1d.padding", batch=leading)
def conv1d(
    build: Builder,
    x: SSAValue,
    weight: Operand,
    bias: Operand | None,
    stride: Sequence[int],
    padding: Sequence[int] | str,
    dilation: Sequence[int],
    groups: int,
) -> Operation:
    channels, length = shape_of(x)
    flat = build.reshape(x, (channels, 1, length))
    if isinstance(weight, Constant):
        weight = replace(weight, tensor=weight.tensor.unsqueeze(2))
    padding = padding if isinstance(padding, str) else (0, *padding)
    conv = build.add(conv2d(build, flat, weight, bias, (1, *stride), padding, (1, *dilation), groups))
    return ann.ReshapeOp(conv, (shape_of(conv)[0], shape_of(conv)[2]))


@imports("aten.convolution.default", batch=leading)
def convolution(
    build: Builder,
    x: SSAValue,
    weight: Operand,
    bias: Operand | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Operation:
    """The form that other operations are taken apart into; `output_padding` is for transposed ones only."""
    if transposed:
        raise Refusal(*_TRANSPOSED)
    functions = {2: conv1d, 3: conv2d}
    rank = len(shape_of(x))
    if rank not in functions:
        raise Refusal(*_VOLUME)
    return functions[rank](build, x, weight, bias, stride, padding, dilation, groups)


def spread(values: Sequence[int], count: int) -> tuple[int, ...]:
    """One value per axis; a single one stands for all."""
    return tuple(values) * count if len(values) == 1 else tuple(values)


def _sides(padding: Sequence[int] | str, kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Top, bottom, left, right. "same" pads one more at the end where the sum is odd."""
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        totals = [step * (size - 1) for size, step in zip(kernel, dilation, strict=True)]
        return tuple(side for total in totals for side in (total // 2, total - total // 2))
    assert not isinstance(padding, str)
    return tuple(side for amount in spread(padding, 2) for side in (amount, amount))
