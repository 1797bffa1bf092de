"""Partitions: every neuron lies in one block, every core within its limits; what does not fit says what is short."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from neurocuda.backends.loihi import BACKEND
from neurocuda.errors import CapacityError
from neurocuda.ir.chip import Chip
from neurocuda.passes.loihi._partition import Partition, _factors, _numbers  # pyright: ignore[reportPrivateUsage]
from neurocuda.passes.loihi._system import System
from neurocuda.passes.loihi._uses import RESOURCES, Network
from neurocuda.passes.loihi.partition_groups import PartitionGroupsPass
from neurocuda.testing_loihi import random_loihi_network

if TYPE_CHECKING:
    from .conftest import Shaped, ShapedNetworks


def small(**most: int) -> Chip:
    """Loihi 2 with lower limits."""
    chip = BACKEND.chip()
    limits = {
        name: replace(limit, figure=replace(limit.figure, value=most.get(name, limit.figure.value)))
        for name, limit in chip.limits.items()
    }
    return replace(chip, name="small", limits=limits)


@pytest.mark.parametrize("seed", range(30))
def test_cores_keep_their_limits(seed: int) -> None:
    network = random_loihi_network(seed)
    found = Network(network.module, network.weights)
    system = System(small(neurons=3, memory_bytes=420, in_axons=170, out_axons=20, synapses=128 * 300))
    used: dict[int, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
    partition = Partition(found, system)
    for group, cores in partition.places.items():
        assert len(set(cores.tolist())) == len(cores) == partition.cuts[group].blocks
        assert partition.cuts[group].neurons().sum() == partition.cuts[group].labels().size
        for core, uses in zip(cores.tolist(), found.uses(group, partition.cuts), strict=True):
            used[core] = used.get(core, np.zeros(len(RESOURCES))) + uses
    assert all((each <= system.per_core).all() for each in used.values())
    assert sorted(used) == list(range(len(used)))


def test_what_is_placed_verifies_and_says_the_same(shaped: ShapedNetworks) -> None:
    network = shaped.windows(3)
    PartitionGroupsPass().rewrite(network.module, network.weights)
    network.module.verify()
    places = [group.places for group in network.groups]
    assert places == [((0, 0),), ((0, 0),)]
    PartitionGroupsPass().rewrite(network.module, network.weights)
    assert [group.places for group in network.groups] == places


def test_a_limit_of_the_chip_is_shared_by_its_cores() -> None:
    assert System(small(synapses=1300)).per_core[RESOURCES.index("synapses")] == 10


@pytest.mark.parametrize(
    ("most", "messages"),
    [
        ({"in_axons": 2}, ["first: one of its neurons, alone on a core, is too much: in_axons is 4, and a core has 2"]),
        ({"memory_bytes": 15, "in_axons": 3}, ["memory_bytes is 20, and a core has 15 byte", "; in_axons is 4, and "]),
        ({"cores": 1, "chips": 1, "neurons": 40}, ["first: it needs at least 9 cores, and there are 1"]),
        ({"cores": 1, "chips": 5, "neurons": 100}, ["the whole network: it takes 7 cores, and the system has 5"]),
    ],
)
def test_all_that_is_short_is_told(most: dict[str, int], messages: list[str], shaped: ShapedNetworks) -> None:
    network = shaped.windows(9)
    with pytest.raises(CapacityError, match="the network does not fit small:") as caught:
        Partition(Network(network.module, network.weights), System(small(**most)))
    assert all(message in str(caught.value) for message in messages), str(caught.value)


def test_axons_out_of_a_core_make_more_blocks(shaped: ShapedNetworks) -> None:
    network = shaped.windows(9)
    found = Network(network.module, network.weights)
    first, second = network.groups
    assert Partition(found, System(small())).cuts[first].blocks == 1
    halves = Partition(found, System(small(out_axons=9)))
    assert halves.cuts[second].blocks == 1
    assert halves.cuts[first].blocks > 1


def test_numbers_of_blocks_and_their_factors() -> None:
    assert list(_numbers(3, 9)) == [3, 4, 5, 6, 7, 8, 9]
    assert list(_numbers(20, 70)) == [*range(20, 41), 44, 48, 52, 56, 60, 64]
    assert sorted(_factors(6, (2, 9, 3))) == [(1, 2, 3), (1, 3, 2), (1, 6, 1), (2, 1, 3), (2, 3, 1)]
    assert list(_factors(7, (2, 3))) == []


@pytest.mark.parametrize(("name", "seconds"), [("resnet20", 20), ("resnet18", 90)])
def test_large_networks_are_quick(name: str, seconds: float, shaped: ShapedNetworks) -> None:
    network: Shaped = getattr(shaped, name)()
    start = perf_counter()
    PartitionGroupsPass().rewrite(network.module, network.weights)
    assert perf_counter() - start < seconds
    chips = {chip for group in network.groups for chip, _ in group.places}
    assert len(chips) == (1 if name == "resnet20" else 4)
