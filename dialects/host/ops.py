"""The border between floats and integers, and what runs beside the chip."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import TensorType, f32, i32
from xdsl.ir import Attribute, Dialect, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.ir.attributes import Dense, dense_shape, element_type, shape_of


@irdl_op_definition
class QuantizeOp(ShapedOp):
    """clip(round((x - shift) / step)) as a count: the input of an integer network.

    Computed in float64, ties to even. `shift` and `step` are in units of x (f64, they broadcast onto x). A count n
    stands for n scale + offset in units of the network's first float value, which only reports and passes read.

    (C2) The result's elements are counts.
    """

    name = "host.quantize"
    input = operand_def(TensorType)
    step = prop_def(Dense)
    shift = prop_def(Dense)
    scale = prop_def(Dense)
    offset = prop_def(Dense)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `step` `(` $step `)` `shift` `(` $shift `)` `scale` `(` $scale `)` `offset` `(` $offset `)` "
        "attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(
        self, input: SSAValue, *, step: Dense, shift: Dense, scale: Dense, offset: Dense, element: CountType
    ) -> None:
        super().__init__(
            operands=[input],
            properties={"step": step, "shift": shift, "scale": scale, "offset": offset},
            result_types=[TensorType(element, shape_of(input))],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        for constant in (self.step, self.shift, self.scale, self.offset):
            if not shapes.broadcastable(dense_shape(constant), shape):
                raise ValueError(f"a constant of shape {dense_shape(constant)} does not broadcast onto {shape}")
        return shape

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(element_type(self.result), CountType):  # C2
            raise VerifyException(f"host.quantize: expected counts, found {element_type(self.result)}")


@irdl_op_definition
class DequantizeOp(ShapedOp):
    """x scale + offset in float64, rounded to f32: the output of an integer network.

    (C2) The input's elements are i32 accumulators, or integers of a declared range.
    """

    name = "host.dequantize"
    input = operand_def(TensorType)
    scale = prop_def(Dense)
    offset = opt_prop_def(Dense)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input `scale` `(` $scale `)` (`offset` `(` $offset^ `)`)? attr-dict `:` type($input) `->` type($result)"
    )

    def __init__(self, input: SSAValue, scale: Dense, offset: Dense | None = None) -> None:
        super().__init__(
            operands=[input],
            properties={"scale": scale, "offset": offset},
            result_types=[TensorType(f32, shape_of(input))],
        )

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        for constant in (self.scale, self.offset):
            if constant is not None and not shapes.broadcastable(dense_shape(constant), shape):
                raise ValueError(f"a constant of shape {dense_shape(constant)} does not broadcast onto {shape}")
        return shape

    def verify_(self) -> None:
        super().verify_()
        if element_type(self.input) != i32 and not isinstance(element_type(self.input), RangeType):  # C2
            raise VerifyException(f"host.dequantize: expected i32 or counts, found {element_type(self.input)}")


@irdl_op_definition
class SegmentOp(IRDLOperation):
    """A part of the network in floats that runs on the host: interpreted, or emitted as C.

    (C1) The body's arguments have the operands' types.
    (C2) `host.yield` ends the body with the results' types.
    """

    name = "host.segment"
    inputs = var_operand_def()
    body = region_def("single_block")
    outputs = var_result_def()
    traits = traits_def(IsolatedFromAbove(), Pure())

    def __init__(self, inputs: Sequence[SSAValue], body: Region, result_types: Sequence[Attribute]) -> None:
        super().__init__(operands=[inputs], regions=[body], result_types=[result_types])

    def verify_(self) -> None:
        if [a.type for a in self.body.block.args] != [value.type for value in self.inputs]:  # C1
            raise VerifyException("host.segment: the body's arguments do not have the operands' types")
        last = self.body.block.last_op
        if not isinstance(last, YieldOp) or last.operand_types != self.result_types:  # C2
            raise VerifyException("host.segment: the body does not end in a `host.yield` of the results' types")


@irdl_op_definition
class YieldOp(IRDLOperation):
    """Ends a host segment with its results."""

    name = "host.yield"
    values = var_operand_def()
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "($values^ `:` type($values))? attr-dict"

    def __init__(self, values: Sequence[SSAValue]) -> None:
        super().__init__(operands=[values])


def hosted_operations(module: Operation) -> tuple[str, ...]:
    """What host segments compute, without the dialect's name, each once."""
    segments = [op for op in module.walk() if isinstance(op, SegmentOp)]
    inner = (op for segment in segments for op in segment.body.block.ops if not isinstance(op, YieldOp))
    return tuple(dict.fromkeys(op.name.partition(".")[2] for op in inner))


DIALECT = Dialect("host", [QuantizeOp, DequantizeOp, SegmentOp, YieldOp], [])
