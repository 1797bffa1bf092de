"""Turns weights, biases and thresholds into integers: what is left is an integer network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.errors import LevelError, OptionError, Problem
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.constraints import Constraints, constraints_of
from neurocuda.ir.origin import user_location
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass, replace
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]
    Integers = NDArray[np.int64]

LARGEST = 2**31 - 1
"""Accumulators are i32."""

LARGEST_THRESHOLD = 2**29
"""A threshold times the number of levels stays within it, so that every code has room for it."""


@dataclass(frozen=True)
class QuantizeWeightsPass(NeuroPass):
    """
    Turns every synapse into integer weights and every staircase into integer bias, threshold and initial value.

    All synapses of a neuron share one unit per output channel, chosen so that the largest weight becomes
    2^(bits-1) - 1. Bias, threshold and initial value are rounded to that unit, the last one down. A rounded threshold
    changes what a count stands for; the columns that read it take that into account. Where the target has one
    threshold per layer, the units of its channels are chosen such that all thresholds are the same integer. An
    accumulator that could leave 32 bits is refused. `weight-bits` defaults to the target's constraint, else 8.

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

        grid = weight_grid(constraints_of(module), self.weight_bits, self.name)
        quantizer = _Quantizer(weights, grid)
        for op in list(main_function(module).body.block.ops):
            quantizer.visit(op)
        if quantizer.problems:
            raise LevelError("the weights cannot be quantised:", quantizer.problems)


