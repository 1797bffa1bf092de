"""Brings cores that talk to each other close together: along a serpentine first, then by swaps."""

from __future__ import annotations

import numpy as np

from neurocuda.passes.loihi._cuts import Array
from neurocuda.passes.loihi._system import System
from neurocuda.passes.loihi._traffic import Traffic

WORK = 2e9
"""About so many elementary operations are spent on swaps: seconds."""

SWEEPS = 20
"""Every core is tried at most so often."""

GAIN = 1e-9
"""A swap is one where it saves more than so large a share of all traffic, so that rounding starts no circle."""


def placed(traffic: Traffic, system: System, chips: int) -> Array:
    """For every core of so many chips the one that takes over what lies there; no worse than where all stay."""
    stay = np.arange(chips * system.cores)
    column, row = system.places(chips)
    starts = [_Swaps(traffic, column[order], row[order], order) for order in (stay, serpentine(system, chips))]
    best = min(starts, key=lambda each: each.total)
    best.improve()
    return best.places


def serpentine(system: System, chips: int) -> Array:
    """The cores column by column, down and up, chip by chip: neighbours in it are neighbours in the mesh."""
    column, row = system.places(chips)
    rows = int(row.max(initial=0)) + 1
    odd = column % 2 == 1
    return np.lexsort((np.where(odd, rows - row, row), column))


class _Swaps:
    """What lies on core i lies at (column[i], row[i]) now, the place of core `places[i]`."""

    def __init__(self, traffic: Traffic, column: Array, row: Array, places: Array) -> None:
        self.column, self.row, self.places = column.copy(), row.copy(), places.copy()
        between = traffic.senders != traffic.receivers
        ends = (traffic.senders[between], traffic.receivers[between])
        order = np.argsort(np.concatenate(ends), kind="stable")
        self.one = np.concatenate(ends)[order]
        self.other = np.concatenate(ends[::-1])[order]
        self.messages = np.concatenate([traffic.messages[between]] * 2)[order]
        self.bounds = np.searchsorted(self.one, np.arange(len(places) + 1))
        self.costs = self._costs()

    @property
    def total(self) -> float:
        """The hops of all messages."""
        return float(self.costs.sum()) / 2

    def _costs(self) -> Array:
        """The hops of the messages from and to every core."""
        hops = self._hops(self.one, self.other)
        return np.bincount(self.one, self.messages * hops, len(self.places))

    def _hops(self, one: Array | int, other: Array) -> Array:
        return np.abs(self.column[one] - self.column[other]) + np.abs(self.row[one] - self.row[other])

    def improve(self) -> None:
        """Gives every core, the costliest first, the place that saves most, until nothing is saved or work is done."""
        left, least = WORK, GAIN * self.total
        for _ in range(SWEEPS):
            before = self.total
            for core in np.argsort(-self.costs, kind="stable"):
                left -= len(self.one) + len(self.places) * (self.bounds[core + 1] - self.bounds[core] + 8)
                if left < 0:
                    return
                if self.costs[core] > 0:
                    self._move(int(core), least)
            if self.total >= before:
                return

    def _move(self, core: int, least: float) -> None:
        """Swaps a core with the one that saves most.

        A pair that swaps is as far apart as before; its distance is missing on both sides of the sum, and added.
        """
        span = slice(self.bounds[core], self.bounds[core + 1])
        others, messages = self.other[span], self.messages[span]
        there = np.abs(np.subtract.outer(self.column, self.column[others])) @ messages
        there += np.abs(np.subtract.outer(self.row, self.row[others])) @ messages
        hops = self._hops(core, np.arange(len(self.places)))
        here = np.bincount(self.one, self.messages * hops[self.other], len(self.places))
        saved = self.costs[core] + self.costs - there - here
        np.subtract.at(saved, others, 2 * messages * hops[others])
        best = int(np.argmax(saved))
        if saved[best] > least:
            for values in (self.column, self.row, self.places):
                values[[core, best]] = values[[best, core]]
            self.costs = self._costs()
