"""A system of chips, as their file says: what one core holds, how many there are, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurocuda.dialects.loihi.neurons import GroupOp
from neurocuda.errors import TargetError
from neurocuda.ir.attributes import integers
from neurocuda.ir.chip import Chip, Limit
from neurocuda.passes.loihi._cuts import Array
from neurocuda.passes.loihi._uses import RESOURCES


@dataclass(frozen=True)
class System:
    """Chips in a row, their cores in a mesh: core n lies in column n mod `columns`.

    Raises:
        TargetError: the chip's file leaves something out.
    """

    chip: Chip

    @property
    def cores(self) -> int:
        """The cores of a chip."""
        return int(self.limit("cores").figure.value)

    @property
    def chips(self) -> int:
        """The chips that there may be."""
        return int(self.limit("chips").figure.value)

    @property
    def columns(self) -> int:
        """The columns of a chip's mesh."""
        return int(self._constant("mesh_columns"))

    @property
    def per_core(self) -> Array:
        """The most that a core may use of `RESOURCES`; of what a chip limits its share, so that any cores will do."""
        return np.array([self._per_core(name) for name in RESOURCES])

    def _per_core(self, resource: str) -> float:
        limit = self.chip.limits.get(resource)
        if limit is None or limit.per not in ("core", "chip"):
            return np.inf
        return limit.figure.value if limit.per == "core" else limit.figure.value // self.cores

    def places(self, chips: int) -> tuple[Array, Array]:
        """(column, row) of every core of so many chips. Between them is as much as crossing from chip to chip adds."""
        number, core = np.divmod(np.arange(chips * self.cores), self.cores)
        row, column = np.divmod(core, self.columns)
        return column + number * (self.columns + int(self._constant("chip_hops"))), row

    def lay(self, group: GroupOp, cores: Array) -> None:
        """Writes where the blocks of a group lie; cores are numbered from chip to chip."""
        group.properties["chips"] = integers((cores // self.cores).tolist())
        group.properties["cores"] = integers((cores % self.cores).tolist())

    def limit(self, name: str) -> Limit:
        """A limit that the chip's file has to say."""
        if name not in self.chip.limits:
            raise TargetError(f"the file of chip {self.chip.name} has no [limits.{name}]")
        return self.chip.limits[name]

    def _constant(self, name: str) -> float:
        if name not in self.chip.constants:
            raise TargetError(f"the file of chip {self.chip.name} has no [constants.{name}]")
        return self.chip.constants[name].value
