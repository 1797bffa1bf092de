"""Leaves the rounding of trained staircases to the step that quantises all activations."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.canonicalization import TRAINED
from neurocuda.ir.origin import inherit
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass, apply_patterns
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import CLIP, LEVELS


@dataclass(frozen=True)
class DeferRoundingPass(NeuroPass):
    """
    Rewrites every `ann.rounded_relu` as an `ann.relu` that carries its clip range and levels as attributes.

    Passes in between may then form sums in another order, which a rounding could turn into a whole level;
    `quantize-activations` rounds again, to the same levels. `balance-thresholds` leaves what was trained alone.

    Before:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %y = ann.rounded_relu %x clip(dense<[3.0, 6.0]> : tensor<2xf32>) levels 4 : tensor<2xf32> -> tensor<2xf32>
          func.return %y : tensor<2xf32>
        }

    After:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %y = ann.relu %x {nc.clip = dense<[3.0, 6.0]> : tensor<2xf32>, nc.levels = 4 : i64, nc.trained} : tensor<2xf32> -> tensor<2xf32>
          func.return %y : tensor<2xf32>
        }
    """  # noqa: E501

    name = "defer-rounding"
    promise = Approximates()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        apply_patterns(module, DeferRounding(weights))


@dataclass
class DeferRounding(RewritePattern):
    """A rounded relu is a relu with a note."""

    weights: WeightStore

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.RoundedReluOp, rewriter: PatternRewriter) -> None:
        relu = ann.ReluOp(op.input)
        inherit(op, relu)
        by_channel = self.weights.array(op.clip).reshape(-1)
        relu.attributes |= {CLIP: self.weights.add(by_channel, "clip"), LEVELS: op.levels, TRAINED: UnitAttr()}
        rewriter.replace(op, relu)
