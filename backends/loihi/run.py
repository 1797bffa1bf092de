"""Runs the Lava program of a network in Lava."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurocuda.errors import ToolchainError
from neurocuda.ir.backend import Availability, Program

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.weights import WeightStore


def availability() -> Availability:
    """Whether Lava is there."""
    return Availability(False, "make lava")


def load(module: ModuleOp, weights: WeightStore) -> Program:
    """A program ready to run.

    Raises:
        ToolchainError: Lava is missing.
    """
    del module, weights
    raise ToolchainError("Lava is missing: make lava")
