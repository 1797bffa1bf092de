"""What is known of a value from the operations above it, without its constants."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann.activations import ClampOp, HardSigmoidOp, ReluOp, SigmoidOp, SoftmaxBase, SoftmaxOp
from neurocuda.dialects.ann.arithmetic import LayerNormOp
from neurocuda.dialects.ann.neurons import NeuronOp, RelayOp
from neurocuda.dialects.ann.pooling import AdaptiveAveragePool2dOp, MaxPool2dOp
from neurocuda.dialects.shared import shapes
from neurocuda.dialects.shared.bases import ConcatBase, IndexMapOp, Pointwise, Pool2dOp
from neurocuda.ir.attributes import shape_of, values_of


def bounds_of(op: ReluOp | ClampOp) -> tuple[float, float]:
    """(lowest, highest) value that passes."""
    if isinstance(op, ReluOp):
        return 0.0, inf
    lowest = -inf if op.minimum is None else op.minimum.value.data
    highest = inf if op.maximum is None else op.maximum.value.data
    return lowest, highest


def rectifies(op: Operation) -> bool:
    """Whether nothing below zero passes and zero stays: a relu, or a clamp from 0 up to something positive."""
    if not isinstance(op, ReluOp | ClampOp):
        return False
    lowest, highest = bounds_of(op)
    return lowest == 0 and highest > 0


def acts_on_charge(op: Operation) -> bool:
    """Whether an operation works out what neurons say from their charge, and is no rectifier."""
    return isinstance(op, SoftmaxBase | LayerNormOp) or (op.has_trait(Pointwise) and not rectifies(op))


def is_layer(op: Operation) -> bool:
    """Whether an operation is a layer of neurons with clip ranges of its own choice."""
    if isinstance(op, RelayOp):
        return not is_charge_of_another(op)
    return isinstance(op, NeuronOp) or (acts_on_charge(op) and not isinstance(op, SoftmaxBase))


def is_charge_of_another(op: RelayOp) -> bool:
    """Whether a relay is only the charge that an activation function, a layer norm or a softmax acts on."""
    return op.result.has_one_use() and all(acts_on_charge(use.operation) for use in op.result.uses)


def nonnegative(value: SSAValue) -> bool:
    """Whether no element of a float value can be negative, as far as the operations above it tell."""
    seen: set[SSAValue] = set()
    open_ends = [value]
    while open_ends:
        value = open_ends.pop()
        if value in seen:
            continue
        seen.add(value)
        op = value.owner
        if isinstance(op, NeuronOp | SigmoidOp | HardSigmoidOp | SoftmaxOp):
            continue
        if isinstance(op, ReluOp | ClampOp):
            if min(bounds_of(op)) < 0:
                return False
        elif isinstance(op, IndexMapOp | ConcatBase | Pool2dOp | AdaptiveAveragePool2dOp):
            if isinstance(op, MaxPool2dOp) and not has_no_empty_window(op):
                return False
            open_ends.extend(op.operands)
        else:
            return False
    return True


def every_window_has_an_element(op: Pool2dOp, shape: shapes.Shape, padding: Sequence[int]) -> bool:
    """Whether no window of a pooling, over this shape padded like this, lies in the padding alone."""
    dilation, stride, kernel = values_of(op.dilation), values_of(op.stride), values_of(op.kernel)
    for axis, size in enumerate(shape[1:]):
        low, high = padding[2 * axis : 2 * axis + 2]
        windows = shapes.window_extent(size, kernel[axis], stride[axis], low, high, dilation[axis])
        starts = (window * stride[axis] - low for window in range(windows))
        reaches = (range(start, start + dilation[axis] * kernel[axis], dilation[axis]) for start in starts)
        if not all(any(0 <= place < size for place in reach) for reach in reaches):
            return False
    return True


def has_no_empty_window(op: Pool2dOp) -> bool:
    """Whether no window of a pooling lies in its padding alone, where a maximum would be minus infinity."""
    return every_window_has_an_element(op, shape_of(op.input), values_of(op.padding))
