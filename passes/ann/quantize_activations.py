"""Turns activations into counts: every neuron layer becomes a staircase, the input becomes integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects import func
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr, ModuleOp, TensorType, f32
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import acts_on_charge, is_charge_of_another
from neurocuda.dialects.ann.index_maps import united_range
from neurocuda.dialects.ann.pooling import summed_range
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.errors import LevelError, OptionError, Problem
from neurocuda.ir.attributes import element_type, shape_of, values_of
from neurocuda.ir.origin import user_location, written_name
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass, replace
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import CLIP, broadcast_shape, levels_of, statistics_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neurocuda.passes.ann._input_coding import InputCoding
    from neurocuda.passes.ann._table_activations import Charge

    Field = NDArray[np.float64]


@dataclass(frozen=True)
class QuantizeActivationsPass(NeuroPass):
    """
    Turns every `ann.neuron` into an `ann.staircase` of `timesteps` levels and the input into integers.

    With clip range λ and T levels, a count n stands for n λ / T and is clip(floor(z T / λ + 1/2), 0, T) of the charge z
    (Bu et al. 2022, the quantisation-clip-floor-shift activation). The scale of a count is absorbed by the columns of
    the weights that read it, so values flow as counts while weights stay floats. Inputs on a grid of pixels keep their
    exact values; others are rounded to 8 bits. Every activation error is paid here. A layer with an attribute
    `nc.levels` keeps that number of levels instead. `initial` is the share of a threshold that a membrane starts with:
    one half rounds to the nearest, zero (the older methods) down.

    Before:
        func.func @main(%p: tensor<1xui8>) -> tensor<1xf32> {
          %x = ann.input %p mean(dense<0.0> : tensor<1xf32>) std(dense<1.0> : tensor<1xf32>) : tensor<1xui8> -> tensor<1xf32>
          %0 = ann.diagonal %x weight(dense<255.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
          %y = ann.neuron %0 {nc.clip = dense<3.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
          func.return %y : tensor<1xf32>
        }

    Options: timesteps=3

    After:
        %x = host.quantize %p step(...) : tensor<1xui8> -> tensor<1x!ann.count<0, 255>>
        %0 = ann.diagonal %x weight(dense<1.000000e+00> : tensor<1xf32>) : tensor<1x!ann.count<0, 255>> -> tensor<1xf32>
        %y = ann.staircase %0 bias(dense<0.000000e+00> : tensor<1xf32>) threshold(dense<1.000000e+00> : tensor<1xf32>)
               initial(dense<5.000000e-01> : tensor<1xf32>) scale(dense<1.000000e+00> : tensor<1xf64>) levels 3
               : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
        ...
    """  # noqa: E501

    name = "quantize-activations"
    promise = Approximates()

    timesteps: int = 15
    initial: float | int = 0.5

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        if not 1 <= self.timesteps <= 2**15:
            raise OptionError(f"quantize-activations: timesteps must be 1 ... 32768, not {self.timesteps}")
        if not 0 <= self.initial < 1:
            raise OptionError(f"quantize-activations: initial must be at least 0 and below 1, not {self.initial}")
        from neurocuda.reference.interpreter import main_function

        quantizer = _Quantizer(weights, self.timesteps, self.initial)
        function = main_function(module)
        for op in list(function.body.block.ops):
            quantizer.visit(op)
        if quantizer.problems:
            raise LevelError("the activations cannot be quantised:", quantizer.problems)


class _Quantizer:
    """Walks the network in order and keeps, for every count, what one unit stands for, element by element."""

    def __init__(self, weights: WeightStore, timesteps: int, initial: float) -> None:
        self.weights = weights
        self.timesteps = timesteps
        self.initial = initial
        self.scale: dict[SSAValue, Field] = {}
        self.offset: dict[SSAValue, Field] = {}
        self.bias: dict[SSAValue, Field] = {}
        self.problems: list[Problem] = []

    def visit(self, op: Operation) -> None:
        """Rewrites one operation; what reads it has not been visited yet."""
        if isinstance(op, ann.InputOp):
            self._input(op)
        elif isinstance(op, SynapseOp):
            self._synapse(op)
        elif isinstance(op, ann.NeuronOp):
            self._neuron(op)
        elif isinstance(op, ann.RelayOp):
            self._relay(op)
        elif acts_on_charge(op):
            self._table(op)
        elif isinstance(op, ann.MulOp | ann.MatmulOp):
            self._product(op)
        elif isinstance(op, func.ReturnOp | host.SegmentOp):
            self._leave(op)
        else:
            self._index_map(op)

    def _problem(self, op: Operation, why: str, remedy: str) -> None:
        self.problems.append(Problem(f"`{written_name(op)}`", user_location(op), why, remedy))

    def _input(self, op: ann.InputOp) -> None:
        from neurocuda.passes.ann._input_coding import coding_of

        coding = coding_of(op, self.weights)
        if coding is None:
            self._problem(op, "the input has no statistics", "Run `calibrate` first.")
        else:
            self._code_input(op, coding)

    def _code_input(self, op: ann.InputOp, coding: InputCoding) -> None:
        import numpy as np

        shape = shape_of(op.result)

        def shaped(field: Field) -> Field:
            return field.astype(np.float64).reshape(broadcast_shape(len(shape), len(field)))

        new = host.QuantizeOp(
            op.input,
            step=self.weights.add(shaped(coding.step), "step"),
            shift=self.weights.add(shaped(coding.shift), "shift"),
            scale=self.weights.add(shaped(coding.scale), "scale"),
            offset=self.weights.add(shaped(coding.offset), "offset"),
            element=ann.CountType.of(*coding.bounds),
        )
        replace(op, new)
        self.scale[new.result] = np.broadcast_to(shaped(coding.scale), shape)
        if coding.offset.any():
            self.offset[new.result] = np.broadcast_to(shaped(coding.offset), shape)

    def _synapse(self, op: SynapseOp) -> None:
        from neurocuda.passes.ann import _fields as fields

        if op.input not in self.scale:
            self._problem(op, "its input is no count", "Every synapse must read a neuron layer or the input.")
            return
        weight = self.weights.array(op.weight).astype("float64")
        scaled = fields.columns(op, weight, self.scale[op.input])
        if scaled is None:
            self._problem(op, "the scale of its input varies inside a channel", "Keep a channel in one neuron layer.")
            return
        bias = fields.own_bias(op, self.weights)
        if op.input in self.offset:
            bias = bias + fields.charge(op, weight, self.offset[op.input])
        new = fields.rebuilt(op, self.weights.add(scaled.astype("float32"), "weight"), f32)
        readout = not any(isinstance(use.operation, ann.NeuronOp | ann.RelayOp) for use in op.result.uses)
        replace(op, new)
        if readout:
            self._readout(new, bias)
        else:
            self.bias[new.result] = bias

    def _readout(self, op: SynapseOp, bias: Field) -> None:
        """A synapse that no neuron reads keeps its bias."""
        import numpy as np

        if not bias.any():
            return
        if isinstance(op, ann.DiagonalOp) or bias.size not in (1, channels := len(self.weights.array(op.weight))):
            self._problem(op, "it reads an input with an offset and feeds no neuron", "Add a hidden layer.")
            return
        flat = np.broadcast_to(bias.ravel(), (channels,)).astype(np.float32)
        op.properties["bias"] = self.weights.add(flat, "bias")

    def _neuron(self, op: ann.NeuronOp) -> None:
        import numpy as np

        clip = self._clip(op)
        if clip is None:
            return
        shape = shape_of(op.result)
        levels = levels_of(op, self.timesteps)
        unit = clip.reshape(broadcast_shape(len(shape), len(clip))) / levels
        bias = np.zeros_like(unit) if op.bias is None else self.weights.array(op.bias).astype(np.float64)
        for current in op.currents:
            bias = bias + self.bias.get(current, np.zeros(1))
        new = ann.StaircaseOp(
            list(op.currents),
            bias=self.weights.add(bias.astype(np.float32), "bias"),
            threshold=self.weights.add(unit.astype(np.float32), "threshold"),
            initial=self.weights.add((unit * self.initial).astype(np.float32), "initial"),
            scale=self.weights.add(unit, "scale"),
            levels=levels,
        )
        replace(op, new)
        self.scale[new.result] = np.broadcast_to(unit, shape)

    # Layers of signed numbers

    def _relay(self, op: ann.RelayOp) -> None:
        from neurocuda.passes.ann import _table_activations as tables

        clip = None if is_charge_of_another(op) else self._clip(op)
        if clip is not None:
            self._say(op, tables.relayed(self._charge(op), clip, levels_of(op, self.timesteps), self.weights))

    def _table(self, op: Operation) -> None:
        """An activation function, a softmax or a layer norm, together with the relay that gathers its charge."""
        from neurocuda.passes.ann import _table_activations as tables

        relay, levels = op.operands[0].owner, levels_of(op, self.timesteps)
        if not isinstance(relay, ann.RelayOp):
            self._problem(op, "it reads no relay", "Run `insert-relays` first.")
            return
        charge = self._charge(relay)
        if isinstance(op, ann.SoftmaxOp):
            self._say(op, tables.shares(op, charge, levels, self.weights), relay)
            return
        clip, seen = self._clip(op), statistics_of(relay, self.weights)
        if clip is None:
            return
        if isinstance(op, ann.LayerNormOp):
            self._say(op, tables.normed(op, charge, clip, levels, self.weights), relay)
        elif seen is None:
            self._problem(relay, "it has no statistics", "Run `calibrate` first.")
        else:
            self._say(op, tables.looked_up(op, charge, seen, clip, levels, self.weights), relay)

    def _say(
        self, op: Operation, new: ann.LookupOp | ann.IntegerSoftmaxOp | ann.IntegerLayerNormOp, *erased: Operation
    ) -> None:
        import numpy as np

        replace(op, new)
        for other in erased:
            assert other.parent is not None
            other.parent.erase_op(other)
        assert new.scale is not None
        self.scale[new.result] = np.broadcast_to(self.weights.array(new.scale).astype(np.float64), shape_of(new.result))

    def _clip(self, op: Operation) -> Field | None:
        import numpy as np

        attribute = op.attributes.get(CLIP)
        if isinstance(attribute, DenseIntOrFPElementsAttr | DenseResourceAttr):
            return self.weights.array(attribute).astype(np.float64)
        self._problem(op, "it has no clip range", "Run `balance-thresholds` first.")
        return None

    def _charge(self, op: ann.RelayOp) -> Charge:
        import numpy as np

        from neurocuda.passes.ann._fields import squeezed
        from neurocuda.passes.ann._table_activations import Charge

        bias = np.zeros(1) if op.bias is None else self.weights.array(op.bias).astype(np.float64)
        for current in op.currents:
            bias = bias + self.bias.get(current, np.zeros(1))
        units = [self.scale[current] for current in op.currents if isinstance(current.owner, ProductBase)]
        return Charge(op, bias, squeezed(units[0]) if units else np.ones(1))

    def _product(self, op: ann.MulOp | ann.MatmulOp) -> None:
        """A product of counts; what 1 of it stands for is the product of what its factors stand for."""
        import numpy as np

        from neurocuda.dialects.shared.meanings import aligned

        left, right = self.scale.get(op.left), self.scale.get(op.right)
        if left is None or right is None:
            self._problem(op, "it does not multiply counts", "See `explain` for what can be converted.")
            return
        if op.left in self.offset or op.right in self.offset:
            self._problem(op, "it multiplies an input with an offset", "Multiply behind the first layer.")
            return
        if isinstance(op, ann.MulOp):
            one, other = aligned(left[None], right[None])
            new, scale = ann.ProductOp(op.left, op.right), (one * other)[0]
        else:
            new, scale = ann.MatrixProductOp(op.left, op.right), left[..., :1] * right[..., :1, :]
            if np.ptp(left, axis=-1).any() or np.ptp(right, axis=-2).any():
                self._problem(op, "it adds up products of different scale", "Keep what is added up in one layer.")
        replace(op, new)
        self.scale[new.result] = scale

    def _index_map(self, op: Operation) -> None:
        from neurocuda.passes.ann import _fields as fields

        if not op.operands or any(operand not in self.scale for operand in op.operands) or not fields.carries(op):
            self._problem(op, "it does not act on counts", "See `explain` for what can be converted.")
            return
        scale = fields.carried(op, self.weights, [self.scale[operand] for operand in op.operands])
        if scale is None:
            self._problem(op, "a window holds counts of different scale", "Pool inside one neuron layer.")
            return
        offsets = [self.offset.get(operand) for operand in op.operands]
        new = retyped(op)
        replace(op, new)
        self.scale[new.results[0]] = scale
        if any(offset is not None for offset in offsets):
            self._carry_offset(new, offsets)

    def _carry_offset(self, op: Operation, offsets: Sequence[Field | None]) -> None:
        import numpy as np

        from neurocuda.passes.ann import _fields as fields

        shapes = [shape_of(operand) for operand in op.operands]
        filled = [np.zeros(s) if field is None else field for field, s in zip(offsets, shapes, strict=True)]
        offset = fields.carried(op, self.weights, filled)
        if offset is None:
            self._problem(op, "a window holds inputs of different offset", "Pool behind the first layer.")
            return
        pooled = values_of(op.kernel) if isinstance(op, ann.SumPool2dOp) else (1, 1)
        self.offset[op.results[0]] = np.nan_to_num(offset) * pooled[0] * pooled[1]

    def _leave(self, op: Operation) -> None:
        """Counts that leave the integer network become floats."""
        from neurocuda.passes.ann._fields import squeezed

        for index, value in enumerate(op.operands):
            if value not in self.scale or op.parent is None:
                continue
            new = host.DequantizeOp(value, self.weights.add(squeezed(self.scale[value]), "scale"))
            new.location = op.location
            op.parent.insert_op_before(new, op)
            op.operands[index] = new.result


def retyped(op: Operation) -> Operation:
    """The same index map or pooling with the element type that follows from its operands."""
    elements = [element_type(operand) for operand in op.operands]
    if isinstance(op, ann.ConcatOp):
        element = united_range(elements)
    elif isinstance(op, ann.SumPool2dOp):
        kernel = values_of(op.kernel)
        element = summed_range(elements[0], kernel[0] * kernel[1])
    else:
        element = elements[0]
    return type(op).create(
        operands=list(op.operands),
        properties=dict(op.properties),
        attributes=dict(op.attributes),
        result_types=[TensorType(element, shape_of(op.results[0]))],
        location=op.location,
    )
