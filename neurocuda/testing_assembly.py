"""What the hot loops of machine code do: whether values stay in registers, whether vectors are used.

for loop in inner_loops(assembly_of(module, weights, "avx2"), "conv2d_0"):
    assert not spills(loop)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.ir.weights import WeightStore

_LABEL = re.compile(r"^(\.?[\w.]+):")
_JUMP = re.compile(r"^\s+(?:j\w+|b|b\.\w+|cbn?z|tbn?z)\s.*?(\.L\w+)\s*$")
_STACK = re.compile(r"(?<![\w,)])-?\d*\(%r[sb]p\)|\[sp(?:, #-?\d+)?\]")


def assembly_of(module: ModuleOp, weights: WeightStore, features: str) -> str:
    """The machine code of a module at level `cpu` for a processor, as text."""
    from neurocuda.backends.cpu.llvm.machine import assembly, llvm_text
    from neurocuda.dialects.cpu import ops as cpu
    from neurocuda.passes.convert.convert_cpu_to_llvm import lowered
    from neurocuda.passes.cpu.llvm.features import features_named

    processor = features_named(features)
    programs = [op for op in module.walk() if isinstance(op, cpu.ProgramOp)]
    return assembly(llvm_text(lowered(programs, weights, processor)), processor)


def inner_loops(assembly: str, function: str) -> list[list[str]]:
    """The instructions of every loop of a function that holds no other loop.

    Raises:
        ValueError: there is no such function.
    """
    lines = assembly.splitlines()
    if f"{function}:" not in lines:
        raise ValueError(f"the assembly has no function {function}")
    begin = lines.index(f"{function}:")
    body = lines[begin : next(at for at in range(begin, len(lines)) if lines[at].startswith(".Lfunc_end"))]
    labels = {found[1]: at for at, line in enumerate(body) if (found := _LABEL.match(line))}
    jumps = [(at, labels.get(found[1], at)) for at, line in enumerate(body) if (found := _JUMP.match(line))]
    loops = [(target, at) for at, target in jumps if target < at]
    inner = [loop for loop in loops if not any(_inside(other, loop) for other in loops)]
    return [[line.strip() for line in body[first + 1 : last]] for first, last in inner]


def _inside(loop: tuple[int, int], other: tuple[int, int]) -> bool:
    return loop != other and other[0] <= loop[0] and loop[1] <= other[1]


def spills(loop: Sequence[str]) -> list[str]:
    """The instructions that read or write a fixed place on the stack: a value that found no register."""
    return [line for line in loop if _STACK.search(line)]
