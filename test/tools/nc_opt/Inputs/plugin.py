"""A plug-in: a dialect, and passes that do what the tests of nc-opt need."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition
from xdsl.passes import ModulePass
from xdsl.universe import Universe

from neurocuda.dialects.ann.ops import ReluOp, TanhOp
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore


@irdl_op_definition
class HelloOp(IRDLOperation):
    """Does nothing."""

    name = "plugin.hello"
    assembly_format = "attr-dict"


@dataclass(frozen=True)
class MarkPass(ModulePass):
    """Writes an attribute, or with `text=""` nothing."""

    name = "plugin-mark"
    text: str = "seen"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.text:
            op.attributes["plugin.mark"] = StringAttr(self.text)


@dataclass(frozen=True)
class FailPass(ModulePass):
    """Fails as a bug would."""

    name = "plugin-fail"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        op.attributes["plugin.half"] = StringAttr("done")
        raise KeyError("no such thing")


@dataclass(frozen=True)
class BreakPass(ModulePass):
    """Moves the first operation of each function behind the second."""

    name = "plugin-break"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.body.block.ops:
            block = function.regions[0].block
            first, second = list(block.ops)[:2]
            first.detach()
            block.insert_op_after(first, second)


@dataclass(frozen=True)
class GrowPass(NeuroPass):
    """Adds a tensor that is too large for text."""

    name = "plugin-grow"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        import numpy as np

        module.attributes["plugin.large"] = weights.add(np.arange(20_000, dtype=np.int32), "large")


@dataclass(frozen=True)
class LiePass(NeuroPass):
    """Promises to change nothing and makes another function of every relu."""

    name = "plugin-lie"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        for op in module.walk():
            if isinstance(op, ReluOp):
                new = TanhOp(op.operands[0])
                new.attributes |= op.attributes
                new.location = op.location
                block = op.parent
                assert block is not None
                block.insert_op_before(new, op)
                op.results[0].replace_all_uses_with(new.results[0])
                op.detach()
                op.erase()


UNIVERSE = Universe(
    all_dialects={"plugin": lambda: Dialect("plugin", [HelloOp], [])},
    all_passes={kind.name: (lambda kind=kind: kind) for kind in (MarkPass, FailPass, BreakPass, GrowPass, LiePass)},
)
