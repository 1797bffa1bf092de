"""What belongs to the elements of a value moves with them: scales, offsets, times.

A field holds one number per element, in the value's shape, without a batch axis; NaN where padding was added and any
number will do. Index maps act on fields as on data, pooling where a window holds one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation

from neurocuda.dialects.shared import meanings
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, PadBase, Pool2dOp, SynapseOp
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import meaning_of

Field = NDArray[np.float64]


def carries(op: Operation) -> bool:
    """Whether the operation passes fields on: an index map or a pooling."""
    return isinstance(op, Pool2dOp) or meaning_of(type(op)).moves


def carried(op: Operation, weights: WeightStore, fields: Sequence[Field]) -> Field | None:
    """The field of the result, or None where a window holds different numbers."""
    if isinstance(op, Pool2dOp):
        return _in_windows(op, fields[0])
    result = applied(op, weights, fields)
    return (
        np.where(applied(op, weights, [np.ones_like(fields[0])]) == 0, np.nan, result)
        if isinstance(op, PadBase)
        else result
    )


def applied(op: Operation, weights: WeightStore, fields: Sequence[Field]) -> Field:
    """What the operation makes of fields as data: of shifts, where it is linear."""
    result = meaning_of(type(op)).function(op, Run(weights), *(field[None] for field in fields))
    assert not isinstance(result, tuple)
    return result[0].astype(np.float64)


def _in_windows(op: Pool2dOp, field: Field) -> Field | None:
    geometry = (values_of(op.kernel), values_of(op.stride), values_of(op.padding), values_of(op.dilation))
    highest: Field = meanings.max_pool2d(np.where(np.isnan(field), -np.inf, field)[None], *geometry)[0]
    lowest: Field = -meanings.max_pool2d(np.where(np.isnan(field), -np.inf, -field)[None], *geometry)[0]
    padded = highest == -np.inf
    same = np.array_equal(np.where(padded, 0, highest), np.where(padded, 0, lowest))
    return np.where(padded, np.nan, highest).astype(np.float64) if same else None


def squeezed(field: Field) -> Field:
    """The field with every axis along which it is constant cut to one element; padding follows its neighbours."""
    for axis in range(field.ndim):
        lowest, highest = (reduce(field, axis=axis, keepdims=True) for reduce in (np.fmin.reduce, np.fmax.reduce))
        if np.array_equal(lowest, highest, equal_nan=True):
            field = lowest
    return np.nan_to_num(field)


def columns(op: SynapseOp, weight: Field, field: Field) -> Field | None:
    """The weight with every input column times its field, or None where a column would need several numbers."""
    if isinstance(op, LinearBase):
        column = _one_per(field, field.ndim - 1)
        return None if column is None else weight * column
    if isinstance(op, Conv2dBase):
        column = _one_per(field, 0)
        return None if column is None else weight * _by_group(column, op.groups.value.data, len(weight))
    return weight * squeezed(field)


def _one_per(field: Field, axis: int) -> Field | None:
    others = tuple(other for other in range(field.ndim) if other != axis)
    lowest, highest = np.fmin.reduce(field, axis=others), np.fmax.reduce(field, axis=others)
    return np.nan_to_num(lowest) if np.array_equal(lowest, highest, equal_nan=True) else None


def _by_group(column: Field, groups: int, outputs: int) -> Field:
    """One factor per output channel and input channel of its group, to broadcast onto a convolution's weight."""
    return column.reshape(groups, -1).repeat(outputs // groups, axis=0)[:, :, None, None]


def charge(op: SynapseOp, weight: Field, field: Field) -> Field:
    """The charge that a constant input (NaN counts as zero) brings to every neuron through a synapse."""
    values = np.nan_to_num(field)[None]
    if isinstance(op, LinearBase):
        return squeezed(meanings.linear(values, weight, None)[0].astype(np.float64))
    if isinstance(op, Conv2dBase):
        geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation), op.groups.value.data)
        return squeezed(meanings.conv2d(values, weight, None, *geometry)[0].astype(np.float64))
    return squeezed((values * weight)[0])


def own_bias(op: SynapseOp, weights: WeightStore) -> Field:
    """The bias of a synapse in a form that broadcasts onto its result; zero without one."""
    if not isinstance(op, Conv2dBase | LinearBase) or op.bias is None:
        return np.zeros(1)
    bias = weights.array(op.bias).astype(np.float64)
    return bias.reshape(-1, 1, 1) if isinstance(op, Conv2dBase) else bias


def rebuilt(op: SynapseOp, weight: Attribute, element: Attribute, bias: Attribute | None = None) -> SynapseOp:
    """The same synapse with another weight, bias and element type. It computes something new, so it has no origin."""
    properties = {name: value for name, value in op.properties.items() if name != "bias"} | {"weight": weight}
    if bias is not None:
        properties["bias"] = bias
    result = TensorType(element, shape_of(op.result))
    return type(op).create(
        operands=list(op.operands), properties=properties, result_types=[result], location=op.location
    )


def per_output(op: SynapseOp, values: Field) -> Field:
    """One number per output channel in the form that broadcasts onto the synapse's weight."""
    if isinstance(op, Conv2dBase):
        return cast(Field, values.reshape(-1, 1, 1, 1))
    return cast(Field, values.reshape(-1, 1)) if isinstance(op, LinearBase) else values
