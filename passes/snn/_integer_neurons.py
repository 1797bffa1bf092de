"""Layers of neurons of floats become integers, in units that their synapses share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import TensorType, i32
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import Rewriter

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import Conv2dBase, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import GradedType
from neurocuda.errors import Problem
from neurocuda.ir.attributes import Dense, element_type, integer, shape_of
from neurocuda.ir.origin import user_location, written_name
from neurocuda.ir.weights import WeightStore, constants_named
from neurocuda.passes.snn._encoding import retype
from neurocuda.passes.snn._terms import Current, Signal, Term, through_map, through_synapse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field: TypeAlias = NDArray[np.float64]

Neurons: TypeAlias = snn.IntegrateAndFireOp | snn.AccumulateOp | snn.ThresholdOp

STATE = ("threshold", "initial", "lower_bound", "reset_value")
"""Constants of neurons in units of their membrane, besides the bias."""

DECAYS = ("membrane_decay", "current_decay")


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
        self.replaced: list[Operation] = []
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
                self._refuse(
                    rest[0], "its value comes back to it with no neuron between", "Put a neuron into the cycle."
                )
            waiting = rest
        if not self.problems:
            self._outputs()
            self._erase([*ops, *self.replaced])
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
        from neurocuda.passes.ann._fields import carries

        if isinstance(op, SynapseOp):
            found = through_synapse(op, terms[0], self.weights)
        elif isinstance(op, snn.DelayOp | snn.AddOp) or carries(op):
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

        low, high = self.widths.inputs
        step, zero = (self.weights.add(np.array([value]), "step") for value in (self.widths.step, 0.0))
        index = self.network.body.block.args.index(op.input)
        count = CountType.of(low, high)
        new = host.QuantizeOp(self.network.inputs[index], step=step, shift=zero, scale=step, offset=zero, element=count)
        new.location = op.location
        assert self.network.parent is not None
        self.network.parent.insert_op_before(new, self.network)
        self.network.operands[index] = new.result
        Rewriter.replace_value_with_new_type(op.input, TensorType(count, shape_of(op.input)))
        retype(op, GradedType.of(min(0, low), max(0, high)))
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
            for use in list(outer.uses):
                if use.operation is not back:
                    use.operation.operands[use.index] = back.result
            assert self.network.parent is not None
            self.network.parent.insert_op_after(back, self.network)

    def _output(self, term: Term) -> tuple[SSAValue, Field]:
        """An integer value, and what 1 of it stands for; a current gets a unit of its own."""
        from neurocuda.passes.ann._fields import squeezed

        if isinstance(term, Signal):
            return term.value, squeezed(term.scale)
        unit = self._finest([term])
        return term.in_units(self.weights, unit, self.widths.largest_weight, with_bias=True), unit

    def _erase(self, ops: Sequence[Operation]) -> None:
        """Erases what was written anew, or has become a number in the weights behind it."""
        for op in ops:
            term = self.terms.get(op.results[0])
            if not (isinstance(term, Signal) and term.value is op.results[0]):
                op.detach()
                op.erase(safe_erase=False)

    # Layers

    def _layer(self, op: Neurons, terms: Sequence[Term]) -> None:
        if isinstance(op, snn.ThresholdOp):
            self._threshold(op, terms[0])
            return
        currents = [term if isinstance(term, Current) else self._direct(op, term) for term in terms]
        unit = self._unit(currents, op)
        if any(current.vanishes_in(unit) for current in currents):
            why = "the weights of a synapse vanish beside those of another one, which reads smaller integers"
            self._refuse(op, why, "Put a neuron behind the membrane that it reads.")
        apart = op.current_decay is not None
        bias = self._bias(op, [current for current in currents if not (current.after or apart)])
        op.operands = [
            current.in_units(self.weights, unit, self.widths.largest_weight, with_bias=apart) for current in currents
        ]
        self._state(op, unit / 2**self.widths.fraction, bias)

    def _threshold(self, op: snn.ThresholdOp, term: Term) -> None:
        """What remembers nothing compares a signal in the unit that it has, or a current in one of its own."""
        value, unit = self._output(term)
        if (unit <= 0).any():
            self._refuse(op, "it compares what was multiplied by a factor that is not positive", "Fold the factor.")
            return
        op.properties["threshold"] = self._whole(op, self.weights.array(op.threshold) / unit, "threshold")
        op.operands[0] = value

    def _direct(self, op: Neurons, term: Signal) -> Current:
        """Neurons that read a signal with no synapse between get one of weight 1."""
        import numpy as np

        from neurocuda.passes.ann._fields import squeezed

        weight = squeezed(term.scale)
        synapse = snn.DiagonalOp(term.value, self.weights.add(weight, "weight"))
        synapse.location = op.location
        assert op.parent is not None
        op.parent.insert_op_before(synapse, op)
        self.replaced.append(synapse)
        return Current(synapse, term.value, weight, np.zeros(1))

    def _finest(self, currents: Sequence[Current]) -> Field:
        """The finest unit per output channel in which no weight exceeds the largest; any where there is none.

        There is one for all where synapses have their channels along different axes, or in different places.
        """
        import numpy as np

        tops = [current.largest() for current in currents]
        alike = len({top.shape for top in tops if top.size > 1}) < 2 and not any(current.moved for current in currents)
        top = np.zeros(1)
        for each in tops:
            top = np.maximum(top, each if alike else each.max(initial=0))
        return np.where(top > 0, top, 1.0) / self.widths.largest_weight

    def _unit(self, currents: Sequence[Current], op: snn.IntegrateAndFireOp | snn.AccumulateOp) -> Field:
        """One unit per channel, coarse enough for the constants of the neurons to fit beside their state."""
        import numpy as np

        from neurocuda.passes.ann._weight_grid import coarse_enough

        unit = self._finest(currents)
        for constant in constants_named(op.properties, STATE).values():
            size = np.abs(self.weights.array(constant).astype(np.float64)) * 2**self.widths.fraction
            unit = coarse_enough(unit, size, self.widths.largest_state)
        return unit

    def _bias(self, op: snn.IntegrateAndFireOp | snn.AccumulateOp, currents: Sequence[Current]) -> Field:
        """What reaches the membranes at every step by itself: their own bias, and those of these synapses."""
        import numpy as np

        bias = np.zeros(1) if op.bias is None else self.weights.array(op.bias).astype(np.float64)
        for current in currents:
            spatial = isinstance(current.synapse, Conv2dBase)
            bias = bias + (current.bias.reshape(-1, 1, 1) if spatial else current.bias)
        return bias

    def _state(self, op: snn.IntegrateAndFireOp | snn.AccumulateOp, unit: Field, bias: Field) -> None:
        """Says the constants of neurons in units of their membrane, and how wide it is."""
        import numpy as np

        found = {name: self.weights.array(c) / unit for name, c in constants_named(op.properties, STATE).items()}
        found["bias"] = bias / unit
        if "threshold" in found:
            least = found["threshold"] > 0
            found["threshold"] = np.where(least, np.maximum(found["threshold"], 1), found["threshold"])
        for name, values in found.items():
            op.properties[name] = self._whole(op, values, name)
        if not bias.any():
            del op.properties["bias"]
        decays = constants_named(op.properties, DECAYS)
        for name, constant in decays.items():
            op.properties[name] = self._decay(op, self.weights.array(constant).astype(np.float64), name)
        if decays:
            op.properties["decay_bits"] = integer(self.widths.decay)
        op.properties["shift"] = integer(self.widths.fraction)
        op.properties["state_bits"] = integer(self.widths.state)
        if isinstance(op, snn.AccumulateOp):
            retype(op, i32)  # makes another value
            self.terms[op.result] = Signal(op.result, np.broadcast_to(unit, shape_of(op.result)))

    def _decay(self, op: Operation, decay: Field, name: str) -> Dense:
        """A decay as a fraction."""
        import numpy as np

        largest = float(np.abs(decay).max(initial=0))
        if largest > 1:
            self._refuse(op, f"its {name} is {largest:.4g}: what should decay grows", "Use a smaller dt.")
        return self._whole(op, decay * 2**self.widths.decay, name)

    def _whole(self, op: Operation, values: Field, name: str) -> Dense:
        """A constant of 32 bits, one number along axes that hold only one."""
        import numpy as np

        from neurocuda.passes.ann._fields import squeezed

        whole = squeezed(np.rint(values.astype(np.float64)))
        largest = float(np.abs(whole).max(initial=0))
        if largest >= 2**31:
            why = f"its {name} is {largest:.3g} in units of its weights, which leaves 32 bits"
            self._refuse(op, why, "Use fewer fraction bits.")
            whole = np.zeros(1)
        return self.weights.add(whole.astype(np.int32), name)
