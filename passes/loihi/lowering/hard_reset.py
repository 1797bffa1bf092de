"""Code latency: stock LIF neurons with a hard reset and a current that lasts, so that an earlier spike brings more.

A spike brings its weight at every step until its source's window ends. Then a latch, a second neuron for each that has
heard the first one fire, takes the current away. So the membrane holds weight times (T - j) for a spike at step j of T.
Behind that the layer's own window begins: a pulse lifts every membrane to where T thresholds are the neuron's
threshold, and a ramp adds one threshold per step, so that a neuron whose sum holds n thresholds fires at step T - n.
Source: theorem 4 of the conversion notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import integer, shape_of, values_of
from neurocuda.passes.loihi.lowering._connections import Pairs, scaled
from neurocuda.passes.loihi.lowering.builder import EVEN
from neurocuda.passes.loihi.lowering.coding import (
    FORGETS,
    LASTS,
    LIF_UNIT,
    MOST,
    Coding,
    Path,
    Port,
    Readout,
    Signal,
    Wire,
)


class HardReset(Coding):
    """A group per layer, and a latch for every group that another one reads."""

    FACTORS = (1, -1)
    RESET = "zero"

    def __init__(self, *arguments: object, **keywords: object) -> None:
        super().__init__(*arguments, **keywords)  # pyright: ignore[reportArgumentType]
        self.latches: dict[SSAValue, SSAValue] = {}

    def neurons(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> Port:
        """Integrates, is lifted, rises by a threshold per step, and is silent once it has fired."""
        import numpy as np

        self.require_plain(op)
        build, threshold = self.build, self.build.array(op.threshold)
        lowest, highest = self.bounds.membranes[op].integers
        start = self.start(wires)
        levels = 1 if op.window is None else op.window[1] - op.window[0]
        reached = max(int(threshold.max()) * levels, highest + 1)
        self.require_reach(op, max(-lowest * EVEN, reached * EVEN - 1), MOST)  # above its threshold nothing matters
        shape = shape_of(op.result)
        lift = np.broadcast_to(reached - threshold * levels, np.broadcast_shapes(threshold.shape, (1,) * len(shape)))
        currents = [
            *self.lasting(op, wires),
            *build.pulsed(op, lift, shape[::-1], {start - 1: 1, start: -1}),
        ]
        if levels > 1:
            currents += build.pulsed(op, threshold, shape[::-1], {start: 1, start + levels - 1: -1})
        properties: dict[str, Attribute] = {
            "du": integer(LASTS),
            "dv": integer(0),
            "vth": integer(min(reached * EVEN - 1, MOST)),
            "initial": build.of_neurons(build.array(op.initial) * EVEN * LIF_UNIT, "initial"),
            "until": integer(start + levels),
        }
        group = build.group(loihi.LifOp, op, currents, properties, layer=True)
        return Port(group.spikes, shape, start, start + levels)

    def start(self, wires: Sequence[Wire]) -> int:
        """The step at which everything has come, and currents have gone."""
        return max((wire.path.port.stop + 1 for wire in wires), default=0)

    def lasting(self, op: Operation, wires: Sequence[Wire]) -> list[SSAValue]:
        """The synapses of a layer, and those that take their currents away; a source does it by itself."""
        found = self.currents(op, wires, EVEN)
        shape = shape_of(op.results[0])[::-1]
        for wire in wires:
            if wire.path.port.bits is None:
                ends = scaled(wire.found, -1)
                found += self.build.synapses(wire.synapse, ends, self.latch(wire), shape, factor=EVEN)
        return found

    def latch(self, wire: Wire) -> SSAValue:
        """Spikes, when the window of a port has ended, of those neurons that fired in it."""
        port = wire.path.port
        if port.value not in self.latches:
            like = port.value.owner
            assert isinstance(like, Operation)
            self.latches[port.value] = self._latch(like, port)
        return self.latches[port.value]

    def _latch(self, like: Operation, port: Port) -> SSAValue:
        import numpy as np

        shape = shape_of(port.value)
        fired = self.build.synapses(like, _identity(port.shape, 1), port.value, shape, factor=EVEN)
        clock = self.build.pulsed(like, np.ones((1,) * len(shape), np.int64), shape, {port.stop - 1: 1})
        both: dict[str, Attribute] = {"du": integer(FORGETS), "dv": integer(0), "vth": integer(2 * EVEN - 1)}
        return self.build.group(loihi.LifOp, like, [*fired, *clock], both).spikes

    def maximum(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """Of windows that end together the first spike is the largest; with it a neuron inhibits itself for good."""
        area = prod(values_of(op.kernel))
        if area > 255:
            self.build.refuse(op, f"windows of {area} neurons are more than a weight can inhibit", "Pool in two steps.")
            area = 255
        end = max(path.port.stop for path in paths)
        port = self.any_spike(op, {path: end - path.port.stop for path in paths}, remembers=True)
        group = port.value.owner
        assert isinstance(group, loihi.LifOp)
        (own,) = self.build.synapses(op, _identity(port.shape, -area), port.value, shape_of(port.value))
        for each in _from_synapse(own):
            each.detach()
            self.build.block.insert_op_before(each, group)
        group.operands = [*group.operands, own]
        return (Path(port),)

    def accumulate(self, op: snn.AccumulateOp, wires: Sequence[Wire]) -> Readout:
        """Neurons that never fire."""
        lowest, highest = self.bounds.membranes[op].integers
        self.require_reach(op, max(-lowest, highest) * EVEN, MOST)
        constant = self.sum_of_biases(op)
        properties: dict[str, Attribute] = {
            "du": integer(LASTS),
            "dv": integer(0),
            "vth": integer(MOST),
            "initial": self.build.of_neurons(constant * EVEN * LIF_UNIT, "initial"),
        }
        group = self.build.group(loihi.LifOp, op, self.lasting(op, wires), properties)
        return Readout(group.membrane, EVEN * LIF_UNIT, self.start(wires))


def _from_synapse(current: SSAValue) -> list[Operation]:
    """The synapse that a current comes from, and what stands between."""
    owner = current.owner
    assert isinstance(owner, Operation)
    return [owner] if isinstance(owner, loihi.WeightsOp) else [*_from_synapse(owner.operands[0]), owner]


def _identity(shape: Sequence[int], weight: int) -> Pairs:
    """Every neuron to the neuron of its number."""
    import numpy as np

    numbers = np.arange(int(np.prod(shape)))
    return Pairs(np.full(len(numbers), weight), numbers, numbers)
