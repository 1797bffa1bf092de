"""Walks a spiking network in order and writes the program that does the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import f32, i1, i32
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.shared.bases import Conv2dBase, IndexMapOp, LinearBase, Pool2dOp, SynapseOp
from neurocuda.dialects.shared.tables import MatrixProductBase, ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import FOREVER, Dense, shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.cpu.lowering.builder import Builder, Place, is_float_element, signal_element
from neurocuda.passes.cpu.lowering.grids import Grid, Layout, memory_shape, natural, row_major
from neurocuda.passes.cpu.lowering.neurons import lower_accumulator, lower_neurons, lower_sum, lower_threshold
from neurocuda.passes.cpu.lowering.products import add_product, product_layout
from neurocuda.passes.cpu.lowering.tables import lower_table_layer
from neurocuda.passes.snn.analysis.activity import NEURONS, activities
from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis
from neurocuda.passes.snn.analysis.tables import inexact_tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

CHARGED = NEURONS | snn.AccumulateOp | snn.ThresholdOp | snn.AddOp
"""What receives currents."""


class NetworkLowering:
    """One network being lowered into a builder's program.

    `places` says where values lie. A synapse whose current a single layer of neurons reads has no place: it is added
    straight onto the membrane when the neurons are lowered.
    """

    def __init__(self, network: snn.NetworkOp, weights: WeightStore, builder: Builder) -> None:
        self.network = network
        self.weights = weights
        self.builder = builder
        self.steps = builder.steps
        self.activities = activities(network)
        self.bounds = BoundsAnalysis(network, weights, self.activities)
        self.places: dict[SSAValue, Place] = {}
        self._lines: dict[snn.DelayOp, SSAValue] = {}

    def run(self, arguments: Mapping[SSAValue, Place]) -> list[Place]:
        """Lowers the body; returns where the outputs are after the last step."""
        self.builder.problems += inexact_tables(self.network, self.bounds)
        self.places.update(arguments)
        alive = _alive(self.network)
        delays = [op for op in alive if isinstance(op, snn.DelayOp) and self.steps == FOREVER and op.steps.value.data]
        for delay in delays:
            self._recall(delay)
        for op in alive:
            if op not in delays:
                self._visit(op)
        for delay in delays:
            self._remember(delay)
        last = self.network.body.block.last_op
        assert last is not None
        outputs = [self.places[operand] for operand in last.operands if operand in self.places]
        for place in outputs:
            self.builder.silence(place, self.steps, last)
            if not place.activity.length:
                self.builder.fill(place.buffer, self.steps - 1, last)
        return outputs

    def owner(self, value: SSAValue) -> Operation:
        """The operation a value comes from; the network for its arguments."""
        return value.owner if isinstance(value.owner, Operation) else self.network

    def _visit(self, op: Operation) -> None:
        if isinstance(op, SynapseOp | ProductBase):
            if isinstance(op, SynapseOp):
                self._check_synapse(op)
            if not self.is_fused(op):
                self.lower_alone(op)
        elif isinstance(op, snn.FiringTableOp):
            self.places[op.result] = lower_table_layer(self, op)
        elif isinstance(op, snn.IntegrateAndFireOp):
            self.places[op.result] = lower_neurons(self, op)
        elif isinstance(op, snn.ThresholdOp):
            self.places[op.result] = lower_threshold(self, op)
        elif isinstance(op, snn.AddOp):
            element = f32 if self.bounds.signals[op.result] is None else i32
            self.places[op.result] = lower_sum(self, op.signals, op, element)
        elif isinstance(op, snn.AccumulateOp):
            self.places[op.result] = lower_accumulator(self, op)
        elif isinstance(op, snn.InputOp):
            self._input(op)
        elif isinstance(op, snn.ReshapeOp):
            place = self.places[op.input]
            self.places[op.result] = self.builder.reshaped(place, shape_of(op.result), op)
        elif isinstance(op, IndexMapOp):
            self._index_map(op)
        elif isinstance(op, snn.ConcatOp):
            self._concat(op)
        elif isinstance(op, Pool2dOp):
            self._pool(op)
        elif isinstance(op, snn.DelayOp):
            self._delay(op)

    def _input(self, op: snn.InputOp) -> None:
        place = self.places[op.input]
        activity = self.activities[op.result]
        moved = self.builder.in_layout(place, natural(len(place.shape)), op)
        self.places[op.result] = Place(moved.buffer, moved.shape, moved.layout, activity)

    # Synapses

    def is_fused(self, op: SynapseOp | ProductBase) -> bool:
        """Whether a synapse or a product adds straight onto the membrane of the only neurons that read it."""
        uses = list(op.result.uses)
        return len(uses) == 1 and isinstance(uses[0].operation, CHARGED) and not self.activities[op.result].held

    def _check_synapse(self, op: SynapseOp) -> None:
        if isinstance(op, Conv2dBase | LinearBase) and op.bias is not None and self.steps != FOREVER:
            self.builder.refuse(op, "it has a bias, and synapses only speak when spoken to", "Give it to the neurons.")
        integer_weight = self.weights.array(op.weight).dtype.kind != "f"
        if integer_weight and self.bounds.signals[op.input] is None:
            self.builder.refuse(op, "its weights are integers and its input is not", "Quantise the input.")

    def lower_alone(self, op: SynapseOp | ProductBase) -> None:
        """Computes a current into a buffer of its own."""
        shape = shape_of(op.result)
        layout = row_major(len(shape)) if isinstance(op, LinearBase) else natural(len(shape))
        if isinstance(op, ProductBase):
            layout = product_layout(self, op)
        activity = self.activities[op.result]
        element = f32 if self.bounds.signals[op.result] is None else i32
        buffer = self.builder.buffer(element, memory_shape(shape, layout), op, self.range_of(op))
        target = Place(buffer, shape, layout, activity)
        self.builder.nest(cpu.FillOp, [buffer], target.due, op, {"value": None})
        self.add_current(op, target, target.due[1])
        self.places[op.result] = target

    def range_of(self, op: SynapseOp | ProductBase | snn.AddOp) -> tuple[int, int] | None:
        """What a current can be at a step; refused where that leaves 32 bits."""
        bounds = self.bounds.signals[op.result]
        if bounds is None:
            return None
        lowest, highest = bounds.step.integers
        if lowest >= -(2**31) and highest < 2**31:
            return lowest, highest
        why = f"its current may lie anywhere in {lowest} ... {highest}, which leaves 32 bits"
        self.builder.refuse(op, why, "Use narrower weights.")
        return None

    def add_current(self, op: SynapseOp | ProductBase, target: Place, stop: int, shift: int = 0) -> bool:
        """Adds 2^shift times a current onto a membrane; False where the membrane's axes are in another order."""
        if isinstance(op, ProductBase):
            return add_product(self, op, target, stop)
        source = self.places[op.input]
        rank = len(target.shape)
        layout = row_major(rank) if isinstance(op, LinearBase) else natural(rank)
        if isinstance(op, snn.DiagonalOp):
            layout = target.layout
        if target.layout != layout:
            return False
        source = self.builder.in_layout(source, layout, op)
        weight, kind = self._synapse_weight(op, layout, shift)
        geometry: dict[str, Attribute | None] = {"weight": weight}
        if isinstance(op, Conv2dBase):
            geometry |= {"stride": op.stride, "padding": op.padding, "dilation": op.dilation}
        steps = (source.due[0], min(stop, source.due[1]))
        self.builder.nest(kind, [source.buffer, target.buffer], steps, op, geometry)
        if isinstance(op, Conv2dBase | LinearBase) and op.bias is not None:
            value = self._bias(op, op.bias, target, shift)
            self.builder.nest(cpu.ChargeOp, [target.buffer], steps, op, {"value": value})
        return True

    def _bias(self, op: SynapseOp, bias: Dense, target: Place, shift: int) -> Dense:
        """The bias of a synapse for a membrane: one number per channel, which comes first in the user's order."""
        array = self.weights.array(bias)
        whole = array if array.dtype.kind == "f" else array.astype("int64") << shift
        channels = whole.reshape(-1, 1, 1) if isinstance(op, Conv2dBase) else whole
        full = self.weights.add(channels, "bias")
        return self.builder.constant(full, target.shape, target.layout, target.element, "bias", op)

    def _synapse_weight(self, op: SynapseOp, layout: Layout, shift: int) -> tuple[Dense, type[cpu.LoopOp]]:
        """The weight, times 2^shift, in the order in which the loops read it, and the loops."""
        weight = _shifted(self.weights.array(op.weight), shift)
        if isinstance(op, Conv2dBase):
            groups = op.groups.value.data
            outer, inner, rows, columns = weight.shape
            if inner == 1 and groups == outer:
                return self._weight(weight[:, 0].transpose(1, 2, 0)), cpu.DepthwiseConv2dOp
            split = weight.reshape(groups, outer // groups, inner, rows, columns)
            return self._weight(split.transpose(0, 3, 4, 2, 1)), cpu.Conv2dOp
        if isinstance(op, LinearBase):
            return self._weight(weight.T), cpu.LinearOp
        shape = shape_of(op.input)
        full = weight.reshape((1,) * (len(shape) - weight.ndim) + weight.shape).transpose(layout)
        return self._weight(_trailing(full, memory_shape(shape, layout))), cpu.DiagonalOp

    def _weight(self, array: Array) -> Dense:
        import numpy as np

        kind = np.float32 if array.dtype.kind == "f" else array.dtype
        return self.weights.add(np.ascontiguousarray(array, kind), "weight")

    # Everything else

    def _new_signal(self, op: Operation, layout: Layout, *, spikes: bool) -> Place:
        result = op.results[0]
        element = signal_element(self.bounds.signals[result], spikes=spikes)
        buffer = self.builder.buffer(element, memory_shape(shape_of(result), layout), op)
        return Place(buffer, shape_of(result), layout, self.activities[result])

    def _index_map(self, op: IndexMapOp) -> None:
        """Lowers a chain of slices, paddings and transpositions when its last link is met."""
        if _continues(op):
            return
        chain: list[Operation] = [op]
        while isinstance(chain[0].operands[0].owner, IndexMapOp) and _continues(chain[0].operands[0].owner):
            chain.insert(0, chain[0].operands[0].owner)
        source = self.places[chain[0].operands[0]]
        grid = Grid.identity(source.shape)
        for link in chain:
            grid = grid.then(link)
        rank = len(grid.shape)
        layout = row_major(rank) if _read_by_rows(op.result) else natural(rank)
        buffer = self.builder.buffer(source.element, memory_shape(grid.shape, layout), op)
        target = Place(buffer, grid.shape, layout, source.activity)
        if not grid.covers:
            self.builder.fill(buffer, source.due[0], op)
        if not grid.empty:
            self.builder.move(source, target, grid, op)
        self.places[op.result] = target

    def _concat(self, op: snn.ConcatOp) -> None:
        sources = [self.places[operand] for operand in op.inputs]
        elements = {source.element for source in sources}
        layout = natural(len(shape_of(op.result)))
        target = self._new_signal(op, layout, spikes=elements == {i1})
        self.builder.fill(target.buffer, target.due[0], op)
        axis, offset = op.axis.value.data, 0
        for source in sources:
            origin = [0] * len(target.shape)
            origin[axis] = offset
            offset += source.shape[axis]
            steps = self._read_by_concat(source, target, op)
            source = self._converted(source, target, op, steps)
            self.builder.move(source, target, Grid.identity(source.shape), op, origin, steps)
        self.places[op.result] = target

    def _read_by_concat(self, source: Place, target: Place, op: Operation) -> tuple[int, int]:
        """The steps at which a part is copied: also once after its end, so that the whole falls silent there."""
        if source.activity.held:
            return target.due
        self.builder.silence(source, target.activity.stop, op)
        return source.activity.start, min(source.activity.stop + 1, target.activity.stop)

    def _converted(self, source: Place, target: Place, op: Operation, steps: tuple[int, int]) -> Place:
        """The source in the target's element type: added onto zeros where it differs."""
        if source.element == target.element:
            return source
        buffer = self.builder.buffer(target.element, memory_shape(source.shape, source.layout), op)
        self.builder.nest(cpu.FillOp, [buffer], steps, op, {"value": None})
        self.builder.nest(cpu.AddOp, [source.buffer, buffer], steps, op)
        return Place(buffer, source.shape, source.layout, source.activity)

    def _pool(self, op: Pool2dOp) -> None:
        source = self.builder.in_layout(self.places[op.input], natural(3), op)
        spikes = source.element == i1 and not isinstance(op, snn.SumPool2dOp)
        target = self._new_signal(op, natural(3), spikes=spikes)
        self._check_windows(op)
        geometry: dict[str, Attribute | None] = {
            name: getattr(op, name) for name in ("kernel", "stride", "padding", "dilation")
        }
        if not isinstance(op, snn.RunningMaxPool2dOp):
            kind = cpu.SumPool2dOp if isinstance(op, snn.SumPool2dOp) else cpu.MaxPool2dOp
            self.builder.nest(kind, [source.buffer, target.buffer], source.due, op, geometry)
        else:
            steps = (target.activity.start, target.activity.stop)
            element = f32 if is_float_element(source.element) else i32
            memories = [self.builder.buffer(element, memory_shape(p.shape, p.layout), op) for p in (source, target)]
            for memory in memories:
                self.builder.fill(memory, steps[0], op)
            self.builder.nest(cpu.RunningMaxPool2dOp, [source.buffer, target.buffer, *memories], steps, op, geometry)
        self.places[op.result] = target

    def _check_windows(self, op: Pool2dOp) -> None:
        """A maximum over nothing but padding is undefined."""
        if isinstance(op, snn.SumPool2dOp):
            return
        geometry = (values_of(op.kernel), values_of(op.stride), values_of(op.dilation), values_of(op.padding)[::2])
        for size, count, kernel, stride, dilation, low in zip(
            shape_of(op.input)[1:], shape_of(op.result)[1:], *geometry, strict=True
        ):
            rows = [[o * stride - low + k * dilation for k in range(kernel)] for o in range(count)]
            if not all(any(0 <= at < size for at in row) for row in rows):
                self.builder.refuse(op, "a window holds nothing but padding", "Pad by less than the kernel.")
                return

    def _recall(self, op: snn.DelayOp) -> None:
        """Where there is no end, delays may close cycles: they speak before anything else, and listen last."""
        shape = shape_of(op.result)
        element = signal_element(self.bounds.signals[op.result], spikes=True)
        target, line = self._ring(op, element, natural(len(shape)))
        self.builder.fill(line, 0, op)
        self.builder.nest(cpu.RecallOp, [line, target.buffer], target.due, op, {"delays": self._delays(op, target)})
        self.places[op.result] = target
        self._lines[op] = line

    def _ring(self, op: snn.DelayOp, element: Attribute, layout: Layout) -> tuple[Place, SSAValue]:
        """Where a delayed signal is, and the line with as many slots as the longest delay needs."""
        shape = shape_of(op.result)
        sizes = memory_shape(shape, layout)
        slots = op.steps.value.data
        if op.extra is not None:
            slots += int(self.weights.array(op.extra).max(initial=0)) + int(slots == 0)
        line = self.builder.buffer(element, (slots, *sizes), op)
        return Place(self.builder.buffer(element, sizes, op), shape, layout, self.activities[op.result]), line

    def _delays(self, op: snn.DelayOp, target: Place) -> Dense | None:
        """The delay of every element, where they differ, in the order of memory."""
        if op.extra is None:
            return None
        late = self.weights.add(self.weights.array(op.extra) + op.steps.value.data, "delays")
        return self.builder.constant(late, target.shape, target.layout, i32, "delay", op)

    def _remember(self, op: snn.DelayOp) -> None:
        target = self.places[op.result]
        source = self.builder.in_layout(self.places[op.input], target.layout, op)
        source = self._converted(source, target, op, source.due)
        self.builder.nest(cpu.RememberOp, [source.buffer, self._lines[op]], source.due, op)

    def _delay(self, op: snn.DelayOp) -> None:
        source = self.places[op.input]
        target, line = self._ring(op, source.element, source.layout)
        self.builder.silence(source, target.activity.stop, op)
        self.builder.fill(line, source.activity.start, op)
        steps = (source.activity.start, target.activity.stop)
        delays = {"delays": self._delays(op, target)}
        if not op.steps.value.data:  # some elements come at once
            self.builder.nest(cpu.RememberOp, [source.buffer, line], steps, op)
        self.builder.nest(cpu.RecallOp, [line, target.buffer], steps, op, delays)
        if op.steps.value.data:
            self.builder.nest(cpu.RememberOp, [source.buffer, line], steps, op)
        self.places[op.result] = target


def _alive(network: snn.NetworkOp) -> list[Operation]:
    """The operations that an output or a layer of neurons depends on, in order."""
    waiting: list[Operation] = [op for op in network.body.block.ops if isinstance(op, CHARGED | snn.OutputOp)]
    alive = set(waiting)
    while waiting:
        read = [operand.owner for operand in waiting.pop().operands]
        new = [op for op in read if isinstance(op, Operation) and op not in alive]
        alive.update(new)
        waiting += new
    return [op for op in network.body.block.ops if op in alive]


def _continues(op: IndexMapOp) -> bool:
    """Whether an index map's only reader is another one that it can be merged with."""
    merges = snn.SliceOp | snn.PadOp | snn.TransposeOp
    uses = list(op.result.uses)
    return isinstance(op, merges) and len(uses) == 1 and isinstance(uses[0].operation, merges)


def _read_by_rows(value: SSAValue) -> bool:
    """Whether all that reads a signal, now or after a delay, wants it in the user's own order of axes."""
    readers = [use.operation for use in value.uses]
    later = [reader.result for reader in readers if isinstance(reader, snn.DelayOp)]
    now = [reader for reader in readers if isinstance(reader, LinearBase | MatrixProductBase | snn.ReshapeOp)]
    return len(now) + len(later) == len(readers) and all(map(_read_by_rows, later))


def _shifted(weight: Array, shift: int) -> Array:
    """An integer weight times 2^shift in the narrowest type that holds it."""
    import numpy as np

    if not shift:
        return weight
    product = weight.astype(np.int64) << shift
    largest = int(np.abs(product).max(initial=0))
    return product.astype(next(kind for kind in (np.int8, np.int16, np.int32) if largest <= np.iinfo(kind).max))


def _trailing(array: Array, shape: tuple[int, ...]) -> Array:
    """A constant that broadcasts from its last axis alone: one number, one per last axis, or all of them."""
    import numpy as np

    if array.size == 1:
        return array.reshape(1)
    if array.size == array.shape[-1]:
        return array.reshape(-1)
    return np.broadcast_to(array, shape)
