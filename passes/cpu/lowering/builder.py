"""Writes the body of a `cpu.program`: buffers, loop nests in order, and where every value of the network lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType, NameLoc, Signedness, f32, i1, i8, i16, i32
from xdsl.ir import Attribute, Block, Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element
from neurocuda.errors import Problem
from neurocuda.ir.attributes import FOREVER, Dense, integer, integers
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.cpu.lowering.grids import (
    Grid,
    Layout,
    Shape,
    StridedCopy,
    memory_shape,
    row_major,
    same_memory,
    strided_copy,
)
from neurocuda.passes.snn.analysis.activity import Activity
from neurocuda.passes.snn.analysis.bounds import Bounds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ui8 = IntegerType(8, Signedness.UNSIGNED)
ui16 = IntegerType(16, Signedness.UNSIGNED)

Steps = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """Where a value of the network lies: a buffer, the order of its axes, and the steps at which it means something.

    Outside [start, stop) of a value's activity its buffer is stale.
    """

    buffer: SSAValue
    shape: Shape
    layout: Layout
    activity: Activity

    @property
    def due(self) -> Steps:
        """When something stateless that reads it has to run."""
        return (0, 1) if self.activity.held else (self.activity.start, self.activity.stop)

    @property
    def element(self) -> Attribute:
        """The buffer's element type."""
        return buffer_element(self.buffer)


class Builder:
    """The program so far. `problems` collects what cannot be lowered."""

    def __init__(self, weights: WeightStore, steps: int) -> None:
        self.weights = weights
        self.steps = steps
        self.block = Block()
        self.problems: list[Problem] = []
        self._copies: dict[tuple[SSAValue, Shape, Layout], Place] = {}
        self._cleared: set[tuple[SSAValue, int]] = set()

    def refuse(self, op: Operation, why: str, remedy: str) -> None:
        """Notes that an operation cannot be lowered."""
        self.problems.append(Problem(f"`{op.name}`", user_location(op) or origin_of(op) or "", why, remedy))

    def buffer(
        self, element: Attribute, shape: Sequence[int], like: Operation, bounds: tuple[int, int] | None = None
    ) -> SSAValue:
        """A new buffer, named after the operation that it serves."""
        label = origin_of(like) or (user_location(like) if isinstance(like.location, NameLoc) else None)
        new = cpu.BufferOp(element, shape, label=label, bounds=bounds)
        new.location = like.location
        self.block.add_op(new)
        return new.result

    def nest(
        self,
        kind: type[cpu.LoopOp],
        operands: Sequence[SSAValue | Sequence[SSAValue]],
        steps: Steps,
        like: Operation,
        properties: Mapping[str, Attribute | None] | None = None,
    ) -> Operation | None:
        """Adds a loop nest; nothing where its steps are empty."""
        steps = (steps[0], min(steps[1], self.steps))
        if steps[0] >= steps[1]:
            return None
        due = None if steps == (0, FOREVER) else integers(steps)
        new = kind.build(operands=operands, properties={**(properties or {}), "steps": due})
        new.location = like.location
        self.block.add_op(new)
        return new

    def fill(self, buffer: SSAValue, step: int, like: Operation, value: Dense | None = None) -> None:
        """Sets a buffer at one step."""
        if step < self.steps:
            self.nest(cpu.FillOp, [buffer], (step, step + 1), like, {"value": value})

    # Layouts and copies

    def in_layout(self, place: Place, layout: Layout, like: Operation) -> Place:
        """The same value with its axes in another order, copied once where memory differs."""
        same_shape = memory_shape(place.shape, place.layout) == memory_shape(place.shape, layout)
        if same_shape and same_memory(place.shape, place.layout, layout):
            return Place(place.buffer, place.shape, layout, place.activity)
        key = (place.buffer, place.shape, layout)
        if key not in self._copies:
            buffer = self.buffer(place.element, memory_shape(place.shape, layout), like)
            target = Place(buffer, place.shape, layout, place.activity)
            self.move(place, target, Grid.identity(place.shape), like)
            self._copies[key] = target
        return self._copies[key]

    def move(
        self,
        source: Place,
        target: Place,
        grid: Grid,
        like: Operation,
        origin: Sequence[int] | None = None,
        steps: Steps | None = None,
    ) -> None:
        """Copies the source through a grid to `origin` in the target, whenever the source means something."""
        origin = origin or (0,) * len(target.shape)
        copy = strided_copy(grid, source.shape, source.layout, target.layout, target=target.shape, origin=origin)
        self.copy(source.buffer, target.buffer, copy, steps or source.due, like)

    def copy(self, source: SSAValue, target: SSAValue, copy: StridedCopy, steps: Steps, like: Operation) -> None:
        """A strided copy, its axes of extent 1 left out and neighbouring ones that are contiguous joined."""
        copy = _simplified(copy)
        properties = {
            "sizes": integers(copy.sizes),
            "from_offset": integer(copy.from_offset),
            "from_strides": integers(copy.from_strides),
            "to_offset": integer(copy.to_offset),
            "to_strides": integers(copy.to_strides),
        }
        self.nest(cpu.CopyOp, [source, target], steps, like, properties)

    def reshaped(self, place: Place, shape: Shape, like: Operation) -> Place:
        """The same elements in the user's row-major order under another shape."""
        plain = row_major(len(place.shape))
        target = Place(self.buffer(place.element, shape, like), shape, row_major(len(shape)), place.activity)
        grid = Grid.identity(place.shape)
        copy = strided_copy(grid, place.shape, place.layout, plain, target=place.shape, origin=(0,) * len(plain))
        self.copy(place.buffer, target.buffer, copy, place.due, like)
        return target

    def silence(self, place: Place, until: int, like: Operation) -> None:
        """Makes a buffer read as zero from the end of its activity to the step `until`."""
        stop = place.activity.stop
        if place.activity.held or stop >= until or (place.buffer, stop) in self._cleared:
            return
        self._cleared.add((place.buffer, stop))
        self.fill(place.buffer, stop, like)

    # Constants

    def constant(
        self,
        attribute: Dense,
        shape: Shape,
        layout: Layout,
        element: Attribute,
        name: str,
        like: Operation,
        *,
        whole: bool = False,
    ) -> Dense:
        """A constant that broadcasts onto a tensor, for its memory: one number, one per last axis, or all of them.

        With `whole` it is one number or all of them.
        """
        import numpy as np

        array = self.weights.array(attribute)
        if array.size == 1:
            return self.typed(array.reshape(1), element, name, like)
        full = array.reshape((1,) * (len(shape) - array.ndim) + array.shape).transpose(layout)
        if prod(full.shape[:-1]) == 1 and not whole:
            return self.typed(full.reshape(-1), element, name, like)
        return self.typed(np.broadcast_to(full, memory_shape(shape, layout)), element, name, like)

    def typed(self, array: Array, element: Attribute, name: str, like: Operation) -> Dense:
        """An array as a constant of an element type; integers that do not fit are refused."""
        import numpy as np

        if element == i32:
            limits = np.iinfo(np.int32)
            if array.size and (array.min() < limits.min or array.max() > limits.max):
                self.refuse(like, f"its {name} leaves 32 bits", "Use fewer timesteps or narrower weights.")
                array = np.clip(array, limits.min, limits.max)
            return self.weights.add(array.astype(np.int32), name)
        return self.weights.add(array.astype(np.float32 if element == f32 else np.float64), name)


