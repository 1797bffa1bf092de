"""Codes unary and free: neurons that subtract their threshold, a microcode program, gated by a firing window."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Attribute

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import MEMBRANE
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import integers, shape_of
from neurocuda.passes.loihi.lowering.coding import Coding, Path, Port, Readout, Signal, Wire


class SoftReset(Coding):
    """One group per layer. Spikes may come early, as nobody fires before its window."""

    FLOWS = True

    def neurons(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> Port:
        """Everything in units of the layer; the bias flows inside the window alone, what came before it is there."""
        self.require_plain(op)
        build, unit = self.build, self.unit(wires)
        self.require_room(op, unit)
        first, last = op.window or (0, self.steps)
        start = self.start(op, wires)
        bias = build.array(op.bias)
        properties: dict[str, Attribute] = {
            "threshold": build.of_neurons(build.array(op.threshold) * unit, "threshold"),
            "initial": build.of_neurons((build.array(op.initial) + bias * first) * unit, "initial"),
            "fire": integers((start, start + last - first)),
        }
        if bias.any():
            properties["bias"] = build.of_neurons(bias * unit, "bias")
        currents = self.currents(op, wires, unit, self.delays(wires))
        group = build.group(loihi.IntegrateAndFireOp, op, currents, properties, layer=True)
        return Port(group.spikes, shape_of(op.result), start, start + last - first, start - first)

    def maximum(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """Trains that begin together have the largest count where any of them spikes."""
        return self.any_spike_of_aligned(op, paths)

    def accumulate(self, op: snn.AccumulateOp, wires: Sequence[Wire]) -> Readout:
        """Neurons whose window never comes."""
        import numpy as np

        build, unit = self.build, self.unit(wires)
        self.require_room(op, unit)
        end = self.end(wires)
        properties: dict[str, Attribute] = {
            "threshold": build.constant(np.array([MEMBRANE]), "threshold"),
            "initial": build.of_neurons(self.sum_of_biases(op) * unit, "initial"),
            "fire": integers((end + 1, end + 2)),
        }
        currents = self.currents(op, wires, unit, self.delays(wires))
        group = build.group(loihi.IntegrateAndFireOp, op, currents, properties)
        return Readout(group.membrane, unit, end)

    def start(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> int:
        """The first step of a layer's window: behind the last spike that arrives."""
        del op
        return self.end(wires) + 1

    def end(self, wires: Sequence[Wire]) -> int:
        """The step at which the last spike may arrive."""
        return max((wire.path.port.stop for wire in wires), default=0)

    def delays(self, wires: Sequence[Wire]) -> dict[Wire, int]:
        """How long synapses wait: not at all."""
        del wires
        return {}


class Free(SoftReset):
    """All layers live at once: spikes arrive as they do in the spiking network, some steps later."""

    def maximum(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """Trains without order would have to be counted."""
        why = "the largest of several counts would have to be counted while they are said"
        self.build.refuse(op, why, 'Use average pooling, or code="unary".')
        del paths
        return (Path(self.nothing(op)),)

    def start(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> int:
        """The first step of the window, later by the latency of what it hears."""
        return (0 if op.window is None else op.window[0]) + self._late(wires)

    def end(self, wires: Sequence[Wire]) -> int:
        """The last step of the spiking network."""
        return self.steps - 1 + self._late(wires)

    def delays(self, wires: Sequence[Wire]) -> dict[Wire, int]:
        """Early spikes wait for those that come from deeper."""
        late = self._late(wires)
        return {wire: late - 1 - wire.path.port.late + wire.path.delay for wire in wires}

    def _late(self, wires: Sequence[Wire]) -> int:
        """How many steps later a layer lives; delays of the spiking network hide the latency of a synapse."""
        return max((wire.path.port.late + 1 - wire.path.delay for wire in wires), default=0)
