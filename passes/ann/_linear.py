"""What the float passes share: per-channel scales and shifts, and rebuilding linear operations with other weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.ir.attributes import Dense, dense_shape, shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import broadcast_shape, channel_axis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]

LINEAR = (ann.Conv2dOp, ann.LinearOp)


def read_once(value: SSAValue) -> bool:
    """Whether exactly one operand reads the value."""
    return sum(1 for _ in value.uses) == 1


def readers(value: SSAValue) -> list[Operation]:
    """The operations that read the value."""
    return list(dict.fromkeys(use.operation for use in value.uses))


def scale_and_shift(op: Operation, weights: WeightStore) -> tuple[Field, Field] | None:
    """What a batch norm or an affine does to every channel, (channels,) each; None where it differs inside a channel.

    Channels are the first axis, for vectors and sequences of tokens the last.
    """
    import numpy as np

    if isinstance(op, ann.BatchNormOp):
        constants = (weights.array(c).astype(np.float64) for c in (op.scale, op.shift, op.mean, op.variance))
        scale, shift, mean, variance = constants
        factor = scale / np.sqrt(variance + op.epsilon.value.data)
        return factor, shift - mean * factor
    if not isinstance(op, ann.AffineOp):
        return None
    scale = _per_channel(op, op.scale, 1.0, weights)
    shift = _per_channel(op, op.shift, 0.0, weights)
    return None if scale is None or shift is None else (scale, shift)


def _per_channel(op: ann.AffineOp, constant: Dense | None, neutral: float, weights: WeightStore) -> Field | None:
    import numpy as np

    shape = shape_of(op.result)
    axis = channel_axis(len(shape))
    channels = shape[axis]
    if constant is None:
        return np.full(channels, neutral)
    full = (1,) * (len(shape) - len(dense_shape(constant))) + dense_shape(constant)
    if any(size != 1 for other, size in enumerate(full) if other != axis):
        return None
    return np.broadcast_to(weights.array(constant).astype(np.float64).ravel(), (channels,))


def channels_of(op: Operation) -> int:
    """The axis whose elements a batch norm or an affine scales and shifts."""
    return 0 if isinstance(op, ann.BatchNormOp) else channel_axis(len(shape_of(op.results[0])))


def channel_constant(weights: WeightStore, values: Field, rank: int, name: str) -> Dense:
    """One float per channel in the form that broadcasts onto a value of `rank` axes."""
    import numpy as np

    return weights.add(values.astype(np.float32).reshape(broadcast_shape(rank, len(values))), name)


def with_constants(op: SynapseOp, weights: WeightStore, weight: Field, bias: Field | None) -> SynapseOp:
    """The same linear operation with another weight and bias; it has no origin of its own."""
    import numpy as np

    properties = {name: value for name, value in op.properties.items() if name != "bias"}
    properties["weight"] = weights.add(weight.astype(np.float32), "weight")
    if bias is not None and bias.any():
        properties["bias"] = weights.add(bias.astype(np.float32), "bias")
    return type(op).create(
        operands=list(op.operands), properties=properties, result_types=[op.result.type], location=op.location
    )


def bias_of(op: SynapseOp, weights: WeightStore) -> Field:
    """The bias of a linear operation, (outputs,), zeros without one."""
    import numpy as np

    if isinstance(op, LINEAR) and op.bias is not None:
        return weights.array(op.bias).astype(np.float64)
    return np.zeros(dense_shape(op.weight)[0])
