"""How an operation of a hardware dialect says what it uses of its chip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from xdsl.irdl import IRDLOperation


class ResourceUser(IRDLOperation, ABC):
    """An operation that uses something a chip has little of."""

    @abstractmethod
    def uses(self) -> Mapping[str, float]:
        """How much it uses, by the names of the limits in chip files, in their units."""