def signal_element(bounds: Bounds | None, *, spikes: bool) -> Attribute:
    """The smallest element type that holds a signal: i1 for spikes, f32 where nothing bounds it."""
    if bounds is None:
        return f32
    lowest, highest = bounds.step.integers
    if spikes and lowest == 0 and highest <= 1:
        return i1
    return integer_element(lowest, highest)


def integer_element(lowest: int, highest: int) -> Attribute:
    """The smallest integer type for lowest ... highest, i32 if none is large enough."""
    for element, low, high in ((ui8, 0, 2**8), (i8, -(2**7), 2**7), (ui16, 0, 2**16), (i16, -(2**15), 2**15)):
        if low <= lowest and highest < high:
            return element
    return i32


def is_float_element(element: Attribute) -> bool:
    """Whether a buffer holds floats."""
    return isinstance(element, Float32Type | Float64Type)


def plain_place(shape: Shape, buffer: SSAValue, activity: Activity) -> Place:
    """The place of a value that lies in its own row-major order."""
    return Place(buffer, shape, row_major(len(shape)), activity)


def _simplified(copy: StridedCopy) -> StridedCopy:
    """The same copy with the fewest axes; a single element keeps one."""
    axes: list[tuple[int, int, int]] = []
    for size, reading, writing in zip(copy.sizes, copy.from_strides, copy.to_strides, strict=True):
        if size == 1:
            continue
        if axes:
            outer = axes[-1]
            if outer[1] == size * reading and outer[2] == size * writing:
                axes[-1] = (outer[0] * size, reading, writing)
                continue
        axes.append((size, reading, writing))
    axes = axes or [(1, 1, 1)]
    sizes, reads, writes = (tuple(column) for column in zip(*axes, strict=True))
    return StridedCopy(sizes, copy.from_offset, reads, copy.to_offset, writes)
