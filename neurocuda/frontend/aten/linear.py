"""Matrix products."""

from __future__ import annotations

from dataclasses import replace

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend.aten.arithmetic import weighted_sum
from neurocuda.frontend.batch_axis import Batchless, Call, ahead_of, product
from neurocuda.frontend.operands import Builder, Constant, Operand
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of

_LAST_AXIS = ahead_of(lambda _: 1)
"""The operation works along the last axis."""


def _two_matrices(call: Call) -> Batchless:
    """`product` in the words of `mm` and `bmm`."""
    return product(replace(call, arguments=call.with_arguments("mat2", other=call.arguments["mat2"])))


def _sum_and_product(call: Call) -> Batchless:
    """`product` in the words of `addmm` and `baddbmm`; the summand broadcasts onto it."""
    first, second = ("mat1", "mat2") if "mat1" in call.arguments else ("batch1", "batch2")
    summand, x, other = (call.arguments[name] for name in ("x", first, second))
    renamed = call.with_arguments(first, second, summand=summand, x=x, other=other)
    arguments, batch = product(replace(call, arguments=renamed))
    if isinstance(summand, Constant):
        arguments["summand"] = batch.without_constant(summand, len(call.shape))
    return arguments, batch


def _any_product(call: Call) -> Batchless:
    """A product with a vector only takes the last axis away."""
    other = call.arguments["other"]
    return _LAST_AXIS(call) if isinstance(other, Constant) and other.tensor.dim() == 1 else product(call)


@imports("aten.linear.default", batch=_LAST_AXIS)
def linear(build: Builder, x: SSAValue, weight: Operand, bias: Operand | None) -> Operation:
    if isinstance(weight, Constant) and weight.tensor.dim() == 1:
        return _weighted(build, x, weight, bias)
    return ann.LinearOp(x, build.dense(weight), build.optional(bias))


def _weighted(build: Builder, x: SSAValue, vector: Constant, bias: Operand | None) -> Operation:
    """The product with a vector, a matrix of one row, without the axis of size one that this leaves."""
    row = replace(vector, tensor=vector.tensor.reshape(1, -1))
    if isinstance(bias, Constant):
        bias = replace(bias, tensor=bias.tensor.reshape(1))
    product = build.add(ann.LinearOp(x, build.dense(row), build.optional(bias)))
    return ann.ReshapeOp(product, shape_of(x)[:-1])


@imports("aten.matmul.default", batch=_any_product)
@imports("aten.mm.default", "aten.bmm.default", batch=_two_matrices)
def matmul(build: Builder, x: Operand, other: Operand) -> Operation:
    if isinstance(other, Constant) and other.tensor.dim() == 1:
        return _weighted(build, build.value(x), other, None)
    if isinstance(other, Constant) and all(size == 1 for size in other.tensor.shape[:-2]):
        weight = other.tensor.reshape(other.tensor.shape[-2:]).T
        return ann.LinearOp(build.value(x), build.dense(replace(other, tensor=weight)))
    return ann.MatmulOp(build.value(x), build.value(other))


@imports("aten.addmm.default", "aten.baddbmm.default", batch=_sum_and_product)
def addmm(build: Builder, x: Operand, other: Operand, summand: Operand, beta: float, alpha: float) -> Operation:
    return weighted_sum(build, build.add(matmul(build, x, other)), alpha, summand, beta)
