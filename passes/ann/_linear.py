"""What the float passes share: scales and shifts as fields, and linear operations with other weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.dialects.builtin import f32
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.errors import ModelError
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import broadcast_shape, channel_axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]


def readers(value: SSAValue) -> list[Operation]:
    """The operations that read the value, each once."""
    return list(dict.fromkeys(use.operation for use in value.uses))


def float_synapse(value: SSAValue) -> SynapseOp | None:
    """The linear operation that computes a value in floats."""
    op = value.owner
    return op if isinstance(op, SynapseOp) and element_type(op.result) == f32 else None


def full_rank(array: Field, rank: int) -> Field:
    """The array with axes of size one in front, as it broadcasts onto a value of `rank` axes."""
    return array.reshape((1,) * (rank - array.ndim) + array.shape)


def scale_and_shift(op: object, weights: WeightStore) -> tuple[Field, Field] | None:
    """What a batch norm or an affine multiplies by and adds, in float64 and the rank of its result; else None.

    Raises:
        ModelError: a variance has no root.
    """
    import numpy as np

    if isinstance(op, ann.BatchNormOp):
        rank = len(shape_of(op.result))
        constants = (weights.array(c).astype(np.float64) for c in (op.scale, op.shift, op.mean, op.variance))
        scale, shift, mean, variance = (constant.reshape(-1, *(1,) * (rank - 1)) for constant in constants)
        spread = variance + op.epsilon.value.data
        if not (spread > 0).all():
            raise ModelError(f"`{op.name}` ({user_location(op)}): its variance plus epsilon is not positive")
        factor = scale / np.sqrt(spread)
        return factor, shift - mean * factor
    if not isinstance(op, ann.AffineOp) or element_type(op.result) != f32:
        return None
    rank = len(shape_of(op.result))
    scale = np.ones(()) if op.scale is None else weights.array(op.scale).astype(np.float64)
    shift = np.zeros(()) if op.shift is None else weights.array(op.shift).astype(np.float64)
    return full_rank(scale, rank), full_rank(shift, rank)


def affine(value: SSAValue, scale: Field, shift: Field, weights: WeightStore) -> ann.AffineOp:
    """scale x + shift, without what changes nothing."""
    factor = None if (scale == 1).all() else add_f32(weights, scale, "scale")
    return ann.AffineOp(value, factor, add_f32(weights, shift, "shift") if shift.any() else None)


def along(field: Field, axis: int, size: int) -> Field | None:
    """The field as one number per index of an axis, or None where it varies along another."""
    import numpy as np

    from neurocuda.passes.ann._fields import squeezed

    small = squeezed(field)
    if any(extent != 1 for other, extent in enumerate(small.shape) if other != axis):
        return None
    return np.broadcast_to(small.ravel(), (size,))


def by_output(op: SynapseOp, field: Field) -> Field | None:
    """A field on the result of a convolution or matrix product as one number per output, or None."""
    shape = shape_of(op.result)
    axis = 0 if isinstance(op, Conv2dBase) else len(shape) - 1
    return along(full_rank(field, len(shape)), axis, shape[axis])


def scaled_rows(op: SynapseOp, weights: WeightStore, factor: Field) -> Field | None:
    """The weight of `factor` times the operation, or None where the factor varies within an output channel."""
    weight = weights.array(op.weight).astype("float64")
    if not isinstance(op, Conv2dBase | LinearBase):
        return weight * factor
    rows = by_output(op, factor)
    return None if rows is None else weight * rows.reshape(-1, *(1,) * (weight.ndim - 1))


def with_constants(op: SynapseOp, weights: WeightStore, weight: Field, bias: Field | None) -> SynapseOp:
    """The same linear operation with another weight and bias; it has no origin of its own."""
    properties = {name: value for name, value in op.properties.items() if name != "bias"}
    properties["weight"] = add_f32(weights, weight, "weight")
    if bias is not None and bias.any():
        properties["bias"] = add_f32(weights, bias, "bias")
    return type(op).create(
        operands=list(op.operands), properties=properties, result_types=[op.result.type], location=op.location
    )


def is_bias(op: SynapseOp, charge: Field) -> bool:
    """Whether what is added to the result of a linear operation can be its bias."""
    return not charge.any() or (isinstance(op, Conv2dBase | LinearBase) and by_output(op, charge) is not None)


def with_charge(op: SynapseOp, weights: WeightStore, weight: Field, charge: Field) -> list[Operation]:
    """The linear operation with another weight, and `charge` on top of its result.

    The charge becomes the bias where it is one number per output channel; otherwise a shift stays behind.
    """
    import numpy as np

    if is_bias(op, charge):
        return [with_constants(op, weights, weight, by_output(op, charge) if charge.any() else None)]
    new = with_constants(op, weights, weight, None)
    return [new, affine(new.result, np.ones(()), charge, weights)]


def bias_field(op: SynapseOp, weights: WeightStore) -> Field:
    """The bias of a linear operation in the rank of its result."""
    from neurocuda.passes.ann._fields import own_bias

    return full_rank(own_bias(op, weights), len(shape_of(op.result)))


def channel_form(field: Field, shape: tuple[int, ...]) -> Field:
    """A field on a value of a shape in its smallest form: one number per channel, or the axes that it varies along."""
    from neurocuda.passes.ann._fields import squeezed

    full = full_rank(field, len(shape))
    axis = channel_axis(len(shape))
    channels = along(full, axis, shape[axis])
    return squeezed(full) if channels is None else channels.reshape(broadcast_shape(len(shape), shape[axis]))


def add_f32(weights: WeightStore, field: Field, name: str) -> Dense:
    """A field as a constant of the network."""
    import numpy as np

    return weights.add(field.astype(np.float32), name)
