"""Sums and products. What meets a constant becomes `ann.affine`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import torch
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.shapes import broadcastable
from neurocuda.frontend.batch_axis import reducing
from neurocuda.frontend.operands import Builder, Constant, Operand, Refusal
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of

Term: TypeAlias = Operand | float
"""A tensor or a number."""

_COMPARISON = ("it compares activations", "use activation functions, e.g. a ReLU")

REASONS: Final = {
    "aten.div.Tensor_mode": ("it rounds", "divide without rounding_mode"),
    "aten.gt": _COMPARISON,
    "aten.lt": _COMPARISON,
    "aten.ge": _COMPARISON,
    "aten.le": _COMPARISON,
    "aten.eq": _COMPARISON,
    "aten.ne": _COMPARISON,
}


@imports("aten.add.Tensor", "aten.add.Scalar")
def add(build: Builder, x: Term, other: Term, alpha: float) -> Operation:
    return weighted_sum(build, x, 1, other, alpha)


@imports("aten.sub.Tensor", "aten.sub.Scalar")
def sub(build: Builder, x: Term, other: Term, alpha: float) -> Operation:
    return weighted_sum(build, x, 1, other, -alpha)


@imports("aten.rsub.Tensor", "aten.rsub.Scalar")
def rsub(build: Builder, x: Term, other: Term, alpha: float) -> Operation:
    return weighted_sum(build, other, 1, x, -alpha)


@imports("aten.neg.default")
def neg(build: Builder, x: SSAValue) -> Operation:
    return scaled(build, x, -1)


@imports("aten.mul.Tensor", "aten.mul.Scalar")
def mul(build: Builder, x: Term, other: Term) -> Operation:
    if isinstance(x, SSAValue) and isinstance(other, SSAValue):
        return ann.MulOp(x, other)
    value, factor = _value_first(x, other)
    constant = _constant(factor)
    if broadcastable(tuple(constant.tensor.shape), shape_of(value)):
        return ann.AffineOp(value, build.dense(constant, what="factor"), None)
    return ann.MulOp(value, build.value(constant))


@imports("aten.div.Tensor", "aten.div.Scalar")
def div(build: Builder, x: Term, other: Term) -> Operation:
    if isinstance(other, SSAValue):
        raise Refusal("the divisor depends on the input", "divide by constants only")
    divisor = _constant(other)
    return mul(build, x, Constant(1 / divisor.tensor.double(), divisor.name))


@imports("aten.square.default")
def square(build: Builder, x: SSAValue) -> Operation:
    return ann.MulOp(x, x)


@imports("aten.pow.Tensor_Scalar")
def pow_(build: Builder, x: SSAValue, exponent: float) -> Operation:
    if exponent != 2:
        raise Refusal(f"power {exponent} has no operation in the `ann` dialect", "use squares only")
    return ann.MulOp(x, x)


@imports("aten.mean.default", "aten.mean.dim", batch=reducing)
def mean(build: Builder, x: SSAValue, dim: Sequence[int], keepdim: bool = False) -> Operation:
    if len(shape_of(x)) in (2, 3) and min(dim) > 0:
        return _spatial_mean(build, x, dim, keepdim)
    return ann.MeanOp(x, dim, keep=keepdim)


@imports("aten.sum.dim_IntList", batch=reducing)
def sum_(build: Builder, x: SSAValue, dim: Sequence[int], keepdim: bool) -> Operation:
    shape = shape_of(x)
    count = torch.Size(shape[axis] for axis in dim).numel()
    return scaled(build, build.add(mean(build, x, dim, keepdim)), count)


def _spatial_mean(build: Builder, x: SSAValue, dim: Sequence[int], keepdim: bool) -> Operation:
    """A mean over some of (height, width) is an average pool over all of them."""
    shape = shape_of(x)
    image = x if len(shape) == 3 else build.reshape(x, (shape[0], 1, shape[1]))
    kernel = [size if axis in dim else 1 for axis, size in enumerate(shape)][1:]
    pool = ann.AveragePool2dOp(image, [1] * (3 - len(shape)) + kernel, stride=[1] * (3 - len(shape)) + kernel)
    kept = [1 if axis in dim else size for axis, size in enumerate(shape)]
    result = kept if keepdim else [size for axis, size in enumerate(shape) if axis not in dim]
    if tuple(result) == shape_of(pool.result):
        return pool
    return ann.ReshapeOp(build.add(pool), result)


def weighted_sum(build: Builder, x: Term, a: float, other: Term, b: float) -> Operation:
    """a x + b other."""
    if isinstance(x, SSAValue) and isinstance(other, SSAValue):
        if a == 1 and b == -1:
            return ann.SubOp(x, other)
        return ann.AddOp(_times(build, x, a), _times(build, other, b))
    if not isinstance(x, SSAValue):
        x, a, other, b = other, b, x, a
    value, summand = _value_first(x, other)
    shift = Constant(b * _constant(summand).tensor.double(), _constant(summand).name)
    if broadcastable(tuple(shift.tensor.shape), shape_of(value)):
        scale = None if a == 1 else build.dense(_constant(a))
        return ann.AffineOp(value, scale, build.dense(shift, what="summand"))
    return ann.AddOp(_times(build, value, a), build.value(shift))


def scaled(build: Builder, x: SSAValue, factor: float) -> Operation:
    """factor x."""
    return ann.AffineOp(x, build.dense(_constant(factor)), None)


def _times(build: Builder, x: SSAValue, factor: float) -> SSAValue:
    return x if factor == 1 else build.add(scaled(build, x, factor))


def _value_first(x: Term, other: Term) -> tuple[SSAValue, Constant | float]:
    """The one that depends on the input, then the one that does not."""
    if isinstance(other, SSAValue):
        x, other = other, x
    if isinstance(x, SSAValue) and not isinstance(other, SSAValue):
        return x, other
    raise Refusal("exactly one operand must depend on the input")


def _constant(term: Constant | float) -> Constant:
    return term if isinstance(term, Constant) else Constant(torch.tensor(float(term), dtype=torch.float64), "number")
