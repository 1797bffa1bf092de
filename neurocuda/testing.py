"""Random networks for property tests of passes, codes and targets.

network = random_network(seed=7)
network.apply("calibrate", "balance-thresholds", "quantize-activations", "quantize-weights")
outputs = network.interpret(network.images)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, TensorType, f32, i64
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import set_origin
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Observer, interpret

Array = NDArray[Any]


@dataclass
class RandomNetwork:
    """A network of level `ann-convertible`, its weight store and images (batch, channels, height, width)."""

    context: Context
    module: ModuleOp
    images: NDArray[np.float32]

    @property
    def weights(self) -> WeightStore:
        """The store that holds the network's constants."""
        return weights_of(self.context)

    def apply(self, *pipeline: str) -> None:
        """Applies passes, each a name with or without options, as on a command line.

        Raises:
            NeuroCudaError: a pass refuses the network.
        """
        from xdsl.passes import PassPipeline

        from neurocuda.registry import merged_universe

        PassPipeline.parse_spec(dict(merged_universe().all_passes), ",".join(pipeline)).apply(self.context, self.module)
        self.module.verify()

    def interpret(self, images: Array, observer: Observer | None = None) -> list[Array]:
        """Runs the network on images."""
        return interpret(self.module, self.weights, [images], observer)


def random_network(
    seed: int, *, images: int = 4, mixed_levels: bool = False, blocks: int = 4, extreme: bool = False
) -> RandomNetwork:
    """A network of random convolutions, residual sums, concatenations, poolings and a classifier.

    With `mixed_levels` every layer gets its own number of levels from 1 to 12. Biases, scales and inputs are chosen
    so that neurons are silent, saturated and in between. With `extreme`, a few weights are many times all others, and
    a few images dark or far too bright.
    """
    context = create_context()
    builder = _Builder(np.random.default_rng(seed), weights_of(context), mixed_levels, extreme)
    shape = (
        int(builder.random.integers(1, 4)),
        int(builder.random.integers(7, 11)),
        int(builder.random.integers(7, 11)),
    )
    function = func.FuncOp("main", ((TensorType(f32, shape),), (TensorType(f32, (3,)),)))
    builder.block = function.body.block
    value = builder.neuron([builder.conv(builder.add(ann.InputOp(builder.block.args[0])))])
    for _ in range(blocks):
        value = builder.pick()(value)
    features = int(np.prod(shape_of(value)))
    flat = builder.add(ann.ReshapeOp(value, (features,)))
    logits = builder.add(ann.LinearOp(flat, builder.constant(3, features), builder.constant(3)))
    builder.block.add_op(func.ReturnOp(logits))
    data = builder.random.normal(0, 1, (images, *shape)).astype(np.float32)
    if extreme:
        data *= np.resize(np.asarray([1, 0, 1, 100], np.float32), (images, 1, 1, 1))
    module = ModuleOp([function], {"nc.calibration": ArrayAttr([weights_of(context).add(data, "calibration")])})
    module.verify()
    return RandomNetwork(context, module, data)


class _Builder:
    """Appends random layers to a block."""

    def __init__(self, random: np.random.Generator, weights: WeightStore, mixed_levels: bool, extreme: bool) -> None:
        self.random = random
        self.weights = weights
        self.mixed_levels = mixed_levels
        self.extreme = extreme
        self.block = Block()
        self.count = 0

    def pick(self) -> Callable[[SSAValue], SSAValue]:
        """One of the kinds of block, at random."""
        kinds = (self.plain, self.residual, self.joined, self.max_pooled, self.sum_pooled, self.depthwise)
        return kinds[int(self.random.integers(len(kinds)))]

    def add(self, op: Operation) -> SSAValue:
        """Appends an operation and names its value."""
        set_origin(op, f"{op.name.partition('.')[2]}{self.count}")
        self.count += 1
        self.block.add_op(op)
        return op.results[0]

    def constant(self, *shape: int):
        """Random weights or biases."""
        values = self.random.normal(0, 0.4, shape)
        if self.extreme:
            values *= np.exp(self.random.normal(0, 2, shape))
        return self.weights.add(values.astype(np.float32), "constant")

    def conv(self, value: SSAValue, outputs: int | None = None, *, same: bool = False) -> SSAValue:
        """A random convolution; with `same` it keeps height and width."""
        channels, height, width = shape_of(value)
        outputs = outputs or int(self.random.integers(2, 6))
        kernel = int(self.random.choice([1, 3]))
        dilation = int(self.random.choice([1, 2])) if min(height, width) > 4 and not same else 1
        reach = dilation * (kernel - 1)
        padding = [reach // 2] * 4 if same else [int(pad) for pad in self.random.integers(0, 2, 4) + reach // 2]
        stride = 1 if same or min(height, width) < 4 else int(self.random.choice([1, 2]))
        weight = self.constant(outputs, channels, kernel, kernel)
        return self.add(
            ann.Conv2dOp(value, weight, stride=(stride, stride), padding=padding, dilation=(dilation, dilation))
        )

    def neuron(self, currents: Sequence[SSAValue]) -> SSAValue:
        """A neuron layer over currents of one shape."""
        channels = shape_of(currents[0])[0]
        result = self.add(ann.NeuronOp(currents, self.constant(channels, 1, 1)))
        if self.mixed_levels:
            result.owner.attributes["nc.levels"] = IntegerAttr(int(self.random.integers(1, 13)), i64)  # pyright: ignore
        return result

    def plain(self, value: SSAValue) -> SSAValue:
        """A convolution and its neurons."""
        return self.neuron([self.conv(value)])

    def depthwise(self, value: SSAValue) -> SSAValue:
        """One filter per channel."""
        channels = shape_of(value)[0]
        weight = self.constant(channels, 1, 3, 3)
        return self.neuron([self.add(ann.Conv2dOp(value, weight, padding=(1, 1, 1, 1), groups=channels))])

    def residual(self, value: SSAValue) -> SSAValue:
        """Two convolutions and an identity shortcut."""
        channels = shape_of(value)[0]
        inner = self.neuron([self.conv(value, same=True)])
        identity = self.weights.add(np.ones((channels, 1, 1), np.float32), "identity")
        return self.neuron([self.conv(inner, channels, same=True), self.add(ann.DiagonalOp(value, identity))])

    def joined(self, value: SSAValue) -> SSAValue:
        """A new branch beside what was there."""
        return self.add(ann.ConcatOp([value, self.neuron([self.conv(value, same=True)])], 0))

    def max_pooled(self, value: SSAValue) -> SSAValue:
        """Max pooling, where there is room."""
        return self._pooled(value, ann.MaxPool2dOp)

    def sum_pooled(self, value: SSAValue) -> SSAValue:
        """Sum pooling (an average whose divisor has been folded), where there is room."""
        return self._pooled(value, ann.SumPool2dOp)

    def _pooled(self, value: SSAValue, kind: type[ann.MaxPool2dOp | ann.SumPool2dOp]) -> SSAValue:
        if min(shape_of(value)[1:]) < 3:
            return value
        pad = int(self.random.integers(0, 2))
        return self.add(kind(value, (3, 3) if pad else (2, 2), stride=(2, 2), padding=(pad,) * 4))
