"""Operations that move elements. They act on counts as on floats, and on scales as on counts."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition
from xdsl.utils.exceptions import VerifyException

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared.bases import ConcatBase, PadBase, ReshapeBase, SliceBase, TransposeBase
from neurocuda.ir.attributes import element_type


@irdl_op_definition
class ReshapeOp(ReshapeBase):
    """The same elements in row-major order under another shape: view, flatten, squeeze, unsqueeze. Spikes: yes."""

    name = "ann.reshape"


@irdl_op_definition
class TransposeOp(TransposeBase):
    """Axes in another order: axis i of the result is axis permutation[i] of the input. Spikes: yes."""

    name = "ann.transpose"


@irdl_op_definition
class SliceOp(SliceBase):
    """`start:stop:step` along every axis: slicing, chunk, split, select. Spikes: yes."""

    name = "ann.slice"


@irdl_op_definition
class PadOp(PadBase):
    """Zeros at the ends of every axis. Spikes: yes."""

    name = "ann.pad"


def united_range(elements: Sequence[Attribute]) -> Attribute:
    """The element type that holds all of `elements`.

    Raises:
        ValueError: floats and counts are mixed.
    """
    counts = [element for element in elements if isinstance(element, CountType)]
    if not counts and len(set(elements)) == 1:
        return elements[0]
    if len(counts) != len(elements):
        raise ValueError("tensors of different element types cannot be joined")
    return CountType.of(min(c.bounds[0] for c in counts), max(c.bounds[1] for c in counts))


@irdl_op_definition
class ConcatOp(ConcatBase):
    """Tensors joined along one axis. Spikes: yes, consumers absorb the different scales.

    (C2) The result's element type holds every operand's.
    """

    name = "ann.concat"

    def __init__(self, inputs: Sequence[SSAValue], axis: int) -> None:
        super().__init__(inputs, axis, united_range([element_type(value) for value in inputs]))

    def verify_(self) -> None:
        super().verify_()
        try:
            expected = united_range([element_type(value) for value in self.inputs])
        except ValueError as reason:
            raise VerifyException(f"{self.name}: {reason}") from None
        if element_type(self.result) != expected:  # C2
            raise VerifyException(f"{self.name}: expected elements {expected}, found {element_type(self.result)}")
