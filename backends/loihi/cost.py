"""What a network uses of its chips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neurocuda.ir.layout import Layout

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.backend import Execution, Reading
    from neurocuda.ir.chip import Chip
    from neurocuda.ir.weights import WeightStore


def cost(module: ModuleOp, weights: WeightStore, execution: Execution | None = None) -> Sequence[Reading]:
    """Figures for a report."""
    del module, weights, execution
    return ()


def layout(module: ModuleOp, weights: WeightStore, chip: Chip) -> Layout:
    """Which group lies on which core, and what it uses there."""
    del module, weights
    return Layout(chip, ())
