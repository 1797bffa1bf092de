"""Random layers of spikes: every kernel, on every processor that this one can be, says what the operation means."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, BoolAttr, MemRefType, ModuleOp, StringAttr, TensorType, i64
from xdsl.ir import Attribute, Block, Region

from neurocuda.backends.cpu import native
from neurocuda.backends.cpu.run import load_here, load_portable
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.semantics import packed, unpacked
from neurocuda.errors import ToolchainError
from neurocuda.ir.attributes import Dense, integer, integers, values_of
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]
PROCESSORS = ("host", "avx512vnni", "avx2", "baseline")
CHANNELS = (1, 3, 16, 20, 33, 48, 64, 65, 96, 130, 192, 256)
IMAGES = 2


@dataclass
class Layer:
    """One random layer: a module with a single `cpu.spike_layer`, and trains for it."""

    context: Context
    module: ModuleOp
    trains: list[Array]
    channels: int

    def expected(self) -> Array:
        """What the operation means."""
        return interpret(self.module, weights_of(self.context), self.trains)[0]


class Maker:
    """Makes layers: convolutions, shortcuts, vectors, with every geometry and any constants."""

    def __init__(self, seed: int, kernel: str | None) -> None:
        self.random = np.random.default_rng(seed)
        self.context = create_context()
        self.weights = weights_of(self.context)
        self.kernel = kernel
        self.steps = self.number(1, 10)
        self.trains: list[Array] = []
        self.source_channels: list[int] = []
        self.synapses: list[cpu.SynapseAttr] = []
        self.tensors: list[Dense] = []
        self.largest = self.one_of(3, 127, 127, 3000)

    def number(self, low: int, high: int) -> int:
        """low <= result < high."""
        return int(self.random.integers(low, high))

    def one_of(self, *choices: int) -> int:
        """One of some numbers."""
        return int(self.random.choice(choices))

    def layer(self) -> Layer:
        """A layer of neurons with one synapse or several."""
        neurons = self.linear() if self.number(0, 4) == 0 else self.image()
        shape = (*neurons[:-1], self.steps, -(-neurons[-1] // 64))
        properties: dict[str, Attribute | None] = {
            "synapses": ArrayAttr(self.synapses),
            "weights": ArrayAttr(self.tensors),
            "threshold": self.constant(neurons, 1, 40 * self.largest),
            "bias": self.maybe(self.constant(neurons, -self.largest, 2 * self.largest)),
            "initial": self.maybe(self.constant(neurons, -9, 9)),
            "reset_value": self.maybe(self.constant(neurons, -9, 9)) if self.number(0, 3) == 0 else None,
            "factor": self.maybe(integer(self.number(1, 9))),
            "charge_bits": integer(32 if self.charge() >= 2**15 else 16) if self.number(0, 3) else None,
            "strict": BoolAttr.from_bool(self.number(0, 2) == 1),
            "gated": BoolAttr.from_bool(self.number(0, 3) == 0),
            "channels": integer(neurons[-1]),
            "source_channels": integers(self.source_channels),
            "kernel": None if self.kernel is None else StringAttr(self.kernel),
            "layout": integers(range(len(neurons))),
            "steps": integers((0, 1)),
        }
        return Layer(self.context, self.module(shape, properties), self.trains, neurons[-1])

    def maybe(self, attribute: Attribute) -> Attribute | None:
        """The attribute, or not."""
        return attribute if self.number(0, 2) else None

    def constant(self, neurons: tuple[int, ...], low: int, high: int) -> Dense:
        """One number, one per channel, or one per neuron."""
        shape = ((1,), neurons[-1:], neurons)[self.number(0, 3)]
        return self.weights.add(self.random.integers(low, high, shape).astype(np.int32), "constant")

    def charge(self) -> int:
        """No sum of weights is larger than this."""
        arrays = [np.abs(self.weights.array(each).astype(np.int64)) for each in self.tensors]
        pools = [prod(values_of(synapse.pool)) for synapse in self.synapses]
        return sum(int(array.sum()) * pool for array, pool in zip(arrays, pools, strict=True))

    # Synapses

    def train(self, *neurons: int) -> None:
        """A source whose neurons fire rarely, often, never or always."""
        rate = (0.0, 0.05, 0.1, 0.5, 1.0)[self.number(0, 5)]
        spikes = self.random.random((IMAGES, self.steps, *neurons)) < rate
        self.trains.append(packed(spikes))
        self.source_channels.append(neurons[-1])

    def synapse(self, how: cpu.SynapseAttr, *shape: int) -> None:
        """A synapse of random weights."""
        kind = np.int8 if self.largest < 128 else np.int16
        array = self.random.integers(-self.largest, self.largest + 1, shape).astype(kind)
        self.synapses.append(how)
        self.tensors.append(self.weights.add(array, "weight"))

    def linear(self) -> tuple[int, ...]:
        """A vector from a vector or an image, at times with a shortcut."""
        inner, outer = self.one_of(*CHANNELS), self.one_of(*CHANNELS)
        positions = (self.number(1, 4), self.number(1, 4)) if self.number(0, 2) else ()
        self.train(*positions, inner)
        self.synapse(cpu.SynapseAttr.of("linear"), int(np.prod((*positions, inner))), outer)
        if self.number(0, 2):
            self.train(outer)
            self.synapse(cpu.SynapseAttr.of("diagonal"), outer)
        return (outer,)

    def image(self) -> tuple[int, ...]:
        """An image from another, with shortcuts of either kind, groups and channels of their own at times."""
        outer = self.one_of(*CHANNELS)
        rows, columns = self.number(1, 10), self.number(1, 10)
        self.convolution(rows, columns, outer)
        other = self.number(0, 5)
        if other == 0:
            self.train(rows, columns, outer)
            self.synapse(cpu.SynapseAttr.of("diagonal"), *((outer,), (1,), (rows, columns, outer))[self.number(0, 3)])
        elif other == 1:
            self.convolution(rows, columns, outer)
        elif other == 2:
            self.train(rows, columns, outer)
            self.synapse(cpu.SynapseAttr.of("depthwise_conv2d", (1, 1), (1, 1, 1, 1)), 3, 3, outer)
        return rows, columns, outer

    def convolution(self, rows: int, columns: int, outer: int) -> None:
        """A source of such a size that the result is of the given one."""
        kernel, stride = (self.number(1, 4), self.number(1, 4)), (self.number(1, 3), self.number(1, 3))
        dilation = (self.number(1, 3), self.one_of(1, 1, 1, 2))
        pool = (self.one_of(1, 1, 2), self.one_of(1, 1, 2))
        padding = [self.number(0, 2) for _ in range(4)]
        groups = 2 if outer % 2 == 0 and self.number(0, 6) == 0 else 1
        inner = self.one_of(*(each for each in CHANNELS if each % groups == 0 and each < 200))
        sizes: list[int] = []
        for axis, count in enumerate((rows, columns)):
            reach = (count - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1
            if reach <= sum(padding[2 * axis : 2 * axis + 2]):
                padding[2 * axis : 2 * axis + 2] = [0, 0]
            sizes.append(reach - sum(padding[2 * axis : 2 * axis + 2]))
        self.train(sizes[0] * pool[0], sizes[1] * pool[1] + pool[1] // 2, inner)
        how = cpu.SynapseAttr.of("conv2d", stride, padding, dilation, pool)
        self.synapse(how, groups, *kernel, inner // groups, outer // groups)

    def module(self, target: tuple[int, ...], properties: dict[str, Attribute | None]) -> ModuleOp:
        """A program of this one layer."""
        shapes = [train.shape[1:] for train in self.trains]
        body = Block(arg_types=[MemRefType(i64, shape) for shape in shapes])
        spikes = cpu.BufferOp(i64, target)
        layer = cpu.SpikeLayerOp.build(operands=[body.args, spikes.result, []], properties=properties)
        body.add_ops([spikes, layer, cpu.OutputOp([spikes.result])])
        types = [TensorType(i64, shape) for shape in shapes]
        function = func.FuncOp("main", (types, [TensorType(i64, target)]))
        program = cpu.ProgramOp(function.body.block.args, Region(body), [TensorType(i64, target)], steps=1)
        program.properties["processor"] = StringAttr("host")
        function.body.block.add_ops([program, func.ReturnOp(*program.outputs)])
        module = ModuleOp([function])
        module.verify()
        return module


@pytest.mark.parametrize("kernel", [None, "gather", "dense"])
@pytest.mark.parametrize("seed", range(10))
def test_every_kernel_is_the_operation(seed: int, kernel: str | None) -> None:
    layer = Maker(seed, kernel).layer()
    expected = layer.expected()
    for pipeline in ("reserve-scratch", "allocate-buffers"):
        apply(layer, pipeline)
    for processor in PROCESSORS:
        try:
            program = load_here(layer.module, weights_of(layer.context), processor)
        except ToolchainError:
            continue  # this machine has less
        found = program.run(layer.trains, RunOptions(threads=1)).outputs[0]
        difference = (unpacked(found, layer.channels) != unpacked(expected, layer.channels)).sum()
        assert difference == 0, processor
        np.testing.assert_array_equal(found, expected, err_msg=f"{processor}: bits without a channel")


@pytest.mark.parametrize("kernel", [None, "gather", "dense"])
@pytest.mark.parametrize("seed", range(50, 58))
def test_threads_share_a_layer(seed: int, kernel: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "WORTHWHILE", -1.0)
    layer = Maker(seed, kernel).layer()
    expected = layer.expected()
    for pipeline in ("reserve-scratch", "allocate-buffers"):
        apply(layer, pipeline)
    program = load_here(layer.module, weights_of(layer.context))
    for image in range(IMAGES):
        given = [train[image : image + 1] for train in layer.trains]
        for _ in range(3):
            found = program.run(given, RunOptions(threads=3)).outputs[0]
            np.testing.assert_array_equal(found[0], expected[image])


@pytest.mark.parametrize("seed", range(40, 50))
def test_the_c_text_is_the_operation(seed: int) -> None:
    layer = Maker(seed, None).layer()
    expected = layer.expected()
    apply(layer, "allocate-buffers")
    found = load_portable(layer.module, weights_of(layer.context)).run(layer.trains, RunOptions(threads=1)).outputs[0]
    np.testing.assert_array_equal(found, expected)


def apply(layer: Layer, name: str) -> None:
    """Applies a pass by name."""
    from xdsl.passes import PassPipeline

    from neurocuda.registry import pass_factories

    PassPipeline.parse_spec(pass_factories(), name).apply(layer.context, layer.module)
    layer.module.verify()
