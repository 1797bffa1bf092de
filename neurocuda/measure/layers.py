"""What a network consists of: neuron layers, their synapses, and what they cost in operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared import meanings
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.shared.tables import MatrixProductBase, ProductBase, TableLayerOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import dense_shape, element_type, shape_of, values_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.activity import NEURONS
from neurocuda.reference.interpreter import interpret

Array: TypeAlias = NDArray[Any]

Synapse: TypeAlias = SynapseOp | ProductBase
"""What makes a current of signals: with constant weights, or of two signals."""

TRAIN = "train"
"""The code of networks whose spike trains stand for themselves."""

WATCHED = 4
"""Images that are run step by step, to count what is sent and read."""


@dataclass(frozen=True)
class Layer:
    """A layer of neurons: its name, the user's line, its shape, T, and its synapses.

    T is the largest count, of either sign. `operations` are the products of weights and inputs, or of two inputs, per
    image if no input were zero, borders included.
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
        if not isinstance(op, ann.StaircaseOp | TableLayerOp):
            continue
        synapses = [current.owner for current in op.currents]
        operations = sum(dense_operations(synapse) for synapse in synapses if isinstance(synapse, Synapse))
        name = origin_of(op) or op.name
        yield Layer(name, user_location(op), shape_of(op.result), levels_of(op), len(synapses), operations)


def train_layers_of(module: ModuleOp) -> tuple[Layer, ...]:
    """The neuron layers of a network of spike trains, in order: T is what a neuron sends at a step, 0 for a readout.

    `operations` are per step, of the synapses that the neurons read directly.
    """
    return tuple(_train_layers(module))


def _train_layers(module: ModuleOp) -> Iterator[Layer]:
    for op in module.walk():
        if not isinstance(op, snn.IntegrateAndFireOp | snn.AccumulateOp | snn.ThresholdOp):
            continue
        synapses = [operand.owner for operand in op.operands]
        operations = sum(dense_operations(synapse) for synapse in synapses if isinstance(synapse, Synapse))
        element = element_type(op.result)
        most = element.bounds[1] if isinstance(element, RangeType) else 0
        name = origin_of(op) or op.name
        yield Layer(name, user_location(op), shape_of(op.result), most, len(synapses), operations)


def levels_of(op: ann.StaircaseOp | TableLayerOp) -> int:
    """The largest count that a neuron sends, of either sign."""
    return op.levels.value.data if isinstance(op, ann.StaircaseOp) else max(abs(end) for end in op.range)


def readout_layers_of(module: ModuleOp) -> tuple[Layer, ...]:
    """The synapses of level `ann-quantized` whose sums no neuron reads, as layers without levels: the outputs."""
    layers = [op for op in module.walk() if isinstance(op, ann.StaircaseOp | TableLayerOp)]
    read = {current for op in layers for current in op.currents}
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
        if isinstance(op, Synapse) and op.result not in read
    )


def dense_operations(op: Synapse) -> int:
    """The products of a synapse if no input were zero, borders included: the MACs of the float network."""
    if isinstance(op, MatrixProductBase):
        return prod(shape_of(op.result)) * shape_of(op.left)[-1]
    if isinstance(op, Conv2dBase | LinearBase):
        return prod(shape_of(op.result)) * prod(dense_shape(op.weight)[1:])
    return prod(shape_of(op.result))


@dataclass(frozen=True)
class Operations:
    """Operations per image, the mean over `images`, measured step by step by the reference interpreter.

    dense: MACs if no input were zero, borders included. input_products: products of inputs that are not zero and
    weights that are not zero. accumulations: for every spike, whatever it stands for, the weights that are not zero
    that it reaches, and the pairs of spikes that are multiplied. spikes: those that neurons sent, ones that take others
    back included. settled: the number of steps after which no neuron sent anything for any of the images.
    """

    images: int
    dense: float
    input_products: float
    accumulations: float
    spikes: float
    settled: int


def operations_of(module: ModuleOp, weights: WeightStore, inputs: Sequence[Array]) -> Operations:
    """Synaptic operations and spikes of level `snn-integer`."""
    traffic = Traffic(module)
    traffic.watch(weights, inputs)
    return traffic.operations(weights, traffic.synapses)


