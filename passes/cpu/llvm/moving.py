"""Loop nests that move and convert."""

from __future__ import annotations

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_bytes, buffer_shape
from neurocuda.passes.cpu.llvm.elementwise import Elementwise
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers


@lowers(cpu.FillOp)
def fill(op: cpu.FillOp, k: Kernel) -> None:
    target = k.buffer(op.target)
    if op.value is None:
        k.clear_bytes(target, buffer_bytes(op.target))
        return
    each = Elementwise(op, k, buffer_shape(op.target), ["value"])
    with each.loops():
        each.store(each.constant("value"), op.target)
