"""What a network uses of its chips, and what an inference costs there.

All of it is estimated: from the model of `neurocuda.passes.loihi._uses`, from how often neurons fire, and from energies
published for Loihi 1, which stand in the chip's file. What rests on a number that the file says is assumed is told as
assumed.

A synaptic operation is one message times one connection. A neuron is updated at every step, active where it fires. A
message costs what one within a tile does, and on its way what every hop between cores does; on silicon some of these
hops stay within a tile, so that this is too much. Messages from outside, and what a host does, cost nothing here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import SPIKE
from neurocuda.errors import TargetError
from neurocuda.ir.activity import activity_of
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.backend import Execution, Reading
from neurocuda.ir.chip import Chip, Figure
from neurocuda.ir.layout import CoreUse, Layout
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.loihi._cuts import Array
from neurocuda.passes.loihi._projections import Projection
from neurocuda.passes.loihi._system import System
from neurocuda.passes.loihi._traffic import (
    Traffic,
    cores_of,
    name_of,
    require_places,
    spikes_per_neuron,
    traffic_of,
)
from neurocuda.passes.loihi._uses import RESOURCES, Network

if TYPE_CHECKING:
    from xdsl.ir import Block, Operation

PICO_PER_MICRO = 1e6


def layout(module: ModuleOp, weights: WeightStore, chip: Chip) -> Layout:
    """Which group lies on which core, and what it uses there.

    Raises:
        TargetError: a group lies on no core.
        CapacityError: a group lies on a core that the chip does not have.
    """
    return _layout(Network(module, weights), System(chip))


def _layout(network: Network, system: System) -> Layout:
    require_places(network.groups, system, "layout")
    cuts, parts = network.cuts(), defaultdict[int, list[str]](list)
    used: dict[int, Array] = defaultdict(lambda: np.zeros(len(RESOURCES)))
    for group, cores in cores_of(network, system).items():
        neurons = prod(shape_of(group.spikes))
        for core, uses in zip(cores.tolist(), network.uses(group, cuts), strict=True):
            used[core] = used[core] + uses
            parts[core].append(f"{name_of(group)}: {uses[0]:,.0f} of {neurons:,} neurons")
    return Layout(system.chip, tuple(_core_use(core, used[core], parts[core], system) for core in sorted(used)))


def _core_use(core: int, used: Array, parts: Sequence[str], system: System) -> CoreUse:
    chip, number = divmod(core, system.cores)
    return CoreUse(chip, number, dict(zip(RESOURCES, used.tolist(), strict=True)), tuple(parts))


def cost(module: ModuleOp, weights: WeightStore, chip: Chip, execution: Execution | None = None) -> Sequence[Reading]:
    """Chips, cores, neurons, memory, axons, steps; and per image spikes, operations, traffic and energy.

    Spikes are those of the run, else `nc.activity`, else one per neuron, which the reading's name then says.

    Raises:
        TargetError: a group lies on no core, or the chip's file leaves an energy out.
    """
    network, system = Network(module, weights), System(chip)
    placed = _layout(network, system)
    spikes = Spikes.of(network.groups, execution)
    traffic = traffic_of(network, system, spikes.per_neuron)
    steps = sum(op.steps.value.data for op in module.walk() if isinstance(op, loihi.NetworkOp))
    inference = Inference(network, traffic, system, spikes, steps)
    return [*_space(placed), Reading("time steps", steps, "steps", "estimated"), *inference.readings()]


def _space(placed: Layout) -> Iterator[Reading]:
    """What lies where."""
    (_, total), chip = next(placed.uses("network")), placed.chip
    kind = _kind(limit.figure for limit in chip.limits.values() if limit.per == "core")
    yield Reading("chips", total["chips"], "chips", kind)
    yield Reading("cores", total["cores"], "cores", kind)
    yield Reading("neurons", total.get("neurons", 0), "neurons", "estimated")
    yield Reading("weights kept", total.get("synapses", 0), "weights", "estimated")
    yield Reading("memory of neurons and synapses", total.get("memory_bytes", 0), "bytes", "assumed")
    yield Reading("axons into cores", total.get("in_axons", 0), "axons", "assumed")
    yield Reading("axons out of cores", total.get("out_axons", 0), "axons", "assumed")


def _kind(figures: Iterable[Figure]) -> str:
    return "assumed" if any(figure.kind == "assumed" for figure in figures) else "estimated"


@dataclass(frozen=True)
class Spikes:
    """The mean number of spikes per neuron and image, and whether that is known of any group at all."""

    per_neuron: dict[loihi.GroupOp, float]
    known: bool

    @staticmethod
    def of(groups: Sequence[loihi.GroupOp], execution: Execution | None) -> Spikes:
        """From the counts of a run, where a group says the count of its layer alone; else what the module knows."""
        counted = _counted(groups, {} if execution is None else execution.counts)
        known = any(group in counted or activity_of(group) is not None for group in groups)
        return Spikes({group: counted.get(group, spikes_per_neuron(group)) for group in groups}, known)


def _counted(groups: Sequence[loihi.GroupOp], counts: Mapping[str, Array]) -> dict[loihi.GroupOp, float]:
    origins = [origin_of(group) for group in groups]
    return {
        group: _messages(group, counts[origin])
        for group, origin in zip(groups, origins, strict=True)
        if origin is not None and origins.count(origin) == 1 and origin in counts and counts[origin].size
    }


def _messages(group: loihi.GroupOp, counts: Array) -> float:
    """The messages per neuron behind counts: one where its time or value counts, else as many as make up the count."""
    if group.SENDS != SPIKE or group.until is not None:
        return float((counts != 0).mean())
    return float(np.abs(counts).mean()) / max(1, abs(group.worth.value.data))


@dataclass(frozen=True)
class Inference:
    """What one image takes."""

    network: Network
    traffic: Traffic
    system: System
    spikes: Spikes
    steps: int

    def readings(self) -> Iterator[Reading]:
        """Spikes, operations, traffic and energy per image."""
        guess = "" if self.spikes.known else ", with one spike per neuron for want of images"
        yield Reading(f"spikes{guess}", self.fired, "per image", "estimated")
        yield Reading(f"synaptic operations{guess}", self.operations, "per image", "estimated")
        between = self.traffic.senders != self.traffic.receivers
        yield Reading("messages between cores", float(self.traffic.messages[between].sum()), "per image", "assumed")
        mesh = _kind(self.system.chip.constants.values())
        yield Reading("hops between cores", sum(self.traffic.hops(self.system)), "per image", mesh)
        parts = self.energies()
        for name, energy in (*parts.items(), ("energy", sum(parts.values()))):
            kind = _kind(self.system.chip.energies.values())
            yield Reading(f"{name}{guess}", energy / PICO_PER_MICRO, "µJ per image", kind)

    @property
    def fired(self) -> float:
        """The spikes of all groups."""
        return sum(rate * prod(shape_of(group.spikes)) for group, rate in self.spikes.per_neuron.items())

    @property
    def operations(self) -> float:
        """Messages times connections, those from outside included."""
        return sum(each.connections * self._rate(each) for each in self.network.projections)

    def _rate(self, projection: Projection) -> float:
        """The messages per sending neuron; from outside as many as are given, or one for every row."""
        if projection.sender is not None:
            return self.spikes.per_neuron[projection.sender]
        return messages_from_outside(projection.spikes.owner)

    def energies(self) -> Mapping[str, float]:
        """What synapses, neurons and messages take, in pJ."""
        updates = self.steps * sum(prod(shape_of(group.spikes)) for group in self.network.groups)
        active = min(self.fired, updates)
        east_west, north_south = self.traffic.hops(self.system)
        neurons = active * self._energy("active_update") + (updates - active) * self._energy("inactive_update")
        hops = east_west * self._energy("hop_east_west") + north_south * self._energy("hop_north_south")
        return {
            "energy of synapses": self.operations * self._energy("synaptic_operation"),
            "energy of neurons": neurons,
            "energy of messages": float(self.traffic.messages.sum()) * self._energy("spike") + hops,
        }

    def _energy(self, name: str) -> float:
        chip = self.system.chip
        if name not in chip.energies:
            raise TargetError(f"the file of chip {chip.name} has no [energies.{name}]")
        return chip.energies[name].value


def messages_from_outside(sender: Operation | Block) -> float:
    """The messages per neuron and image of a source or a clock."""
    if isinstance(sender, loihi.PulsesOp):
        return len(sender.pulses)
    if not isinstance(sender, loihi.SourceOp):
        return 0.0
    known = activity_of(sender)
    return float(shape_of(sender.input)[0]) if known is None else known
