"""Walks the layers in order, the float and the quantised network side by side, and calibrates one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.errors import InputError, OptionError
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import CLIP, IMAGES, LEVELS, broadcast_shape, statistics_of

if TYPE_CHECKING:
    from neurocuda.passes.ann.calibration.layer import Layer
    from neurocuda.reference.meaning import Array


@dataclass(frozen=True)
class CalibrateLayersPass(NeuroPass):
    name = "calibrate-layers"
    promise = Approximates()

    steps: tuple[str, ...] = ("least-squares", "bias", "threshold", "output-mean")
    timesteps: int = 15
    weight_bits: int = 8

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.ann.calibration.bias import Bias
        from neurocuda.passes.ann.calibration.least_squares import LeastSquares
        from neurocuda.passes.ann.calibration.output_mean import OutputMean
        from neurocuda.passes.ann.calibration.threshold import Threshold
        from neurocuda.reference.interpreter import main_function

        known = {step.name: step for step in (LeastSquares, Bias, Threshold, OutputMean)}
        attribute = module.attributes.get(IMAGES)
        images = [weights.array(cast(Dense, dense)) for dense in attribute.data]
        walk = _Walk(weights, [known[name]() for name in self.steps], self.timesteps, 2 ** (self.weight_bits - 1) - 1)
        function = main_function(module)
        for argument, array in zip(function.body.block.args, images, strict=True):
            walk.exact[argument] = walk.quantised[argument] = array
        for op in list(function.body.block.ops):
            walk.visit(op)


class _Walk:
    def __init__(self, weights, steps, timesteps, largest) -> None:
        from neurocuda.reference.interpreter import Run

        self.weights = weights
        self.run = Run(weights)
        self.steps = steps
        self.timesteps = timesteps
        self.largest = largest
        self.exact: dict[SSAValue, Array] = {}
        self.quantised: dict[SSAValue, Array] = {}
        self.scale = {}

    def visit(self, op: Operation) -> None:
        if isinstance(op, func.ReturnOp):
            return
        if isinstance(op, ann.InputOp):
            self._input(op)
        elif isinstance(op, SynapseOp):
            self._synapse(op)
        elif isinstance(op, ann.NeuronOp):
            self._neuron(op)
        else:
            self._carry(op)

    def _evaluate(self, op, operands):
        import numpy as np

        parts = [
            self.run.evaluate(op, [operand[start : start + 32] for operand in operands])[0]
            for start in range(0, len(operands[0]), 32)
        ]
        return np.concatenate(parts)

    def _input(self, op):
        import numpy as np
        from neurocuda.passes.ann._input_coding import of_pixels, of_statistics

        if op.mean is not None and op.std is not None:
            coding = of_pixels(*(self.weights.array(c).astype("float64") for c in (op.mean, op.std)))
        else:
            coding = of_statistics(statistics_of(op, self.weights))
        shape = shape_of(op.result)
        step, shift, scale, offset = (f.reshape(broadcast_shape(len(shape), len(f))) for f in (coding.step, coding.shift, coding.scale, coding.offset))
        x = self.quantised[op.input]
        n = np.clip(np.rint((x - shift) / step), *coding.bounds)
        self.exact[op.result] = self._evaluate(op, [x])
        self.quantised[op.result] = (n * scale + offset).astype(np.float32)
        self.scale[op.result] = np.broadcast_to(scale, shape)

    def _synapse(self, op):
        self.exact[op.result] = self._evaluate(op, [self.exact[op.input]])
        if any(isinstance(use.operation, ann.NeuronOp) for use in op.result.uses):
            return
        from neurocuda.passes.ann import _fields as fields
        from neurocuda.passes.ann._linear import bias_field, with_constants
        layer = self._layer([op], bias_field(op, self.weights), None, 1, self.exact[op.result], None)
        for step in self.steps:
            layer = step.apply(layer)
        self.quantised[op.result] = layer.charge
        self._write(op, layer.branches[0].weight)
        if layer.bias.any() and not isinstance(op, ann.DiagonalOp):
            op.properties["bias"] = self.weights.add(layer.bias.ravel().astype("float32"), "bias")

    def _write(self, op, weight):
        op.properties["weight"] = self.weights.add(weight.astype("float32"), "weight")

    def _layer(self, ops, bias, clip, levels, target, maximum):
        from neurocuda.passes.ann.calibration.layer import Branch, Layer
        branches = tuple(Branch(op, self.quantised[op.input], self.scale[op.input], self.weights.array(op.weight).astype("float64")) for op in ops)
        return Layer(branches, bias, clip, levels, target, self.largest, maximum)

    def _neuron(self, op):
        import numpy as np
        from neurocuda.passes.ann.calibration.layer import sum_of
        rank = len(shape_of(op.result))
        bias = np.zeros((1,) * rank) if op.bias is None else self.weights.array(op.bias).astype("float64")
        levels = op.attributes[LEVELS].value.data if LEVELS in op.attributes else self.timesteps
        clip = self.weights.array(op.attributes[CLIP]).astype("float64")
        target = sum_of([self.exact[c] for c in op.currents]) + bias.astype(np.float32)
        ops = [c.owner for c in op.currents]
        layer = self._layer(ops, bias, clip, levels, target, None if op.maximum is None else op.maximum.value.data)
        self.exact[op.result] = layer.wanted
        for step in self.steps:
            layer = step.apply(layer)
        self.quantised[op.result] = layer.activation
        self.scale[op.result] = np.broadcast_to(layer.threshold * layer.unit, shape_of(op.result))
        for branch in layer.branches:
            self._write(branch.op, branch.weight)
        op.properties["bias"] = self.weights.add(layer.bias.astype("float32"), "bias")
        written = (layer.threshold * layer.unit).ravel() * layer.levels
        op.attributes[CLIP] = self.weights.add(np.broadcast_to(written, clip.shape).astype("float32"), "clip")

    def _carry(self, op):
        from neurocuda.passes.ann import _fields as fields
        for values in (self.exact, self.quantised):
            values[op.results[0]] = self._evaluate(op, [values[o] for o in op.operands])
        if all(o in self.scale for o in op.operands) and fields.carries(op):
            self.scale[op.results[0]] = fields.carried(op, self.weights, [self.scale[o] for o in op.operands])
