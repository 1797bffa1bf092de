"""Walks a spiking network in order and writes the network of level `loihi` that does the same."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import GRADED
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, Pool2dOp, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import SpikesType
from neurocuda.ir.attributes import element_type, shape_of
from neurocuda.passes.loihi.lowering.builder import Builder, message_bits
from neurocuda.passes.loihi.lowering.coding import Coding, Path, Port, Readout, Signal, Step, Wire
from neurocuda.reference.meaning import meaning_of


class NetworkLowering:
    """One network on its way; `coding` says how its layers are said, `build` holds what is written."""

    def __init__(self, network: snn.NetworkOp, coding: Coding, build: Builder) -> None:
        self.network = network
        self.coding = coding
        self.build = build
        self.signals: dict[SSAValue, Signal] = {}
        self.wires: dict[SSAValue, list[Wire]] = {}
        self.readouts: dict[SSAValue, Readout] = {}
        self.factors: dict[SSAValue, tuple[int, ...]] = {}

    def run(self) -> dict[SSAValue, Readout]:
        """Lowers the body; returns what the host reads for the network's accumulators."""
        for op in self.network.body.block.ops:
            if not isinstance(op, snn.OutputOp):
                self._visit(op)
        return self.readouts

    def _visit(self, op: Operation) -> None:
        result = op.results[0]
        if isinstance(op, snn.InputOp):
            self.signals[result] = (Path(self._source(op)),)
        elif isinstance(op, snn.IntegrateAndFireOp | snn.AccumulateOp):
            self._neurons(op)
        elif not (isinstance(op, SynapseOp | Pool2dOp | snn.DelayOp) or meaning_of(type(op)).moves):
            self._refuse(op, "Loihi has no such neurons", "Use layers that a staircase can stand for.")
        elif any(operand in self.wires for operand in op.operands):
            self._refuse(op, "it stands between a synapse and its neurons", "Put it in front of the synapse.")
        elif isinstance(op, SynapseOp):
            self.wires[result] = self._wired(op)
        elif isinstance(op, snn.MaxPool2dOp | snn.RunningMaxPool2dOp):
            self.signals[result] = self.coding.maximum(op, self.signals[op.input])
        elif isinstance(op, snn.DelayOp):
            self.signals[result] = self._delayed(op)
        else:
            self._map(op)

    def _neurons(self, op: snn.IntegrateAndFireOp | snn.AccumulateOp) -> None:
        """A layer and its synapses."""
        wires = [wire for operand in op.operands for wire in self.wires.get(operand, [])]
        if not wires or any(operand not in self.wires for operand in op.operands):
            self._refuse(op, "it reads something else than synapses", "Put a linear layer in front of it.")
        elif isinstance(op, snn.AccumulateOp):
            self.readouts[op.result] = self.coding.accumulate(op, wires)
        else:
            self.signals[op.result] = (Path(self.coding.neurons(op, wires)),)

    def _refuse(self, op: Operation, why: str, remedy: str) -> None:
        self.build.refuse(op, why, remedy)
        self.signals[op.results[0]] = (Path(self.coding.nothing(op)),)

    def _source(self, op: snn.InputOp) -> Port:
        """Where a value of the host enters: at once, or at every step."""
        element, shape = element_type(op.input), shape_of(op.result)
        factors = (1,) * self.network.duration if op.code.data == "current" else self.coding.FACTORS
        if op.code.data == "spikes" or not isinstance(element, RangeType):
            self.build.refuse(op, "its input is a train", "Let integers enter.")
            element = SpikesType.of(0, 1)
        argument = self.build.block.insert_arg(
            TensorType(GRADED, (len(factors), *shape[::-1])), len(self.build.block.args)
        )
        self.factors[op.input] = factors
        lowest, highest = element.bounds
        reach = max(-lowest, highest) if -1 in factors else 0
        bits = message_bits(min(lowest, -reach), max(highest, reach))
        source = loihi.SourceOp(operands=[argument], result_types=[TensorType(GRADED, shape[::-1])])
        return Port(self.build.add(source, op), shape, start=0, stop=factors.count(1), bits=bits)

    def _wired(self, op: SynapseOp) -> list[Wire]:
        if isinstance(op, Conv2dBase | LinearBase) and op.bias is not None:
            self.build.refuse(op, "its own bias would flow at every step", "Let the neurons hold the bias.")
        found = (self.coding.wire(op, path) for path in self.signals[op.input])
        return [wire for wire in found if wire is not None]

    def _delayed(self, op: snn.DelayOp) -> Signal:
        if op.extra is not None:
            self.build.refuse(op, "every element has a delay of its own", "Delay the whole signal.")
        steps = op.steps.value.data
        return tuple(Path(path.port, path.steps, path.delay + steps) for path in self.signals[op.input])

    def _map(self, op: Operation) -> None:
        """An index map or a sum of windows: of every operand, wherever it stands in the result."""
        if any(operand in self.readouts for operand in op.operands):
            return  # the host does it
        self.signals[op.results[0]] = tuple(
            Path(path.port, (*path.steps, Step(op, index)), path.delay)
            for index, operand in enumerate(op.operands)
            for path in self.signals[operand]
        )