class Traffic:
    """What neurons of level `snn-integer` send and synapses read, step by step, over any number of images."""

    def __init__(self, module: ModuleOp) -> None:
        self.synapses: list[Synapse] = [op for op in module.walk() if isinstance(op, Synapse)]
        self._module = module
        self._payload = _payloads(module)
        self._sent: dict[SSAValue, Array] = {}
        self._met: dict[ProductBase, float] = {}
        self._factors: dict[SSAValue, Array] = {}
        self._images = 0
        self._settled = 0

    def watch(self, weights: WeightStore, inputs: Sequence[Array]) -> None:
        """Runs some images and adds up, per element, how often a signal is not zero."""
        self._factors.clear()
        interpret(self._module, weights, inputs, on_signal=self._note)
        self._images += len(inputs[0])
        for op in self.synapses:
            if isinstance(op, ProductBase):
                self._met[op] = self._met.get(op, 0) + _met(op, self._factors)

    def _note(self, op: Operation, step: int, signal: Array) -> None:
        fires = isinstance(op, NEURONS)
        self._settled = max(self._settled, step + 1) if fires else self._settled
        result = op.results[0]
        if fires or any(isinstance(use.operation, SynapseOp) for use in result.uses):
            self._sent[result] = self._sent.get(result, 0) + (signal != 0).sum(axis=0, dtype=np.float64)
        if any(isinstance(use.operation, ProductBase) for use in result.uses):
            self._factors[result] = signal != 0

    def spikes(self, value: SSAValue) -> float:
        """The spikes of a signal, the mean over all images watched."""
        return float(np.sum(self._sent.get(value, 0)) / self._images)

    def operations(self, weights: WeightStore, synapses: Sequence[Synapse]) -> Operations:
        """The operations of some of the synapses and the spikes of all neurons, the mean over all images watched."""
        read = [op for op in synapses if isinstance(op, SynapseOp) and op.input in self._sent]
        met = sum(self._met.get(op, 0) for op in synapses if isinstance(op, ProductBase)) / self._images
        counts = {op: reached(op, weights, self._sent[op.input] / self._images) for op in read}
        senders = [value for value in self._sent if isinstance(value.owner, NEURONS)]
        return Operations(
            self._images,
            sum(map(dense_operations, synapses)),
            sum(count for op, count in counts.items() if op.input in self._payload),
            met + sum(count for op, count in counts.items() if op.input not in self._payload),
            sum(map(self.spikes, senders)),
            self._settled,
        )


def _payloads(module: ModuleOp) -> set[SSAValue]:
    """Values that carry the input itself: what follows from it with no neuron between."""
    found: set[SSAValue] = set()
    for op in module.walk():
        stops = isinstance(op, Synapse | NEURONS | snn.NetworkOp)
        if isinstance(op, snn.InputOp) or (not stops and any(operand in found for operand in op.operands)):
            found.update(op.results)
    return found


def _met(op: ProductBase, factors: Mapping[SSAValue, Array]) -> float:
    """The pairs of spikes that a product has multiplied; in code "graded" each of its factors speaks at one step."""
    if any(factor not in factors for factor in op.operands):
        return 0
    left, right = (factors[factor] for factor in op.operands)
    multiply = meanings.matrix_product if isinstance(op, MatrixProductBase) else meanings.product
    return float(multiply(left, right).sum())


def reached(op: SynapseOp, weights: WeightStore, sent: Array) -> float:
    """Spikes times the weights that each of them reaches; linear, so the mean of spikes gives that of operations.

    `sent` has the shape of what the synapse reads, without a batch axis.
    """
    return products(op, (weights.array(op.weight) != 0).astype(np.float64), sent)


def products(op: SynapseOp, weight: Array, read: Array) -> float:
    """The sum of all products of a weight with what a synapse reads."""
    if isinstance(op, LinearBase):
        return float(meanings.linear(read[None], weight, None).sum())
    if isinstance(op, Conv2dBase):
        geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation), op.groups.value.data)
        return float(meanings.conv2d(read[None], weight, None, *geometry).sum())
    return float((read[None] * weight).sum())
