"""Random spiking networks for property tests of targets: every operation, with windows, delays and limits at random.

network = random_spiking_network(seed=7)
outputs, counts = network.interpret()
network.apply("convert-snn-to-cpu", "allocate-buffers")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import BoolAttr, ModuleOp, TensorType, f32
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type, integers, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import origin_of, set_origin
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]


@dataclass
class SpikingNetwork:
    """A module at level `snn` (later `cpu`), its context and a batch of inputs."""

    context: Context
    module: ModuleOp
    inputs: list[Array]

    @property
    def weights(self) -> WeightStore:
        """The store that holds the network's constants."""
        return weights_of(self.context)

    def apply(self, *passes: str) -> None:
        """Applies passes by name."""
        from xdsl.passes import PassPipeline

        from neurocuda.registry import pass_factories

        PassPipeline.parse_spec(pass_factories(), ",".join(passes)).apply(self.context, self.module)
        self.module.verify()

    def interpret(self) -> tuple[list[Array], dict[str, Array]]:
        """(outputs, spike counts by origin)."""
        counts: dict[str, Array] = {}

        def observe(op: Operation, values: Array) -> None:
            origin = origin_of(op)
            if origin is not None and origin.startswith("neurons"):
                counts[origin] = values

        return interpret(self.module, self.weights, self.inputs, observe), counts


