"""What is left of assignments in place, `x[:, 0] = y`: the new values, and the tensor with a part exchanged."""

from __future__ import annotations

from xdsl.ir import SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.frontend import batch_axis as batch
from neurocuda.frontend.aten.index_maps import expand, narrow
from neurocuda.frontend.operands import Builder, Constant, Operand
from neurocuda.frontend.table import imports
from neurocuda.ir.attributes import shape_of


@imports("aten.copy.default")
def copy(build: Builder, x: SSAValue, src: Operand) -> SSAValue:
    shape = shape_of(x)
    if isinstance(src, Constant):
        return build.value(Constant(src.tensor.expand(shape).contiguous(), src.name))
    return expand(build, src, shape)


@imports("aten.fill.Tensor")
def fill(build: Builder, x: SSAValue, value: Operand) -> SSAValue:
    return copy(build, x, value)


@imports("aten.slice_scatter.default", batch=batch.scattering)
def slice_scatter(
    build: Builder,
    x: SSAValue,
    src: Operand,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> SSAValue:
    """New values between what is before and behind them; one by one where the places are not next to each other."""
    size = shape_of(x)[dim]
    places = range(size)[start:end:step]
    values = build.value(src)
    parts, at, given = list[SSAValue](), 0, 0
    for run in [places] if step == 1 else [range(place, place + 1) for place in places]:
        parts += [narrow(build, x, dim, at, run.start - at)] if run.start > at else []
        parts.append(narrow(build, values, dim, given, len(run)))
        at, given = run.stop, given + len(run)
    parts += [narrow(build, x, dim, at, size - at)] if size > at else []
    return parts[0] if len(parts) == 1 else build.add(ann.ConcatOp(parts, dim))


@imports("aten.select_scatter.default", batch=batch.scattering)
def select_scatter(build: Builder, x: SSAValue, src: Operand, dim: int, index: int) -> SSAValue:
    shape = shape_of(x)
    index %= shape[dim]
    one = build.reshape(build.value(src), (*shape[:dim], 1, *shape[dim + 1 :]))
    return slice_scatter(build, x, one, dim, index, index + 1)
