"""Where the parts of a network lie on their chips, and what they use there: what reports draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from neurocuda.ir.chip import Chip


@dataclass(frozen=True)
class CoreUse:
    """One core in use.

    Attributes:
        chip: the number of the chip, from 0 on.
        core: the number of the core on it, from 0 on.
        uses: how much it uses, by the names of the chip's limits, in their units.
        parts: what lies there, one line each: "layer1.0: 512 of 16,384 neurons".
    """

    chip: int
    core: int
    uses: Mapping[str, float]
    parts: tuple[str, ...]

    def share(self, chip: Chip) -> float:
        """The largest share that it uses of any limit per core, from 0 on; 1 is full."""
        limits = {name: limit.figure.value for name, limit in chip.limits.items() if limit.per == "core"}
        return max((self.uses.get(name, 0.0) / most for name, most in limits.items()), default=0.0)


@dataclass(frozen=True)
class Layout:
    """The cores in use, by chip, then core."""

    chip: Chip
    cores: tuple[CoreUse, ...]

    def uses(self, per: str) -> Iterator[tuple[str, Mapping[str, float]]]:
        """What every core, every chip, or the network in all uses: its name, and amounts by the names of limits.

        What cores use is summed; a chip has `cores`, the network `chips` and `cores`.
        """
        if per == "core":
            yield from ((f"core {core.core} of chip {core.chip}", core.uses) for core in self.cores)
        chips = sorted({core.chip for core in self.cores})
        if per == "chip":
            for chip in chips:
                yield f"chip {chip}", _total([core for core in self.cores if core.chip == chip])
        if per == "network":
            yield "the whole network", {**_total(self.cores), "chips": len(chips)}


def _total(cores: Sequence[CoreUse]) -> Mapping[str, float]:
    total = Counter[str]()
    for core in cores:
        total.update(core.uses)
    return {**total, "cores": len(cores)}
