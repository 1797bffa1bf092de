"""What the counts of every value stand for: a forward analysis of scales, for reports and for comparing levels."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, StringAttr
from xdsl.ir import Operation, SSAValue

from neurocuda.ir.attributes import element_type, shape_of
from neurocuda.ir.weights import WeightStore, is_constant
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import meaning_of

Scale = NDArray[np.float64]


@runtime_checkable
class Ranged(Protocol):
    """An element type that holds integers of a declared range: a count or a train of spikes."""

    @property
    def bounds(self) -> tuple[int, int]:
        """(lowest, highest)."""
        ...


def scales_of(module: ModuleOp, weights: WeightStore) -> dict[SSAValue, Scale]:
    """The scale of every counted value, in its shape; values whose scale is not known are absent.

    A neuron layer or an input says its scale in a property `scale`; spikes of a network of code "train" stand for 1.
    Index maps and max pooling pass scales on as they pass counts; a region's arguments have the scales of the operands
    they stand for.
    """
    return _fields(module, weights, "scale")


def offsets_of(module: ModuleOp, weights: WeightStore) -> dict[SSAValue, Scale]:
    """What a count of zero stands for where an input says so in a property `offset`, passed on as scales are."""
    return _fields(module, weights, "offset")


def _fields(module: ModuleOp, weights: WeightStore, name: str) -> dict[SSAValue, Scale]:
    found: dict[SSAValue, Scale] = {}
    for op in module.walk():
        _enter(op, found)
        if len(op.results) == 1 and _is_counted(op.results[0]):
            field = _field_of_result(op, weights, found, name)
            if field is not None:
                found[op.results[0]] = field
    return found


def _is_counted(value: SSAValue) -> bool:
    try:
        return isinstance(element_type(value), Ranged)
    except TypeError:
        return False


def _enter(op: Operation, found: dict[SSAValue, Scale]) -> None:
    for region in op.regions:
        for argument, operand in zip(region.blocks[0].args if region.blocks else (), op.operands, strict=False):
            if operand in found:
                found[argument] = found[operand]


def _field_of_result(op: Operation, weights: WeightStore, found: dict[SSAValue, Scale], name: str) -> Scale | None:
    own = op.properties.get(name)
    if own is not None and is_constant(own):
        return np.broadcast_to(weights.array(own).astype(np.float64), _shape_of(op.results[0]))
    if name == "scale" and _in_train(op):
        return np.ones(shape_of(op.results[0]))
    if not op.operands or any(operand not in found for operand in op.operands):
        return None
    if len(op.operands) == 1 and shape_of(op.operands[0]) == shape_of(op.results[0]) and not meaning_of(type(op)).moves:
        return found[op.operands[0]] if op.name.endswith(".input") else None
    return _moved(op, weights, found) if meaning_of(type(op)).moves else None


def _shape_of(value: SSAValue) -> tuple[int, ...]:
    """The shape of a value; all steps have the scales of one."""
    return tuple(1 if size == DYNAMIC_INDEX else size for size in shape_of(value))


def _in_train(op: Operation) -> bool:
    """Whether an operation stands in a network whose spikes stand for themselves."""
    network = op.parent_op()
    code = None if network is None else network.properties.get("code")
    return isinstance(code, StringAttr) and code.data == "train" and "threshold" in op.properties


def _moved(op: Operation, weights: WeightStore, found: dict[SSAValue, Scale]) -> Scale:
    result = meaning_of(type(op)).function(op, Run(weights), *(found[operand][None] for operand in op.operands))
    assert not isinstance(result, tuple)
    return result[0].astype(np.float64)
