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
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, NameLoc, NoneAttr, StringAttr, TensorType, f32, i64
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import set_origin
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Observer, interpret

Array = NDArray[Any]

BLOCKS = ("plain", "residual", "joined", "max_pooled", "sum_pooled", "depthwise")
"""What `random_network` puts between the first layer and the classifier."""


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
    seed: int,
    *,
    images: int = 4,
    mixed_levels: bool = False,
    blocks: int = 4,
    extreme: bool = False,
    kinds: Sequence[str] = BLOCKS,
    even: bool = False,
) -> RandomNetwork:
    """A network of random convolutions, residual sums, concatenations, poolings and a classifier.

    With `mixed_levels` every layer gets its own number of levels from 1 to 12. Biases, scales and inputs are chosen
    so that neurons are silent, saturated and in between. With `extreme`, a few weights are many times all others, and
    a few images dark or far too bright. `kinds` are those of `BLOCKS` that it is made of; with
    `even` all sides of an image are padded alike.
    """
    context = create_context()
    builder = _Builder(np.random.default_rng(seed), weights_of(context), mixed_levels, extreme, even)
    shape = (
        int(builder.random.integers(1, 4)),
        int(builder.random.integers(7, 11)),
        int(builder.random.integers(7, 11)),
    )
    value = builder.neuron([builder.conv(builder.start(shape))])
    for _ in range(blocks):
        value = builder.pick(kinds)(value)
    flat = builder.add(ann.ReshapeOp(value, (int(np.prod(shape_of(value))),)))
    return builder.finish(context, flat, images)


def random_dense_network(
    seed: int, *, images: int = 4, mixed_levels: bool = False, layers: int = 2, extreme: bool = False
) -> RandomNetwork:
    """A network of vectors: random linear layers and a classifier; otherwise as `random_network`."""
    context = create_context()
    builder = _Builder(np.random.default_rng(seed), weights_of(context), mixed_levels, extreme)
    value = builder.start((int(builder.random.integers(4, 17)),))
    for _ in range(layers):
        value = builder.neuron([builder.linear(value, int(builder.random.integers(3, 20)))])
    return builder.finish(context, value, images)


class _Builder:
    """Appends random layers to a block."""

    def __init__(
        self,
        random: np.random.Generator,
        weights: WeightStore,
        mixed_levels: bool,
        extreme: bool,
        even: bool = False,
    ) -> None:
        self.random = random
        self.even = even
        self.weights = weights
        self.mixed_levels = mixed_levels
        self.extreme = extreme
        self.function = func.FuncOp("main", ((), ()))
        self.block = self.function.body.block
        self.count = 0

    def start(self, shape: Sequence[int]) -> SSAValue:
        """The input."""
        return self.add(ann.InputOp(self.block.insert_arg(TensorType(f32, shape), 0)))

    def finish(self, context: Context, features: SSAValue, images: int) -> RandomNetwork:
        """The network with a classifier of three classes, and images for it."""
        self.block.add_op(func.ReturnOp(self.linear(features, 3)))
        self.function.update_function_type()
        shape = shape_of(self.block.args[0])
        data = self.random.normal(0, 1, (images, *shape)).astype(np.float32)
        if self.extreme:
            data *= np.resize(np.asarray([1, 0, 1, 100], np.float32), (images, *[1] * len(shape)))
        module = ModuleOp([self.function], {"nc.calibration": ArrayAttr([self.weights.add(data, "calibration")])})
        module.verify()
        return RandomNetwork(context, module, data)

    def pick(self, kinds: Sequence[str]) -> Callable[[SSAValue], SSAValue]:
        """One of the kinds of block, at random."""
        return getattr(self, kinds[int(self.random.integers(len(kinds)))])

    def add(self, op: Operation) -> SSAValue:
        """Appends an operation and names its value, also as the place in the user's model."""
        name = f"{op.name.partition('.')[2]}{self.count}"
        set_origin(op, name)
        op.location = NameLoc(StringAttr(name), NoneAttr())
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
        half = reach // 2
        padding = [half] * 4 if same or self.even else [int(pad) for pad in self.random.integers(0, 2, 4) + half]
        stride = 1 if same or min(height, width) < 4 else int(self.random.choice([1, 2]))
        weight = self.constant(outputs, channels, kernel, kernel)
        return self.add(
            ann.Conv2dOp(value, weight, stride=(stride, stride), padding=padding, dilation=(dilation, dilation))
        )

    def linear(self, value: SSAValue, outputs: int) -> SSAValue:
        """A linear layer."""
        return self.add(ann.LinearOp(value, self.constant(outputs, shape_of(value)[0]), self.constant(outputs)))

    def neuron(self, currents: Sequence[SSAValue]) -> SSAValue:
        """A neuron layer over currents of one shape."""
        channels, *others = shape_of(currents[0])
        result = self.add(ann.NeuronOp(currents, self.constant(channels, *[1] * len(others))))
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
