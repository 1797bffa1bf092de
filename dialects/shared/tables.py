"""Bases of neuron layers that say one integer each, worked out from the charge of the whole layer.

A table says any function of a neuron's own charge; softmax and layer norm let the neurons of a row divide by each
other. Products are synapses whose weights are spikes, too. The NumPy meanings stand in `meanings.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from xdsl.dialects.builtin import (
    FloatAttr,
    IntegerAttr,
    TensorType,
    f64,
    i32,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import ParsePropInAttrDict, operand_def, opt_prop_def, prop_def, result_def, traits_def, var_operand_def
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ShapedOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.ir.attributes import Dense, dense_shape, element_type, integer, shape_of


class TableLayerOp(ShapedOp, ABC):
    """Currents of one shape, summed onto `initial`, of which every neuron says one integer.

    `scale` (f64) is what 1 stands for; only reports and calibration read it. Constants broadcast onto the layer.

    (C2) The result's elements are integers in a declared range.
    """

    currents = var_operand_def(TensorType)
    initial = opt_prop_def(Dense)
    scale = opt_prop_def(Dense)
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)

    def constants(self) -> Sequence[Dense | None]:
        """What broadcasts onto the layer."""
        return [self.initial, self.scale]

    def inferred_shape(self) -> shapes.Shape:
        constants = [dense_shape(constant) for constant in self.constants() if constant is not None]
        return shapes.neuron_layer([shape_of(current) for current in self.currents], constants)

    @property
    def range(self) -> tuple[int, int]:
        """(lowest, highest) of what a neuron says."""
        element = element_type(self.result)
        assert isinstance(element, RangeType)
        return element.bounds

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(element_type(self.result), RangeType):  # C2
            raise VerifyException(f"{self.name}: expected integers in a range, found {element_type(self.result)}")

    def _result(self, currents: Sequence[SSAValue], element: Attribute) -> TensorType[Attribute]:
        return TensorType(element, shape_of(currents[0]))


class LookupBase(TableLayerOp, ABC):
    """n = clip(floor((sum of currents + initial) / threshold), lowest, highest); says table[n - lowest], or n itself.

    (C3) lowest <= highest. (C4) The table is a vector with one entry for every n; without it the result's range is
    lowest ... highest.
    """

    threshold = prop_def(Dense)
    lowest = prop_def(IntegerAttr.constr(i64))
    highest = prop_def(IntegerAttr.constr(i64))
    table = opt_prop_def(Dense)
    FORMAT: ClassVar[str] = (
        "$currents `threshold` `(` $threshold `)` (`initial` `(` $initial^ `)`)? `clip` $lowest `to` $highest "
        "(`table` `(` $table^ `)`)? (`scale` `(` $scale^ `)`)?"
    )

    def __init__(
        self,
        currents: Sequence[SSAValue],
        element: Attribute,
        *,
        threshold: Dense,
        initial: Dense | None,
        clip: tuple[int, int],
        table: Dense | None = None,
        scale: Dense | None = None,
    ) -> None:
        super().__init__(
            operands=[currents],
            properties={
                "threshold": threshold,
                "initial": initial,
                "lowest": integer(clip[0]),
                "highest": integer(clip[1]),
                "table": table,
                "scale": scale,
            },
            result_types=[self._result(currents, element)],
        )

    @property
    def clip(self) -> tuple[int, int]:
        """(lowest, highest) index."""
        return self.lowest.value.data, self.highest.value.data

    def constants(self) -> Sequence[Dense | None]:
        return [*super().constants(), self.threshold]

    def verify_(self) -> None:
        super().verify_()
        lowest, highest = self.clip
        if lowest > highest:  # C3
            raise VerifyException(f"{self.name}: the range {lowest} ... {highest} is empty")
        if self.table is None and self.range != (lowest, highest):  # C4
            raise VerifyException(f"{self.name}: expected a result in {lowest} ... {highest}, found {self.range}")
        if self.table is not None and dense_shape(self.table) != (highest - lowest + 1,):  # C4
            raise VerifyException(f"{self.name}: expected {highest - lowest + 1} entries in the table")


class SoftmaxBase(TableLayerOp, ABC):
    """Shares of a row (the last axis): floor((levels e + floor(total / 2)) / total) of e = table[k] and their total.

    k = min(floor((largest charge of the row - charge) / divisor), entries - 1), and table[k] is about
    2^bits exp(-k step), so this is a softmax with `levels` as the whole. `divisor` is constant along a row.

    (C3) The result's range is 0 ... levels, with positive levels. (C4) The table is a vector that is not empty.
    (C5) The divisor is constant along a row.
    """

    divisor = prop_def(Dense)
    table = prop_def(Dense)
    levels = prop_def(IntegerAttr.constr(i64))
    FORMAT: ClassVar[str] = (
        "$currents `divisor` `(` $divisor `)` (`initial` `(` $initial^ `)`)? `table` `(` $table `)` `levels` $levels "
        "(`scale` `(` $scale^ `)`)?"
    )

    def __init__(
        self,
        currents: Sequence[SSAValue],
        element: Attribute,
        *,
        divisor: Dense,
        table: Dense,
        levels: int,
        initial: Dense | None = None,
        scale: Dense | None = None,
    ) -> None:
        super().__init__(
            operands=[currents],
            properties={
                "divisor": divisor,
                "table": table,
                "levels": integer(levels),
                "initial": initial,
                "scale": scale,
            },
            result_types=[self._result(currents, element)],
        )

    def constants(self) -> Sequence[Dense | None]:
        return [*super().constants(), self.divisor]

    def verify_(self) -> None:
        super().verify_()
        levels = self.levels.value.data
        if levels < 1 or self.range != (0, levels):  # C3
            raise VerifyException(f"{self.name}: expected a result in 0 ... {levels}, with positive levels")
        if len(dense_shape(self.table)) != 1 or dense_shape(self.table) == (0,):  # C4
            raise VerifyException(f"{self.name}: expected a table with at least one entry")
        if dense_shape(self.divisor)[-1:] not in ((), (1,)):  # C5
            raise VerifyException(f"{self.name}: the divisor varies along a row")


class LayerNormBase(TableLayerOp, ABC):
    """A row (the last axis, N elements) without its mean, over its deviation, in integers of any precision.

    With charges v: d = N v - sum of v, r = isqrt(sum of d² + epsilon), and every neuron says
    clip(floor((floor(d gain / r) + shift) / 2^8), lowest, highest); where r is 0 the quotient is 0.
    gain is about 2^8 sqrt(N) times the factor behind the norm over what 1 stands for, shift 2^8 times what is added.
    Of charges in floats, before `quantize-weights`, the root is a float, too.

    (C3) Gain and shift broadcast onto a row.
    """

    gain = prop_def(Dense)
    shift = prop_def(Dense)
    epsilon = prop_def(IntegerAttr.constr(i64) | FloatAttr.constr(f64))
    FORMAT: ClassVar[str] = (
        "$currents `gain` `(` $gain `)` `shift` `(` $shift `)` `epsilon` $epsilon (`initial` `(` $initial^ `)`)? "
        "(`scale` `(` $scale^ `)`)?"
    )

    def __init__(
        self,
        currents: Sequence[SSAValue],
        element: Attribute,
        *,
        gain: Dense,
        shift: Dense,
        epsilon: int | float,
        initial: Dense | None = None,
        scale: Dense | None = None,
    ) -> None:
        super().__init__(
            operands=[currents],
            properties={
                "gain": gain,
                "shift": shift,
                "epsilon": integer(epsilon) if isinstance(epsilon, int) else FloatAttr(epsilon, f64),
                "initial": initial,
                "scale": scale,
            },
            result_types=[self._result(currents, element)],
        )

    def verify_(self) -> None:
        super().verify_()
        row = shape_of(self.result)[-1:]
        if not all(shapes.broadcastable(dense_shape(constant), row) for constant in (self.gain, self.shift)):  # C3
            raise VerifyException(f"{self.name}: gain and shift do not broadcast onto a row of {row}")


NORM_BITS = 8
"""Fractional bits of a layer norm's quotient."""