@dataclass(frozen=True)
class WeightGrid:
    """How integers may be chosen: the largest weight, and whether the channels of a layer share one threshold."""

    largest: int
    one_threshold: bool

    def finest(self, top: Field) -> Field:
        """The finest unit per channel in which no weight up to `top` exceeds the largest; any where there is none."""
        import numpy as np

        return np.where(top > 0, top, 1.0) / self.largest

    def unit(self, top: Field, threshold: Field, levels: int) -> Field:
        """One unit per channel in which no weight up to `top` exceeds the largest, broadcasting like `top`.

        Channels whose weights are tiny beside their threshold, dead ones, get a coarser unit, and so do all channels
        that have to share one threshold with another.
        """
        import numpy as np

        finest = self.finest(top)
        if threshold.ndim != top.ndim or not np.all(np.less_equal(threshold.shape, top.shape)):
            return finest
        if not self.one_threshold:
            return np.maximum(finest, threshold / (LARGEST_THRESHOLD // levels))
        room = np.where(top > 0, threshold / finest, np.inf).min()
        return np.maximum(np.where(top > 0, finest, 0), threshold / np.clip(room // 1, 1, LARGEST_THRESHOLD // levels))


def weight_grid(constraints: Constraints, weight_bits: int | None, name: str) -> WeightGrid:
    """The grid that a target's constraints and a pass's own option leave.

    Raises:
        OptionError: the width is out of range.
    """
    bits = constraints.weight_bits if weight_bits is None else weight_bits
    if not 2 <= bits <= 16:
        raise OptionError(f"{name}: weight-bits must be 2 ... 16, not {bits}")
    return WeightGrid(2 ** (bits - 1) - 1, constraints.threshold_granularity == "layer")


class _Quantizer:
    """Walks the network in order and keeps, for every count, its true scale over the one its readers assume."""

    def __init__(self, weights: WeightStore, grid: WeightGrid) -> None:
        self.weights = weights
        self.grid = grid
        self.ratio: dict[SSAValue, Field] = {}
        self.problems: list[Problem] = []

    def visit(self, op: Operation) -> None:
        """Quantises an operation together with the synapses that feed it."""
        if isinstance(op, host.QuantizeOp):
            self._start(op.result)
        elif isinstance(op, ann.StaircaseOp):
            self._staircase(op)
        elif isinstance(op, SynapseOp):
            if not any(isinstance(use.operation, ann.StaircaseOp) for use in op.result.uses):
                self._readout(op)
        elif isinstance(op, host.DequantizeOp):
            self._dequantize(op)
        elif not isinstance(op, func.ReturnOp | host.SegmentOp):
            self._carry(op)

    def _problem(self, op: Operation, what: str, why: str, remedy: str) -> None:
        self.problems.append(Problem(what, user_location(op), why, remedy))

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
            self._problem(op, f"`{op.name}`", "a window holds counts of different scale", "Pool inside one layer.")
        else:
            self.ratio[op.results[0]] = field

    def _columns(self, op: SynapseOp) -> Field | None:
        from neurocuda.passes.ann._fields import columns

        scaled = columns(op, self.weights.array(op.weight).astype("float64"), self._of(op.input))
        if scaled is None:
            self._problem(op, f"`{op.name}`", "the scale of its input varies inside a channel", "Keep it in one layer.")
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
        unit = self.grid.unit(largest_by_output(synapses, floats, rank), threshold, op.levels.value.data)
        whole = np.maximum(np.rint(threshold / unit), 1)
        new = ann.StaircaseOp(
            [self._integer(synapse, weight, unit) for synapse, weight in zip(synapses, floats, strict=True)],
            bias=self._add_i32(op, np.rint(bias / unit), "bias"),
            threshold=self._add_i32(op, whole, "threshold"),
            initial=self._add_i32(op, np.floor(whole * (initial / threshold)), "initial"),
            scale=self.weights.add(whole * unit * (nominal / threshold), "scale"),
            levels=op.levels.value.data,
        )
        replace(op, new)
        for synapse in synapses:
            _erase(synapse)
        self.ratio[new.result] = np.broadcast_to(whole * unit / threshold, shape_of(new.result))
        self._check_range(new, [current.owner for current in new.currents], whole)

    def _integer(self, op: SynapseOp, weight: Field, unit: Field) -> SSAValue:
        """The synapse with integer weights, inserted where it stood."""
        import numpy as np

        from neurocuda.passes.ann._fields import per_output, rebuilt

        kind = np.int8 if self.grid.largest < 2**7 else np.int16
        divisor = unit if isinstance(op, ann.DiagonalOp) else per_output(op, unit.ravel())
        whole = np.rint(weight / divisor).astype(kind)
        new = rebuilt(op, self.weights.add(whole, "weight"), i32)
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
        unit = self.grid.finest(largest_by_output([op], [scaled], rank))
        bias = own_bias(op, self.weights)
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

    def _add_i32(self, op: Operation, values: Field, name: str) -> Dense:
        import numpy as np

        if np.abs(values).max(initial=0) > LARGEST:
            self._problem(op, f"the {name}", "it does not fit into 32 bits", "Use fewer timesteps or weight bits.")
            values = np.zeros_like(values)
        return self.weights.add(values.astype(np.int32), name)

    def _check_range(self, op: Operation, synapses: Sequence[Operation | object], charge: Field) -> None:
        """Interval analysis: no partial sum of the accumulator may leave 32 bits."""
        import numpy as np

        bound = float(np.abs(charge).max(initial=0)) * 2
        for synapse in synapses:
            if isinstance(synapse, SynapseOp):
                bound += largest_charge(synapse, self.weights)
        if bound > LARGEST:
            why = f"its accumulator could reach {bound:.3g}, beyond 32 bits"
            self._problem(op, f"`{op.name}`", why, "Use fewer timesteps or fewer weight bits.")


def largest_charge(op: SynapseOp, weights: WeightStore) -> float:
    """A bound on |charge| through a synapse: the largest row of |weight| times the largest |count|."""
    import numpy as np

    element = element_type(op.input)
    largest = max(abs(bound) for bound in element.bounds) if isinstance(element, RangeType) else 1
    weight = np.abs(weights.array(op.weight).astype(np.float64))
    rows = weight if isinstance(op, ann.DiagonalOp) else weight.reshape(len(weight), -1).sum(axis=1)
    return float(rows.max(initial=0)) * largest


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


def _erase(op: SynapseOp) -> None:
    assert op.parent is not None
    op.parent.erase_op(op)
