"""What blocks use, and which talk to which: as counted neuron by neuron, for random networks in random cuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.shared.bases import IndexMapOp
from neurocuda.ir.attributes import dense_shape, integers, shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.loihi._cuts import Cut
from neurocuda.passes.loihi._projections import INDEX_BYTES, Projection
from neurocuda.passes.loihi._uses import RESOURCES, WORD_BYTES, Network
from neurocuda.testing_loihi import random_loihi_network

if TYPE_CHECKING:
    from .conftest import ShapedNetworks

Index = tuple[int, ...]
Block = int


@pytest.mark.parametrize("seed", range(24))
def test_uses_are_counted_neuron_by_neuron(seed: int) -> None:
    network = random_loihi_network(seed)
    check(network.module, network.weights, seed)


@pytest.mark.parametrize("seed", range(16))
def test_windows_are_counted_position_by_position(seed: int, shaped: ShapedNetworks) -> None:
    network = shaped.windows(seed)
    check(network.module, network.weights, seed)


def test_a_convolution_before_a_reshape_is_counted_as_more_than_it_needs(shaped: ShapedNetworks) -> None:
    network = shaped.windows(4)
    first, second = network.groups
    found = Network(network.module, network.weights)
    cut = Cut(shape_of(second.spikes), (1, 1, 1))
    exact = found.uses(second, {second: cut})[0]
    (projection,) = found.incoming[second]
    port = loihi.ReshapeOp(first.spikes, shape_of(first.spikes))
    assert first.parent is not None
    first.parent.insert_op_after(port, first)
    projection.synapse.operands[0] = port.result
    (coarse,) = Network(network.module, network.weights).uses(second, {second: cut})
    assert (coarse >= exact).all()


def check(module: ModuleOp, weights: WeightStore, seed: int) -> None:
    """Compares every block of every group in a random cut."""
    random = np.random.default_rng(seed)
    network = Network(module, weights)
    cuts = {group: random_cut(group, random) for group in network.groups}
    for group, cut in cuts.items():
        np.testing.assert_array_equal(cut.labels(), labels(cut))
        group.properties["tiles"] = integers(cut.tiles)
    assert network.cuts() == cuts
    for group, cut in cuts.items():
        found = dict(zip(RESOURCES, network.uses(group, cuts).T.tolist(), strict=True))
        expected = counted(network, group, cuts, weights)
        assert found == {name: [amount[block] for block in range(cut.blocks)] for name, amount in expected.items()}
    for projection in network.projections:
        pairs = list(connected(projection, weights))
        assert projection.connections == len(pairs)
        if projection.sender is not None:
            check_messages(projection, cuts[projection.sender], cuts[projection.target], pairs)


def check_messages(projection: Projection, sender: Cut, target: Cut, pairs: list[tuple[Index, Index, Index]]) -> None:
    """As many neurons of one block reach another as there are."""
    talking = {(before, labels(target)[after]) for before, _, after in pairs}
    expected = Counter((int(labels(sender)[before]), int(block)) for before, block in talking)
    found = [each.tolist() for each in projection.messages(sender, target)]
    assert dict(zip(zip(found[0], found[1], strict=True), found[2], strict=True)) == expected
    assert len(found[0]) == len(expected)


def random_cut(group: loihi.GroupOp, random: np.random.Generator) -> Cut:
    shape = shape_of(group.spikes)
    return Cut(shape, tuple(int(random.integers(1, min(size, 4) + 1)) for size in shape))


def labels(cut: Cut) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The block of every neuron, from blocks one by one."""
    found = np.empty(cut.shape, np.int64)
    parts = [np.array_split(np.arange(size), tiles) for size, tiles in zip(cut.shape, cut.tiles, strict=True)]
    for number, block in enumerate(product(*parts)):
        found[np.ix_(*block)] = number
    return found


def connected(projection: Projection, weights: WeightStore) -> Iterator[tuple[Index, Index, Index]]:
    """(sending neuron, the element or position that the synapse hears, charged neuron) of every connection."""
    heard = through(projection.read, shape_of(projection.spikes))
    charged = through(projection.brought, shape_of(projection.synapse.result))
    of_element = {element: neuron for neuron, element in heard.items()}
    for element, result in synapses(projection.synapse, weights):
        atom = element[:2] if isinstance(projection.synapse, loihi.ConvOp) else element
        yield of_element[element], atom, charged[result]


