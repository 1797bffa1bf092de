"""Passes and pattern rewriting that keep source locations and origins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriterListener,
    PatternRewriteWalker,
    RewritePattern,
)

from neurocuda.ir.context import weights_of
from neurocuda.ir.origin import inherit
from neurocuda.ir.promise import Promise
from neurocuda.ir.weights import WeightStore


@dataclass(frozen=True)
class NeuroPass(ModulePass, ABC):
    """A pass is a function of a module, a weight store and its options, and promises what it keeps."""

    promise: ClassVar[Promise]

    @abstractmethod
    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        """Rewrites the module in place; new tensors go into the store."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        self.rewrite(op, weights_of(ctx))


def apply_patterns(module: ModuleOp, *patterns: RewritePattern, recursive: bool = False) -> None:
    """Applies patterns to every operation of the module, once or until nothing changes.

    An operation that replaces another inherits its location and its origin; operations inserted on the way inherit
    the location alone.
    """
    inserted: list[Operation] = []

    def replaced(old: Operation, results: Sequence[SSAValue | None]) -> None:
        for result in results:
            if isinstance(result, OpResult) and result.op in inserted:
                inherit(old, result.op)
        for new in inserted:
            if isinstance(new.location, UnknownLoc):
                new.location = old.location
        inserted.clear()

    listener = PatternRewriterListener(
        operation_insertion_handler=[inserted.append], operation_replacement_handler=[replaced]
    )
    applier = GreedyRewritePatternApplier(list(patterns), dce_enabled=False)
    PatternRewriteWalker(applier, apply_recursively=recursive, listener=listener).rewrite_module(module)


def replace(old: Operation, new: Operation, *before: Operation) -> None:
    """Replaces `old` by `new`, outside a pattern, with `before` inserted ahead; locations and origin are kept."""
    block = old.parent
    if block is None:
        raise ValueError(f"{old.name} stands in no block")
    for op in (*before, new):
        block.insert_op_before(op, old)
        if isinstance(op.location, UnknownLoc):
            op.location = old.location
    inherit(old, new)
    for result, successor in zip(old.results, new.results, strict=True):
        if successor.name_hint is None:
            successor.name_hint = result.name_hint
        result.replace_all_uses_with(successor)
    block.erase_op(old)


def erase_unused(module: ModuleOp) -> None:
    """Erases operations without effects whose results nobody reads."""
    from xdsl.transforms.dead_code_elimination import dce

    dce(module)
