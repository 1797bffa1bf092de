"""Layers of spikes over a current that does not change: membranes of sixteen channels pass all steps in registers."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.passes.cpu.llvm.builder import i1, i32, vector
from neurocuda.passes.cpu.llvm.events_neurons import Neurons
from neurocuda.passes.cpu.llvm.events_plan import LANES, Plan, by_lane, tile_of
from neurocuda.passes.cpu.llvm.features import Features
from neurocuda.passes.cpu.llvm.kernels import Kernel, lowers

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"


def _plan(op: cpu.CurrentLayerOp, features: Features) -> Plan:
    *positions, channels = op.neurons
    tile = tile_of(channels, features)
    return Plan((), (), prod(positions), 1, channels, tile, -(-channels // tile))


def _packed(op: cpu.CurrentLayerOp, name: str, array: Array, features: Features) -> Array:
    """Constants by lane."""
    import numpy as np

    return by_lane(_plan(op, features), array, np.iinfo(np.int32).max if name == "threshold" else 0)


@lowers(cpu.CurrentLayerOp, splits=True, packs=_packed)
def current_layer(op: cpu.CurrentLayerOp, k: Kernel) -> None:
    """Position by position: the current is added at every step, or once, before the first."""
    plan = _plan(op, k.features)
    begin, end = k.share(plan.rows)
    with k.loop(begin, end) as row, k.loop(0, plan.tiles) as tile:
        neurons = Neurons(op, k, plan, row.index, k.place(0), tile.index)
        current = _current(op, k, plan, row.index, tile.index)
        start = neurons.start()
        gated = op.gated.value.data
        if gated:
            start = [k.add(one, other) for one, other in zip(start, current, strict=True)]
            with k.loop(0, op.timesteps, carried=start) as step:
                step.next(*neurons.charged(step.index, step.values, []))
            start = list(step.results)
        with k.loop(0, op.timesteps, carried=start) as step:
            charged = step.values if gated else neurons.charged(step.index, step.values, [current])
            step.next(*neurons.fired(step.index, charged))


def _current(op: cpu.CurrentLayerOp, k: Kernel, plan: Plan, row: SSAValue, tile: SSAValue) -> list[SSAValue]:
    """The current of a tile, sixteen channels at a time; 0 for channels that there are not."""
    kind = vector(i32, LANES)
    first = k.sum_of((tile, plan.tile))
    chunks: list[SSAValue] = []
    for begin in range(0, plan.tile, LANES):
        place = k.sum_of((row, plan.channels), first, begin)
        pointer = k.at(k.buffer(op.current), place, i32)
        if plan.tiles * plan.tile == plan.channels:
            chunks.append(k.load(kind, pointer))
            continue
        channel = k.add(k.lanes(i32, range(LANES)), k.splat(k.truncate(k.sum_of(first, begin), i32), LANES))
        inside = k.compare("slt", channel, plan.channels)
        assert inside.type == vector(i1, LANES)
        chunks.append(k.load_masked(kind, pointer, inside, k.constant(kind, 0)))
    return chunks
