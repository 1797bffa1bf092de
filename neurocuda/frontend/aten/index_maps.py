"""Operations that move elements: reshapes, permutations, slices, padding, joining; and those that do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import torch
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend import batch_axis as batch
from neurocuda.frontend.operands import Builder, Constant, Imported, Operand, Refusal, Shape
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of

_RESAMPLED = ("resampling has no operation in the `ann` dialect", "keep the resolution, or resample outside the model")
_RANDOM = ("it is random", "export the model in evaluation mode, after model.eval()")
_PICKED = ("elements are picked by an index tensor", "use slices with constant bounds")

REASONS: Final = {
    "aten.index": _PICKED,
    "aten.index_put": _PICKED,
    "aten.gather": _PICKED,
    "aten.masked_select": _PICKED,
    "aten.nonzero": _PICKED,
    "aten.native_dropout": _RANDOM,
    "aten.bernoulli": _RANDOM,
    "aten.item": ("control flow or a size depends on the data", "compute with tensors only"),
    "cond": ("control flow depends on the data", "compute with tensors only"),
    "while_loop": ("control flow depends on the data", "compute with tensors only"),
    "aten.upsample_nearest2d": _RESAMPLED,
    "aten.upsample_bilinear2d": _RESAMPLED,
}


@imports(
    "aten.clone.default",
    "aten.alias.default",
    "aten.detach.default",
    "aten.contiguous.default",
    "aten.lift_fresh_copy.default",
    "aten._to_copy.default",
    "aten.to.dtype",
)
def identity(build: Builder, x: SSAValue) -> SSAValue:
    return x


@imports("aten.dropout.default", "aten.feature_dropout.default", "aten.alpha_dropout.default")
def dropout(build: Builder, x: SSAValue, train: bool) -> SSAValue:
    if train:
        raise Refusal(*_RANDOM)
    return x


@imports(
    "aten.view.default",
    "aten.reshape.default",
    "aten._unsafe_view.default",
    "aten.flatten.using_ints",
    "aten.unflatten.int",
    "aten.view_as.default",
    batch=batch.reshaped,
)
@imports("aten.unsqueeze.default", batch=batch.unsqueezed)
@imports("aten.squeeze.default", "aten.squeeze.dim", "aten.squeeze.dims", batch=batch.squeezed)
def reshape(build: Builder, x: SSAValue, shape: Shape) -> Imported:
    return x if shape_of(x) == shape else ann.ReshapeOp(x, shape)


@imports("aten.permute.default", batch=batch.permuted)
@imports("aten.transpose.int", "aten.t.default", "aten.numpy_T.default", batch=batch.swapped)
def permute(build: Builder, x: SSAValue, dims: Sequence[int]) -> Imported:
    return x if list(dims) == sorted(dims) else ann.TransposeOp(x, dims)


@imports("aten.expand.default", "aten.repeat.default", batch=batch.expanded)
def expand(build: Builder, x: SSAValue, shape: Shape) -> SSAValue:
    """Repeats whole axes: a concatenation of the tensor with itself."""
    lifted = (1,) * (len(shape) - len(shape_of(x))) + shape_of(x)
    if lifted != shape_of(x):
        x = build.reshape(x, lifted)
    for axis, (size, wanted) in enumerate(zip(lifted, shape, strict=True)):
        if size != wanted:
            x = build.add(ann.ConcatOp([x] * (wanted // size), axis))
    return x


@imports("aten.slice.Tensor", batch=batch.sliced)
def slice_(
    build: Builder, x: SSAValue, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> SSAValue:
    low, high, _ = slice(start, end, step).indices(shape_of(x)[dim])
    return _part(build, x, dim, low, high, step)


@imports("aten.narrow.default", batch=batch.along)
def narrow(build: Builder, x: SSAValue, dim: int, start: int, length: int) -> SSAValue:
    return _part(build, x, dim, start, start + length)


@imports("aten.select.int", batch=batch.selecting)
def select(build: Builder, x: SSAValue, dim: int, index: int) -> Operation:
    shape = shape_of(x)
    index %= shape[dim]
    one = _part(build, x, dim, index, index + 1)
    return ann.ReshapeOp(one, shape[:dim] + shape[dim + 1 :])


@imports("aten.unbind.int", batch=batch.selecting)
def unbind(build: Builder, x: SSAValue, dim: int) -> Sequence[SSAValue]:
    return [build.add(select(build, x, dim, index)) for index in range(shape_of(x)[dim])]


@imports("aten.split_with_sizes.default", "aten.split.sizes", batch=batch.along)
def split_with_sizes(build: Builder, x: SSAValue, split_sizes: Sequence[int], dim: int) -> Sequence[SSAValue]:
    ends = list(accumulate(split_sizes))
    return [_part(build, x, dim, end - size, end) for end, size in zip(ends, split_sizes, strict=True)]


@imports("aten.split.Tensor", batch=batch.along)
def split(build: Builder, x: SSAValue, split_size: int, dim: int) -> Sequence[SSAValue]:
    size = shape_of(x)[dim]
    return [_part(build, x, dim, low, min(low + split_size, size)) for low in range(0, size, split_size)]


@imports("aten.chunk.default", batch=batch.along)
def chunk(build: Builder, x: SSAValue, chunks: int, dim: int) -> Sequence[SSAValue]:
    return split(build, x, -(-shape_of(x)[dim] // chunks), dim)


@imports("aten.cat.default", batch=batch.joining)
def cat(build: Builder, tensors: Sequence[Operand], dim: int) -> Operation:
    return ann.ConcatOp([build.value(tensor) for tensor in tensors], dim)


@imports("aten.stack.default", batch=batch.stacking)
def stack(build: Builder, tensors: Sequence[Operand], dim: int) -> Operation:
    values = [build.value(tensor) for tensor in tensors]
    shape = shape_of(values[0])
    lifted = (*shape[:dim], 1, *shape[dim:])
    return ann.ConcatOp([build.reshape(value, lifted) for value in values], dim)


@imports("aten.pad.default", "aten.constant_pad_nd.default", batch=batch.padded)
def pad(
    build: Builder,
    x: SSAValue,
    low: Sequence[int],
    high: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Imported:
    """Padding with zeros; negative padding crops."""
    if mode != "constant" or value:
        raise Refusal(f"it pads with {mode if mode != 'constant' else value}", "pad with zeros")
    shape = shape_of(x)
    starts = [max(0, -amount) for amount in low]
    stops = [size - max(0, -amount) for size, amount in zip(shape, high, strict=True)]
    if any(starts) or tuple(stops) != shape:
        x = build.add(ann.SliceOp(x, starts, stops, [1] * len(shape)))
    return ann.PadOp(x, [max(0, amount) for amount in low], [max(0, amount) for amount in high])


@imports("aten.zeros_like.default", "aten.new_zeros.default", batch=batch.reshaped)
def zeros(build: Builder, x: SSAValue, shape: Shape) -> Operation:
    return ann.ConstantOp(build.dense(Constant(torch.zeros(shape), "zeros")))


@imports("aten.channel_shuffle.default", batch=batch.leading)
def channel_shuffle(build: Builder, x: SSAValue, groups: int) -> Operation:
    channels, *spatial = shape_of(x)
    grouped = build.reshape(x, (groups, channels // groups, *spatial))
    swapped = build.add(ann.TransposeOp(grouped, (1, 0, *range(2, len(spatial) + 2))))
    return ann.ReshapeOp(swapped, shape_of(x))


def _part(build: Builder, x: SSAValue, axis: int, low: int, high: int, step: int = 1) -> SSAValue:
    """`low:high:step` along one axis, everything along the others."""
    shape = shape_of(x)
    if (low, high, step) == (0, shape[axis], 1):
        return x
    starts, stops, steps = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis], stops[axis], steps[axis] = low, high, step
    return build.add(ann.SliceOp(x, starts, stops, steps))
