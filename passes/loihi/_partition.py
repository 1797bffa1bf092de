"""Cuts groups into as few blocks as fit, and puts the blocks on cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np

from neurocuda.dialects.loihi.neurons import GroupOp
from neurocuda.dialects.shared.shapes import Shape
from neurocuda.errors import CapacityError, Problem
from neurocuda.ir.origin import user_location
from neurocuda.passes.loihi._cuts import Array, Cut, whole
from neurocuda.passes.loihi._system import System
from neurocuda.passes.loihi._traffic import name_of
from neurocuda.passes.loihi._uses import RESOURCES, Network

OPEN = 128
"""So many cores, the last ones, may still be filled: blocks on one core are near each other in the network."""

SPENT_ON_AXONS = 1 / 8
"""So large a share of more cores than the fewest may be taken to have fewer axons, and so less traffic."""

TRIED_WHOLE = 1 << 20
"""Groups of at most so many neurons are tried neuron by neuron, to say for certain that no cut will do."""

Places = Mapping[GroupOp, Array]
"""The number of the core on which every block lies."""


@dataclass
class Partition:
    """How a network lies on a system: its cuts, and the cores of all blocks, numbered over all chips.

    Raises:
        CapacityError: a layer fits in no cut, or all of them take more cores than there are.
    """

    network: Network
    system: System
    cuts: dict[GroupOp, Cut] = field(init=False)
    problems: dict[GroupOp, Problem] = field(default_factory=dict[GroupOp, Problem])

    def __post_init__(self) -> None:
        self.limits = self.system.per_core
        self.cuts = {group: whole(group) for group in self.network.groups}
        while self._cut_more():
            pass
        if self.problems:
            told = [self.problems[group] for group in self.network.groups if group in self.problems]
            raise CapacityError(f"the network does not fit {self.system.chip.name}:", told)
        self.places = self._packed()

    def _cut_more(self) -> bool:
        """Cuts what does not fit, readers first, as a group's axons leave for their blocks; whether anything did not.

        Blocks only become more: so recurrent groups, whose readers are cut after them, come to an end.
        """
        changed = False
        for group in reversed(self.network.groups):
            if group in self.problems or self._excess(group, self.cuts[group]) is None:
                continue
            changed = True
            found = self._fitting(group)
            if found is None:
                self.problems[group] = self._refusal(group)
            else:
                self.cuts[group] = found
        return changed

    def _uses(self, group: GroupOp, cut: Cut) -> Array:
        return self.network.uses(group, {**self.cuts, group: cut})

    def _excess(self, group: GroupOp, cut: Cut) -> Array | None:
        """How much the fullest block uses of every resource; None where it fits."""
        most = self._uses(group, cut).max(axis=0)
        return most if (most > self.limits).any() else None

    def _fewest(self, group: GroupOp) -> int:
        """No cut into fewer blocks fits: together they use at least what the group does in one."""
        used = self._uses(group, whole(group)).sum(axis=0)
        return int(max(self.cuts[group].blocks, *np.ceil(used / self.limits)))

    def _fitting(self, group: GroupOp) -> Cut | None:
        """Of the cuts that fit, into the fewest blocks or a few more, the one with the fewest axons."""
        shape, most = self.cuts[group].shape, self.system.cores * self.system.chips
        if prod(shape) <= TRIED_WHOLE and self._excess(group, Cut(shape, shape)) is not None:
            return None
        fitting: list[tuple[float, int, Cut]] = []
        for blocks in _numbers(self._fewest(group), min(prod(shape), most)):
            if fitting and blocks > fitting[0][1] * (1 + SPENT_ON_AXONS):
                break
            for cut in (Cut(shape, tiles) for tiles in _factors(blocks, shape)):
                uses = self._uses(group, cut) if cut.largest <= self.limits[0] else None
                if uses is not None and (uses <= self.limits).all():
                    fitting.append((float(uses[:, 2:4].sum()), blocks, cut))
        return min(fitting, key=lambda each: each[:2])[2] if fitting else None

    def _refusal(self, group: GroupOp) -> Problem:
        """What is short: for one neuron on a core of its own, or for the cores that all of them need."""
        shape, name = self.cuts[group].shape, name_of(group)
        limits, alone = self.system.chip.limits, None
        if prod(shape) <= TRIED_WHOLE:
            alone = self._excess(group, Cut(shape, shape))
        if alone is None:
            cores = f"it needs at least {self._fewest(group):,} cores"
            why = f"{cores}, and there are {self.system.cores * self.system.chips:,}"
            return Problem(name, user_location(group), why, "Use a smaller layer.")
        short = [index for index in range(len(RESOURCES)) if alone[index] > self.limits[index]]
        told = [limits[RESOURCES[index]].shortage(RESOURCES[index], float(alone[index])) for index in short]
        why = f"one of its neurons, alone on a core, is too much: {'; '.join(told)}"
        return Problem(name, user_location(group), why, "Use a smaller layer, or one that reads fewer neurons.")

    def _packed(self) -> Places:
        """Every block on the first of the cores last opened that has room, in order; a group has a core only once."""
        left: list[Array] = []
        places: dict[GroupOp, Array] = {}
        for group in self.network.groups:
            first, taken = len(left), set[int]()
            cores: list[int] = []
            for used in self._uses(group, self.cuts[group]):
                start = max(0, first - OPEN)
                room = (np.array(left[start:first]) >= used).all(axis=1) if first > start else np.zeros(0, bool)
                free = next((start + int(at) for at in np.flatnonzero(room) if start + int(at) not in taken), len(left))
                if free == len(left):
                    left.append(self.limits)
                left[free] = left[free] - used
                taken.add(free)
                cores.append(free)
            places[group] = np.array(cores)
        most = self.system.cores * self.system.chips
        if len(left) > most:
            why = f"it takes {len(left):,} cores, and the system has {most:,}"
            problem = Problem("the whole network", "", why, "Use a smaller network, or fewer steps of delay.")
            raise CapacityError(f"the network does not fit {self.system.chip.name}:", [problem])
        return places


def _numbers(fewest: int, most: int) -> Iterator[int]:
    """All numbers of blocks up to twice the fewest, then those with many factors."""
    blocks = fewest
    while blocks <= most:
        yield blocks
        step = 1 if blocks < 2 * fewest else 1 << max(0, blocks.bit_length() - 4)
        blocks = (blocks // step + 1) * step


def _factors(number: int, most: Shape) -> Iterator[Shape]:
    """Every way to write a number as a product of factors that are at most so large."""
    if not most:
        if number == 1:
            yield ()
        return
    for factor in range(1, min(number, most[0]) + 1):
        if number % factor == 0:
            yield from ((factor, *rest) for rest in _factors(number // factor, most[1:]))
