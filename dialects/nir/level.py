"""The contract of level `nir`: one graph whose nodes are as nir 1.0.8 takes them, so that writing it cannot fail."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Operation

from neurocuda.dialects.nir import ops as nir
from neurocuda.errors import Problem
from neurocuda.ir.attributes import dense_shape
from neurocuda.ir.level import Level, Rule
from neurocuda.ir.origin import user_location


def _typed(op: Operation) -> Iterator[Problem]:
    """nir 1.0.8 works out the type of a convolution from one side of its kernel and forgets its groups."""
    if not isinstance(op, nir.Conv2dOp | nir.Conv1dOp):
        return
    shape = dense_shape(op.weight)
    if len(set(shape[2:])) != 1:
        yield Problem(f"`{op.name}`", user_location(op), f"its kernel is {shape[2]} x {shape[3]}, not square")
    if op.groups.value.data != 1:
        yield Problem(f"`{op.name}`", user_location(op), "it has groups", "Write them as weights of zero.")


LEVEL = Level(
    "nir",
    dialects=frozenset({"nir", "host", "ann"}),
    operations=frozenset({"builtin.module", "func.func", "func.return"}),
    rules=(Rule("typed", _typed),),
)