def through(ports: Sequence[IndexMapOp], shape: Index) -> dict[Index, Index]:
    """Where ports move every element."""
    moved = {index: index for index in np.ndindex(shape)}
    for port in ports:
        for index, now in moved.items():
            if isinstance(port, loihi.TransposeOp):
                moved[index] = tuple(now[axis] for axis in values_of(port.permutation))
            else:
                flat = np.ravel_multi_index(now, shape_of(port.input))
                moved[index] = tuple(map(int, np.unravel_index(flat, shape_of(port.result))))
    return moved


def synapses(op: loihi.WeightsOp, weights: WeightStore) -> Iterator[tuple[Index, Index]]:
    """(element of the input, element of the result) of every weight."""
    if isinstance(op, loihi.SparseOp):
        pairs = zip(weights.array(op.sources).tolist(), weights.array(op.targets).tolist(), strict=True)
        yield from (((source,), (target,)) for source, target in pairs)
    elif isinstance(op, loihi.DenseOp):
        yield from product(np.ndindex(shape_of(op.input)), np.ndindex(shape_of(op.result)))
    elif isinstance(op, loihi.ConvOp):
        yield from windows(op)


def windows(op: loihi.ConvOp) -> Iterator[tuple[Index, Index]]:
    _, *kernel, inputs = dense_shape(op.weight)
    served = shape_of(op.result)[2] // op.groups.value.data
    stride, padding, dilation = map(values_of, (op.stride, op.padding, op.dilation))
    for result in np.ndindex(shape_of(op.result)):
        for tap in np.ndindex(*kernel):
            position = tuple(result[i] * stride[i] + tap[i] * dilation[i] - padding[i] for i in range(2))
            if all(0 <= at < size for at, size in zip(position, shape_of(op.input), strict=False)):
                first = result[2] // served * inputs
                yield from (((*position, channel), result) for channel in range(first, first + inputs))


def counted(
    network: Network, group: loihi.GroupOp, cuts: dict[loihi.GroupOp, Cut], weights: WeightStore
) -> dict[str, Counter[Block]]:
    """What every block of a group uses."""
    block = labels(cuts[group])
    neurons = Counter(block.ravel().tolist())
    state = group.uses()["state_words"]
    size = Counter({each: neurons[each] * state * WORD_BYTES for each in neurons})
    for constant, _, _ in group.constants().values():
        if constant is not None:
            values = np.arange(prod(dense_shape(constant))).reshape(dense_shape(constant))
            kept = {*zip(block.ravel().tolist(), np.broadcast_to(values, block.shape).ravel().tolist(), strict=True)}
            size.update(Counter({each: WORD_BYTES * times for each, times in Counter(b for b, _ in kept).items()}))
    entering, leaving, synapses_kept = Counter[Block](), Counter[Block](), Counter[Block]()
    weight_bytes = Counter[Block]()
    for projection in network.incoming[group]:
        pairs = list(connected(projection, weights))
        entering.update(label for _, label in {(atom, int(block[after])) for _, atom, after in pairs})
        kept = weights_kept(projection, block, weights)
        synapses_kept.update(kept)
        each = projection.synapse.weight_bits.value.data / 8
        each += INDEX_BYTES if isinstance(projection.synapse, loihi.SparseOp) else 0
        weight_bytes.update({label: number * each for label, number in kept.items()})  # pyright: ignore[reportArgumentType]
    for projection in network.outgoing[group]:
        there = labels(cuts[projection.target])
        axons = {
            (int(block[before]), atom, int(there[after])) for before, atom, after in connected(projection, weights)
        }
        leaving.update(label for label, _, _ in axons)
    memory = Counter({label: int(np.ceil(size[label] + weight_bytes[label])) for label in size})
    return dict(zip(RESOURCES, (neurons, memory, entering, leaving, synapses_kept), strict=True))


def weights_kept(
    projection: Projection, block: np.ndarray[tuple[int, ...], np.dtype[np.int64]], weights: WeightStore
) -> Counter[Block]:
    """The weights of every block: of a convolution the kernels of its channels."""
    op = projection.synapse
    charged = through(projection.brought, shape_of(op.result))
    if isinstance(op, loihi.SparseOp):
        return Counter(int(block[charged[(target,)]]) for target in weights.array(op.targets).tolist())
    each = prod(dense_shape(op.weight)[1:])
    if isinstance(op, loihi.DenseOp):
        return Counter({label: each * times for label, times in Counter(block.ravel().tolist()).items()})
    channels = {(int(block[charged[result]]), result[2]) for result in np.ndindex(shape_of(op.result))}
    return Counter({label: each * times for label, times in Counter(label for label, _ in channels).items()})
