"""Checks a module against the contract of a level."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import OptionError
from neurocuda.ir.level import level_name
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class VerifyLevelPass(NeuroPass):
    """
    Checks the contract of a level and lists every violation, with the user's line and what to do. Changes nothing.

    The levels are the shared ones and those of the targets, e.g. `cpu`. Without `level` the module's own attribute
    `nc.level` says which. `structure-only` skips what needs calibration.

    Before:
        func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
          %y = ann.input %x : tensor<1xf32> -> tensor<1xf32>
          func.return %y : tensor<1xf32>
        }

    Options: level="ann-convertible" structure-only=true

    After:
        func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
          %y = ann.input %x : tensor<1xf32> -> tensor<1xf32>
          func.return %y : tensor<1xf32>
        }
    """

    name = "verify-level"
    promise = Equal()

    level: str | None = None
    structure_only: bool = False

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.dialects.levels import LEVELS, find_level

        name = self.level or level_name(module) or ""
        level = find_level(name)
        if level is None:
            known = ", ".join(LEVELS)
            raise OptionError(f"verify-level: level '{name}' is none of {known} or a target's; give level=\"...\"")
        level.require(module, weights, structure_only=self.structure_only)
