"""Layers of neurons of floats become integers, in units that their synapses share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import TensorType, f32, i32
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.rewriter import Rewriter

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import IndexMapOp, Pool2dOp, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import GradedType
from neurocuda.errors import Problem
from neurocuda.ir.attributes import Dense, element_type, integer, shape_of
from neurocuda.ir.origin import user_location, written_name
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn._encoding import retype
from neurocuda.passes.snn._terms import Current, Signal, Term, through_map, through_synapse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field: TypeAlias = NDArray[np.float64]

Neurons: TypeAlias = snn.IntegrateAndFireOp | snn.IntegrateOp | snn.ThresholdOp


@dataclass(frozen=True)
class Widths:
    """Bits of weights, decays and state, by how many of them currents are shifted, and what an input counts."""

    weight: int
    decay: int
    state: int
    fraction: int
    inputs: tuple[int, int]
    step: float

    @property
    def largest_weight(self) -> int:
        """The largest weight."""
        return 2 ** (self.weight - 1) - 1

    @property
    def largest_state(self) -> int:
        """The largest membrane potential."""
        return 2 ** (self.state - 1) - 1


class NetworkQuantizer:
    """One network of code "train" becoming integers. Spikes stand for 1, whatever fired them."""

    def __init__(self, network: snn.NetworkOp, weights: WeightStore, widths: Widths) -> None:
        self.network = network
        self.weights = weights
        self.widths = widths
        self.terms: dict[SSAValue, Term] = {}
        self.problems: list[Problem] = []

    def run(self) -> list[Problem]:
        """Rewrites the network; returns what stands in the way."""
        ops = [op for op in self.network.body.block.ops if op.results]
        for op in ops:
            if self._is_plain(op):
                self._start(op.results[0])
        waiting = ops
        while waiting and not self.problems:
            rest = [op for op in waiting if not self._visit(op)]
            if len(rest) == len(waiting):
                self._refuse(rest[0], "its value comes back to it with no neuron between", "Put a neuron into the cycle.")
            waiting = rest
        if not self.problems:
            self._outputs()
            self._erase(ops)
        return self.problems

    def _refuse(self, op: Operation, why: str, remedy: str = "Put a neuron between.") -> None:
        self.problems.append(Problem(f"`{written_name(op)}`", user_location(op), why, remedy))

    def _is_plain(self, op: Operation) -> bool:
        """Whether 1 of what it says is known before anything else: a spike."""
        late = isinstance(op, snn.DelayOp) and isinstance(element_type(op.result), RangeType)
        return late or isinstance(op, snn.IntegrateAndFireOp | snn.ThresholdOp)

    def _start(self, value: SSAValue, scale: float = 1.0) -> None:
        import numpy as np

        self.terms[value] = Signal(value, np.full(shape_of(value), scale))

    def _visit(self, op: Operation) -> bool:
        """Whether all that the operation reads is known; then it is rewritten."""
        if isinstance(op, snn.InputOp):
            self._input(op)
            return True
        if any(operand not in self.terms for operand in op.operands):
            return False
        terms = [self.terms[operand] for operand in op.operands]
        if isinstance(op, Neurons):
            self._layer(op, terms)
        elif op.results[0] not in self.terms:
            self._linear(op, terms)
        return True

    def _linear(self, op: Operation, terms: Sequence[Term]) -> None:
        if isinstance(op, SynapseOp):
            found = through_synapse(op, terms[0], self.weights)
        elif isinstance(op, IndexMapOp | Pool2dOp | snn.ConcatOp | snn.ReshapeOp | snn.DelayOp):
            found = through_map(op, terms, self.weights)
        else:
            found = "it has no integer form"
        if isinstance(found, str):
            self._refuse(op, found)
        else:
            self.terms[op.results[0]] = found

    # Inputs and outputs

    def _input(self, op: snn.InputOp) -> None:
        """Rounded on the host to multiples of a step."""
        import numpy as np

        step, one, zero = (self.weights.add(np.array([v], np.float64), n) for v, n in ((self.widths.step, "step"), (1.0, "scale"), (0.0, "offset")))
        index = self.network.body.block.args.index(op.input)
        outer = self.network.inputs[index]
        new = host.QuantizeOp(outer, step=step, shift=zero, scale=step, offset=zero, element=CountType.of(*self.widths.inputs))
        new.location = op.location
        block = self.network.parent
        assert block is not None
        block.insert_op_before(new, self.network)
        self.network.operands[index] = new.result
        Rewriter.replace_value_with_new_type(self.network.body.block.args[index], TensorType(CountType.of(*self.widths.inputs), shape_of(op.input)))
        retype(op, GradedType.of(min(0, self.widths.inputs[0]), max(0, self.widths.inputs[1])))
        self._start(op.result, self.widths.step)

    def _outputs(self) -> None:
        """Integers leave the network as they are and become floats on the host, where they were floats before."""
        last = self.network.body.block.last_op
        assert last is not None
        for index, operand in enumerate(last.operands):
            outer = self.network.outputs[index]
            value, scale = self._output(self.terms[operand])
            last.operands[index] = value
            if isinstance(element_type(outer), RangeType):
                continue
            outer = Rewriter.replace_value_with_new_type(outer, TensorType(element_type(value), shape_of(outer)))
            back = host.DequantizeOp(outer, self.weights.add(scale, "scale"))
            back.location = self.network.location
            outer.replace_all_uses_with(back.result)
            back.operands[0] = outer
            block = self.network.parent
            assert block is not None
            block.insert_op_after(back, self.network)

    def _output(self, term: Term) -> tuple[SSAValue, Field]:
        """An integer value, and what 1 of it stands for; a current gets a unit of its own."""
        from neurocuda.passes.ann._fields import squeezed

        if isinstance(term, Signal):
            return term.value, squeezed(term.scale)
        unit = self._finest([term])
        return term.in_units(self.weights, unit, self.widths.largest_weight), unit

    def _erase(self, ops: Sequence[Operation]) -> None:
        """Erases what was written anew."""
        for op in ops:
            term = self.terms[op.results[0]]
            if not isinstance(op, Neurons) and not (isinstance(term, Signal) and term.value is op.results[0]):
                op.detach()
                op.erase(safe_erase=False)

    # Layers

    def _layer(self, op: Neurons, terms: Sequence[Term]) -> None:
        import numpy as np

        first = terms[0]
        if isinstance(op, snn.ThresholdOp) and len(terms) == 1 and isinstance(first, Signal):
            threshold = self.weights.array(op.threshold) / first.scale
            op.properties["threshold"] = self._whole(op, threshold, "threshold")
            op.operands[0] = first.value
            return
        currents = [term if isinstance(term, Current) else self._direct(op, term) for term in terms]
        unit = self._unit(op, currents)
        bias = sum((_own_bias(current) for current in currents if not current.late), np.zeros(1))
        op.operands = [current.in_units(self.weights, unit, self.widths.largest_weight) for current in currents]
        if isinstance(op, snn.ThresholdOp):
            op.properties["threshold"] = self._whole(op, (self.weights.array(op.threshold) - bias) / unit, "threshold")
            return
        self._state(op, unit / 2**self.widths.fraction, bias)

    def _direct(self, op: Neurons, term: Signal) -> Current:
        """Neurons that read a signal with no synapse between get one of weight 1."""
        import numpy as np

        from neurocuda.passes.ann._fields import squeezed

        weight = squeezed(term.scale)
        synapse = snn.DiagonalOp(term.value, self.weights.add(weight, "weight"))
        assert op.parent is not None
        op.parent.insert_op_before(synapse, op)
        self.terms[synapse.result] = Current(synapse, term.value, weight, np.zeros(1))
        self._made.append(synapse)
        return Current(synapse, term.value, weight, np.zeros(1))

    def _finest(self, currents: Sequence[Current]) -> Field:
        """The finest unit per output channel in which no weight exceeds the largest; any where there is none."""
        import numpy as np

        top = np.zeros(1)
        for current in currents:
            top = np.maximum(top, current.largest())
        if any(current.moved for current in currents):
            top = top.max(initial=0).reshape(1)
        return np.where(top > 0, top, 1.0) / self.widths.largest_weight

    def _unit(self, op: Neurons, currents: Sequence[Current]) -> Field:
        """One unit per channel, coarse enough for the constants of the neurons to fit beside their state."""
        import numpy as np

        from neurocuda.passes.ann.quantize_weights import coarse_enough

        unit = self._finest(currents)
        shift = 0 if isinstance(op, snn.ThresholdOp) else self.widths.fraction
        for constant in _state_constants(op):
            size = np.abs(self.weights.array(constant).astype(np.float64)) * 2**shift
            unit = coarse_enough(unit, size, self.widths.largest_state)
        bounds = [] if isinstance(op, snn.ThresholdOp) else [each.value.data for each in _shared(op)]
        if any(bounds):
            unit = np.maximum(unit.max(), max(map(abs, bounds)) * 2**shift / self.widths.largest_state).reshape(1)
        return unit

    def _state(self, op: snn.IntegrateAndFireOp | snn.IntegrateOp, unit: Field, bias: Field) -> None:
        """Says the constants of neurons in units of their membrane, and how wide it is."""
        import numpy as np

        own = bias if op.bias is None else self.weights.array(op.bias) + bias
        op.properties.pop("bias", None)
        if own.any():
            op.properties["bias"] = self._whole(op, own / unit, "bias")
        for name in ("threshold", "initial"):
            constant = op.properties.get(name)
            if isinstance(constant, Dense):
                found = self.weights.array(constant) / unit
                least = (found > 0) & (name == "threshold")
                op.properties[name] = self._whole(op, np.where(least, np.maximum(found, 1), found), name)
        for name in ("membrane_decay", "current_decay"):
            constant = op.properties.pop(name, None)
            if isinstance(constant, Dense):
                self._decay(op, name, self.weights.array(constant).astype(np.float64))
        for name in ("lower_bound", "reset_value"):
            bound = op.properties.get(name)
            if isinstance(bound, FloatAttr):
                op.properties[name] = FloatAttr(float(np.rint(bound.value.data / unit.max())), f64)
        op.properties |= {"decay_bits": integer(self.widths.decay), "state_bits": integer(self.widths.state), "shift": integer(self.widths.fraction)}
        if isinstance(op, snn.IntegrateOp):
            retype(op, i32)
            self.terms[op.result] = Signal(op.result, np.broadcast_to(unit, shape_of(op.result)))

    def _decay(self, op: snn.IntegrateAndFireOp | snn.IntegrateOp, name: str, decay: Field) -> None:
        """A decay as a fraction; 1 is none at all."""
        import numpy as np

        if np.abs(decay).max(initial=0) > 1:
            self._refuse(op, f"a {name.replace('_', ' ')} is {decay.flat[np.abs(decay).argmax()]:.4g}: it grows", "Use a smaller dt.")
        whole = np.rint(decay * 2**self.widths.decay)
        if name == "current_decay" or (whole != 2**self.widths.decay).any():
            op.properties[name] = self._whole(op, whole, name)

    def _whole(self, op: Operation, values: Field, name: str) -> Dense:
        """A constant of 32 bits, one number along axes that hold only one."""
        import numpy as np

        from neurocuda.passes.ann._fields import squeezed

        whole = squeezed(np.rint(values.astype(np.float64)))
        if np.abs(whole).max(initial=0) >= 2**31:
            self._refuse(op, f"its {name} is {np.abs(whole).max():.3g} units of its weights, which leaves 32 bits", "Use fewer fraction bits.")
            whole = np.zeros(1)
        return self.weights.add(whole.astype(np.int32), name)
