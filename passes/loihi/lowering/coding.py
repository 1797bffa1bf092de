"""What the codes of a network have in common on Loihi: ports, and the parts that each code says in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import MEMBRANE
from neurocuda.dialects.shared.bases import SynapseOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import integer, shape_of, values_of
from neurocuda.passes.loihi.lowering._connections import (
    Connection,
    Convolution,
    Step,
    TooManyPairsError,
    connection,
    pairs,
)
from neurocuda.passes.loihi.lowering.builder import EVEN, Builder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis

    Array: TypeAlias = NDArray[Any]


FORGETS = 4095
"""The decay that leaves nothing of the step before."""

LASTS = -1
"""The decay of a current that stays, in Lava; whether silicon takes it is assumed."""

LIF_UNIT = 64
"""A membrane of a LIF neuron counts in 64ths of a weight."""

MOST = 2**17 - 1
"""The largest membrane of a LIF neuron in units of weights, and its largest threshold."""


@dataclass(frozen=True)
class Port:
    """What a group or a source sends.

    Attributes:
        value: the spikes, axes as in Lava.
        shape: the user's axes.
        start: the first step of the chip at which it may speak.
        stop: the step from which on it is silent.
        late: how many steps later it speaks than in the spiking network, where that matters.
        bits: the width of the integers that its spikes carry, or None.
        minus: a port whose spikes count negatively, or None.
    """

    value: SSAValue
    shape: tuple[int, ...]
    start: int
    stop: int
    late: int = 0
    bits: int | None = None
    minus: SSAValue | None = None


@dataclass(frozen=True, eq=False)
class Path:
    """How the spikes of a port reach a reader: through index maps and sums of windows, some steps later."""

    port: Port
    steps: tuple[Step, ...] = ()
    delay: int = 0


Signal: TypeAlias = tuple[Path, ...]
"""A value of the network: the paths by which spikes reach it. Where they meet, they lie beside each other or add up."""


@dataclass(frozen=True)
class Readout:
    """The probe that holds a sum: the membrane, what one unit of the sum is in it, and the step from which it is there.

    `passing`: it is there at that step alone.
    """

    membrane: SSAValue
    divisor: int
    step: int
    passing: bool = False


@dataclass(frozen=True, eq=False)
class Wire:
    """One synapse of a layer from one port, found but not yet written."""

    synapse: SynapseOp
    path: Path
    found: Connection


class Coding(ABC):
    """How one code says the layers of a network. It writes into `build`; `steps` are those of the spiking network."""

    FACTORS: tuple[int, ...] = (1,)
    """The rows in which a value enters: the whole value, or the value and its end."""

    RESET = "subtract"
    """How neurons of the code are reset."""

    FLOWS = False
    """Whether a bias may flow at every step."""

    def __init__(self, build: Builder, bounds: BoundsAnalysis, steps: int, *, sparse: bool) -> None:
        self.build = build
        self.bounds = bounds
        self.steps = steps
        self.sparse = sparse

    @abstractmethod
    def neurons(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> Port:
        """A layer of neurons."""

    @abstractmethod
    def maximum(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """The largest of every window."""

    @abstractmethod
    def accumulate(self, op: snn.AccumulateOp, wires: Sequence[Wire]) -> Readout:
        """Sums that are read at the end."""

    # What they share

    def sum_of_biases(self, op: snn.AccumulateOp) -> Array:
        """What an accumulator holds in the end without any spike."""
        return self.build.array(op.initial) + self.build.array(op.bias) * self.steps

    def nothing(self, op: Operation) -> Port:
        """What stands for an operation that was refused, so that others are looked at, too."""
        shape = shape_of(op.results[0])
        return Port(self.build.add(loihi.PulsesOp({0: 1}, shape[::-1]), op), shape, start=0, stop=1, bits=8)

    def wire(self, synapse: SynapseOp, path: Path, *, late: bool = False) -> Wire | None:
        """What a synapse connects; a convolution that has to wait is listed pair by pair, as it cannot."""
        try:
            weights = self.build.weights
            found = connection(synapse, path.port.shape, path.steps, weights)
            if isinstance(found, Convolution) and (self.sparse or late):
                found = pairs(synapse, path.port.shape, path.steps, weights)
        except TooManyPairsError as reason:
            self.build.refuse(synapse, str(reason), "Pool or slice less between the layers.")
            return None
        return Wire(synapse, path, found)

    def currents(
        self, op: Operation, wires: Sequence[Wire], unit: int, delays: Mapping[Wire, int] | None = None
    ) -> list[SSAValue]:
        """The synapses of a layer, written, with weights in units of the chip."""
        found: list[SSAValue] = []
        shape = shape_of(op.results[0])[::-1]
        for each in wires:
            port, delay = each.path.port, (delays or {}).get(each, 0)
            wire = each
            if delay and isinstance(each.found, Convolution):
                wire = self.wire(each.synapse, each.path, late=True) or each
            for value, factor in ((port.value, unit), (port.minus, -unit)):
                if value is None:
                    continue
                found += self.build.synapses(
                    each.synapse, wire.found, value, shape, factor=factor, delay=delay, bits=port.bits
                )
        return found

    def unit(self, wires: Sequence[Wire]) -> int:
        """What one unit of the layer's integers is on the chip: 2 where weights have mixed signs, else 1."""
        return EVEN if any((wire.found.weight < 0).any() and (wire.found.weight > 0).any() for wire in wires) else 1

    def require_plain(self, op: snn.IntegrateAndFireOp) -> None:
        """Refuses neurons that do more than the code's own."""
        more = [
            name
            for name, there in (
                ("that are signed", op.signed.value.data),
                ("that fire strictly above the threshold", op.strict.value.data),
                ("that rest", op.refractory.value.data),
                ("that leak", op.membrane_decay is not None or op.current_decay is not None),
                ("with a lower bound", op.lower_bound is not None),
                ("that are reset to a value", op.reset_value is not None),
                ("whose bias flows at every step", op.bias is not None and not self.FLOWS),
                (f'with reset "{op.reset.data}"', op.reset.data != self.RESET and not self._fires_once(op)),
                ("that stop before their window ends", op.values is None and self.bounds.is_capped(op)),
            )
            if there
        ]
        if more:
            self.build.refuse(op, f"the target has no neurons {', '.join(more)} in this code", "Use another code.")

    def _fires_once(self, op: snn.IntegrateAndFireOp) -> bool:
        """Whether it does not matter how a neuron is reset."""
        return op.window is not None and op.window[1] - op.window[0] == 1

    def require_room(self, op: Operation, unit: int, most: int = MEMBRANE) -> None:
        """Refuses a layer whose membrane could leave the chip's range in units of the chip."""
        interval = self.bounds.membranes.get(op)
        if interval is None:
            return
        lowest, highest = interval.integers
        self.require_reach(op, max(-lowest, highest) * unit, most)

    def require_reach(self, op: Operation, reach: int, most: int) -> None:
        """Refuses a layer that needs more than `most`; says which T would do, as what a layer hears grows with T."""
        if reach <= most:
            return
        levels = op.levels.value.data if isinstance(op, snn.IntegrateAndFireOp) and op.levels is not None else 0
        fits = levels * most // reach
        remedy = f"With these weights timesteps={fits} would fit; " if fits else ""
        remedy += "narrower weights (weight_bits) make it smaller, too."
        self.build.refuse(op, f"its membrane could reach {reach:,} on the chip, which holds {most:,}", remedy)

    def any_spike_of_aligned(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """Neurons that fire where anything in their window does, of trains that are made to begin together."""
        begin = max(path.port.start for path in paths)
        return (Path(self.any_spike(op, {path: begin - path.port.start for path in paths})),)

    def any_spike(
        self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, delays: Mapping[Path, int], *, remembers: bool = False
    ) -> Port:
        """Neurons that fire where anything in their window does, a step later; the paths have delays of their own."""
        if any(isinstance(step.op, snn.SumPool2dOp) for path in delays for step in path.steps):
            why = "it finds the largest of sums, and a spike says nothing of a sum"
            self.build.refuse(op, why, "Pool maxima first and sums behind them.")
        currents = [current for path, delay in delays.items() for current in self._of_windows(op, path, delay)]
        properties: dict[str, Attribute] = {"du": integer(FORGETS), "dv": integer(0), "vth": integer(0)}
        if not remembers:
            properties["reset_interval"] = integer(1)
        group = self.build.group(loihi.LifOp, op, currents, properties)
        start = 1 + min(path.port.start + delay for path, delay in delays.items())
        stop = 1 + max(path.port.stop + delay for path, delay in delays.items())
        return Port(group.spikes, shape_of(op.result), start, stop, 1 + max(path.port.late for path in delays))

    def _of_windows(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, path: Path, delay: int) -> Iterator[SSAValue]:
        """The current that says how much in a window spikes."""
        import numpy as np

        port, ends = path.port, values_of(op.padding)
        plain = not (path.steps or self.sparse or delay)
        if plain and ends[0] == ends[1] and ends[2] == ends[3]:
            kernel, stride, dilation = (values_of(each)[::-1] for each in (op.kernel, op.stride, op.dilation))
            ones = np.ones((port.shape[0], *kernel, 1), np.int64)
            padding = (ends[2], ends[0])
            found: Connection = Convolution(ones, _pair(stride), padding, _pair(dilation), port.shape[0])
        else:
            one = snn.DiagonalOp(stand_in(op.result), self.build.weights.add(np.ones((1, 1, 1), np.int8), "one"))
            found = pairs(one, port.shape, (*path.steps, Step(op)), self.build.weights)
        yield from self.build.synapses(op, found, port.value, shape_of(op.result)[::-1], delay=delay, bits=port.bits)


def stand_in(value: SSAValue) -> SSAValue:
    """A value of the same shape that belongs to nothing, for an operation that is only looked at."""
    return loihi.PulsesOp({0: 1}, shape_of(value)).result


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return first, second
