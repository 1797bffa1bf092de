"""Random programs of one whole layer of neurons, for property tests of kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

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
from neurocuda.ir.attributes import integer, integers
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]

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

    def pick(self, *choices: Any) -> Any:
        """One of them."""
        return choices[int(self.random.integers(len(choices)))]

    def layer(self) -> LayerNetwork:
        """The network."""
        shape = self._shape()
        sources, synapses, weights = self._sources(shape)
        inputs = [self._counts(shape, element) for shape, element in sources]
        charges = sum(self._charge(*each) for each in zip(inputs, synapses, weights, strict=True))
        levels = self.pick(1, 4, 7, 15, 127, 255, 1000)
        middle, spread = np.median(charges), max(1.0, float(np.std(charges)))
        constants = self._constants(shape, middle, spread, levels)
        target = ui16 if levels > 255 else i1 if levels == 1 else ui8
        operands = [MemRefType(element, each) for each, element in sources]
        block = Block(arg_types=operands)
        buffer = cpu.BufferOp(target, shape)
        layer = cpu.CountLayerOp.build(
            operands=[list(block.args), buffer.result],
            properties={
                "synapses": ArrayAttr(synapses),
                "weights": ArrayAttr([self.weights.add(each, "weight") for each in weights]),
                **{name: self.weights.add(value, name) for name, value in constants.items()},
                "levels": integer(levels),
                "layout": integers(range(len(shape))),
                "steps": integers((0, 1)),
            },
        )
        block.add_ops([buffer, layer, cpu.OutputOp([buffer.result])])
        return LayerNetwork(self.context, _module(block, target, shape), inputs)

    def _shape(self) -> tuple[int, ...]:
        channels = self.pick(*CHANNELS)
        if self.random.random() < 0.25:
            return (channels,)
        return (self.pick(1, 2, 3, 4, 6, 9), self.pick(1, 2, 3, 4, 7, 8, 11, 17, 33), channels)

    def _sources(self, shape: tuple[int, ...]) -> tuple[list[tuple[Sequence[int], Attribute]], list[SynapseAttr], list[Array]]:
        sources: list[tuple[Sequence[int], Attribute]] = []
        synapses: list[SynapseAttr] = []
        weights: list[Array] = []
        kinds = ("linear", "diagonal") if len(shape) == 1 else ("conv2d", "conv2d", "depthwise_conv2d", "diagonal")
        for _ in range(self.pick(1, 1, 2, 3)):
            source, synapse, weight = self._synapse(self.pick(*kinds), shape)
            sources.append((source, self.pick(ui8, ui8, i8, i1, ui16)))
            synapses.append(synapse)
            weights.append(weight)
        return sources, synapses, weights

    def _synapse(self, kind: str, shape: tuple[int, ...]) -> tuple[tuple[int, ...], SynapseAttr, Array]:
        """(shape of the source, how, weight) onto neurons of a shape."""
        channels = shape[-1]
        if kind == "diagonal":
            size = self.pick((1,), (channels,), shape)
            return shape, SynapseAttr.of(kind), self._weight(size)
        if kind == "linear":
            source = self.pick((self.pick(*CHANNELS),), (2, 3, self.pick(*CHANNELS)))
            return source, SynapseAttr.of(kind), self._weight((prod(source), channels))
        kernel, stride, dilation = ((self.pick(1, 2, 3), self.pick(1, 2, 3)) for _ in range(3))
        pool = self.pick((1, 1), (1, 1), (1, 1), (2, 2), (1, 3))
        padding = tuple(int(self.random.integers(0, (size - 1) * d + 2)) for size, d in zip(kernel, dilation, strict=True) for _ in "ab")
        source = [
            max(1, (count - 1) * s + (size - 1) * d + 1 - padding[2 * axis] - padding[2 * axis + 1]) * p + self.pick(*range(p))
            for axis, (count, s, size, d, p) in enumerate(zip(shape[:2], stride, kernel, dilation, pool, strict=True))
        ]
        pooled = (1, source[0] // pool[0], source[1] // pool[1])
        try:
            fits = shapes.windows2d(pooled, kernel, stride, padding, dilation) == shape[:2]
        except ValueError:
            fits = False
        if not fits:
            return self._synapse(kind, shape)
        how = SynapseAttr.of(kind, stride, padding, dilation, pool)
        if kind == "depthwise_conv2d":
            return (*source, channels), how, self._weight((*kernel, channels))
        groups = self.pick(*(each for each in (1, 1, 1, 2, 4) if channels % each == 0))
        inner = self.pick(*CHANNELS)
        return (*source, groups * inner), how, self._weight((groups, *kernel, inner, channels // groups))

    def _weight(self, shape: Sequence[int]) -> Array:
        if self.random.random() < 0.1:
            return self.random.integers(-300, 300, shape).astype(np.int16)
        return self.random.integers(-128, 128, shape).astype(np.int8)

    def _counts(self, shape: Sequence[int], element: Attribute) -> Array:
        dtype = buffer_dtype(element)
        high = 2 if element == i1 else 301 if element == ui16 else np.iinfo(dtype).max + 1
        values = self.random.integers(min(0, np.iinfo(dtype).min), high, (IMAGES, *shape))
        return np.where(self.random.random(values.shape) < 0.3, 0, values).astype(dtype)

    def _charge(self, source: Array, synapse: SynapseAttr, weight: Array) -> float:
        """About how much a synapse brings to a neuron."""
        return float(np.abs(source.astype(np.float64)).mean() * np.abs(weight.astype(np.float64)).mean() * max(1, weight.size // weight.shape[-1]) ** 0.5) * self.pick(-1, 1)

    def _constants(self, shape: tuple[int, ...], middle: float, spread: float, levels: int) -> dict[str, Array]:
        channels = shape[-1]
        constants: dict[str, Array] = {}
        scale = max(1.0, abs(middle))
        draw = self.random.uniform(0.2, 2, self.pick((1,), (channels,), shape))
        constants["threshold"] = np.maximum(1, draw * scale / min(levels, 15)).astype(np.int32)
        for name in ("bias", "initial"):
            if self.random.random() < 0.7:
                size = self.pick((1,), (channels,), shape)
                constants[name] = np.asarray(self.random.normal(0, scale, size), np.int32)
        return constants


def _module(block: Block, target: Attribute, shape: Sequence[int]) -> ModuleOp:
    """`@main` with the program and nothing else."""
    sources = [argument.type for argument in block.args]
    assert all(isinstance(source, MemRefType) for source in sources)
    types = [TensorType(source.get_element_type(), source.get_shape()) for source in sources]
    result = TensorType(target, shape)
    outer = Block(arg_types=types)
    program = cpu.ProgramOp(list(outer.args), Region(block), [result], mode=cpu.COUNTS, steps=1)
    outer.add_ops([program, func.ReturnOp(program.outputs[0])])
    return ModuleOp([func.FuncOp("main", (types, [result]), Region(outer))])
