"""Modules of level `loihi` in the shape of residual networks, with weights of zero: for limits, speed and traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, StringAttr, TensorType, i8, i32
from xdsl.ir import Attribute, Block, Region, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import CURRENT, GRADED, SPIKE
from neurocuda.ir.attributes import element_type, integer, integers, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import set_origin
from neurocuda.ir.weights import WeightStore


@dataclass
class Shaped:
    """A network that has a shape and says nothing."""

    context: Context
    module: ModuleOp

    @property
    def weights(self) -> WeightStore:
        """The store that holds the network's constants."""
        return weights_of(self.context)

    @property
    def groups(self) -> list[loihi.GroupOp]:
        """All groups, in order."""
        return [op for op in self.module.walk() if isinstance(op, loihi.GroupOp)]


class ShapedNetworks:
    """Builds networks."""

    def resnet20(self) -> Shaped:
        """As for CIFAR-10: three stages of three blocks, shortcuts sparse; 188,426 neurons."""
        return _Builder((32, 32, 3)).network(stem=(16, 3, 1, 1), stages=((16, 3), (32, 3), (64, 3)), pool=False)

    def resnet18(self, size: int = 224) -> Shaped:
        """As for ImageNet, or for CIFAR-10 with a size of 32."""
        stem = (64, 7, 2, 3) if size > 64 else (64, 3, 1, 1)
        stages = ((64, 2), (128, 2), (256, 2), (512, 2))
        return _Builder((size, size, 3)).network(stem=stem, stages=stages, pool=size > 64, classes=1000)

    def windows(self, seed: int) -> Shaped:
        """Two convolutions of any geometry behind each other, perhaps transposed before and behind the second."""
        random = np.random.default_rng(seed)
        groups, channels = (int(each) for each in random.choice([(1, 3), (1, 4), (2, 4), (4, 4)]))
        builder = _Builder((int(random.integers(6, 9)), int(random.integers(6, 9)), 2))
        spikes = builder.group("first", [builder.conv(builder.image, channels, 2, 1, 1)])
        transposed = bool(random.integers(2))
        if transposed:
            spikes = builder.transposed(spikes, (1, 0, 2))
        kernel, stride, dilation = (int(each) for each in random.choice([(1, 2, 1), (3, 1, 1), (2, 3, 2), (3, 2, 2)]))
        currents = builder.conv(spikes, 2 * channels, kernel, stride, int(random.integers(2)), groups, dilation)
        if random.integers(2):
            currents = builder.transposed(currents, (2, 0, 1))
        return builder.module(builder.group("second", [currents]))


