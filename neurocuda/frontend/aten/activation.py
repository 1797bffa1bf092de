"""Activation functions."""

from __future__ import annotations

from math import inf
from typing import Final

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend.aten.arithmetic import add, mul, scaled
from neurocuda.frontend.batch_axis import along, leading
from neurocuda.frontend.operands import Builder, Constant, Operand, Refusal
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of
from neurocuda.passes.ann._statistics import broadcast_shape

_SMOOTH = ("its curve has no operation in the `ann` dialect", "use nn.ReLU, or nn.SiLU or nn.GELU on the host")

REASONS: Final = {
    "aten.elu": _SMOOTH,
    "aten.selu": _SMOOTH,
    "aten.celu": _SMOOTH,
    "aten.mish": _SMOOTH,
    "aten.softplus": _SMOOTH,
    "aten.rrelu": ("its slope is random", "use nn.LeakyReLU"),
}


@imports("aten.relu.default")
def relu(build: Builder, x: SSAValue) -> Operation:
    return ann.ReluOp(x)


@imports("aten.threshold.default")
def threshold(build: Builder, x: SSAValue, threshold: float, value: float) -> Operation:
    if threshold != 0 or value != 0:
        raise Refusal("a threshold other than zero jumps", "use nn.ReLU")
    return ann.ReluOp(x)


@imports("aten.hardtanh.default")
def hardtanh(build: Builder, x: SSAValue, min_val: float, max_val: float) -> Operation:
    return clamp(build, x, min_val, max_val)


@imports("aten.relu6.default")
def relu6(build: Builder, x: SSAValue) -> Operation:
    return ann.ClampOp(x, 0.0, 6.0)


@imports("aten.clamp.default")
def clamp(build: Builder, x: SSAValue, min: float | None, max: float | None) -> Operation:
    """From a positive bound up it is a clamp from zero up, moved to where the bound is."""
    if min == 0 and max is None:
        return ann.ReluOp(x)
    if min is not None and 0 < min < (inf if max is None else max):
        risen = clamp(build, build.add(add(build, x, -min, 1)), 0, None if max is None else max - min)
        return add(build, build.add(risen), min, 1)
    return ann.ClampOp(x, None if min is None else float(min), None if max is None else float(max))


@imports("aten.clamp.Tensor")
def clamp_tensor(build: Builder, x: SSAValue, min: Operand | None, max: Operand | None) -> Operation:
    return clamp(build, x, _number(build, min), _number(build, max))


@imports("aten.minimum.default")
def minimum(build: Builder, x: Operand, other: Operand) -> Operation:
    value, bound = _bounded(build, x, other)
    return clamp(build, value, None, bound)


@imports("aten.maximum.default")
def maximum(build: Builder, x: Operand, other: Operand) -> Operation:
    value, bound = _bounded(build, x, other)
    return clamp(build, value, bound, None)


@imports("aten.clamp_min.default")
def clamp_min(build: Builder, x: SSAValue, min: float) -> Operation:
    return clamp(build, x, min, None)


@imports("aten.clamp_max.default")
def clamp_max(build: Builder, x: SSAValue, max: float) -> Operation:
    return clamp(build, x, None, max)


@imports("neurocuda.staircase.default", batch=leading)
def staircase(build: Builder, x: SSAValue, clip: Operand, levels: int) -> Operation:
    """The activation of `neurocuda.training`: one clip range, or one per channel."""
    if not isinstance(clip, Constant):
        raise Refusal("its clip range depends on the input")
    ranges = clip.tensor.reshape(broadcast_shape(len(shape_of(x)), clip.tensor.numel()))
    return ann.RoundedReluOp(x, build.dense(Constant(ranges, clip.name), what="clip range"), levels)


@imports("aten.leaky_relu.default")
def leaky_relu(build: Builder, x: SSAValue, negative_slope: float) -> Operation:
    return ann.LeakyReluOp(x, float(negative_slope))


@imports("aten.prelu.default", "aten._prelu_kernel.default", batch=leading)
def prelu(build: Builder, x: SSAValue, weight: Operand) -> Operation:
    """One slope is a leaky ReLU; slopes per channel are max(x, 0) - slope max(-x, 0)."""
    if not isinstance(weight, Constant):
        raise Refusal("its slope depends on the input")
    if weight.tensor.numel() == 1:
        return ann.LeakyReluOp(x, float(weight.tensor))
    slopes = weight.tensor.reshape(-1, *[1] * (len(shape_of(x)) - 1))
    negative = build.add(ann.ReluOp(build.add(scaled(build, x, -1))))
    return ann.SubOp(build.add(ann.ReluOp(x)), build.add(mul(build, negative, Constant(slopes, weight.name))))


@imports("aten.silu.default")
def silu(build: Builder, x: SSAValue) -> Operation:
    return ann.SiluOp(x)


@imports("aten.gelu.default")
def gelu(build: Builder, x: SSAValue, approximate: str) -> Operation:
    return ann.GeluOp(x, approximate=approximate == "tanh")


@imports("aten.sigmoid.default")
def sigmoid(build: Builder, x: SSAValue) -> Operation:
    return ann.SigmoidOp(x)


@imports("aten.tanh.default")
def tanh(build: Builder, x: SSAValue) -> Operation:
    return ann.TanhOp(x)


@imports("aten.hardswish.default")
def hardswish(build: Builder, x: SSAValue) -> Operation:
    return ann.HardSwishOp(x)


@imports("aten.hardsigmoid.default")
def hardsigmoid(build: Builder, x: SSAValue) -> Operation:
    return ann.HardSigmoidOp(x)


@imports("aten.softmax.int", "aten._softmax.default", batch=along)
def softmax(build: Builder, x: SSAValue, dim: int) -> Operation:
    return ann.SoftmaxOp(x, dim)


@imports("aten.log_softmax.int", "aten._log_softmax.default", batch=along)
def log_softmax(build: Builder, x: SSAValue, dim: int) -> Operation:
    return ann.LogSoftmaxOp(x, dim)


def _bounded(build: Builder, x: Operand, other: Operand) -> tuple[SSAValue, float | None]:
    """The activation and the number that it meets, in whatever order."""
    swapped = isinstance(other, SSAValue) and (isinstance(x, Constant) or isinstance(x.owner, ann.ConstantOp))
    value, bound = (other, x) if swapped else (x, other)
    return build.value(value), _number(build, bound)


def _number(build: Builder, bound: Operand | None) -> float | None:
    """A bound that must be one constant number, or the same everywhere."""
    if bound is None:
        return None
    if isinstance(bound, Constant):
        values = bound.tensor.detach().numpy()
    elif isinstance(bound.owner, ann.ConstantOp):
        values = build.weights.array(bound.owner.value)
    else:
        raise Refusal("its bounds depend on the input", "clamp to constants")
    if values.size == 0 or (values != values.flat[0]).any():
        raise Refusal("its bounds are not one number", "clamp to one number")
    return float(values.flat[0])
