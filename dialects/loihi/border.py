"""What a host does at the border of a network: it says values as rows of spikes, and reads what came out."""

from __future__ import annotations

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, IntegerType, StringAttr, TensorType, i64
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.loihi.types import carries_spikes
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.ir.attributes import element_type, integer, shape_of, values_of

READS = ("last", "sum", "train")
"""What is read of a train: its last row, the sum of its rows, or all of it."""


@irdl_op_definition
class StimulusOp(ShapedOp):
    """The rows that a source sends for a value: row r is the value times `factors[r]`. Axes are reversed, as in Lava.

    Without factors the value's first axis is time, and its rows are sent one by one.

    (C1) The result has the rows' number and the value's shape, reversed.
    (C2) The result holds spikes, plain (i1) or graded (i32), the value integers.
    """

    name = "loihi.stimulus"
    input = operand_def(TensorType)
    factors = opt_prop_def(DenseArrayBase.constr(i64))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$input (`factors` $factors^)? attr-dict `:` type($input) `->` type($result)"

    def inferred_shape(self) -> shapes.Shape:
        shape = shape_of(self.input)
        if self.factors is not None:
            return len(values_of(self.factors)), *reversed(shape)
        if not shape:
            raise ValueError("the value has no rows")
        return shape[0], *reversed(shape[1:])

    def verify_(self) -> None:
        super().verify_()  # C1
        if not carries_spikes(self.result) or not isinstance(element_type(self.input), IntegerType | RangeType):  # C2
            raise VerifyException(f"{self.name}: expected spikes of integers, found {self.result.type}")


@irdl_op_definition
class ReadoutOp(ShapedOp):
    """What a host reads of a train: its last row, the sum of its rows, or all rows, as floor(x / `divisor`).

    The first `skip` rows are left out: nothing has arrived yet. Axes are reversed back, but for time.

    (C1) The result has the shape of a row, reversed; with "train", behind the number of rows that are left.
    (C2) It reads "last", "sum" or "train"; the divisor is positive; a row is left.
    """

    name = "loihi.readout"
    input = operand_def(TensorType)
    read = prop_def(StringAttr)
    divisor = prop_def(IntegerAttr.constr(i64), default_value=integer(1))
    skip = prop_def(IntegerAttr.constr(i64), default_value=integer(0))
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = (
        "$input $read (`divisor` $divisor^)? (`skip` $skip^)? attr-dict `:` type($input) `->` type($result)"
    )

    def inferred_shape(self) -> shapes.Shape:
        rows, *shape = shape_of(self.input) or (0,)
        left = rows - self.skip.value.data
        if not 0 < left <= rows:
            raise ValueError(f"{left} of {rows} rows are left")
        return (*([left] if self.read.data == "train" else []), *reversed(shape))

    def verify_(self) -> None:
        if self.read.data not in READS or self.divisor.value.data < 1:  # C2
            raise VerifyException(f'{self.name}: "{self.read.data}" / {self.divisor.value.data} cannot be read')
        super().verify_()  # C1, C2
