"""Removes operations that change nothing."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass, apply_patterns, erase_unused
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class RemoveIdentitiesPass(NeuroPass):
    """
    Removes operations that change nothing, merges those that follow each other, and drops what nobody reads.

    The same patterns serve `canonicalize`. Values stay what they are; only sums behind them may be formed in another
    order.

    Before:
        func.func @main(%x: tensor<2x3xf32>) -> tensor<6xf32> {
          %0 = ann.transpose %x permutation [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
          %1 = ann.reshape %0 : tensor<2x3xf32> -> tensor<3x2xf32>
          %2 = ann.reshape %1 : tensor<3x2xf32> -> tensor<6xf32>
          func.return %2 : tensor<6xf32>
        }

    After:
        func.func @main(%x: tensor<2x3xf32>) -> tensor<6xf32> {
          %0 = ann.reshape %x : tensor<2x3xf32> -> tensor<6xf32>
          func.return %0 : tensor<6xf32>
        }
    """

    name = "remove-identities"
    promise = Equal(1e-6)

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.dialects.ann.canonicalization import PATTERNS

        apply_patterns(module, *PATTERNS, recursive=True)
        erase_unused(module)
