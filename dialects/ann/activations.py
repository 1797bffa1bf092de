"""Activation functions: each element on its own, but for the softmaxes."""

from __future__ import annotations

from abc import ABC

from xdsl.dialects.builtin import (
    BoolAttr,
    FloatAttr,
    IntegerAttr,
    TensorType,
    f64,
    i64,
)
from xdsl.ir import SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.pattern_rewriter import RewritePattern
from xdsl.traits import HasCanonicalizationPatternsTrait, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import Pointwise
from neurocuda.ir.attributes import Dense, dense_shape, integer, shape_of


class CanonicalActivation(HasCanonicalizationPatternsTrait):
    """Activations simplify by themselves."""

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from neurocuda.dialects.ann.canonicalization import ACTIVATION_PATTERNS

        return ACTIVATION_PATTERNS


class ActivationOp(IRDLOperation, ABC):
    """One operand, one result of the same type."""

    input = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure(), CanonicalActivation())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue) -> None:
        super().__init__(operands=[input], result_types=[input.type])

    def verify_(self) -> None:
        """(C1) The type stays."""
        if self.input.type != self.result.type:
            raise VerifyException(f"{self.name}: the type changes from {self.input.type} to {self.result.type}")


class PointwiseOp(ActivationOp, ABC):
    """Each element on its own."""

    traits = traits_def(Pointwise())


@irdl_op_definition
class ReluOp(PointwiseOp):
    """max(x, 0). Spikes: yes, a neuron."""

    name = "ann.relu"


@irdl_op_definition
class ClampOp(PointwiseOp):
    """min(max(x, minimum), maximum): relu6, hardtanh, clamp.

    Spikes: a neuron where the minimum is 0, else graded, looked up.
    """

    name = "ann.clamp"
    minimum = opt_prop_def(FloatAttr)
    maximum = opt_prop_def(FloatAttr)
    assembly_format = (
        "$input (`minimum` $minimum^)? (`maximum` $maximum^)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(self, input: SSAValue, minimum: float | None, maximum: float | None) -> None:
        super(ActivationOp, self).__init__(
            operands=[input],
            properties={
                "minimum": None if minimum is None else FloatAttr(minimum, f64),
                "maximum": None if maximum is None else FloatAttr(maximum, f64),
            },
            result_types=[input.type],
        )


@irdl_op_definition
class RoundedReluOp(PointwiseOp):
    """u min(max(floor(x / u + 1/2), 0), levels) with u = clip / levels: a relu that was trained with its rounding.

    The quantisation-clip-floor-shift activation of Bu et al. 2022. Spikes: yes, a neuron.

    (C2) The clip range broadcasts onto the tensor; there is at least one level.
    """

    name = "ann.rounded_relu"
    clip = prop_def(Dense)
    levels = prop_def(IntegerAttr.constr(i64))
    assembly_format = "$input `clip` `(` $clip `)` `levels` $levels attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, clip: Dense, levels: int) -> None:
        super(ActivationOp, self).__init__(
            operands=[input], properties={"clip": clip, "levels": integer(levels)}, result_types=[input.type]
        )

    def verify_(self) -> None:
        super().verify_()
        shape = shape_of(self.input)
        if self.levels.value.data < 1 or not shapes.broadcastable(dense_shape(self.clip), shape):  # C2
            ranges, levels = dense_shape(self.clip), self.levels.value.data
            raise VerifyException(f"{self.name}: {levels} levels and clip ranges of shape {ranges} on shape {shape}")


@irdl_op_definition
class LeakyReluOp(PointwiseOp):
    """x where x >= 0, else slope x. Spikes: graded, looked up."""

    name = "ann.leaky_relu"
    slope = prop_def(FloatAttr)
    assembly_format = "$input `slope` $slope attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, slope: float) -> None:
        super(ActivationOp, self).__init__(
            operands=[input], properties={"slope": FloatAttr(slope, f64)}, result_types=[input.type]
        )


@irdl_op_definition
class SiluOp(PointwiseOp):
    """x / (1 + exp(-x)). Spikes: graded, looked up."""

    name = "ann.silu"


@irdl_op_definition
class GeluOp(PointwiseOp):
    """x times the normal distribution function of x, or its tanh approximation. Spikes: graded, looked up."""

    name = "ann.gelu"
    approximate = prop_def(BoolAttr, default_value=BoolAttr.from_bool(False))
    assembly_format = "$input (`approximate` $approximate^)? attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, *, approximate: bool = False) -> None:
        super(ActivationOp, self).__init__(
            operands=[input], properties={"approximate": BoolAttr.from_bool(approximate)}, result_types=[input.type]
        )


@irdl_op_definition
class SigmoidOp(PointwiseOp):
    """1 / (1 + exp(-x)). Spikes: graded, looked up."""

    name = "ann.sigmoid"


@irdl_op_definition
class TanhOp(PointwiseOp):
    """The hyperbolic tangent. Spikes: graded, looked up."""

    name = "ann.tanh"


@irdl_op_definition
class HardSwishOp(PointwiseOp):
    """x min(max(x + 3, 0), 6) / 6. Spikes: graded, looked up."""

    name = "ann.hard_swish"


@irdl_op_definition
class HardSigmoidOp(PointwiseOp):
    """min(max(x + 3, 0), 6) / 6. Spikes: graded, looked up."""

    name = "ann.hard_sigmoid"


class SoftmaxBase(ActivationOp, ABC):
    """Over one axis.

    (C2) The axis is one of the tensor's.
    """

    axis = prop_def(IntegerAttr.constr(i64))
    assembly_format = "$input `axis` $axis attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, axis: int) -> None:
        super(ActivationOp, self).__init__(
            operands=[input], properties={"axis": integer(axis)}, result_types=[input.type]
        )

    def verify_(self) -> None:
        super().verify_()
        rank = len(shape_of(self.input))
        if not 0 <= self.axis.value.data < rank:  # C2
            raise VerifyException(f"{self.name}: axis {self.axis.value.data} is outside the {rank} axes")


@irdl_op_definition
class SoftmaxOp(SoftmaxBase):
    """exp(scale x) over its sum along an axis. Spikes: graded, along the last axis, as `ann.integer_softmax`."""

    name = "ann.softmax"
    scale = opt_prop_def(FloatAttr)
    assembly_format = "$input `axis` $axis (`scale` $scale^)? attr-dict `:` type($input) `->` type($result)"

    def __init__(self, input: SSAValue, axis: int, scale: float | None = None) -> None:
        super().__init__(input, axis)
        if scale is not None:
            self.properties["scale"] = FloatAttr(scale, f64)


@irdl_op_definition
class LogSoftmaxOp(SoftmaxBase):
    """The logarithm of the softmax along an axis. Spikes: no; runs on the host behind the last neuron."""

    name = "ann.log_softmax"


ACTIVATIONS: tuple[type[ActivationOp], ...] = (
    ReluOp,
    ClampOp,
    RoundedReluOp,
    LeakyReluOp,
    SiluOp,
    GeluOp,
    SigmoidOp,
    TanhOp,
    HardSwishOp,
    HardSigmoidOp,
    SoftmaxOp,
    LogSoftmaxOp,
)
"""Every activation function of the dialect."""