class ProductBase(ShapedOp, ABC):
    """Two signals multiplied: a current. In time, both must speak at one and the same step."""

    left = operand_def(TensorType)
    right = operand_def(TensorType)
    result = result_def(TensorType)
    traits = traits_def(Pure())
    irdl_options = (ParsePropInAttrDict(),)
    assembly_format = "$left `,` $right attr-dict `:` `(` type($left) `,` type($right) `)` `->` type($result)"

    def __init__(self, left: SSAValue, right: SSAValue) -> None:
        super().__init__(
            operands=[left, right], result_types=[TensorType(i32, self.shape(shape_of(left), shape_of(right)))]
        )

    @staticmethod
    @abstractmethod
    def shape(left: shapes.Shape, right: shapes.Shape) -> shapes.Shape:
        """The shape of the product. Raises ValueError where there is none."""

    def inferred_shape(self) -> shapes.Shape:
        return self.shape(shape_of(self.left), shape_of(self.right))

    def verify_(self) -> None:
        """(C2) Integers in a range are multiplied into i32."""
        super().verify_()
        operands = (element_type(self.left), element_type(self.right))
        if not all(isinstance(element, RangeType) for element in operands) or element_type(self.result) != i32:  # C2
            raise VerifyException(f"{self.name}: expected integers in a range, multiplied into i32")


class ElementwiseProductBase(ProductBase, ABC):
    """Element by element; the operands broadcast against each other."""

    @staticmethod
    def shape(left: shapes.Shape, right: shapes.Shape) -> shapes.Shape:
        return shapes.broadcast(left, right)


class MatrixProductBase(ProductBase, ABC):
    """The matrix product over the last two axes; leading axes agree."""

    @staticmethod
    def shape(left: shapes.Shape, right: shapes.Shape) -> shapes.Shape:
        return shapes.matmul(left, right)
