"""Which neurons reach which blocks: a projection is one synapse between one group, or source, and one group.

Its axons are those of a message that finds its neurons by one entry of the receiving core: all channels of a position
share the one of a convolution, as in Loihi 1 (nengo-loihi, population axons); elsewhere every neuron has its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from math import prod
from typing import TypeAlias

import numpy as np
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.neurons import behind_ports
from neurocuda.dialects.shared import meanings
from neurocuda.dialects.shared.bases import IndexMapOp
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.ir.attributes import dense_shape, shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.loihi._cuts import Array, Cut, outer

Messages: TypeAlias = "tuple[Array, Array, Array]"
"""(sending block, receiving block, neurons of the one that reach the other), an entry for every pair that talks."""

INDEX_BYTES = 2
"""What a sparse synapse keeps beside every weight: which neuron of the core it reaches. Assumed."""

TABLE = 1 << 26
"""Axons are found in a table of at most so many bytes, else by sorting."""


class Projection(ABC):
    """The spikes of `sender`, a group or source, charge `target` by a synapse."""

    def __init__(self, synapse: loihi.WeightsOp, current: SSAValue, target: loihi.GroupOp) -> None:
        self.synapse = synapse
        self.target = target
        self.spikes = behind_ports(synapse.input)
        self.read = _ports_of(synapse.input)
        self.brought = _ports_of(current)

    @property
    def sender(self) -> loihi.GroupOp | None:
        """The group that sends; None where the spikes come from outside and lie on no core."""
        owner = self.spikes.owner
        return owner if isinstance(owner, loihi.GroupOp) else None

    @property
    def weight_bytes(self) -> float:
        """The bytes of one weight that is kept."""
        return self.synapse.weight_bits.value.data / 8

    @property
    @abstractmethod
    def connections(self) -> int:
        """The pairs of neurons that the synapse connects: its operations if every neuron fired once."""

    @abstractmethod
    def kept(self, target: Cut) -> Array:
        """The weights that every receiving block keeps."""

    @abstractmethod
    def arriving(self, target: Cut) -> Array:
        """The axons that arrive at every receiving block."""

    @abstractmethod
    def leaving(self, sender: Cut, target: Cut) -> Array:
        """The axons that leave every sending block."""

    @abstractmethod
    def messages(self, sender: Cut, target: Cut) -> Messages:
        """Which blocks talk to which."""


def projections_of(groups: Iterable[loihi.GroupOp], weights: WeightStore) -> Iterator[Projection]:
    """Every projection onto the groups, in order."""
    for group in groups:
        for current in group.currents:
            synapse = behind_ports(current).owner
            if isinstance(synapse, loihi.WeightsOp):
                yield _projection(synapse, current, group, weights)


def _projection(synapse: loihi.WeightsOp, current: SSAValue, group: loihi.GroupOp, weights: WeightStore) -> Projection:
    if isinstance(synapse, loihi.SparseOp):
        return Pairs(synapse, current, group, weights)
    if isinstance(synapse, loihi.ConvOp) and _only_transposed((synapse.input, current)):
        return Windows(synapse, current, group, weights)
    if isinstance(synapse, loihi.ConvOp) and _only_transposed((synapse.input,)) and _is_flattened(synapse, current):
        return FlattenedWindows(synapse, synapse.result, group, weights)
    return Everywhere(synapse, current, group)


# Ports


def _ports_of(value: SSAValue) -> list[IndexMapOp]:
    """The ports that a value has come through, the first one first."""
    ports: list[IndexMapOp] = []
    while isinstance(value.owner, IndexMapOp):
        ports.insert(0, value.owner)
        value = value.owner.input
    return ports


def _only_transposed(values: Sequence[SSAValue]) -> bool:
    return all(isinstance(port, loihi.TransposeOp) for value in values for port in _ports_of(value))


def _is_flattened(synapse: loihi.ConvOp, current: SSAValue) -> bool:
    """Whether a result of one position becomes a vector of its channels."""
    shape = shape_of(synapse.result)
    return shape[:2] == (1, 1) and shape_of(current) == shape[2:]


def _through(ports: Sequence[Operation], shape: Shape) -> Array:
    """For every element behind the ports the index of the one before them that it shows."""
    indices = np.arange(prod(shape)).reshape(1, *shape)
    for port in ports:
        if isinstance(port, loihi.TransposeOp):
            indices = meanings.transpose(indices, values_of(port.permutation))
        else:
            indices = meanings.reshape(indices, shape_of(port.results[0]))
    return indices[0]


def _axes_through(ports: Sequence[Operation], rank: int) -> tuple[int, ...]:
    """For every axis behind transpositions the one before them that it is."""
    axes = tuple(range(rank))
    for port in ports:
        assert isinstance(port, loihi.TransposeOp)
        axes = tuple(axes[axis] for axis in values_of(port.permutation))
    return axes


# Kinds of synapses


class Everywhere(Projection):
    """Every neuron reaches every block: dense synapses. A block keeps the weights of its own neurons.

    A convolution that a reshape cuts off from its neurons is taken as one, too, with all of its kernel: that is more
    than it needs, never less.
    """

    @property
    def connections(self) -> int:
        inputs = prod(shape_of(self.synapse.input))
        if isinstance(self.synapse, loihi.ConvOp):
            inputs = prod(dense_shape(self.synapse.weight)[1:])
        return inputs * prod(shape_of(self.synapse.result))

    def kept(self, target: Cut) -> Array:
        if isinstance(self.synapse, loihi.ConvOp):
            return np.full(target.tiles, prod(dense_shape(self.synapse.weight)))
        return target.neurons() * prod(shape_of(self.synapse.input))

    def arriving(self, target: Cut) -> Array:
        return np.full(target.tiles, prod(shape_of(self.synapse.input)))

    def leaving(self, sender: Cut, target: Cut) -> Array:
        return sender.neurons() * target.blocks

    def messages(self, sender: Cut, target: Cut) -> Messages:
        senders = np.repeat(np.arange(sender.blocks), target.blocks)
        receivers = np.tile(np.arange(target.blocks), sender.blocks)
        return senders, receivers, sender.neurons().ravel()[senders]


class Pairs(Projection):
    """Sparse synapses: a block keeps the connections of its own neurons, and hears the neurons that they come from."""

    def __init__(self, synapse: loihi.SparseOp, current: SSAValue, target: loihi.GroupOp, weights: WeightStore) -> None:
        super().__init__(synapse, current, target)
        heard = _through(self.read, shape_of(self.spikes)).ravel()
        self.sources = heard[weights.array(synapse.sources).astype(np.int64)]
        charged = np.empty(prod(shape_of(target.spikes)), np.int64)
        charged[_through(self.brought, shape_of(synapse.result)).ravel()] = np.arange(len(charged))
        self.targets = charged[weights.array(synapse.targets).astype(np.int64)]
        self.heard = prod(shape_of(self.spikes))
        self.one_each = np.bincount(self.sources, minlength=1).max() == 1
        self._axons = lru_cache(maxsize=2)(self._found_axons)  # what leaves is asked for as senders are cut

    @property
    def weight_bytes(self) -> float:
        return super().weight_bytes + INDEX_BYTES

    @property
    def connections(self) -> int:
        return len(self.sources)

    def kept(self, target: Cut) -> Array:
        return _counted(self._receivers(target), target)

    def arriving(self, target: Cut) -> Array:
        return _counted(self._axons(target)[1], target)

    def leaving(self, sender: Cut, target: Cut) -> Array:
        return _counted(sender.labels().ravel()[self._axons(target)[0]], sender)

    def messages(self, sender: Cut, target: Cut) -> Messages:
        sources, receivers = self._axons(target)
        senders = sender.labels().ravel()[sources]
        keys, neurons = np.unique(senders * target.blocks + receivers, return_counts=True)
        return keys // target.blocks, keys % target.blocks, neurons

    def _receivers(self, target: Cut) -> Array:
        """The block that every connection reaches."""
        return target.labels().ravel()[self.targets]

    def _found_axons(self, target: Cut) -> tuple[Array, Array]:
        """(source, block) of every axon."""
        receivers = self._receivers(target)
        if self.one_each:  # shortcuts: nothing to merge
            return self.sources, receivers
        keys = self.sources * target.blocks + receivers
        if self.heard * target.blocks <= TABLE:  # faster than to sort
            reached = np.zeros(self.heard * target.blocks, bool)
            reached[keys] = True
            keys = np.flatnonzero(reached)
        else:
            keys = np.unique(keys)
        return keys // target.blocks, keys % target.blocks


def _counted(labels: Array, cut: Cut) -> Array:
    """How often every block is named."""
    return np.bincount(labels, minlength=cut.blocks).reshape(cut.tiles)


class Windows(Projection):
    """Convolutions: a block keeps the kernels of its own channels, and hears the positions in its windows.

    Which indices along one axis reach which part of an axis does not depend on the other axes.
    """

    synapse: loihi.ConvOp

    def __init__(self, synapse: loihi.ConvOp, current: SSAValue, target: loihi.GroupOp, weights: WeightStore) -> None:
        super().__init__(synapse, current, target)
        self.weights = weights

    @cached_property
    def positions(self) -> int:
        """The positions of the kernel that differ: axons of those that are equal share their list of synapses."""
        kernel = self.weights.array(self.synapse.weight)
        width, height = kernel.shape[1:3]
        return len({kernel[:, x, y].tobytes() for x in range(width) for y in range(height)})

    @cached_property
    def axes_read(self) -> tuple[int, ...]:
        """For every axis of the convolution's input the sender's axis that it is."""
        return _axes_through(self.read, len(shape_of(self.spikes)))

    @cached_property
    def axes_charged(self) -> tuple[int, ...]:
        """For every axis of the target the axis of the convolution's result that it is."""
        return _axes_through(self.brought, len(shape_of(self.synapse.result)))

    @property
    def connections(self) -> int:
        pairs = [sum(len(inside) for inside, _ in self._taps(axis)) for axis in range(2)]
        return prod(pairs) * prod(dense_shape(self.synapse.weight)[::3])

    def _taps(self, axis: int) -> Iterator[tuple[Array, Array]]:
        """For every tap along an axis the outputs that it serves, and the inputs that it reads for them."""
        op, outputs = self.synapse, np.arange(shape_of(self.synapse.result)[axis])
        stride, padding, dilation = (values_of(each)[axis] for each in (op.stride, op.padding, op.dilation))
        for tap in range(dense_shape(op.weight)[axis + 1]):
            inputs = outputs * stride + tap * dilation - padding
            inside = (inputs >= 0) & (inputs < shape_of(op.input)[axis])
            yield outputs[inside], inputs[inside]

    def _reached(self, axis: int, target: Cut) -> Array:
        """Which indices of the input (columns) reach which part of the result (rows) along an axis of both."""
        along = self.axes_charged.index(axis)
        if axis == 2:
            return self._channels(target.starts(along), target.sizes(along))
        reached = np.zeros((target.tiles[along], shape_of(self.synapse.input)[axis]), bool)
        parts = target.parts(along)
        for outputs, inputs in self._taps(axis):
            reached[parts[outputs], inputs] = True
        return reached

    def _channels(self, starts: Array, sizes: Array) -> Array:
        """The same of channels: those of the groups that a part has channels of."""
        groups, channels = self.synapse.groups.value.data, shape_of(self.synapse.input)[2]
        served = shape_of(self.synapse.result)[2] // groups
        group = np.arange(channels) // (channels // groups)
        return (starts[:, None] // served <= group) & (group <= (starts + sizes - 1)[:, None] // served)

    def _pairs(self, axis: int, sender: Cut, target: Cut) -> Array:
        """How many indices of which part of the sender (columns) reach which part of the target (rows)."""
        reached = self._reached(axis, target)
        return np.add.reduceat(reached.astype(np.int64), sender.starts(self.axes_read[axis]), axis=1)

    def kept(self, target: Cut) -> Array:
        kernel = self.positions * dense_shape(self.synapse.weight)[3]
        along = self.axes_charged.index(2)
        shape = [parts if axis == along else 1 for axis, parts in enumerate(target.tiles)]
        return np.broadcast_to((target.sizes(along) * kernel).reshape(shape), target.tiles)

    def arriving(self, target: Cut) -> Array:
        positions = [self._reached(axis, target).sum(axis=1) for axis in range(2)]
        channels = np.ones(target.tiles[self.axes_charged.index(2)], np.int64)
        return outer([*positions, channels]).transpose(self.axes_charged)

    def leaving(self, sender: Cut, target: Cut) -> Array:
        pairs = [self._pairs(axis, sender, target) for axis in range(3)]
        axons = outer([pairs[0].sum(axis=0), pairs[1].sum(axis=0), (pairs[2] > 0).sum(axis=0)])
        return axons.transpose(np.argsort(self.axes_read))

    def messages(self, sender: Cut, target: Cut) -> Messages:
        pairs = [self._pairs(axis, sender, target) for axis in range(3)]
        talking = [np.nonzero(each) for each in pairs]
        every = np.indices([len(parts) for parts, _ in talking]).reshape(3, -1)
        into = [parts[chosen] for (parts, _), chosen in zip(talking, every, strict=True)]
        out_of = [parts[chosen] for (_, parts), chosen in zip(talking, every, strict=True)]
        neurons = outer([each[at] for each, at in zip(pairs, talking, strict=True)]).ravel()
        senders = np.ravel_multi_index([out_of[self.axes_read.index(axis)] for axis in range(3)], sender.tiles)
        receivers = np.ravel_multi_index([into[axis] for axis in self.axes_charged], target.tiles)
        return senders, receivers, neurons


class FlattenedWindows(Windows):
    """A convolution with one position, whose channels are the only axis of the target."""

    def kept(self, target: Cut) -> Array:
        return super().kept(_unfolded(target)).reshape(target.tiles)

    def arriving(self, target: Cut) -> Array:
        return super().arriving(_unfolded(target)).reshape(target.tiles)

    def leaving(self, sender: Cut, target: Cut) -> Array:
        return super().leaving(sender, _unfolded(target))

    def messages(self, sender: Cut, target: Cut) -> Messages:
        return super().messages(sender, _unfolded(target))


def _unfolded(target: Cut) -> Cut:
    """A vector as the channels of one position."""
    return Cut((1, 1, *target.shape), (1, 1, *target.tiles))
