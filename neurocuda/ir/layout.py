"""Where the parts of a network lie on their chips, and what they use there: what reports draw."""

from __future__ import annotations

from collections.abc import Mapping
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
