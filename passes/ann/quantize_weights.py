"""Turns weights, biases and thresholds into integers: what is left is an integer network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.levels import constants_are_finite
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.shared.tables import ProductBase, TableLayerOp
from neurocuda.errors import LevelError, Problem
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.constraints import constraints_of
from neurocuda.ir.origin import user_location, written_name
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass, replace
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._narrowed import layer_name, note_narrowed
from neurocuda.passes.ann._weight_grid import WeightGrid, highest, weight_grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neurocuda.passes.ann._table_weights import Charge

    Field = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class QuantizeWeightsPass(NeuroPass):
    """
    Turns every synapse into integer weights and every staircase into integer bias, threshold and initial value.

    All synapses of a neuron share one unit per output channel, chosen so that the largest weight becomes
    2^(bits-1) - 1. Bias, threshold and initial value are rounded to that unit, the last one down. A rounded threshold
    changes what a count stands for; the columns that read it take that into account.

    The module's constraints (`nc.constraints`, what the target demands) are obeyed: the width and step of weights and
    of thresholds; where the target has one threshold per layer, the units of its channels are chosen such that all
    thresholds are the same integer, and where it has powers of two alone, such that thresholds are the largest ones
    with which weights and biases fit. A threshold that does not fit times what the first of the codes compares with
    gets a coarser unit, and weights with it. A membrane that could leave its width is refused, with what would fit.
    `weight-bits` may ask for narrower weights than the target's.

    Before:
        func.func @main(%x: tensor<1x!ann.count<0, 3>>) -> tensor<1x!ann.count<0, 3>> {
          %0 = ann.linear %x weight(dense<[[1.27]]> : tensor<1x1xf32>) : tensor<1x!ann.count<0, 3>> -> tensor<1xf32>
          %y = ann.staircase %0 bias(dense<0.5> : tensor<1xf32>) threshold(dense<1.0> : tensor<1xf32>)
                 initial(dense<0.5> : tensor<1xf32>) scale(dense<1.0> : tensor<1xf64>) levels 3
                 : (tensor<1xf32>) -> tensor<1x!ann.count<0, 3>>
          func.return %y : tensor<1x!ann.count<0, 3>>
        }

    After:
        %0 = ann.linear %x weight(dense<127> : tensor<1x1xi8>) : tensor<1x!ann.count<0, 3>> -> tensor<1xi32>
        %y = ann.staircase %0 bias(dense<50> : tensor<1xi32>) threshold(dense<100> : tensor<1xi32>)
               initial(dense<50> : tensor<1xi32>) scale(dense<...> : tensor<1xf64>) levels 3
               : (tensor<1xi32>) -> tensor<1x!ann.count<0, 3>>
    """

    name = "quantize-weights"
    promise = Approximates()

    weight_bits: int | None = None

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        operations = list(main_function(module).body.block.ops)
        unusable = [problem for op in operations for problem in constants_are_finite(op, weights)]
        if unusable:
            raise LevelError("the weights cannot be quantised:", unusable)
        quantizer = _Quantizer(weights, weight_grid(constraints_of(module), self.weight_bits, self.name))
        for op in operations:
            quantizer.visit(op)
        if quantizer.problems:
            raise LevelError("the weights cannot be quantised:", quantizer.problems)
        note_narrowed(module, quantizer.narrowed)


class _Quantizer:
    """Walks the network in order and keeps, for every count, its true scale over the one its readers assume."""

    def __init__(self, weights: WeightStore, grid: WeightGrid) -> None:
        self.weights = weights
        self.grid = grid
        self.constraints = grid.constraints
        self.ratio: dict[SSAValue, Field] = {}
        self.problems: list[Problem] = []
        self.narrowed: list[str] = []

    def visit(self, op: Operation) -> None:
        """Quantises an operation together with the synapses that feed it."""
        if isinstance(op, host.QuantizeOp):
            self._start(op.result)
        elif isinstance(op, ann.StaircaseOp):
            self._staircase(op)
        elif isinstance(op, SynapseOp):
            if not any(isinstance(use.operation, ann.StaircaseOp | TableLayerOp) for use in op.result.uses):
                self._readout(op)
        elif isinstance(op, TableLayerOp):
            self._table_layer(op)
        elif isinstance(op, ProductBase):
            self._product(op)
        elif isinstance(op, host.DequantizeOp):
            self._dequantize(op)
        elif not isinstance(op, func.ReturnOp | host.SegmentOp):
            self._carry(op)

    def _problem(self, op: Operation, what: str, why: str, remedy: str) -> None:
        self.problems.append(Problem(what, user_location(op), why, remedy))

    def _note(self, op: Operation, unit: Field, free: Field) -> None:
        if self.grid.narrows(unit, free, fires=not isinstance(op, SynapseOp)):
            self.narrowed.append(layer_name(op))

    def _start(self, value: SSAValue) -> None:
        import numpy as np

        self.ratio[value] = np.ones(shape_of(value))

    def _of(self, value: SSAValue) -> Field:
        if value not in self.ratio:
            self._start(value)
        return self.ratio[value]

    def _carry(self, op: Operation) -> None:
        from neurocuda.passes.ann._fields import carried, carries

        if not op.results or not isinstance(element_type(op.results[0]), RangeType) or not carries(op):
            return
        field = carried(op, self.weights, [self._of(operand) for operand in op.operands])
        if field is None:
            why = "a window holds counts of different scale"
            self._problem(op, f"`{written_name(op)}`", why, "Pool inside one layer.")
        else:
            self.ratio[op.results[0]] = field

    def _columns(self, op: SynapseOp) -> Field | None:
        from neurocuda.passes.ann._fields import columns

        scaled = columns(op, self.weights.array(op.weight).astype("float64"), self._of(op.input))
        if scaled is None:
            why = "the scale of its input varies inside a channel"
            self._problem(op, f"`{written_name(op)}`", why, "Keep it in one layer.")
        return scaled

    def _staircase(self, op: ann.StaircaseOp) -> None:
        import numpy as np

        synapses = [current.owner for current in op.currents if isinstance(current.owner, SynapseOp)]
        scaled = [self._columns(synapse) for synapse in synapses]
        floats = [weight for weight in scaled if weight is not None]
        if len(floats) != len(op.currents):
            return
        rank = len(shape_of(op.result))
        bias, threshold, initial, nominal = (
            self.weights.array(constant).astype(np.float64)
            for constant in (op.bias, op.threshold, op.initial, op.scale)
        )
        levels, top = op.levels.value.data, largest_by_output(synapses, floats, rank)
        least = self._least_unit(synapses, floats, rank, np.abs(bias) + threshold)
        unit = self.grid.unit(top, threshold, levels, bias, least)
        self._note(op, unit, self.grid.unlimited.unit(top, threshold, levels, bias))
        whole = self.grid.threshold(threshold, unit)
        if self.grid.one_threshold and np.ptp(whole):
            why = "neurons of one channel have different thresholds, and on the target the whole layer has one"
            self._problem(op, f"`{written_name(op)}`", why, "Use a target with a threshold per neuron.")
        new = ann.StaircaseOp(
            [self._integer(synapse, weight, unit) for synapse, weight in zip(synapses, floats, strict=True)],
            bias=self._add_i32(op, np.rint(bias / unit), "bias"),
            threshold=self._add_i32(op, whole, "threshold", self.constraints.threshold_bits),
            initial=self._add_i32(op, np.floor(whole * (initial / threshold)), "initial"),
            scale=self.weights.add(whole * unit * (nominal / threshold), "scale"),
            levels=levels,
        )
        replace(op, new)
        for synapse in synapses:
            _erase(synapse)
        self.ratio[new.result] = np.broadcast_to(whole * unit / threshold, shape_of(new.result))
        charge = np.abs(np.rint(bias / unit)) + whole
        self._check_range(new, [current.owner for current in new.currents], charge)

    def _least_unit(
        self, synapses: Sequence[SynapseOp], weights: Sequence[Field], rank: int, charge: Field
    ) -> Field | None:
        """The finest unit per channel in which a membrane that holds `charge` already has room for all it may hear.

        None where nothing but zeros would be left of the weights: the range check says so.
        """
        import numpy as np

        from neurocuda.passes.ann._linear import full_rank

        pairs = list(zip(synapses, weights, strict=True))
        reach = farthest([bounds_by_output(op, weight, rank) for op, weight in pairs])
        rounding = farthest([bounds_by_output(op, _half_steps(weight), rank) for op, weight in pairs])
        room = highest(self.constraints.membrane_bits) - self.constraints.weight_step * rounding - 2
        if room.min() < 1:
            return None
        least = (full_rank(reach, rank) + full_rank(charge, rank)) / full_rank(room, rank)
        top = full_rank(largest_by_output(synapses, weights, rank), rank)
        return least if np.all((least < top) | (top == 0)) else None

    # Layers of signed numbers

    def _product(self, op: ProductBase) -> None:
        """What 1 of a product stands for, over what was assumed, is the product of its factors' ratios."""
        import numpy as np

        from neurocuda.dialects.shared.meanings import aligned

        left, right = self._of(op.left), self._of(op.right)
        if isinstance(op, ann.ProductOp):
            one, other = aligned(left[None], right[None])
            self.ratio[op.result] = (one * other)[0]
            return
        self.ratio[op.result] = left[..., :1] * right[..., :1, :]
        if np.ptp(left, axis=-1).any() or np.ptp(right, axis=-2).any():
            remedy = "Keep what is added up in one layer."
            self._problem(op, f"`{op.name}`", "it adds up products of different scale", remedy)

    def _table_layer(self, op: TableLayerOp) -> None:
        """Chooses the unit of the charge, and says thresholds, divisors and tables in it."""
        import numpy as np

        from neurocuda.passes.ann import _table_weights as tables

        synapses = [current.owner for current in op.currents if isinstance(current.owner, SynapseOp)]
        floats = [weight for weight in map(self._columns, synapses) if weight is not None]
        if len(floats) != len(synapses):
            return
        if self.constraints.threshold_exponent:
            why = "its thresholds are no powers of two, as the target's are"
            self._problem(op, f"`{op.name}`", why, "Use a target that divides by any integer.")
            return
        try:
            found = tables.quantised(op, self._charge(op, synapses, floats), self.grid.room, self.weights)
        except tables.DoesNotFitError as reason:
            self._problem(op, f"`{op.name}`", str(reason), reason.remedy)
            return
        replace(op, found.op)
        for index, (synapse, weight) in enumerate(zip(synapses, floats, strict=True)):
            found.op.operands[index] = self._integer(synapse, weight, found.unit)
            _erase(synapse)
        self.ratio[found.op.result] = np.broadcast_to(found.ratio, shape_of(found.op.result))
        self._check_range(found.op, [current.owner for current in found.op.currents], np.array(found.charge))

    def _charge(self, op: TableLayerOp, synapses: Sequence[SynapseOp], floats: Sequence[Field]) -> Charge:
        import numpy as np

        from neurocuda.passes.ann._fields import squeezed
        from neurocuda.passes.ann._table_weights import Charge

        if not synapses:
            ratio = squeezed(self._of(op.currents[0]))
            return Charge(ratio, np.ones_like(ratio, bool), 0.0, 0.0, fixed=True)
        top, free = largest_by_output(synapses, floats, len(shape_of(op.result))), self.grid.unlimited
        self._note(op, self.grid.finest(top) * self.grid.room, free.finest(top) * free.room)
        reach = sum(largest_sum(*pair) for pair in zip(synapses, floats, strict=True))
        rounding = sum(largest_sum(*pair) for pair in zip(synapses, map(_half_steps, floats), strict=True))
        return Charge(self.grid.finest(top), top > 0, reach, rounding * self.constraints.weight_step, fixed=False)

    def _integer(self, op: SynapseOp, weight: Field, unit: Field) -> SSAValue:
        """The synapse with integer weights, inserted where it stood."""
        import numpy as np

        from neurocuda.passes.ann._fields import per_output, rebuilt

        kind = np.int8 if self.grid.largest < 2**7 else np.int16
        divisor = unit if isinstance(op, ann.DiagonalOp) else per_output(op, unit.ravel())
        new = rebuilt(op, self.weights.add(self.grid.weight(weight, divisor).astype(kind), "weight"), i32)
        assert op.parent is not None
        op.parent.insert_op_before(new, op)
        new.result.name_hint = op.result.name_hint
        return new.result

    def _readout(self, op: SynapseOp) -> None:
        """A synapse that leaves the network: integers with one unit per output, then back to floats."""
        import numpy as np

        from neurocuda.passes.ann._fields import own_bias, squeezed

        scaled = self._columns(op)
        if scaled is None:
            return
        rank = len(shape_of(op.result))
        bias = own_bias(op, self.weights)
        top = largest_by_output([op], [scaled], rank)
        unit = self.grid.readout_unit(top, bias, self._least_unit([op], [scaled], rank, np.abs(bias)))
        self._note(op, unit, self.grid.unlimited.readout_unit(top, bias))
        new = self._integer(op, scaled, unit)
        synapse = new.owner
        assert isinstance(synapse, SynapseOp)
        if bias.any():
            whole = np.broadcast_to(np.rint(bias / unit).ravel(), (shape_of(op.result)[0 if rank == 3 else -1],))
            synapse.properties["bias"] = self._add_i32(op, whole, "bias")
        replace(op, host.DequantizeOp(new, self.weights.add(squeezed(unit), "scale")))
        self._check_range(synapse, [synapse], np.rint(bias / unit))

    def _dequantize(self, op: host.DequantizeOp) -> None:
        """Counts that leave the network: what they stand for may have changed."""
        from neurocuda.passes.ann._fields import squeezed

        scale = self.weights.array(op.scale).astype("float64") * self._of(op.input)
        op.properties["scale"] = self.weights.add(squeezed(scale), "scale")

    def _add_i32(self, op: Operation, values: Field, name: str, bits: int | None = None) -> Dense:
        """A constant of a membrane, or of a register of so many bits."""
        import numpy as np

        bits = self.constraints.membrane_bits if bits is None else bits
        if np.abs(values).max(initial=0) > highest(bits):
            why = f"it does not fit into {bits} bits"
            self._problem(op, f"the {name}", why, "Use fewer timesteps or weight bits.")
            values = np.zeros_like(values)
        return self.weights.add(values.astype(np.int32), name)

    def _check_range(self, op: Operation, currents: Sequence[Operation | object], charge: Field) -> None:
        """Interval analysis: no partial sum of the membrane may leave its width."""
        import numpy as np

        synapses = [current for current in currents if isinstance(current, SynapseOp)]
        rank = len(shape_of(op.results[0]))
        bounds = [
            bounds_by_output(synapse, self.weights.array(synapse.weight).astype(np.float64), rank)
            for synapse in synapses
        ]
        bounds += [product_bounds(current) for current in currents if isinstance(current, ProductBase)]
        bound = float((np.abs(charge) + farthest(bounds)).max(initial=0))
        bits = self.constraints.membrane_bits
        if bound > highest(bits):
            why = f"its membrane could reach {bound:.3g}, beyond {bits} bits"
            remedy = self._remedy(synapses, bound / highest(bits)) if synapses else "Use fewer timesteps."
            self._problem(op, f"`{written_name(op)}`", why, remedy)

    def _remedy(self, synapses: Sequence[SynapseOp], excess: float) -> str:
        """What would fit: a membrane grows in proportion to the weights' range, and to T unless it reads the input."""
        import numpy as np

        fits: list[str] = []
        widest = max(float(np.abs(self.weights.array(op.weight).astype(np.float64)).max(initial=0)) for op in synapses)
        bits = int(log2(widest / excess + 1)) + 1
        counts = [element_type(op.input) for op in synapses]
        levels = [element.bounds[1] for element in counts if isinstance(element, RangeType)]
        if bits >= 2:
            fits.append(f"{bits}-bit weights (weight_bits={bits})")
        timesteps = int(max(levels) / excess)
        if timesteps >= 1 and widest == self.grid.largest and not any(reads_input(op.input) for op in synapses):
            fits.append(f"inputs of at most {timesteps} levels (timesteps={timesteps})")
        return f"{' or '.join(fits)} would fit." if fits else "No width of weights and no number of timesteps fits."


