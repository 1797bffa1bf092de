"""The float and the quantised network side by side, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import acts_on_charge, is_charge_of_another
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann import _fields as fields
from neurocuda.passes.ann._input_coding import coding_of
from neurocuda.passes.ann._linear import bias_field
from neurocuda.passes.ann._narrowed import layer_name
from neurocuda.passes.ann._statistics import CLIP, broadcast_shape, channel_axis, levels_of
from neurocuda.passes.ann._table_activations import whole_share
from neurocuda.passes.ann._weight_grid import WeightGrid
from neurocuda.passes.ann.calibration.layer import Branch, Layer, Step, batches, total
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array

Field = NDArray[np.float64]


class Walk:
    """Visits the operations of a network in order; every layer is calibrated before its readers see it.

    `exact` holds what the float network says of the images, `quantised` what the quantised network says, both in
    floats, `train` what free-running neurons say step by step (its mean is `quantised`), `scale` what one count stands
    for, element by element, and `narrowed` the layers whose integers the target's limits change. What the quantised
    network cannot say has no entry and ends the walk there; `quantize-activations` refuses it and says why.
    """

    def __init__(
        self, weights: WeightStore, steps: Sequence[Step], timesteps: int, grid: WeightGrid, *, free: bool = False
    ) -> None:
        self.weights = weights
        self.run = Run(weights)
        self.steps = steps
        self.timesteps = timesteps
        self.grid = grid
        self.free = free
        self.exact: dict[SSAValue, Array] = {}
        self.quantised: dict[SSAValue, Array] = {}
        self.train: dict[SSAValue, Array] = {}
        self.scale: dict[SSAValue, Field] = {}
        self.narrowed: list[str] = []

    def start(self, value: SSAValue, images: Array) -> None:
        """An argument of the network and its images."""
        self.exact[value] = self.quantised[value] = images

    def visit(self, op: Operation) -> None:
        """Runs one operation in both networks; a layer is calibrated in between."""
        if isinstance(op, func.ReturnOp) or any(operand not in self.quantised for operand in op.operands):
            return
        if isinstance(op, ann.InputOp):
            self._input(op)
        elif isinstance(op, SynapseOp):
            self._synapse(op)
        elif isinstance(op, ann.NeuronOp):
            self._neuron(op)
        elif isinstance(op, ann.RelayOp):
            self._relay(op)
        elif acts_on_charge(op):
            self._say(op)
        elif isinstance(op, host.SegmentOp):
            self._run_on_host(op)
        else:
            self._carry(op)
        self._forget(op)

    def _forget(self, op: Operation) -> None:
        """Drops what nobody will read again."""
        for operand in op.operands:
            if all(use.operation is op or use.operation.is_before_in_block(op) for use in operand.uses):
                for values in (self.exact, self.quantised, self.train):
                    values.pop(operand, None)

    def _evaluate(self, op: Operation, operands: Sequence[Array]) -> Array:
        """The first result of an operation, a few images at a time; what depends on constants alone has one."""
        images = max((len(operand) for operand in operands), default=1)
        parts = (
            [operand[batch] if len(operand) == images else operand for operand in operands] for batch in batches(images)
        )
        return np.concatenate([self.run.evaluate(op, part)[0] for part in parts])

    def _input(self, op: ann.InputOp) -> None:
        self.exact[op.result] = self._evaluate(op, [self.exact[op.input]])
        coding = coding_of(op, self.weights)
        if coding is None:
            return
        shape = shape_of(op.result)
        step, shift, scale, offset = (
            field.reshape(broadcast_shape(len(shape), len(field)))
            for field in (coding.step, coding.shift, coding.scale, coding.offset)
        )
        counts = np.clip(np.rint((self.quantised[op.input] - shift) / step), *coding.bounds)
        self.quantised[op.result] = (counts * scale + offset).astype(np.float32)
        self.scale[op.result] = np.broadcast_to(scale, shape)

    def _run_on_host(self, op: host.SegmentOp) -> None:
        for values in (self.exact, self.quantised):
            results = self.run.evaluate(op, [values[operand] for operand in op.operands])
            values.update(zip(op.results, results, strict=True))

    def _carry(self, op: Operation) -> None:
        for values in (self.exact, self.quantised):
            values[op.results[0]] = self._evaluate(op, [values[operand] for operand in op.operands])
        if any(operand in self.train for operand in op.operands):
            self._carry_train(op)
        if all(operand in self.scale for operand in op.operands) and fields.carries(op):
            scale = fields.carried(op, self.weights, [self.scale[operand] for operand in op.operands])
            if scale is not None:
                self.scale[op.results[0]] = scale

    def _carry_train(self, op: Operation) -> None:
        """Trains pass as values do; a maximum is that of the spikes so far, as `snn.running_max_pool2d` sends it."""
        steps = len(next(self.train[operand] for operand in op.operands if operand in self.train))
        trains = [self.train.get(operand, [self.quantised[operand]] * steps) for operand in op.operands]
        if isinstance(op, ann.MaxPool2dOp):
            trains = [np.cumsum(train, axis=0) for train in trains]
        result = np.stack([self._evaluate(op, step) for step in zip(*trains, strict=True)])
        if isinstance(op, ann.MaxPool2dOp):
            result = np.diff(result, axis=0, prepend=np.float32(0))
        self.train[op.results[0]] = result
        self.quantised[op.results[0]] = result.mean(axis=0)

    def _synapse(self, op: SynapseOp) -> None:
        self.exact[op.result] = self._evaluate(op, [self.exact[op.input]])
        if any(isinstance(use.operation, ann.NeuronOp | ann.RelayOp) for use in op.result.uses):
            self.quantised[op.result] = self.quantised[op.input]  # what its neurons need of it
            if op.input in self.train:
                self.train[op.result] = self.train[op.input]
            return
        branches = self._branches([(op, op.input)])
        if branches is None:
            return
        bias = bias_field(op, self.weights)
        layer = self._calibrated(op, Layer(branches, bias, None, 1, self.exact[op.result], self.grid))
        if (layer.bias != bias).any() and isinstance(op, Conv2dBase | LinearBase):
            op.properties["bias"] = self._constant(np.broadcast_to(layer.bias.ravel(), len(branches[0].weight)), "bias")
        self.quantised[op.result] = layer.charge

    def _neuron(self, op: ann.NeuronOp) -> None:
        branches = self._branches([(current.owner, current) for current in op.currents])
        if branches is None:
            return
        bias = np.zeros((1,) * len(shape_of(op.result)))
        if op.bias is not None:
            bias = self.weights.array(op.bias).astype(np.float64)
        highest = op.maximum
        given = Layer(
            branches,
            bias,
            self.weights.array(cast(Dense, op.attributes[CLIP])).astype(np.float64),
            levels_of(op, self.timesteps),
            total([self.exact[current] for current in op.currents]) + bias.astype(np.float32),
            self.grid,
            None if highest is None else highest.value.data,
            self.free,
        )
        self.exact[op.result] = given.wanted
        layer = self._calibrated(op, given)
        if (layer.bias != bias).any():
            op.properties["bias"] = self._constant(layer.bias, "bias")
        step = layer.threshold * layer.unit
        assert given.clip is not None
        op.attributes[CLIP] = self._constant(np.broadcast_to(step.ravel() * layer.levels, given.clip.shape), "clip")
        self.scale[op.result] = np.broadcast_to(step, shape_of(op.result))
        if self.free:
            self.train[op.result] = layer.train
            self.quantised[op.result] = self.train[op.result].mean(axis=0)
        else:
            self.quantised[op.result] = layer.activation

    def _relay(self, op: ann.RelayOp) -> None:
        """The charge is corrected as a readout's is."""
        if any(not isinstance(current.owner, SynapseOp) for current in op.currents):
            self._carry(op)  # a product
        elif _lies_otherwise(op):
            self._receive(op)
        else:
            self._correct(op)
        if not is_charge_of_another(op):
            self._round(op)

    def _receive(self, op: ann.RelayOp) -> None:
        """What the relay makes of what reaches it, uncorrected."""
        currents = [current.owner for current in op.currents]
        received = [
            self._evaluate(each, [self.quantised[each.result]]) for each in currents if isinstance(each, SynapseOp)
        ]
        self.exact[op.result] = self._evaluate(op, [self.exact[current] for current in op.currents])
        self.quantised[op.result] = self._evaluate(op, received)

    def _correct(self, op: ann.RelayOp) -> None:
        branches = self._branches([(current.owner, current) for current in op.currents])
        if branches is None:
            self._receive(op)
            return
        bias = np.zeros((1,) * len(shape_of(op.result)))
        if op.bias is not None:
            bias = self.weights.array(op.bias).astype(np.float64)
        target = total([self.exact[current] for current in op.currents]) + bias.astype(np.float32)
        layer = self._calibrated(op, Layer(branches, bias, None, 1, target, self.grid))
        if (layer.bias != bias).any():
            op.properties["bias"] = self._constant(layer.bias, "bias")
        self.exact[op.result], self.quantised[op.result] = target, layer.charge

    def _say(self, op: Operation) -> None:
        """An activation function, a layer norm or a softmax of what a relay gathers."""
        for values in (self.exact, self.quantised):
            values[op.results[0]] = self._evaluate(op, [values[operand] for operand in op.operands])
        self._round(op)

    def _round(self, op: Operation) -> None:
        """Rounds what the layer says to the levels of its clip range; of a softmax, which has none, to finer ones."""
        value, levels = op.results[0], levels_of(op, self.timesteps)
        shape = shape_of(value)
        if isinstance(op, ann.SoftmaxOp):
            levels = whole_share(levels, shape[-1])
            unit = np.array([1 / levels])
        else:
            clip = self.weights.array(cast(Dense, op.attributes[CLIP])).astype(np.float64)
            unit = clip.reshape(broadcast_shape(len(shape), len(clip))) / levels
        counts = np.clip(np.rint(self.quantised[value] / unit.astype(np.float32)), -levels, levels)
        self.quantised[value] = counts * unit.astype(np.float32)
        self.scale[value] = np.broadcast_to(unit, shape)

    def _branches(self, synapses: Sequence[tuple[object, SSAValue]]) -> tuple[Branch, ...] | None:
        """The synapses of a layer and what they read; None where one cannot be quantised, as later passes will tell."""
        branches: list[Branch] = []
        for op, read in synapses:
            if not isinstance(op, SynapseOp) or op.input not in self.scale:
                return None
            weight = self.weights.array(op.weight).astype(np.float64)
            if fields.columns(op, weight, self.scale[op.input]) is None:
                return None
            branches.append(Branch(op, self.quantised[read], self.scale[op.input], weight, self.train.get(read)))
        return tuple(branches)

    def _calibrated(self, op: Operation, layer: Layer) -> Layer:
        """The layer behind all steps, its weights written."""
        given, narrowed = layer, layer.narrowed
        for step in self.steps:
            layer = step(layer)
            narrowed = narrowed or layer.narrowed
        if narrowed:
            self.narrowed.append(layer_name(op))
        for before, branch in zip(given.branches, layer.branches, strict=True):
            if branch is not before:
                branch.op.properties["weight"] = self._constant(branch.weight, "weight")
        return layer

    def _constant(self, values: Field, name: str) -> Dense:
        return self.weights.add(values.astype(np.float32), name)


def _lies_otherwise(op: ann.RelayOp) -> bool:
    """Whether the outputs of a matrix product lie along another axis than a layer's channels."""
    rank = len(shape_of(op.result))
    return channel_axis(rank) != rank - 1 and any(isinstance(current.owner, LinearBase) for current in op.currents)
