"""Random programs of one whole layer of neurons, for property tests of kernels."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, IntegerType, MemRefType, ModuleOp, Signedness, TensorType, i1, i8
from xdsl.ir import Attribute, Block, Region

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.layers import SynapseAttr
from neurocuda.dialects.cpu.semantics import buffer_dtype
from neurocuda.dialects.shared import shapes
from neurocuda.ir.attributes import integer, integers, values_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]
ChosenT = TypeVar("ChosenT")
Shape: TypeAlias = tuple[int, ...]

ui8, ui16 = IntegerType(8, Signedness.UNSIGNED), IntegerType(16, Signedness.UNSIGNED)
IMAGES = 3
CHANNELS = (1, 2, 3, 4, 5, 8, 12, 16, 17, 20, 31, 32, 40, 64, 72, 130)


@dataclass
class LayerNetwork:
    """A module with one program of one layer, and inputs for it."""

    context: Context
    module: ModuleOp
    inputs: list[Array]

    @property
    def weights(self) -> WeightStore:
        """The store that holds the layer's constants."""
        return weights_of(self.context)

    def interpret(self) -> list[Array]:
        """What the layer says."""
        return interpret(self.module, self.weights, self.inputs)


def random_count_layer(seed: int) -> LayerNetwork:
    """A `cpu.count_layer` of some synapses of all kinds, of counts and weights of all widths, at any border."""
    return _Drawing(seed).layer()


