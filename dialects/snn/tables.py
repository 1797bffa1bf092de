"""Neurons that say one integer each, worked out from the charge of their layer, and products of signals."""

from __future__ import annotations

from abc import ABC

from xdsl.dialects.builtin import DenseArrayBase, i64
from xdsl.irdl import irdl_op_definition, opt_prop_def
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared.tables import (
    ElementwiseProductBase,
    LayerNormBase,
    LookupBase,
    MatrixProductBase,
    SoftmaxBase,
    TableLayerOp,
)
from neurocuda.dialects.snn.types import GradedType
from neurocuda.ir.attributes import element_type, values_of

FORMAT = " (`fire` $fire^)? attr-dict `:` `(` type($currents) `)` `->` type($result)"


class FiringTableOp(TableLayerOp, ABC):
    """A membrane that starts at `initial`, adds up currents, and speaks at the one step of its firing window `fire`.

    What it says is a graded spike; 0 is silence. In a network of code "count" it speaks at once and has no window.

    (C6) The firing window is a single step. (C7) The result's elements are counts or graded spikes.
    """

    fire = opt_prop_def(DenseArrayBase.constr(i64))

    @property
    def window(self) -> tuple[int, int] | None:
        """The firing window [start, stop), or None in a network of counts."""
        if self.fire is None:
            return None
        start, stop = values_of(self.fire)
        return start, stop

    def verify_(self) -> None:
        super().verify_()
        window = None if self.fire is None else values_of(self.fire)
        if window is not None and not (len(window) == 2 and 0 <= window[0] == window[1] - 1):  # C6
            raise VerifyException(f"{self.name}: the firing window {list(window)} is not a single step")
        if not isinstance(element_type(self.result), CountType | GradedType):  # C7
            raise VerifyException(f"{self.name}: expected counts or graded spikes")


@irdl_op_definition
class LookupOp(LookupBase, FiringTableOp):
    """Neurons that say what a table holds for their charge; without a table, the charge in units of the threshold.

    n = clip(floor((sum of currents + initial) / threshold), lowest, highest); table[n - lowest], or n itself.
    """

    name = "snn.lookup"
    assembly_format = LookupBase.FORMAT + FORMAT


@irdl_op_definition
class SoftmaxOp(SoftmaxBase, FiringTableOp):
    """Shares of a row (the last axis) in `levels`: floor((levels e + floor(total / 2)) / total), e = table[k].

    k = min(floor((largest charge of the row - charge) / divisor), entries - 1), and table[k] is about
    2^bits exp(-k step). The divisor is constant along a row.
    """

    name = "snn.softmax"
    assembly_format = SoftmaxBase.FORMAT + FORMAT


@irdl_op_definition
class LayerNormOp(LayerNormBase, FiringTableOp):
    """A row (the last axis, N charges v) without its mean, over its deviation, as integers.

    d = N v - sum of v, r = isqrt(sum of d² + epsilon); clip(floor((floor(d gain / r) + shift) / 2^8)) to the result's
    range, the quotient being 0 where r is.
    """

    name = "snn.layer_norm"
    assembly_format = LayerNormBase.FORMAT + FORMAT


@irdl_op_definition
class ProductOp(ElementwiseProductBase):
    """What arrives from two signals at a step, multiplied element by element: the current of that step."""

    name = "snn.product"


@irdl_op_definition
class MatrixProductOp(MatrixProductBase):
    """The matrix product of what arrives from two signals at a step: the current of that step."""

    name = "snn.matrix_product"
