"""Table layers: currents add straight onto the membrane, then one loop nest says what it means."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import i32
from xdsl.ir import Attribute

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, integer, integers, shape_of
from neurocuda.ir.origin import inherit
from neurocuda.passes.cpu.lowering.builder import Place, signal_element
from neurocuda.passes.cpu.lowering.grids import memory_shape, row_major
from neurocuda.passes.cpu.lowering.neurons import Layer, charged
from neurocuda.passes.snn.analysis.activity import Activity

if TYPE_CHECKING:
    from neurocuda.passes.cpu.lowering.network import NetworkLowering


def lower_table_layer(lowering: NetworkLowering, op: snn.FiringTableOp) -> Place:
    """Lowers a layer that says a table, shares or a norm of its charge; returns where its spikes are."""
    builder, shape = lowering.builder, shape_of(op.result)
    if op.window is None and lowering.network.code.data != "count":
        builder.refuse(op, "it has no firing window", "Run encode-graded first.")
    start, stop = op.window or (0, 1)
    layer = charged(lowering, op, min(stop, lowering.steps))
    element = signal_element(lowering.bounds.signals[op.result], spikes=True)
    spikes = builder.buffer(element, memory_shape(shape, layer.layout), op)
    kind, said = _meaning(lowering, op, layer)
    properties = {**said, "scale": op.scale, "layout": integers(layer.layout)}
    nest = builder.nest(kind, [layer.membrane, spikes], (start, layer.stop), op, properties)
    if nest is not None:
        inherit(op, nest)
    return Place(spikes, shape, layer.layout, Activity(start, layer.stop))


def _meaning(
    lowering: NetworkLowering, op: snn.FiringTableOp, layer: Layer
) -> tuple[type[cpu.MembraneOp], dict[str, Attribute | None]]:
    """The loops that say what a layer means, and their constants in the order of memory."""
    builder, shape = lowering.builder, shape_of(op.result)
    if isinstance(op, snn.LookupOp):
        threshold = builder.constant(op.threshold, shape, layer.layout, i32, "threshold", op)
        return cpu.LookupOp, {"threshold": threshold, **_clip(*op.clip), "table": op.table}
    if isinstance(op, snn.SoftmaxOp):
        return cpu.SoftmaxOp, {"divisor": _per_row(lowering, op), "table": op.table, "levels": op.levels}
    assert isinstance(op, snn.LayerNormOp)
    gain, shift = (
        builder.constant(constant, shape[-1:], row_major(1), i32, name, op)
        for name, constant in (("gain", op.gain), ("shift", op.shift))
    )
    return cpu.LayerNormOp, {"gain": gain, "shift": shift, "epsilon": op.epsilon, **_clip(*op.range)}


def _clip(lowest: int, highest: int) -> dict[str, Attribute | None]:
    """Bounds within what a membrane can hold."""
    return {"lowest": integer(max(lowest, -(2**31))), "highest": integer(min(highest, 2**31 - 1))}


def _per_row(lowering: NetworkLowering, op: snn.SoftmaxOp) -> Dense:
    """The divisor: one, or one for every row."""
    import numpy as np

    divisor, shape = lowering.weights.array(op.divisor), shape_of(op.result)
    if divisor.size > 1:
        divisor = np.broadcast_to(divisor, (*shape[:-1], 1)).reshape(prod(shape[:-1]))
    return lowering.builder.typed(divisor.reshape(-1), i32, "divisor", op)
