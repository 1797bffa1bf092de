"""Normalisation with the statistics of training, and over the last axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import torch
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend.batch_axis import ahead_of, leading
from neurocuda.frontend.operands import Builder, Constant, Operand, Refusal
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of

_OWN_STATISTICS = (
    "it normalises with statistics of the images it is given, so that one image changes another's result",
    "use track_running_stats=True and train with it",
)
_TRAINING = ("it is in training mode", "export the model in evaluation mode, after model.eval()")
_PER_IMAGE = ("its statistics are computed anew for every image", "use nn.BatchNorm2d, which folds into a convolution")

REASONS: Final = {
    "aten._native_batch_norm_legit": _OWN_STATISTICS,
    "aten._native_batch_norm_legit_functional": _TRAINING,
    "aten.native_batch_norm": _OWN_STATISTICS,
    "aten.group_norm": _PER_IMAGE,
    "aten.native_group_norm": _PER_IMAGE,
    "aten.instance_norm": _PER_IMAGE,
}


@imports("aten._native_batch_norm_legit_no_training.default", batch=leading)
def batch_norm(
    build: Builder,
    x: SSAValue,
    weight: Operand | None,
    bias: Operand | None,
    running_mean: Operand,
    running_var: Operand,
    eps: float,
) -> Sequence[SSAValue | None]:
    channels = shape_of(x)[:1]
    if isinstance(running_var, Constant) and not bool((running_var.tensor + eps > 0).all()):
        raise Refusal("its running variance plus epsilon is not positive", "train again, or load other weights")
    result = build.add(
        ann.BatchNormOp(
            x,
            scale=build.dense(weight or Constant(torch.ones(channels), "ones")),
            shift=build.dense(bias or Constant(torch.zeros(channels), "zeros"), what="bias"),
            mean=build.dense(running_mean, what="running mean"),
            variance=build.dense(running_var, what="running variance"),
            epsilon=eps,
        )
    )
    return result, None, None


@imports("aten.batch_norm.default", batch=leading)
def batch_norm_flagged(
    build: Builder,
    x: SSAValue,
    weight: Operand | None,
    bias: Operand | None,
    running_mean: Operand | None,
    running_var: Operand | None,
    training: bool,
    eps: float,
) -> SSAValue:
    if training or running_mean is None or running_var is None:
        raise Refusal(*_OWN_STATISTICS)
    return cast(SSAValue, batch_norm(build, x, weight, bias, running_mean, running_var, eps)[0])


@imports("aten.layer_norm.default", batch=ahead_of(lambda call: len(call.integers("normalized_shape"))))
def layer_norm(
    build: Builder,
    x: SSAValue,
    normalized_shape: Sequence[int],
    weight: Operand | None,
    bias: Operand | None,
    eps: float,
) -> Operation:
    return ann.LayerNormOp(
        x, normalized_shape, scale=build.optional(weight, what="weight"), shift=build.optional(bias), epsilon=eps
    )
