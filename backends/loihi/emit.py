"""Writes a network as a Lava program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.weights import WeightStore


def emit_files(module: ModuleOp, weights: WeightStore) -> Mapping[str, bytes]:
    """File name to content."""
    del module, weights
    return {}