def reads_input(value: SSAValue) -> bool:
    """Whether a value is an input of the network, perhaps moved or pooled."""
    from neurocuda.passes.ann._fields import carries

    owner = value.owner
    if isinstance(owner, host.QuantizeOp):
        return True
    return isinstance(owner, Operation) and carries(owner) and any(reads_input(operand) for operand in owner.operands)


def product_bounds(op: ProductBase) -> tuple[Field, Field]:
    """(lowest, highest) that any part of a product adds up to, one number for all outputs."""
    import numpy as np

    added = shape_of(op.left)[-1] if isinstance(op, ann.MatrixProductOp) else 1
    most = np.array([float(added * largest_count(op.left) * largest_count(op.right))])
    return -most, most


def bounds_by_output(op: SynapseOp, weight: Field, rank: int) -> tuple[Field, Field]:
    """(lowest, highest) that any part of the charge through a synapse adds up to, per output channel."""
    import numpy as np

    element = element_type(op.input)
    low, high = element.bounds if isinstance(element, RangeType) else (-1, 1)
    ends = np.stack([weight * min(low, 0), weight * max(high, 0)])
    lowest, highest = ends.min(axis=0), ends.max(axis=0)
    if isinstance(op, ann.DiagonalOp):
        return -_largest_by_output(op, lowest, rank), _largest_by_output(op, highest, rank)
    shape = (-1, 1, 1) if isinstance(op, ann.Conv2dOp) else (-1,)
    lowest, highest = (part.reshape(len(weight), -1).sum(axis=1).reshape(shape) for part in (lowest, highest))
    return lowest, highest


