"""A compiled network and the float network it came from in NeuroBench's terms, as the package counts them.

The definitions are those of `neurobench` 2.3.0 (Yik et al., "The neurobench framework for benchmarking neuromorphic
computing algorithms and systems", 2025), a network being a module that is called at each of its time steps:

* footprint: the bytes of its constants as float32. Integers take less, which is said beside it.
* connection sparsity: the share of weights that are zero.
* activation sparsity: the share of zeros in what activations, or neurons, send, over all steps.
* synaptic operations, per image: pairs of a weight and an input that are not zero, biases left out. They are
  accumulates (ACs) where all that a layer reads at a step, over all images, is -1, 0 or 1, else multiply-accumulates
  (MACs). `dense` counts all pairs at all steps, zeros too, but no borders of even padding.

A diagonal synapse counts as the grouped 1x1 convolution that it is. Products of two activations count nowhere, nor does
what runs on the host. In the float network all pointwise activation functions are activations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import prod
from types import UnionType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann.activations import PointwiseOp
from neurocuda.dialects.ann.arithmetic import BatchNormOp
from neurocuda.dialects.shared.bases import Conv2dBase, SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import OptionError
from neurocuda.images import Array
from neurocuda.ir.attributes import Dense, dense_shape, shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.agreement import BATCH
from neurocuda.measure.evaluation import correct_answers
from neurocuda.measure.layers import dense_operations, products, reached
from neurocuda.measure.words import counted, size_of
from neurocuda.passes.snn.analysis.activity import NEURONS
from neurocuda.reference.interpreter import interpret

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled

Plain: TypeAlias = "float | int | str | dict[str, float | int]"

FLOAT_BYTES = 4
COUNTER_BYTES = 8
"""A batch norm of torch counts its batches in a buffer."""


@dataclass(frozen=True)
class Terms:
    """One network: accuracy in per cent, bytes, shares of 1, and operations per image.

    `footprint` is as NeuroBench counts, `stored` what the constants take as they are.
    """

    accuracy: float
    footprint: int
    stored: int
    connection_sparsity: float
    activation_sparsity: float
    effective_macs: float
    effective_acs: float
    dense: float


@dataclass(frozen=True)
class NeuroBench:
    """The spiking network, and the float network it came from, on the same images."""

    images: int
    steps: int
    spiking: Terms
    float: Terms

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"in NeuroBench's terms, on {counted(self.images, 'image')}: {'spiking':>14} {'float':>14}"
        for name, one, other in self.rows():
            yield f"{name:44} {one:>14} {other:>14}"

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """(figure, of the spiking network, of the float network), as text."""
        spiking, exact = self.spiking, self.float
        yield "accuracy", f"{spiking.accuracy:.2f} %", f"{exact.accuracy:.2f} %"
        yield "time steps", f"{self.steps:,}", "1"
        yield "footprint, constants as float32", size_of(spiking.footprint), size_of(exact.footprint)
        yield "the same as they are stored", size_of(spiking.stored), size_of(exact.stored)
        yield "connection sparsity", f"{spiking.connection_sparsity:.4f}", f"{exact.connection_sparsity:.4f}"
        yield "activation sparsity", f"{spiking.activation_sparsity:.4f}", f"{exact.activation_sparsity:.4f}"
        yield "effective MACs per image", f"{spiking.effective_macs:,.0f}", f"{exact.effective_macs:,.0f}"
        yield "effective ACs per image", f"{spiking.effective_acs:,.0f}", f"{exact.effective_acs:,.0f}"
        yield "dense operations per image, all steps", f"{spiking.dense:,.0f}", f"{exact.dense:,.0f}"

    def figures(self) -> dict[str, Plain]:
        """The same as plain values."""
        return {
            "images": self.images,
            "steps": self.steps,
            "spiking": asdict(self.spiking),
            "float": asdict(self.float),
        }


def neurobench(compiled: Compiled, inputs: Sequence[Array], truth: NDArray[np.int64]) -> NeuroBench:
    """Runs both networks in the reference interpreter, the spiking one step by step.

    Args:
        inputs: one checked array per input.
        truth: (images,) class numbers.

    Raises:
        OptionError: the network is one of spike trains.
        InputError: a label is no class.
    """
    if compiled.trains:
        raise OptionError("NeuroBench's terms compare with a float network, which networks of spike trains have not")
    spiking, exact = compiled.level("snn-integer"), compiled.level("ann-imported")
    steps = sum(op.duration for op in spiking.walk() if isinstance(op, snn.NetworkOp))
    counts, floats = _Counter(spiking, compiled.weights, NEURONS), _Counter(exact, compiled.weights, PointwiseOp)
    for start in range(0, len(truth), BATCH):
        part = [array[start : start + BATCH] for array in inputs]
        counts.run(part, truth[start : start + BATCH], step_by_step=True)
        floats.run(part, truth[start : start + BATCH], step_by_step=False)
    numbers, stored = _sizes_of_integers(spiking, compiled.weights)
    footprint = _bytes_of_floats(exact, compiled.weights)
    return NeuroBench(
        len(truth),
        steps,
        counts.terms(steps, FLOAT_BYTES * numbers, stored),
        floats.terms(1, footprint, footprint),
    )


class _Counter:
    """What the connections of a network read and its activations send, step by step, over any number of images."""

    def __init__(self, module: ModuleOp, weights: WeightStore, activations: type[Operation] | UnionType) -> None:
        self._module = module
        self._weights = weights
        self._connections = [op for op in module.walk() if isinstance(op, SynapseOp)]
        self._activations = [op for op in module.walk() if isinstance(op, activations)]
        self._inputs = {op.input for op in self._connections}
        self._read: dict[tuple[SSAValue, int], Array] = {}
        self._valued: set[tuple[SSAValue, int]] = set()
        self._sent = 0
        self._images = 0
        self._correct = 0

    def run(self, inputs: Sequence[Array], truth: NDArray[np.int64], *, step_by_step: bool) -> None:
        """Adds some images."""
        if step_by_step:
            outputs = interpret(self._module, self._weights, inputs, on_signal=self._note)
        else:
            outputs = interpret(self._module, self._weights, inputs, lambda op, values: self._note(op, 0, values))
        self._images += len(truth)
        self._correct += correct_answers(outputs[0], truth)

    def _note(self, op: Operation, step: int, signal: Array) -> None:
        value = op.results[0]
        if op in self._activations:
            self._sent += int(np.count_nonzero(signal))
        if value not in self._inputs:
            return
        self._read[value, step] = self._read.get((value, step), 0) + (signal != 0).sum(axis=0, dtype=np.float64)
        if not ((signal == 0) | (abs(signal) == 1)).all():
            self._valued.add((value, step))

    def terms(self, steps: int, footprint: int, stored: int) -> Terms:
        """The figures, with the sizes of the constants as they were counted."""
        elements = steps * self._images * sum(prod(shape_of(op.results[0])) for op in self._activations)
        weights = [self._weights.array(op.weight) for op in self._connections]
        zeros, numbers = sum(int((weight == 0).sum()) for weight in weights), sum(weight.size for weight in weights)
        dense = sum(_pairs(op) for op in self._connections)
        return Terms(
            accuracy=100 * Accuracy(self._correct, self._images).value,
            footprint=footprint,
            stored=stored,
            connection_sparsity=zeros / max(1, numbers),
            activation_sparsity=1 - self._sent / max(1, elements),
            effective_macs=self._operations(valued=True),
            effective_acs=self._operations(valued=False),
            dense=steps * dense,
        )

    def _operations(self, *, valued: bool) -> float:
        """Per image, at steps at which what is read are values, or only spikes."""
        sums: dict[SSAValue, Array] = {}
        for (value, step), read in self._read.items():
            if ((value, step) in self._valued) == valued:
                sums[value] = sums.get(value, 0) + read
        found = (reached(op, self._weights, sums[op.input]) for op in self._connections if op.input in sums)
        return sum(found) / self._images


def _pairs(op: SynapseOp) -> float:
    """Pairs of a weight and an input per step; zeros of a border count where torch cannot leave them to the layer."""
    if isinstance(op, Conv2dBase) and not _is_even(values_of(op.padding)):
        return dense_operations(op)
    return products(op, np.ones(dense_shape(op.weight)), np.ones(shape_of(op.input)))


def _is_even(padding: Sequence[int]) -> bool:
    top, bottom, left, right = padding
    return top == bottom and left == right


def _sizes_of_integers(module: ModuleOp, weights: WeightStore) -> tuple[int, int]:
    """(number, bytes) of the constants of spiking networks; what a spike stands for is no part of the network."""
    networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
    arrays = [
        weights.array(constant)
        for network in networks
        for op in network.body.block.ops
        for name, constant in op.properties.items()
        if isinstance(constant, Dense) and name != "scale"
    ]
    return sum(array.size for array in arrays), sum(array.nbytes for array in arrays)


def _bytes_of_floats(module: ModuleOp, weights: WeightStore) -> int:
    """The bytes of the constants as float32; operations that have all of theirs in common are one module's calls."""
    modules: dict[tuple[str, ...], int] = {}
    for op in module.walk():
        constants = {name: constant for name, constant in op.properties.items() if isinstance(constant, Dense)}
        counter = COUNTER_BYTES if isinstance(op, BatchNormOp) else 0
        size = FLOAT_BYTES * sum(weights.array(constant).size for constant in constants.values())
        modules[op.name, *map(str, constants.items())] = size + counter
    return sum(modules.values())