class _Builder:
    def __init__(self, image: tuple[int, ...]) -> None:
        self.context = create_context()
        self.block = Block(arg_types=[TensorType(GRADED, (1, *image))])
        source = loihi.SourceOp(operands=[self.block.args[0]], result_types=[TensorType(GRADED, image)])
        self.block.add_op(source)
        self.image: SSAValue = source.result

    def network(
        self,
        stem: tuple[int, int, int, int],
        stages: Sequence[tuple[int, int]],
        *,
        pool: bool,
        classes: int = 10,
    ) -> Shaped:
        spikes = self.group("stem", [self.conv(self.image, *stem)])
        if pool:
            spikes = self.group("pool", [self.conv(spikes, 64, 3, 2, 1, groups=64)])
        for stage, (channels, blocks) in enumerate(stages):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                spikes = self.residual(f"layer{stage}.{block}", spikes, channels, stride)
        width, _, channels = shape_of(spikes)
        spikes = self.group("average", [self.conv(spikes, channels, width, 1, 0, groups=channels)])
        vector = loihi.ReshapeOp(spikes, (channels,))
        properties = {"weight": zeros((classes, channels)), "sign_mode": StringAttr("mixed")}
        kind = TensorType(CURRENT, (classes,))
        dense = loihi.DenseOp.build(operands=[vector.result], properties=properties, result_types=[kind])
        self.block.add_ops([vector, dense])
        return self.module(self.group("fc", [dense.result]))

    def residual(self, name: str, spikes: SSAValue, channels: int, stride: int) -> SSAValue:
        """Two convolutions and a shortcut: by a convolution where the shape changes, else sparse."""
        inner = self.group(f"{name}.relu1", [self.conv(spikes, channels, 3, stride, 1)])
        same = stride == 1 and shape_of(spikes)[2] == channels
        shortcut = self.identity(spikes) if same else self.conv(spikes, channels, 1, stride, 0)
        return self.group(f"{name}.relu2", [self.conv(inner, channels, 3, 1, 1), shortcut])

    def transposed(self, value: SSAValue, permutation: tuple[int, ...]) -> SSAValue:
        """Axes in another order."""
        port = loihi.TransposeOp(value, permutation)
        self.block.add_op(port)
        return port.result

    def conv(
        self,
        spikes: SSAValue,
        channels: int,
        kernel: int,
        stride: int,
        padding: int,
        groups: int = 1,
        dilation: int = 1,
    ) -> SSAValue:
        """Currents of a square convolution."""
        message = {"message_bits": integer(8)} if element_type(spikes) == GRADED else {}
        properties: dict[str, Attribute] = {
            "weight": zeros((channels, kernel, kernel, shape_of(spikes)[2] // groups)),
            "sign_mode": StringAttr("mixed"),
            "stride": integers((stride, stride)),
            "padding": integers((padding, padding)),
            "dilation": integers((dilation, dilation)),
            "groups": integer(groups),
            **message,
        }
        kind = TensorType(CURRENT, (1, 1, 1))
        inferred = loihi.ConvOp.build(operands=[spikes], properties=properties, result_types=[kind]).inferred_shape()
        kind = TensorType(CURRENT, inferred)
        op = loihi.ConvOp.build(operands=[spikes], properties=properties, result_types=[kind])
        self.block.add_op(op)
        return op.result

    def identity(self, spikes: SSAValue) -> SSAValue:
        """Currents of a sparse synapse of every neuron with its own."""
        shape = shape_of(spikes)
        before = loihi.ReshapeOp(spikes, (int(np.prod(shape)),))
        neurons = shape_of(before.result)
        order = weights_of(self.context).add(np.arange(neurons[0], dtype=np.int32), "order")
        properties = {"weight": zeros(neurons), "sources": order, "targets": order, "sign_mode": StringAttr("mixed")}
        kind = TensorType(CURRENT, neurons)
        sparse = loihi.SparseOp.build(operands=[before.result], properties=properties, result_types=[kind])
        behind = loihi.ReshapeOp(sparse.result, shape)
        self.block.add_ops([before, sparse, behind])
        return behind.result

    def group(self, name: str, currents: Sequence[SSAValue]) -> SSAValue:
        """Spikes of neurons with a threshold for every channel."""
        shape = shape_of(currents[0])
        results = [TensorType(SPIKE, shape), TensorType(CURRENT, shape)]
        threshold = DenseIntOrFPElementsAttr.from_list(TensorType(i32, shape[-1:]), [1] * shape[-1])
        op = loihi.IntegrateAndFireOp.build(
            operands=[currents], properties={"threshold": threshold}, result_types=results
        )
        set_origin(op, name)
        self.block.add_op(op)
        return op.spikes

    def module(self, spikes: SSAValue) -> Shaped:
        """A module that puts out spikes."""
        self.block.add_op(loihi.OutputOp([spikes]))
        results = [TensorType(SPIKE, (2, *shape_of(spikes)))]
        function = func.FuncOp("main", ([argument.type for argument in self.block.args], results))
        network = loihi.NetworkOp(function.body.block.args, Region(self.block), results, steps=2)
        function.body.block.add_ops([network, func.ReturnOp(*network.results)])
        module = ModuleOp([function])
        module.verify()
        return Shaped(self.context, module)


def zeros(shape: tuple[int, ...]) -> DenseIntOrFPElementsAttr:
    """Weights, written as one value."""
    return DenseIntOrFPElementsAttr.from_list(TensorType(i8, shape), [0])


@pytest.fixture
def shaped() -> ShapedNetworks:
    """What builds networks."""
    return ShapedNetworks()