class _Drawing:
    """The choices of one layer."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.context = create_context()
        self.weights = weights_of(self.context)

    def pick(self, *choices: ChosenT) -> ChosenT:
        """One of them."""
        return choices[int(self.random.integers(len(choices)))]

    def layer(self) -> LayerNetwork:
        """The network."""
        shape = self._shape()
        sources = self._sources(shape)
        inputs = [self._counts(source, element) for source, element, _, _ in sources]
        charge = sum(_size_of(array, weight) for array, (*_, weight) in zip(inputs, sources, strict=True))
        levels = self.pick(1, 4, 7, 15, 127, 255, 1000)
        target = ui16 if levels > 255 else i1 if levels == 1 else ui8
        block = Block(arg_types=[MemRefType(element, source) for source, element, _, _ in sources])
        buffer = cpu.BufferOp(target, shape)
        constants = self._constants(shape, charge, levels)
        layer = cpu.CountLayerOp.build(
            operands=[list(block.args), buffer.result],
            properties={
                "synapses": ArrayAttr([synapse for _, _, synapse, _ in sources]),
                "weights": ArrayAttr([self.weights.add(weight, "weight") for *_, weight in sources]),
                **{name: self.weights.add(value, name) for name, value in constants.items()},
                "levels": integer(levels),
                "layout": integers(range(len(shape))),
                "steps": integers((0, 1)),
            },
        )
        block.add_ops([buffer, layer, cpu.OutputOp([buffer.result])])
        types = [TensorType(element, source) for source, element, _, _ in sources]
        return LayerNetwork(self.context, _module(block, types, TensorType(target, shape)), inputs)

    def _shape(self) -> Shape:
        channels = self.pick(*CHANNELS)
        if self.random.random() < 0.25:
            return (channels,)
        return (self.pick(1, 2, 3, 4, 6, 9), self.pick(1, 2, 3, 4, 7, 8, 11, 17, 33), channels)

    def _sources(self, shape: Shape) -> list[tuple[Shape, Attribute, SynapseAttr, Array]]:
        """(shape, element type, how it reaches the layer, weight) of every source."""
        kinds = ("linear", "diagonal") if len(shape) == 1 else ("conv2d", "conv2d", "depthwise_conv2d", "diagonal")
        elements: tuple[Attribute, ...] = (ui8, ui8, i8, i1, ui16)
        found: list[tuple[Shape, Attribute, SynapseAttr, Array]] = []
        for _ in range(self.pick(1, 1, 2, 3)):
            source, synapse, weight = self._synapse(self.pick(*kinds), shape)
            found.append((source, self.pick(*elements), synapse, weight))
        return found

    def _synapse(self, kind: str, shape: Shape) -> tuple[Shape, SynapseAttr, Array]:
        """(shape of the source, how, weight) onto neurons of a shape."""
        if kind == "diagonal":
            return shape, SynapseAttr.of(kind), self._weight(self.pick((1,), shape[-1:], shape))
        if kind == "linear":
            source = self.pick((self.pick(*CHANNELS),), (2, 3, self.pick(*CHANNELS)))
            return source, SynapseAttr.of(kind), self._weight((prod(source), *shape))
        how, kernel = self._window(kind)
        source = self._image(how, kernel, shape)
        if source is None:
            return self._synapse(kind, shape)
        channels = shape[-1]
        if kind == "depthwise_conv2d":
            return (*source, channels), how, self._weight((*kernel, channels))
        groups = self.pick(*(each for each in (1, 1, 1, 2, 4) if channels % each == 0))
        inner = self.pick(*CHANNELS)
        return (*source, groups * inner), how, self._weight((groups, *kernel, inner, channels // groups))

    def _window(self, kind: str) -> tuple[SynapseAttr, Shape]:
        """(how a window moves, its size); pools of windows without a dilation."""
        kernel, stride, dilation = ((self.pick(1, 2, 3), self.pick(1, 2, 3)) for _ in range(3))
        pool = self.pick((1, 1), (1, 1), (1, 1), (2, 2), (1, 3))
        dilation = dilation if pool == (1, 1) else (1, 1)
        most = [(size - 1) * apart + 2 for size, apart in zip(kernel, dilation, strict=True)]
        padding = [int(self.random.integers(0, most[axis])) for axis in (0, 0, 1, 1)]
        return SynapseAttr.of(kind, stride, padding, dilation, pool), kernel

    def _image(self, how: SynapseAttr, kernel: Shape, shape: Shape) -> Shape | None:
        """Height and width of an image with as many windows, at times with some pixels too many for its pools."""
        stride, padding, dilation, pool = (
            values_of(each) for each in (how.stride, how.padding, how.dilation, how.pool)
        )
        pooled: list[int] = []
        for axis in (0, 1):
            reach = (shape[axis] - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1
            pooled.append(max(1, reach - padding[2 * axis] - padding[2 * axis + 1]))
        try:
            fits = shapes.windows2d((1, *pooled), kernel, stride, padding, dilation) == shape[:2]
        except ValueError:
            fits = False
        return tuple(size * p + self.pick(*range(p)) for size, p in zip(pooled, pool, strict=True)) if fits else None

    def _weight(self, shape: Shape) -> Array:
        if self.random.random() < 0.1:
            return self.random.integers(-300, 300, shape).astype(np.int16)
        return self.random.integers(-128, 128, shape).astype(np.int8)

    def _counts(self, shape: Shape, element: Attribute) -> Array:
        """Counts of which some are zero."""
        ranges: dict[Attribute, tuple[int, int]] = {i1: (0, 1), i8: (-128, 127), ui8: (0, 255)}
        low, high = ranges.get(element, (0, 300))
        values = self.random.integers(low, high + 1, (IMAGES, *shape))
        return np.where(self.random.random(values.shape) < 0.3, 0, values).astype(buffer_dtype(element))

    def _constants(self, shape: Shape, charge: float, levels: int) -> dict[str, Array]:
        """Thresholds, at times bias and initial potential: one number, one per channel, or one per neuron."""
        sizes = ((1,), shape[-1:], shape)
        share = self.random.uniform(0.2, 2, self.pick(*sizes)) / min(levels, 15)
        constants = {"threshold": np.maximum(1, share * charge).astype(np.int32)}
        for name in ("bias", "initial"):
            if self.random.random() < 0.7:
                constants[name] = self.random.normal(0, charge, self.pick(*sizes)).astype(np.int32)
        return constants


def _size_of(source: Array, weight: Array) -> float:
    """About how much a synapse brings to a neuron."""
    several = max(1, weight.size // weight.shape[-1])
    return 1 + float(np.abs(source.astype(np.float64)).mean() * np.abs(weight.astype(np.float64)).mean()) * several**0.5


def _module(block: Block, sources: list[TensorType[Attribute]], result: TensorType[Attribute]) -> ModuleOp:
    """`@main` with the program and nothing else."""
    outer = Block(arg_types=sources)
    program = cpu.ProgramOp(list(outer.args), Region(block), [result], mode=cpu.COUNTS, steps=1)
    outer.add_ops([program, func.ReturnOp(program.outputs[0])])
    return ModuleOp([func.FuncOp("main", (sources, [result]), Region(outer))])
