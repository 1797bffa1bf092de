"""What the kernel `gather` does for a layer of spikes: tiles of channels, windows, the order of weights, its scratch.

The weights of a source lie tile by tile, (tiles, rows + 1, channels of a tile); row (kx, ky, channel) so that the rows
of a window of the list of a row of the image are one range; the last row is zero, for what is over at a list's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import IntegerType, i8, i16

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.layers import ONES, WORD, Synapse
from neurocuda.ir.attributes import dense_shape, dense_type, values_of
from neurocuda.passes.cpu.llvm.features import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"

LANES = 16
"""Membranes of 32 bits in a vector of 512."""

SMALL = 64
"""Images of so many positions, at most, are done tile by tile, so that a tile of weights is fetched once."""

SLOTS = 16
"""So many threads, at most, have a list of events of their own."""

ON_STACK = 48 * 1024
"""Lists of one thread that are no larger need no memory of the program's."""

LINE = 64
"""Bytes of a cache line."""


@dataclass(frozen=True)
class Gather:
    """One source whose spikes are listed: an image of (rows, columns, channels), a linear source as one column."""

    index: int
    rows: int
    columns: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    low: tuple[int, int]
    dilation: int
    pool: tuple[int, int]
    width: int
    """The columns of the train itself, before pooling."""
    steps: int
    weight: IntegerType

    @property
    def words(self) -> int:
        """The words of a position and step."""
        return -(-self.channels // WORD)

    @property
    def weight_rows(self) -> int:
        """The rows of weights."""
        return prod(self.kernel) * self.channels

    @property
    def events(self) -> int:
        """How many events a list has at most, and what is written behind them."""
        return self.steps * self.columns * self.kernel[0] * prod(self.pool) * self.channels + 2 * WORD

    @property
    def list_bytes(self) -> int:
        """The memory of the list of one row of the target, and of where each step and column begins in it."""
        return lines(2 * self.events) + lines(4 * self.steps * (self.columns + 1))


@dataclass(frozen=True)
class Plan:
    """A layer for the kernel `gather`."""

    gathers: tuple[Gather, ...]
    diagonals: tuple[int, ...]
    rows: int
    columns: int
    channels: int
    tile: int
    tiles: int

    @property
    def words(self) -> int:
        """The words of a position and step of the target."""
        return -(-self.channels // WORD)

    @property
    def by_tile(self) -> bool:
        """Whether tiles of weights are outermost."""
        return self.rows * self.columns <= SMALL and self.tiles > 1

    @property
    def slots(self) -> int:
        """How many threads can have lists of their own."""
        return min(self.tiles if self.by_tile else self.rows, SLOTS)

    @property
    def slot_bytes(self) -> int:
        """The lists of one thread."""
        return (self.rows if self.by_tile else 1) * sum(each.list_bytes for each in self.gathers)

    @property
    def scratch_bytes(self) -> int:
        """The lists of all threads."""
        return self.slots * self.slot_bytes


def lines(size: int) -> int:
    """Bytes as whole cache lines."""
    return -(-size // LINE) * LINE


def plan_of(op: cpu.SpikeLayerOp, features: Features | None = None) -> Plan | None:
    """The plan of a layer, None where its synapses are of another kind; without features for the widest vectors."""
    gathers: list[Gather] = []
    diagonals: list[int] = []
    for index, synapse in enumerate(op.connections()):
        if synapse.how.kind.data == "diagonal":
            diagonals.append(index)
            continue
        gather = _gather(op, index, synapse)
        if gather is None:
            return None
        gathers.append(gather)
    *positions, channels = op.neurons
    rows, columns = positions if len(positions) == 2 else (1, 1)
    if not gathers or len(positions) not in (0, 2):
        return None
    tile = tile_of(channels, features)
    return Plan(tuple(gathers), tuple(diagonals), rows, columns, channels, tile, -(-channels // tile))


def usable_plan(op: cpu.SpikeLayerOp, features: Features) -> Plan | None:
    """The plan of a layer that has the memory for its lists."""
    plan = plan_of(op, features)
    return None if plan is None or (op.scratch is None and plan.slot_bytes > ON_STACK) else plan


def element_size(weight: IntegerType) -> int:
    """The bytes of a weight."""
    return weight.width.data // 8


def tile_of(channels: int, features: Features | None) -> int:
    """The channels that are done together: up to 64 all of them, by sixteens, beyond as words divide by two."""
    if channels <= WORD:
        return -(-channels // LANES) * LANES
    wide = features is None or features.avx512
    return 2 * WORD if wide and -(-channels // WORD) % 2 == 0 else WORD


def _gather(op: cpu.SpikeLayerOp, index: int, synapse: Synapse) -> Gather | None:
    how, shape, steps = synapse.how, dense_shape(synapse.weight), op.timesteps
    weight = dense_type(synapse.weight).element_type
    *positions, channels = op.neurons_of(synapse.source)
    if weight not in (i8, i16) or not isinstance(weight, IntegerType):
        return None
    if how.kind.data == "linear":
        places = prod(positions)
        gather = Gather(index, places, 1, channels, (places, 1), ONES, (0, 0), 1, ONES, 1, steps, weight)
        return gather if gather.weight_rows < 2**16 else None
    if how.kind.data != "conv2d" or shape[0] != 1 or values_of(how.dilation)[1] != 1:
        return None
    pool = values_of(how.pool)
    top, _, left, _ = values_of(how.padding)
    gather = Gather(
        index,
        positions[0] // pool[0],
        positions[1] // pool[1],
        channels,
        (shape[1], shape[2]),
        (values_of(how.stride)[0], values_of(how.stride)[1]),
        (top, left),
        values_of(how.dilation)[0],
        (pool[0], pool[1]),
        positions[1],
        steps,
        weight,
    )
    listed = gather.columns * gather.kernel[0] * channels
    return gather if listed < 2**16 and gather.weight_rows < 2**16 else None


# Constants in the order of the kernel


def packed(op: cpu.SpikeLayerOp, name: str, array: Array, features: Features) -> Array:
    """A constant of a layer as the kernel `gather` reads it; as it is where that does not apply."""
    import numpy as np

    plan = usable_plan(op, features)
    if plan is None:
        return array
    kind, _, number = name.partition(".")
    if kind != "weights":
        return by_lane(plan, array.astype(np.int32), np.iinfo(np.int32).max if name == "threshold" else 0)
    index = int(number)
    if index in plan.diagonals:
        return by_lane(plan, array.astype(np.int32) * op.times, 0)
    gather = next(each for each in plan.gathers if each.index == index)
    rows = array.reshape(gather.weight_rows, -1)
    if array.ndim == 5:
        rows = array[0].transpose(1, 0, 2, 3).reshape(gather.weight_rows, -1)
    padded = np.zeros((gather.weight_rows + 1, plan.tiles * plan.tile), array.dtype)
    padded[:-1, : plan.channels] = rows
    return np.ascontiguousarray(padded.reshape(-1, plan.tiles, plan.tile).transpose(1, 0, 2))


def by_lane(plan: Plan, array: Array, padding: int) -> Array:
    """A constant per channel, or per neuron, with the channels of all tiles; a single number stays one."""
    import numpy as np

    if array.size == 1:
        return array
    over = plan.tiles * plan.tile - plan.channels
    return np.pad(array.reshape(-1, plan.channels), [(0, 0), (0, over)], constant_values=padding)
