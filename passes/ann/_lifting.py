"""Moves a scale and a shift up, past index maps, poolings and sums, to a linear operation that can take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, Pool2dOp
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.passes.ann._fields import squeezed
from neurocuda.passes.ann._linear import by_output, float_synapse

Field: TypeAlias = NDArray[np.float64]
Fields: TypeAlias = tuple[Field, Field]
"""A scale and a shift, in the rank of the value that they act on."""


def takes(value: SSAValue, fields: Fields) -> bool:
    """Whether scaling and shifting a value only changes constants of the linear operations above it."""
    if not value.has_one_use():
        return False
    synapse = float_synapse(value)
    if synapse is not None:
        return not isinstance(synapse, Conv2dBase | LinearBase) or by_output(synapse, fields[0]) is not None
    op = value.owner
    if isinstance(op, ann.AddOp | ann.SubOp):
        return is_whole(op) and any(takes(branch, fields) for branch in op.operands)
    lifted = before(op, fields)
    return lifted is not None and isinstance(op, Operation) and all(map(takes, op.operands, lifted))


def is_whole(op: ann.AddOp | ann.SubOp) -> bool:
    """Whether both operands of a sum have its shape."""
    return shape_of(op.left) == shape_of(op.right) == shape_of(op.result)


def before(op: object, fields: Fields) -> Sequence[Fields] | None:
    """What to do to each operand instead of to the result of an index map or pooling, or None."""
    if isinstance(op, ann.ReshapeOp):
        shapes = shape_of(op.result), shape_of(op.input)
        scale, shift = (squeezed(np.broadcast_to(field, shapes[0]).reshape(shapes[1])) for field in fields)
        return [(scale, shift)]
    if isinstance(op, ann.TransposeOp):
        inverse = np.argsort(values_of(op.permutation))
        return [(fields[0].transpose(inverse), fields[1].transpose(inverse))]
    if isinstance(op, ann.ConcatOp):
        return _parts(op, fields)
    if isinstance(op, Pool2dOp):
        return [fields] if _commutes(op, fields) else None
    return None


def _parts(op: ann.ConcatOp, fields: Fields) -> Sequence[Fields]:
    axis, start = op.axis.value.data, 0
    found: list[Fields] = []
    for value in op.inputs:
        stop = start + shape_of(value)[axis]
        scale, shift = (
            field if field.shape[axis] == 1 else field.take(range(start, stop), axis=axis) for field in fields
        )
        found.append((scale, shift))
        start = stop
    return found


def _commutes(op: Pool2dOp, fields: Fields) -> bool:
    """Whether scaling and shifting windows is scaling and shifting their elements: constants differ by channel only."""
    scale, shift = fields
    if any(extent != 1 for field in fields for extent in field.shape[1:]):
        return False
    if isinstance(op, ann.MaxPool2dOp):
        return bool((scale > 0).all())
    if isinstance(op, ann.AveragePool2dOp):
        padded_zeros_count = any(values_of(op.padding)) and bool(op.count_include_pad.value.data)
        return not padded_zeros_count or not shift.any()
    return isinstance(op, ann.SumPool2dOp) and not shift.any()
