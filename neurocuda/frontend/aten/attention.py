"""Attention."""

from __future__ import annotations

from dataclasses import replace

import torch
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend.batch_axis import Batchless, Call, pointwise
from neurocuda.frontend.operands import Builder, Operand, Refusal
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import Dense, shape_of


def _over_tokens(call: Call) -> Batchless:
    """The last two axes are tokens and features; the batch lies ahead of them."""
    arguments, batch = pointwise(call)
    if batch.axis >= len(call.shape) - 2:
        raise Refusal("it works along the batch axis", "every image must attend to itself only")
    return arguments, batch


@imports("aten.scaled_dot_product_attention.default", batch=_over_tokens)
def scaled_dot_product_attention(
    build: Builder,
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Operand | None,
    is_causal: bool,
    scale: float | None,
) -> Operation:
    tokens = build.value(query)
    return ann.AttentionOp(
        tokens,
        build.value(key),
        build.value(value),
        scale=shape_of(tokens)[-1] ** -0.5 if scale is None else scale,
        causal=is_causal,
        mask=None if attn_mask is None else _mask(build, attn_mask),
    )


def _mask(build: Builder, mask: Operand) -> Dense:
    """The summand to the scores; False in a mask of booleans is minus infinity."""
    if isinstance(mask, SSAValue):
        raise Refusal("its mask depends on the input", "make the mask a buffer")
    if mask.tensor.dtype == torch.bool:
        summand = torch.zeros(mask.tensor.shape).masked_fill(~mask.tensor, float("-inf"))
        mask = replace(mask, tensor=summand)
    return build.numbers(mask.tensor.float(), mask.name)
