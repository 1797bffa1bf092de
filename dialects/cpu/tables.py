"""Loops of neurons that say one integer each, worked out from their membranes, and of products of signals."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from math import prod

from xdsl.dialects.builtin import IntegerAttr, IntegerType, MemRefType, i1, i32, i64
from xdsl.irdl import irdl_op_definition, operand_def, opt_prop_def, prop_def

from neurocuda.dialects.cpu.bases import LoopOp, MembraneOp, buffer_element, buffer_shape, is_unsigned
from neurocuda.dialects.shared import shapes
from neurocuda.ir.attributes import Dense, dense_shape

LAYER = (
    " (`scale` `(` $scale^ `)`)? `layout` $layout (`steps` $steps^)? attr-dict `:` type($membrane) `->` type($spikes)"
)


class TableOp(MembraneOp, ABC):
    """Neurons that speak at one step; what is left on the membrane means nothing."""

    @property
    def sent(self) -> tuple[int, int]:
        element = buffer_element(self.spikes)
        assert isinstance(element, IntegerType)
        bits = 1 if element == i1 else element.width.data
        return (0, 2**bits - 1) if is_unsigned(element) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@irdl_op_definition
class LookupOp(TableOp):
    """spikes <- table[n - lowest], or n without a table; n = clip(floor(membrane / threshold), lowest, highest).

    The conversion sees to it that all thresholds are positive.

    (C4) The threshold broadcasts. (C5) The table has an entry for every n.
    """

    name = "cpu.lookup"
    threshold = prop_def(Dense)
    lowest = prop_def(IntegerAttr.constr(i64))
    highest = prop_def(IntegerAttr.constr(i64))
    table = opt_prop_def(Dense)
    assembly_format = (
        "$membrane `->` $spikes `threshold` `(` $threshold `)` `clip` $lowest `to` $highest "
        "(`table` `(` $table^ `)`)?" + LAYER
    )

    def constants(self) -> Mapping[str, Dense]:
        return {"threshold": self.threshold}

    @property
    def clip(self) -> tuple[int, int]:
        """(lowest, highest) n."""
        return self.lowest.value.data, self.highest.value.data

    def verify_(self) -> None:
        super().verify_()
        self.require_one_shape()  # C4
        entries = self.highest.value.data - self.lowest.value.data + 1
        self.require(entries > 0, "the clip is empty")  # C5
        self.require(self.table is None or dense_shape(self.table) == (entries,), f"the table needs {entries} entries")


@irdl_op_definition
class SoftmaxOp(TableOp):
    """spikes <- floor((levels e + floor(total / 2)) / total), for every row (the last axis) of parts e and their total.

    e = table[min(floor((largest membrane of the row - membrane) / divisor), entries - 1)]. The conversion sees to it
    that divisors are positive, and parts not negative with a positive first one.

    (C4) There is one divisor, or one for every row. (C5) The table is a vector that is not empty.
    """

    name = "cpu.softmax"
    divisor = prop_def(Dense)
    table = prop_def(Dense)
    levels = prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$membrane `->` $spikes `divisor` `(` $divisor `)` `table` `(` $table `)` `levels` $levels" + LAYER
    )

    def constants(self) -> Mapping[str, Dense]:
        return {"divisor": self.divisor, "table": self.table}

    def verify_(self) -> None:
        super().verify_()
        rows = prod(buffer_shape(self.membrane)[:-1])
        self.require(dense_shape(self.divisor) in ((1,), (rows,)), "expected one divisor, or one per row")  # C4
        entries = dense_shape(self.table)
        self.require(len(entries) == 1 and entries[0] > 0, "expected a table with at least one entry")  # C5


@irdl_op_definition
class LayerNormOp(TableOp):
    """spikes <- clip(floor((floor(d gain / r) + shift) / 2^8), lowest, highest), for every row (the last axis).

    With N membranes v in a row: d = N v - sum of v, r = isqrt(sum of d² + epsilon); the quotient is 0 where r is. The
    conversion sees to it that all of it stays within 63 bits.

    (C4) There is one gain and one shift, or one for every column.
    """

    name = "cpu.layer_norm"
    gain = prop_def(Dense)
    shift = prop_def(Dense)
    epsilon = prop_def(IntegerAttr.constr(i64))
    lowest = prop_def(IntegerAttr.constr(i64))
    highest = prop_def(IntegerAttr.constr(i64))
    assembly_format = (
        "$membrane `->` $spikes `gain` `(` $gain `)` `shift` `(` $shift `)` `epsilon` $epsilon "
        "`clip` $lowest `to` $highest" + LAYER
    )

    def constants(self) -> Mapping[str, Dense]:
        return {"gain": self.gain, "shift": self.shift}

    @property
    def clip(self) -> tuple[int, int]:
        """(lowest, highest) of what a neuron says."""
        return self.lowest.value.data, self.highest.value.data

    def verify_(self) -> None:
        super().verify_()
        columns = buffer_shape(self.membrane)[-1:]
        fits = all(dense_shape(constant) in ((1,), columns) for constant in (self.gain, self.shift))
        self.require(fits, "expected one gain and shift, or one per column")  # C4


class FactorsOp(LoopOp, ABC):
    """Adds a product of two signals to a membrane.

    (C2) The shapes agree. (C3) The membrane holds i32.
    """

    left = operand_def(MemRefType)
    right = operand_def(MemRefType)
    membrane = operand_def(MemRefType)
    assembly_format = (
        "$left `,` $right `->` $membrane (`steps` $steps^)? attr-dict `:` type($left) `,` type($right) `->` "
        "type($membrane)"
    )

    def verify_(self) -> None:
        super().verify_()
        self.require(buffer_element(self.membrane) == i32, "the membrane needs 32 bits")  # C3


@irdl_op_definition
class ProductOp(FactorsOp):
    """membrane <- membrane + left * right, element by element; each factor broadcasts onto the membrane."""

    name = "cpu.product"

    def verify_(self) -> None:
        super().verify_()
        onto = buffer_shape(self.membrane)
        fits = all(shapes.broadcastable(buffer_shape(factor), onto) for factor in (self.left, self.right))
        self.require(fits, "the factors do not broadcast onto the membrane")  # C2


@irdl_op_definition
class MatrixProductOp(FactorsOp):
    """membrane <- membrane + the matrix product over the last two axes, by events of the left factor."""

    name = "cpu.matrix_product"

    def verify_(self) -> None:
        super().verify_()
        left, right, result = (buffer_shape(value) for value in self.operands)
        square = len(left) == len(right) >= 2 and left[:-2] == right[:-2] and left[-1] == right[-2]
        self.require(square and result == (*left[:-1], right[-1]), "the shapes disagree")  # C2
