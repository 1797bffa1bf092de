"""Placing: a permutation of cores, with no more traffic than before, the same every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from neurocuda.backends.loihi import BACKEND
from neurocuda.ir.activity import activity_of, set_activity
from neurocuda.passes.loihi._placement import placed, serpentine
from neurocuda.passes.loihi._system import System
from neurocuda.passes.loihi._traffic import Traffic, spikes_per_neuron, traffic_of
from neurocuda.passes.loihi._uses import Network
from neurocuda.passes.loihi.partition_groups import PartitionGroupsPass
from neurocuda.passes.loihi.place_groups import PlaceGroupsPass

if TYPE_CHECKING:
    from .conftest import Shaped, ShapedNetworks

SYSTEM = System(BACKEND.chip())


def hops(network: Shaped) -> float:
    """The hops of all messages of an image."""
    found = Network(network.module, network.weights)
    return sum(traffic_of(found, SYSTEM, {each: spikes_per_neuron(each) for each in found.groups}).hops(SYSTEM))


def random_traffic(seed: int, chips: int) -> Traffic:
    """Messages between random cores, some of them to the same core, and back."""
    random = np.random.default_rng(seed)
    pairs = np.unique(random.integers(0, random.integers(2, 128 * chips), (300, 2)), axis=0)
    return Traffic(pairs[:, 0], pairs[:, 1], random.integers(0, 50, len(pairs)).astype(np.float64))


@pytest.mark.parametrize("seed", range(12))
def test_random_traffic_is_never_more_than_before(seed: int) -> None:
    chips = 1 + seed % 2
    traffic = random_traffic(seed, chips)
    places = placed(traffic, SYSTEM, chips)
    assert sorted(places.tolist()) == list(range(128 * chips))
    moved = Traffic(places[traffic.senders], places[traffic.receivers], traffic.messages)
    assert sum(moved.hops(SYSTEM)) <= sum(traffic.hops(SYSTEM))
    np.testing.assert_array_equal(places, placed(traffic, SYSTEM, chips))


def test_hops_are_rows_and_columns_and_more_between_chips() -> None:
    traffic = Traffic(np.array([0, 15, 3]), np.array([33, 128, 3]), np.array([10.0, 1.0, 9.0]))
    assert traffic.hops(SYSTEM) == (10 * 1 + 1 + 16, 10 * 2)


def test_neighbours_along_the_serpentine_are_neighbours_in_the_mesh() -> None:
    order = serpentine(SYSTEM, 1)
    ones = Traffic(order[:-1], order[1:], np.ones(127))
    assert sum(ones.hops(SYSTEM)) == 127


def test_layers_that_talk_more_lie_closer(shaped: ShapedNetworks) -> None:
    network = shaped.resnet20()
    PartitionGroupsPass().rewrite(network.module, network.weights)
    in_order = hops(network)
    for number, group in enumerate(network.groups):
        set_activity(group, float(number % 3))
        assert activity_of(group) == number % 3
    before = hops(network)
    assert before != in_order
    PlaceGroupsPass().rewrite(network.module, network.weights)
    network.module.verify()
    assert hops(network) < before / 2


def test_a_network_over_several_chips(shaped: ShapedNetworks) -> None:
    network = shaped.resnet18(32)
    PartitionGroupsPass().rewrite(network.module, network.weights)
    before, places = hops(network), {place for group in network.groups for place in group.places}
    PlaceGroupsPass().rewrite(network.module, network.weights)
    now = {place for group in network.groups for place in group.places}
    assert len(now) == len(places) > 128
    assert {chip for chip, _ in now} == {0, 1}
    assert hops(network) < before
