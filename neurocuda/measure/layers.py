"""What a network consists of: neuron layers, their synapses, and what they cost in operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared import meanings
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.ir.attributes import dense_shape, shape_of, values_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Layer:
    """A layer of neurons: its name, the user's line, its shape, T, and its synapses.

    `operations` are the products of weights and inputs per image if no input were zero, borders included.
    """

    name: str
    where: str
    shape: tuple[int, ...]
    levels: int
    synapses: int
    operations: int

    @property
    def neurons(self) -> int:
        """The number of neurons."""
        return prod(self.shape)


def layers_of(module: ModuleOp) -> tuple[Layer, ...]:
    """The neuron layers of level `ann-quantized`, in order."""
    return tuple(_layers(module))


def _layers(module: ModuleOp) -> Iterator[Layer]:
    for op in module.walk():
        if not isinstance(op, ann.StaircaseOp):
            continue
        synapses = [current.owner for current in op.currents]
        operations = sum(dense_operations(synapse) for synapse in synapses if isinstance(synapse, SynapseOp))
        name = origin_of(op) or op.name
        levels = op.properties["levels"]
        assert isinstance(levels, IntegerAttr)
        yield Layer(name, user_location(op), shape_of(op.result), levels.value.data, len(synapses), operations)


def outputs_of(module: ModuleOp) -> tuple[Layer, ...]:
    """The synapses of level `ann-quantized` whose sums no neuron reads, as layers without levels: the outputs."""
    read = {current for op in module.walk() if isinstance(op, ann.StaircaseOp) for current in op.currents}
    return tuple(
        Layer(
            origin_of(op) or user_location(op).partition(",")[0] or op.name,
            user_location(op),
            shape_of(op.result),
            levels=0,
            synapses=1,
            operations=dense_operations(op),
        )
        for op in module.walk()
        if isinstance(op, SynapseOp) and op.result not in read
    )


def dense_operations(op: SynapseOp) -> int:
    """The products of a synapse if no input were zero, borders included: the MACs of the float network."""
    if isinstance(op, Conv2dBase | LinearBase):
        return prod(shape_of(op.result)) * prod(dense_shape(op.weight)[1:])
    return prod(shape_of(op.result))


@dataclass(frozen=True)
class Operations:
    """Operations per image, the mean over `images`, measured by the reference interpreter.

    dense: MACs if no input were zero, borders included. input_products: products of inputs that are not zero and
    weights that are not zero. accumulations: for every spike, the weights that are not zero that it reaches.
    """

    images: int
    dense: float
    input_products: float
    accumulations: float


def operations_of(module: ModuleOp, weights: WeightStore, inputs: Sequence[Array]) -> Operations:
    """Synaptic operations of level `ann-quantized`, whose counts are the spikes of every exact code."""
    traffic = Traffic(module)
    interpret(module, weights, inputs, traffic.note)
    return traffic.operations(weights, traffic.synapses)


class Traffic:
    """What every synapse of level `ann-quantized` reads: `note` watches the interpreter, over any number of batches."""

    def __init__(self, module: ModuleOp) -> None:
        self.synapses = [op for op in module.walk() if isinstance(op, SynapseOp)]
        self._payload = _payloads(module)
        self._read = {op.input for op in self.synapses}
        self._sums: dict[SSAValue, Array] = {}
        self._images: dict[SSAValue, int] = {}

    def note(self, op: Operation, values: Array) -> None:
        """Adds up spikes per element, or how often an input is not zero."""
        result = op.results[0]
        if result in self._read:
            total = (values != 0 if result in self._payload else values).sum(axis=0, dtype=np.float64)
            self._sums[result] = self._sums.get(result, 0) + total
            self._images[result] = self._images.get(result, 0) + len(values)

    def operations(self, weights: WeightStore, synapses: Sequence[SynapseOp]) -> Operations:
        """The operations of some of the synapses, as the mean over all images noted."""
        products, accumulations = 0.0, 0.0
        for op in synapses:
            reached = _reached(op, weights, self._sums[op.input] / self._images[op.input])
            products += reached if op.input in self._payload else 0.0
            accumulations += 0.0 if op.input in self._payload else reached
        images = max(self._images.values(), default=0)
        return Operations(images, sum(map(dense_operations, synapses)), products, accumulations)


def _payloads(module: ModuleOp) -> set[SSAValue]:
    """Values that carry the input itself: what follows from it with no neuron between."""
    found: set[SSAValue] = set()
    for op in module.walk():
        carries = not isinstance(op, SynapseOp | ann.StaircaseOp) and any(operand in found for operand in op.operands)
        if isinstance(op, host.QuantizeOp) or carries:
            found.update(op.results)
    return found


def _reached(op: SynapseOp, weights: WeightStore, mean: Array) -> float:
    """Spikes times the weights that each of them reaches; linear, so the mean of spikes gives that of operations."""
    present = (weights.array(op.weight) != 0).astype(np.float64)
    if isinstance(op, LinearBase):
        return float(meanings.linear(mean[None], present, None).sum())
    if isinstance(op, Conv2dBase):
        geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation), op.groups.value.data)
        return float(meanings.conv2d(mean[None], present, None, *geometry).sum())
    return float((mean[None] * present).sum())