@dataclass
class NetworkBuilder:
    """Appends random layers to the body of a network."""

    random: np.random.Generator
    weights: WeightStore
    steps: int
    real: bool
    block: Block = field(default_factory=Block)
    signals: list[SSAValue] = field(default_factory=list)
    layers: int = 0

    def integer(self, low: int, high: int) -> int:
        """low <= result < high."""
        return int(self.random.integers(low, high))

    def chance(self, odds: float) -> bool:
        """True with the given probability."""
        return bool(self.random.random() < odds)

    def add(self, op: Operation) -> SSAValue:
        """Appends an operation."""
        self.block.add_op(op)
        return op.results[0]

    def constant(self, shape: Sequence[int], low: int, high: int) -> Dense:
        """Random numbers: integers of a random width, or floats in quarters so that sums are exact."""
        if self.real:
            return self.weights.add((self.random.integers(4 * low, 4 * high, shape) / 4).astype(np.float32), "c")
        return self.weights.add(self.random.integers(low, high, shape).astype(np.int32), "c")

    def weight(self, *shape: int) -> Dense:
        """Random weights, of a random width where they are integers."""
        if self.real:
            return self.constant(shape, -3, 4)
        kind = (np.int8, np.int16, np.int32)[self.integer(0, 3)]
        return self.weights.add(self.random.integers(-9, 10, shape).astype(kind), "w")

    def per_neuron(self, shape: Sequence[int], low: int, high: int) -> Dense:
        """One number, one per channel, or one per neuron."""
        choices = [(1,), tuple(shape), (shape[0], *(1 for _ in shape[1:]))]
        return self.constant(choices[self.integer(0, 3)], low, high)

    # Synapses

    def current(self, shape: Sequence[int] | None = None) -> SSAValue:
        """A synapse from a random signal, onto a given shape where there is one."""
        for _ in range(50):
            source = self.signals[self.integer(0, len(self.signals))]
            found = self.synapse(source)
            if found is not None and (shape is None or shape_of(found) == tuple(shape)):
                return found
        source = next(signal for signal in self.signals if shape is None or len(shape_of(signal)) == len(shape))
        flat = self.add(snn.ReshapeOp(source, (int(np.prod(shape_of(source))),)))
        outputs = int(np.prod(shape)) if shape else 5
        product = self.add(snn.LinearOp(flat, self.weight(outputs, shape_of(flat)[0])))
        return self.add(snn.ReshapeOp(product, shape)) if shape else product

    def synapse(self, source: SSAValue) -> SSAValue | None:
        """A random synapse; None where none fits."""
        shape = shape_of(source)
        if self.chance(0.25):
            weight_shape = [shape, (shape[0], *(1 for _ in shape[1:])), (1,)][self.integer(0, 3)]
            return self.add(snn.DiagonalOp(source, self.weight(*weight_shape)))
        if len(shape) != 3 or self.chance(0.1):
            return self.add(snn.LinearOp(source, self.weight(self.integer(1, 7), shape[-1])))
        return self.convolution(source)

    def convolution(self, source: SSAValue) -> SSAValue | None:
        """A random convolution; None where its window does not fit."""
        channels = shape_of(source)[0]
        groups = [g for g in range(1, channels + 1) if channels % g == 0][-1 if self.chance(0.3) else 0]
        if self.chance(0.2) and channels % 2 == 0:
            groups = 2
        outputs = groups * self.integer(1, 4)
        stride, dilation = (self.integer(1, 4), self.integer(1, 3)), (self.integer(1, 3), self.integer(1, 3))
        padding = [self.integer(0, 3) for _ in range(4)]
        kernel = (self.integer(1, 4), self.integer(1, 4))
        weight = self.weight(outputs, channels // groups, *kernel)
        try:
            op = snn.Conv2dOp(source, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
        except ValueError:
            return None
        return self.add(op)

    # Neurons

    def neurons(self) -> SSAValue:
        """A layer on one to three currents with a random neuron model."""
        currents = [self.current()]
        shape = shape_of(currents[0])
        currents += [self.current(shape) for _ in range(self.integer(0, 3))]
        levels = self.integer(1, 9)
        start = self.integer(0, self.steps - 1)
        window = (start, self.integer(start + 1, self.steps + 3)) if self.chance(0.5) else None
        zero = self.chance(0.3)
        signed = not zero and self.chance(0.2)
        valued = not signed and window is not None and self.chance(0.4)
        many = self.integer(2, 4) if not signed and not valued and self.chance(0.25) else 1
        op = snn.IntegrateAndFireOp(
            currents,
            snn.GradedType.of(0, levels) if signed or valued else snn.SpikesType.of(0, levels),
            threshold=self.per_neuron(shape, 3, 30),
            initial=self.per_neuron(shape, -9, 10) if self.chance(0.6) else None,
            bias=self.per_neuron(shape, -2, 4) if self.chance(0.4) else None,
            levels=levels if signed or self.chance(0.6) else None,
            reset="zero" if zero else "subtract",
            reset_value=self.per_neuron(shape, -3, 3) if zero and self.chance(0.5) else None,
            strict=self.chance(0.3),
            spikes_per_step=many,
            refractory=self.integer(1, 3) if not signed and self.chance(0.2) else 0,
            lower_bound=self.per_neuron(shape, -20, 1) if self.chance(0.2) else None,
            fire=window,
            **self.decays(shape),
        )
        op.properties["signed"] = BoolAttr.from_bool(signed)
        if window is not None and valued:
            op.properties["values"] = integers(self.integer(1, 6) for _ in range(*window))
        set_origin(op, f"neurons.{self.layers}")
        self.layers += 1
        return self.add(op)

    def decays(self, shape: Sequence[int]) -> dict[str, Dense]:
        """Leaks, for networks of floats: halves and ones, so that arithmetic stays exact."""
        if not self.real:
            return {}
        found: dict[str, Dense] = {}
        for name in ("membrane_decay", "current_decay"):
            if self.chance(0.4):
                found[name] = self.weights.add(self.random.choice([0.5, 1.0], (shape[0], *shape[1:])).astype("f4"), "d")
        return found

    # Everything else

    def moved(self) -> SSAValue:
        """An index map, pooling or delay of a random signal."""
        source = self.signals[self.integer(0, len(self.signals))]
        kinds: list[Callable[[SSAValue], SSAValue]] = [self.slice, self.pad, self.transpose, self.delay, self.concat]
        kinds += [self.pool, self.pool, self.pool] if len(shape_of(source)) == 3 else [self.reshape]
        return kinds[self.integer(0, len(kinds))](source)

    def slice(self, source: SSAValue) -> SSAValue:
        """A random slice."""
        shape = shape_of(source)
        starts = [self.integer(0, size) for size in shape]
        stops = [self.integer(start + 1, size + 1) for start, size in zip(starts, shape, strict=True)]
        return self.add(snn.SliceOp(source, starts, stops, [self.integer(1, 4) for _ in shape]))

    def pad(self, source: SSAValue) -> SSAValue:
        """Random padding."""
        ends = [[self.integer(0, 3) for _ in shape_of(source)] for _ in range(2)]
        return self.add(snn.PadOp(source, *ends))

    def transpose(self, source: SSAValue) -> SSAValue:
        """A random order of axes."""
        return self.add(snn.TransposeOp(source, [int(a) for a in self.random.permutation(len(shape_of(source)))]))

    def reshape(self, source: SSAValue) -> SSAValue:
        """A vector as an image."""
        (size,) = shape_of(source)
        rows = next(rows for rows in (3, 2, 1) if size % rows == 0)
        return self.add(snn.ReshapeOp(source, (rows, 1, size // rows)))

    def delay(self, source: SSAValue) -> SSAValue:
        """A random delay, perhaps past the end."""
        return self.add(snn.DelayOp(source, self.integer(1, self.steps + 1)))

    def concat(self, source: SSAValue) -> SSAValue:
        """The signal joined with others that fit."""
        fitting = [s for s in self.signals if shape_of(s)[1:] == shape_of(source)[1:]]
        others = [fitting[self.integer(0, len(fitting))] for _ in range(self.integer(1, 3))]
        inputs = [source, *others]
        return self.add(snn.ConcatOp(inputs, 0, _joined([element_type(value) for value in inputs])))

    def pool(self, source: SSAValue) -> SSAValue:
        """A random pooling; the signal itself where its window does not fit."""
        kind = (snn.SumPool2dOp, snn.MaxPool2dOp, snn.RunningMaxPool2dOp)[self.integer(0, 3)]
        kernel = (self.integer(1, 4), self.integer(1, 4))
        padding = [self.integer(0, kernel[axis // 2]) for axis in range(4)]
        stride = (self.integer(1, 4), self.integer(1, 4))
        element = element_type(source)
        if kind is snn.SumPool2dOp and not self.real:
            element = snn.GradedType.of(-(10**6), 10**6)
        try:
            return self.add(kind(source, kernel, stride=stride, padding=padding, element=element))
        except ValueError:
            return source


def _joined(elements: Sequence[Attribute]) -> Attribute:
    if all(element == elements[0] for element in elements):
        return elements[0]
    return f32 if f32 in elements else snn.GradedType.of(-(10**6), 10**6)


def random_spiking_network(seed: int, *, real: bool = False, batch: int = 3) -> SpikingNetwork:
    """A random network; with `real` of floats that are exact in float32 whatever the order of additions."""
    context = create_context()
    random = np.random.default_rng(seed)
    builder = NetworkBuilder(random, weights_of(context), int(random.integers(3, 16)), real)
    shape = (int(random.integers(1, 5)), int(random.integers(3, 8)), int(random.integers(3, 8)))
    element: Attribute = f32 if real else CountType.of(-8, 7)
    argument = builder.block.insert_arg(TensorType(element, shape), 0)
    inner: Attribute = f32 if real else snn.GradedType.of(-8, 7)
    code = "current" if builder.chance(0.5) else "payload"
    builder.signals = [builder.add(snn.InputOp(argument, inner, code))]
    for _ in range(builder.integer(3, 8)):
        new = builder.neurons() if builder.chance(0.55) else builder.moved()
        builder.signals.append(new)
    builder.signals.append(builder.neurons())
    readouts = [builder.add(snn.AccumulateOp([builder.current()], bias=builder.constant((1,), -2, 3)))]
    outputs = [*readouts, *builder.signals[-2:]]
    builder.block.add_op(snn.OutputOp(outputs))
    return SpikingNetwork(context, _module(builder, argument, outputs), [_inputs(random, shape, batch, real)])


def _module(builder: NetworkBuilder, argument: SSAValue, outputs: Sequence[SSAValue]) -> ModuleOp:
    types = [output.type for output in outputs]
    function = func.FuncOp("main", ((argument.type,), types))
    network = snn.NetworkOp(function.body.block.args, Region(builder.block), types, code="free", steps=builder.steps)
    function.body.block.add_ops([network, func.ReturnOp(*network.outputs)])
    module = ModuleOp([function])
    module.verify()
    return module


def _inputs(random: np.random.Generator, shape: Sequence[int], batch: int, real: bool) -> Array:
    integers = random.integers(-8, 8, (batch, *shape))
    return (integers / 4).astype(np.float32) if real else integers
