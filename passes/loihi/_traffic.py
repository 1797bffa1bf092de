"""Messages between cores: how many an image takes, estimated from how often neurons fire, and how far they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurocuda.dialects.loihi.neurons import GroupOp
from neurocuda.errors import CapacityError, Problem, TargetError
from neurocuda.ir.activity import activity_of
from neurocuda.ir.origin import origin_of, user_location, written_name
from neurocuda.passes.loihi._cuts import Array
from neurocuda.passes.loihi._system import System
from neurocuda.passes.loihi._uses import Network

UNKNOWN = 1.0
"""The spikes per neuron and image where nobody has counted."""


def spikes_per_neuron(group: GroupOp) -> float:
    """The mean number of spikes per neuron and image."""
    known = activity_of(group)
    return UNKNOWN if known is None else known


def require_places(groups: Sequence[GroupOp], system: System, reader: str) -> None:
    """Refuses groups that lie nowhere, or on cores that there are not.

    Raises:
        TargetError: a group has no place.
        CapacityError: the chip has fewer cores.
    """
    nowhere = [group for group in groups if not group.places]
    if nowhere:
        told = f"{reader}: {name_of(nowhere[0])} and {len(nowhere) - 1} other groups lie on no core"
        raise TargetError(f"{told}; run partition-groups first")
    limit = system.chip.limits["cores"]
    lasts = [(group, max(core for _, core in group.places)) for group in groups]
    problems = [
        Problem(name_of(group), user_location(group), f"it lies on core {last}: {limit.shortage('cores', last + 1)}")
        for group, last in lasts
        if last >= system.cores
    ]
    if problems:
        raise CapacityError(f"the network does not fit {system.chip.name}:", problems)


def name_of(group: GroupOp) -> str:
    """The layer that a group stands for, or where it comes from, or its operation."""
    return origin_of(group) or user_location(group) or f"`{written_name(group)}`"


def cores_of(network: Network, system: System) -> dict[GroupOp, Array]:
    """The number of the core on which every block lies, over all chips, for the groups that have their places."""
    places = {group: np.array(group.places).reshape(-1, 2) for group in network.groups}
    return {group: at[:, 0] * system.cores + at[:, 1] for group, at in places.items()}


@dataclass(frozen=True)
class Traffic:
    """Messages per image from core to core, both numbered over all chips; every pair stands once."""

    senders: Array
    receivers: Array
    messages: Array

    def hops(self, system: System) -> tuple[float, float]:
        """The hops that all messages of an image take along rows (east, west) and along columns (north, south)."""
        last = max(self.senders.max(initial=0), self.receivers.max(initial=0))
        column, row = system.places(int(last) // system.cores + 1)
        along = np.abs(column[self.senders] - column[self.receivers])
        across = np.abs(row[self.senders] - row[self.receivers])
        return float(self.messages @ along), float(self.messages @ across)


def traffic_of(network: Network, system: System, spikes: dict[GroupOp, float]) -> Traffic:
    """The traffic of a network that has its places, of so many spikes per neuron and image."""
    cores, cuts = cores_of(network, system), network.cuts()
    most = 1 + max((int(at.max()) for at in cores.values()), default=0)
    keys, messages = [np.zeros(0, np.int64)], [np.zeros(0)]
    for each in network.projections:
        if each.sender is None:
            continue
        senders, receivers, neurons = each.messages(cuts[each.sender], cuts[each.target])
        keys.append(cores[each.sender][senders] * most + cores[each.target][receivers])
        messages.append(neurons * spikes[each.sender])
    pairs, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    return Traffic(pairs // most, pairs % most, np.bincount(inverse, np.concatenate(messages), len(pairs)))
