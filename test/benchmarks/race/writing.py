"""A raced network as a module of the compiler: level `snn-integer` in code "free", or `snn-count`."""

from __future__ import annotations

import numpy as np
from networks import (
    Constant,
    Conv,
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
    Synapse,
)
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, Operation, Region, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.level import set_level
from neurocuda.ir.origin import set_origin
from neurocuda.ir.weights import WeightStore


def written(network: Network) -> tuple[Context, ModuleOp]:
    """A module whose `@main` takes the integers of an image and gives the logits, and its context."""
    context = create_context()
    writer = _Writer(network, weights_of(context))
    module = writer.module()
    set_level(module, "snn-count" if network.counts else "snn-integer")
    module.verify()
    return context, module


class _Writer:
    """Writes the layers into the body of a network, in order."""

    def __init__(self, network: Network, weights: WeightStore) -> None:
        self.network = network
        self.weights = weights
        self.block = Block()
        self.values: dict[str, SSAValue] = {}

    def module(self) -> ModuleOp:
        """Everything around the layers, and the layers."""
        network, taken = self.network, CountType.of(*self.network.input_range)
        argument = self.block.insert_arg(TensorType(taken, network.input_shape), 0)
        sent = taken if network.counts else snn.GradedType.of(*network.input_range)
        code = "payload" if network.counts else "current"
        self.values["x"] = self._add(snn.InputOp(argument, sent, code))
        for node in network.nodes:
            self.values[node.name] = self._add(self._op(node))
        logits = self.values[network.nodes[-1].name]
        self.block.add_op(snn.OutputOp([logits]))
        function = func.FuncOp("main", ((argument.type,), (logits.type,)))
        body = snn.NetworkOp(
            function.body.block.args,
            Region(self.block),
            [logits.type],
            code="count" if network.counts else "free",
            steps=1 if network.counts else network.steps,
        )
        function.body.block.add_ops([body, func.ReturnOp(*body.outputs)])
        return ModuleOp([function])

    def _add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def _op(self, node: Node) -> Operation:
        layer, reads = node.layer, [self.values[name] for name in node.reads]
        if isinstance(layer, Neurons):
            return self._neurons(node, layer, reads)
        if isinstance(layer, Readout):
            initial = self._constant(layer.initial, "initial") if layer.initial.any() else None
            return snn.AccumulateOp(reads, initial, self._constant(layer.bias, "bias"))
        if isinstance(layer, Conv | Linear | Scale):
            return self._synapse(layer, reads[0])
        if isinstance(layer, SumPool):
            return snn.SumPool2dOp(reads[0], layer.kernel, stride=layer.stride, element=self._summed(layer, reads[0]))
        if isinstance(layer, Reshape):
            return snn.ReshapeOp(reads[0], layer.shape)
        if isinstance(layer, Slice):
            ends = zip(*((part.start, part.stop, part.step) for part in layer.parts), strict=True)
            return snn.SliceOp(reads[0], *ends)
        assert isinstance(layer, Pad)
        return snn.PadOp(reads[0], layer.low, layer.high)

    def _neurons(self, node: Node, layer: Neurons, reads: list[SSAValue]) -> Operation:
        steps = self.network.steps
        op = snn.IntegrateAndFireOp(
            reads,
            CountType.of(0, steps) if self.network.counts else snn.SpikesType.of(0, steps),
            threshold=self._constant(layer.threshold, "threshold"),
            initial=self._constant(layer.initial, "initial") if layer.initial.any() else None,
            bias=self._constant(layer.bias, "bias"),
            levels=steps,
        )
        set_origin(op, node.name)
        return op

    def _synapse(self, layer: Synapse, x: SSAValue) -> Operation:
        narrow = next(kind for kind in (np.int8, np.int16, np.int32) if _fits(layer.weight, kind))
        weight = self.weights.add(layer.weight.astype(narrow), "weight")
        if isinstance(layer, Conv):
            return snn.Conv2dOp(x, weight, stride=layer.stride, padding=layer.padding)
        return snn.LinearOp(x, weight) if isinstance(layer, Linear) else snn.DiagonalOp(x, weight)

    def _summed(self, layer: SumPool, x: SSAValue) -> RangeType:
        """The type of the sums of windows."""
        element = element_type(x)
        assert isinstance(element, RangeType)
        low, high = (bound * int(np.prod(layer.kernel)) for bound in element.bounds)
        return CountType.of(low, high) if self.network.counts else snn.GradedType.of(low, high)

    def _constant(self, values: Constant, name: str) -> Dense:
        return self.weights.add(values.astype(np.int32), name)


def _fits(values: Constant, kind: type[np.integer]) -> bool:
    limits = np.iinfo(kind)
    return limits.min <= int(values.min()) and int(values.max()) <= limits.max
