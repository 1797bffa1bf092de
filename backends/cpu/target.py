"""`nc-opt -t cpu`: the C of every program in a module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target


@dataclass(frozen=True)
class CpuTarget(Target):
    """Writes header and code one behind the other; constants are left out, the caller passes them."""

    name = "cpu"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        from neurocuda.backends.cpu.emit import printed_programs
        from neurocuda.ir.context import weights_of

        for printed in printed_programs(module, weights_of(ctx)):
            output.write(printed.header)
            output.write(printed.code.replace(f'#include "{printed.symbol}.h"\n', ""))


TARGET = CpuTarget
