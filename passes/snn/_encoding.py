"""What the encodings share: rebuilding the body of a network with other element types."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Operation

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import GradedType, SpikesType
from neurocuda.errors import LevelError, Problem
from neurocuda.ir.attributes import element_type, shape_of, values_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.rewriting import replace


def networks_of_counts(module: ModuleOp, name: str) -> Iterator[snn.NetworkOp]:
    """The networks that are still said in counts.

    Raises:
        LevelError: there is none.
    """
    found = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
    if not found:
        why, remedy = "no part of it computes with counts", "It needs at least one layer that does not run on the host."
        raise LevelError(f"{name} has nothing to say in spikes:", [Problem("the network", "", why, remedy)])
    coded = [op for op in found if op.code.data != "count"]
    if coded:
        problems = [
            Problem("`snn.network`", user_location(op), f'it has code "{op.code.data}" already') for op in coded
        ]
        raise LevelError(f"{name} encodes networks of counts:", problems)
    yield from found


def retype(op: Operation, element: Attribute) -> None:
    """Gives the operation's result another element type, in place."""
    from xdsl.rewriter import Rewriter

    result = op.results[0]
    Rewriter.replace_value_with_new_type(result, TensorType(element, shape_of(result)))


def counting(op: snn.MaxPool2dOp) -> snn.RunningMaxPool2dOp:
    """Puts a counting max pooling, exact for any train, where an OR stood."""
    new = snn.RunningMaxPool2dOp.create(
        operands=list(op.operands), properties=dict(op.properties), result_types=[op.result.type]
    )
    replace(op, new)
    return new


def carried_element(op: Operation) -> Attribute:
    """The element type of an index map's or a pooling's result: spikes stay spikes, sums and mixtures are graded."""
    elements = [element_type(operand) for operand in op.operands]
    if isinstance(op, snn.SumPool2dOp):
        kernel = values_of(op.kernel)
        return _graded(elements, kernel[0] * kernel[1])
    if len(set(elements)) == 1:
        return elements[0]
    if all(isinstance(element, SpikesType) for element in elements):
        low, high = _united(elements)
        return SpikesType.of(low, high)
    return _graded(elements, 1)


def _graded(elements: list[Attribute], count: int) -> GradedType:
    low, high = _united(elements)
    return GradedType.of(min(0, low * count), max(0, high * count))


def _united(elements: list[Attribute]) -> tuple[int, int]:
    bounds = [e.bounds for e in elements if isinstance(e, CountType | SpikesType | GradedType)]
    return min(low for low, _ in bounds), max(high for _, high in bounds)
