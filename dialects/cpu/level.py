"""The contract of level `cpu`: programs whose every buffer has its place, so that printing them cannot fail."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Operation

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.errors import Problem
from neurocuda.ir.level import Level, Rule
from neurocuda.ir.origin import user_location


def _placed(op: Operation) -> Iterator[Problem]:
    """Every buffer has an offset, unless it is the caller's array for a result."""
    if not isinstance(op, cpu.BufferOp) or op.offset is not None:
        return
    if not any(isinstance(use.operation, cpu.OutputOp) for use in op.result.uses):
        yield Problem("`cpu.buffer`", user_location(op), "it has no place in memory", "Run allocate-buffers.")


def _short(op: Operation) -> Iterator[Problem]:
    """Events are listed with 16-bit indices."""
    if isinstance(op, cpu.Conv2dOp):
        channels = op.channels_per_group
        if channels >= 2**16:
            yield Problem("`cpu.conv2d`", user_location(op), f"{channels} input channels are more than 65535")


LEVEL = Level(
    "cpu",
    dialects=frozenset({"cpu", "host", "ann"}),
    operations=frozenset({"builtin.module", "func.func", "func.return"}),
    rules=(Rule("placed", _placed), Rule("short", _short)),
)