def farthest(bounds: Sequence[tuple[Field, Field]]) -> Field:
    """How far the sum of numbers within these bounds may be from zero."""
    import numpy as np

    zero = np.zeros(1)
    return np.maximum(-sum((low for low, _ in bounds), zero), sum((high for _, high in bounds), zero))


def largest_sum(op: SynapseOp, weight: Field) -> float:
    """The largest row of a synapse's |weight| times the largest |count| that it reads."""
    import numpy as np

    magnitude = np.abs(weight)
    rows = magnitude if isinstance(op, ann.DiagonalOp) else magnitude.reshape(len(magnitude), -1).sum(axis=1)
    return float(rows.max(initial=0)) * largest_count(op.input)


def largest_count(value: SSAValue) -> int:
    """The largest |count| of a value."""
    element = element_type(value)
    return max(abs(bound) for bound in element.bounds) if isinstance(element, RangeType) else 1


def largest_by_output(synapses: Sequence[SynapseOp], weights: Sequence[Field], rank: int) -> Field:
    """The largest weight of all synapses per output channel, broadcasting onto the result."""
    import numpy as np

    tops = [_largest_by_output(op, weight, rank) for op, weight in zip(synapses, weights, strict=True)]
    top = tops[0]
    for other in tops[1:]:
        top = np.maximum(top, other)
    return top


def _largest_by_output(op: SynapseOp, weight: Field, rank: int) -> Field:
    import numpy as np

    magnitude = np.abs(weight)
    if isinstance(op, ann.DiagonalOp):
        channels = magnitude.reshape((1,) * (rank - magnitude.ndim) + magnitude.shape)
        return (
            channels.max(axis=tuple(range(1, rank)), keepdims=True) if rank == 3 else channels.reshape(magnitude.shape)
        )
    rows = magnitude.reshape(len(magnitude), -1).max(axis=1)
    return rows.reshape(-1, 1, 1) if isinstance(op, ann.Conv2dOp) else rows


def _half_steps(weight: Field) -> Field:
    """What rounding changes weights by at most; zeros stay."""
    return 0.5 * (weight != 0)


def _erase(op: SynapseOp) -> None:
    assert op.parent is not None
    op.parent.erase_op(op)
