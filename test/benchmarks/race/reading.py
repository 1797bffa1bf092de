"""A compiled network as one of the race: read from level `snn-integer` in code "free", or from `snn-count`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from networks import (
    Constant,
    Conv,
    Images,
    Layer,
    Linear,
    Network,
    Neurons,
    Node,
    Pad,
    Readout,
    Reshape,
    Scale,
    Slice,
    SumPool,
)
from numpy.typing import NDArray
from stepping import Logits
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

import neurocuda as nc
from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type, shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret


class NotInTheRace(Exception):
    """The network has a layer that the libraries do not have."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A level of a compiled network whose images are quantised before it and whose logits are dequantised behind it."""

    compiled: nc.Compiled
    level: str

    @property
    def module(self) -> ModuleOp:
        """The level."""
        return self.compiled.level(self.level)

    def network(self, name: str) -> Network:
        """The layers.

        Raises:
            NotInTheRace: one of them is none that libraries have.
        """
        found = next(op for op in self.module.walk() if isinstance(op, snn.NetworkOp))
        reader = _Reader(self.compiled.weights)
        nodes = tuple(reader.nodes(found))
        argument = found.body.block.args[0]
        element = element_type(argument)
        assert isinstance(element, CountType)
        counts = found.code.data == "count"
        steps = reader.levels if counts else found.duration
        return Network(name, shape_of(argument), element.bounds, steps, nodes, counts)

    def integers(self, images: NDArray[np.float32]) -> Images:
        """What the layers see of images."""
        return self._seen(images, host.QuantizeOp)

    def interpreted(self, images: NDArray[np.float32]) -> Images:
        """The integers of the last layer, under the reference interpreter."""
        return self._seen(images, snn.AccumulateOp)

    def _seen(self, images: NDArray[np.float32], kind: type[Operation]) -> Images:
        seen: list[Constant] = []

        def note(op: Operation, values: Constant) -> None:
            if isinstance(op, kind):
                seen.append(values.astype(np.int64))

        interpret(self.module, self.compiled.weights, [images], note)
        return np.ascontiguousarray(seen[-1])

    def whole(self, outputs: NDArray[np.float32]) -> Logits:
        """The integers that the target's logits were made from."""
        op = next(op for op in self.module.walk() if isinstance(op, host.DequantizeOp))
        arrays = self.compiled.weights.array
        offset = 0.0 if op.offset is None else arrays(op.offset)
        return np.rint((outputs.astype(np.float64) - offset) / arrays(op.scale)).astype(np.int64)


class _Reader:
    """Reads operations in order; values get the names of their layers."""

    def __init__(self, weights: WeightStore) -> None:
        self.weights = weights
        self.names: dict[SSAValue, str] = {}
        self.levels = 0

    def nodes(self, network: snn.NetworkOp) -> Iterator[Node]:
        """The layers of a network."""
        for op in network.body.block.ops:
            if isinstance(op, snn.OutputOp):
                return
            if isinstance(op, snn.InputOp):
                self.names[op.result] = "x"
                continue
            name = f"{op.name.partition('.')[2]}{len(self.names)}"
            self.names[op.results[0]] = name
            yield Node(name, tuple(self.names[operand] for operand in op.operands), self._layer(op))

    def _layer(self, op: Operation) -> Layer:
        if isinstance(op, snn.IntegrateAndFireOp):
            assert op.levels is not None
            self.levels = op.levels.value.data
            return Neurons(self._array(op.threshold), self._array(op.initial), self._array(op.bias))
        if isinstance(op, snn.AccumulateOp):
            return Readout(self._array(op.initial), self._array(op.bias))
        if isinstance(op, snn.Conv2dOp):
            return self._conv(op)
        if isinstance(op, snn.LinearOp):
            return Linear(self._array(op.weight))
        if isinstance(op, snn.DiagonalOp):
            return Scale(self._array(op.weight))
        return self._map(op)

    def _conv(self, op: snn.Conv2dOp) -> Layer:
        if op.groups.value.data != 1 or values_of(op.dilation) != (1, 1):
            raise NotInTheRace("a convolution has groups or a dilation")
        rows, columns = values_of(op.stride)
        top, bottom, left, right = values_of(op.padding)
        return Conv(self._array(op.weight), (rows, columns), (top, bottom, left, right))

    def _map(self, op: Operation) -> Layer:
        if isinstance(op, snn.SumPool2dOp) and not any(values_of(op.padding)):
            kernel, stride = values_of(op.kernel), values_of(op.stride)
            return SumPool((kernel[0], kernel[1]), (stride[0], stride[1]))
        if isinstance(op, snn.ReshapeOp):
            return Reshape(shape_of(op.result))
        if isinstance(op, snn.SliceOp):
            ends = zip(values_of(op.starts), values_of(op.stops), values_of(op.steps), strict=True)
            return Slice(tuple(slice(*each) for each in ends))
        if isinstance(op, snn.PadOp):
            return Pad(values_of(op.low), values_of(op.high))
        raise NotInTheRace(f"`{op.name}`: the spiking libraries have no such layer")

    def _array(self, constant: Dense | None) -> Constant:
        return np.zeros((1,), np.int64) if constant is None else self.weights.array(constant).astype(np.int64)
