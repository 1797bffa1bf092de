"""What a block of a group uses of its core: the model behind `partition-groups`, `verify-target` and reports.

Intel publishes neither how a core's memory is laid out nor how its axons are counted. So this model is ours, after
Loihi 1 where that is known (nengo-loihi 1.1.0); what is assumed says so.

neurons       those of the block.
memory_bytes  one memory for neurons and synapses. A word of state or of a constant takes 4 bytes (assumed). A neuron
              has the state of its model and one word for every step that a current may be on its way (as Loihi 1's
              dendritic accumulators); a constant that neurons share is kept once. Weights take their bits, and in a
              sparse synapse 2 bytes more each, for the neuron that they reach (assumed). A kernel is kept once for
              the channels that lie on the core, whatever the number of its neurons, and equal positions of it once:
              their axons share a list of synapses (assumed).
synapses      the weights that are kept, not the connections that share them.
in_axons      one for every neuron outside that reaches the block; by a convolution one for every position, whatever
              its channels (nengo-loihi's population axons). Every synapse has its own.
out_axons     for every neuron, or position, one for every block that it reaches by every synapse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.loihi.neurons import GroupOp
from neurocuda.ir.attributes import Dense, dense_shape
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.loihi._cuts import Array, Cut, cut_of, outer
from neurocuda.passes.loihi._projections import projections_of

WORD_BYTES = 4
"""The bytes of a word of state, or of a constant. Assumed: membranes and currents have 24 bits."""

RESOURCES = ("neurons", "memory_bytes", "in_axons", "out_axons", "synapses")
"""What blocks use, by the names of the limits in chip files."""


class Network:
    """The groups of a module and what goes on between them."""

    def __init__(self, module: ModuleOp, weights: WeightStore) -> None:
        self.groups = [op for op in module.walk() if isinstance(op, GroupOp)]
        self.projections = list(projections_of(self.groups, weights))
        self.incoming = {group: [each for each in self.projections if each.target is group] for group in self.groups}
        self.outgoing = {group: [each for each in self.projections if each.sender is group] for group in self.groups}

    def cuts(self) -> dict[GroupOp, Cut]:
        """How the groups are cut where they have their places."""
        return {group: cut_of(group) for group in self.groups}

    def uses(self, group: GroupOp, cuts: Mapping[GroupOp, Cut]) -> Array:
        """What every block of a group uses: (blocks, resources), in the order of `RESOURCES`."""
        cut = cuts[group]
        neurons, incoming = cut.neurons(), self.incoming[group]
        words = neurons * group.uses()["state_words"] + _constant_words(group, cut)
        kept = [each.kept(cut) for each in incoming]
        weight_bytes = [weights * each.weight_bytes for weights, each in zip(kept, incoming, strict=True)]
        return np.stack(
            [
                neurons.ravel(),
                np.ceil(words * WORD_BYTES + _total(weight_bytes, cut)).ravel(),
                _total([each.arriving(cut) for each in incoming], cut).ravel(),
                _total([each.leaving(cut, cuts[each.target]) for each in self.outgoing[group]], cut).ravel(),
                _total(kept, cut).ravel(),
            ],
            axis=1,
        )


def _total(amounts: Sequence[Array], cut: Cut) -> Array:
    return sum(amounts, np.zeros(cut.tiles))


def _constant_words(group: GroupOp, cut: Cut) -> Array:
    """The words of the constants that every block keeps."""
    constants = [constant for constant, _, _ in group.constants().values() if constant is not None]
    return _total([_values_kept(constant, cut) for constant in constants], cut)


def _values_kept(constant: Dense, cut: Cut) -> Array:
    """How many values of a constant every block keeps: shared ones once."""
    shape = dense_shape(constant)
    shape = (*(1,) * (len(cut.shape) - len(shape)), *shape)
    ones = [np.ones(parts, np.int64) for parts in cut.tiles]
    return outer([cut.sizes(axis) if size > 1 else ones[axis] for axis, size in enumerate(shape)])
