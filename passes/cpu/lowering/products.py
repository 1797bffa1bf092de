"""Products of two signals: added straight onto the membrane of the only neurons that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.shared.tables import MatrixProductBase, ProductBase
from neurocuda.ir.attributes import shape_of
from neurocuda.passes.cpu.lowering.builder import Place
from neurocuda.passes.cpu.lowering.grids import Layout, row_major

if TYPE_CHECKING:
    from neurocuda.passes.cpu.lowering.network import NetworkLowering


def product_layout(lowering: NetworkLowering, op: ProductBase) -> Layout:
    """The order of axes that costs fewest copies: the user's own for matrices, else that of a factor."""
    rank = len(shape_of(op.result))
    places = [lowering.places[factor] for factor in op.operands]
    known = [place.layout for place in places if len(place.shape) == rank]
    return row_major(rank) if isinstance(op, MatrixProductBase) or not known else known[0]


def add_product(lowering: NetworkLowering, op: ProductBase, target: Place, stop: int) -> bool:
    """Adds a product onto a membrane; False where the membrane's axes are in another order."""
    rank = len(target.shape)
    if isinstance(op, MatrixProductBase) and target.layout != row_major(rank):
        return False
    factors = [_widened(lowering.places[factor], rank) for factor in op.operands]
    placed = [lowering.builder.in_layout(factor, target.layout, op) for factor in factors]
    dues = [factor.due for factor in placed if not factor.activity.held] or [(0, 1)]
    steps = (max(start for start, _ in dues), min(stop, *(end for _, end in dues)))
    kind = cpu.MatrixProductOp if isinstance(op, MatrixProductBase) else cpu.ProductOp
    lowering.builder.nest(kind, [*(factor.buffer for factor in placed), target.buffer], steps, op)
    return True


def _widened(place: Place, rank: int) -> Place:
    """The same memory with axes of one element ahead."""
    lead = rank - len(place.shape)
    layout = (*range(lead), *(axis + lead for axis in place.layout))
    return Place(place.buffer, (1,) * lead + place.shape, layout, place.activity)
