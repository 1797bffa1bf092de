"""Reads a program that runs step after step, and writes the one that runs layer after layer over all steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from xdsl.dialects.builtin import ArrayAttr, BoolAttr, IntegerType, i1, i32, i64
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import SynapseOp, buffer_element, buffer_shape
from neurocuda.dialects.cpu.layers import NONE, ONES, WORD
from neurocuda.ir.activity import keep_activity
from neurocuda.ir.attributes import Dense, integer, integers, values_of
from neurocuda.ir.origin import inherit
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.cpu.lowering.builder import Shape, Steps, integer_element
from neurocuda.passes.cpu.lowering.charge import (
    Weighted,
    as_convolution,
    charge_bits,
    narrowed,
    seen_through,
    without_common_factor,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ONCE = integers((0, 1))


class UnfitLoop(Exception):
    """A loop nest that cannot run over all time steps at once, and why."""

    def __init__(self, op: Operation, why: str) -> None:
        super().__init__(why)
        self.op = op
        self.why = why


@dataclass(frozen=True)
class Train:
    """Spikes of all time steps: the new buffer, and the steps of the old program at which they are sent."""

    buffer: SSAValue
    neurons: Shape
    window: Steps

    @property
    def steps(self) -> int:
        """T."""
        return self.window[1] - self.window[0]


@dataclass(frozen=True)
class Signal:
    """What a buffer of the old program holds over time: a train, seen through pools and copies."""

    train: Train
    chain: tuple[cpu.SumPool2dOp | cpu.CopyOp, ...] = ()


class OverTime:
    """One program. What is computed once, at the first step or behind the last, stays as it is."""

    def __init__(self, program: cpu.ProgramOp, weights: WeightStore) -> None:
        assert program.steps is not None
        self.weights = weights
        self.steps = program.steps.value.data
        self.old = program.body.block
        self.loops = [op for op in self.old.ops if isinstance(op, cpu.LoopOp)]
        self.block = Block(arg_types=[argument.type for argument in self.old.args])
        self.places: dict[SSAValue, SSAValue] = dict(zip(self.old.args, self.block.args, strict=True))
        self.signals: dict[SSAValue, Signal] = {}
        self.held = self._held()
        self._counts: dict[SSAValue, SSAValue] = {}

    def body(self) -> Region:
        """The new body.

        Raises:
            UnfitLoop: a loop nest has to run step after step.
        """
        for op in self.loops:
            self._visit(op)
        end = self.old.last_op
        assert end is not None
        self._add(end, cpu.OutputOp([self._place(value, end) for value in end.operands]))
        return Region(self.block)

    def writers(self, buffer: SSAValue) -> list[cpu.LoopOp]:
        """The loops that write a buffer of the old program, in order."""
        return [op for op in self.loops if any(buffer is value for value in written(op))]

    def _held(self) -> set[SSAValue]:
        """The buffers that are written at the first step alone, from others of that kind."""
        held = {value for op in self.loops for value in op.operands} | set(self.old.args)
        for op in self.loops:
            if op.window != (0, 1) or isinstance(op, cpu.FireOp):
                held.difference_update(written(op))
        while changing := [op for op in self.loops if not held.issuperset(op.operands) and held & set(written(op))]:
            for op in changing:
                held.difference_update(written(op))
        return held

    # Loops

    def _visit(self, op: cpu.LoopOp) -> None:
        if self.held.issuperset(op.operands):
            self._once(op)
        elif isinstance(op, cpu.FireOp):
            self._fire(op)
        elif isinstance(op, cpu.SumPool2dOp | cpu.CopyOp) and op.source in self.signals:
            self._seen(op, self.signals[op.source])
        elif isinstance(op, cpu.MaxPool2dOp | cpu.RunningMaxPool2dOp):
            self._max_pool(op)
        elif isinstance(op, cpu.ChargeOp | cpu.AddOp | SynapseOp):
            self._require_membrane(op)
        elif isinstance(op, cpu.FillOp):
            pass  # Whatever it begins looks for its beginning.
        elif op.window == (self.steps - 1, self.steps):
            self._once(op)
        else:
            raise UnfitLoop(op, "it runs step after step")

    def _once(self, op: cpu.LoopOp) -> None:
        """A loop that runs at one step, before the first layer or behind the last."""
        new = op.clone({value: self._place(value, op) for value in op.operands})
        new.properties["steps"] = ONCE
        self.block.add_op(new)

    def _place(self, value: SSAValue, reader: Operation) -> SSAValue:
        """The new buffer in which a value is that does not change over time, or its last state."""
        if value in self.signals:
            raise UnfitLoop(reader, "it reads the spikes of a single step")
        if value not in self.places:
            buffer = value.owner
            assert isinstance(buffer, cpu.BufferOp)
            new = buffer.clone()
            self.block.add_op(new)
            self.places[value] = new.result
            if value not in self.held and any(isinstance(op, SynapseOp | cpu.ChargeOp) for op in self.writers(value)):
                self._read_out(value, new.result)
        return self.places[value]

    def _require_membrane(self, op: cpu.LoopOp) -> None:
        """What is added to a membrane is looked at when the neurons fire, or when somebody reads the sum."""
        (target,) = written(op)
        for use in target.uses:
            reader = use.operation
            if not isinstance(reader, cpu.LoopOp) or any(target is value for value in written(reader)):
                continue
            if reader.window != (self.steps - 1, self.steps) and target not in self.signals:
                raise UnfitLoop(reader, "it reads a sum of currents at every step")

    # Trains

    def _seen(self, op: cpu.SumPool2dOp | cpu.CopyOp, source: Signal) -> None:
        """A pool or a copy of a train is what reads it."""
        (target,) = written(op)
        others = [other for other in self.writers(target) if other is not op]
        if op.window != source.train.window or any(
            not isinstance(other, cpu.FillOp) or other.value for other in others
        ):
            raise UnfitLoop(op, "it puts signals together step after step")
        self.signals[target] = Signal(source.train, (*source.chain, op))

    def _max_pool(self, op: cpu.MaxPool2dOp | cpu.RunningMaxPool2dOp) -> None:
        source = self.signal_of(op.source, op)
        if source.chain or op.window != source.train.window or buffer_element(op.source) != i1:
            raise UnfitLoop(op, "it does not read the spikes of neurons as they are sent")
        *_, channels = shape = buffer_shape(op.target)
        target = self._new_train(op, shape, source.train.window)
        properties: dict[str, Attribute | None] = {
            name: getattr(op, name) for name in ("kernel", "stride", "padding", "dilation")
        }
        properties |= {
            "channels": integer(channels),
            "counted": BoolAttr.from_bool(isinstance(op, cpu.RunningMaxPool2dOp)),
            "steps": ONCE,
        }
        self._add(op, cpu.MaxPoolTrainOp.build(operands=[source.train.buffer, target.buffer], properties=properties))
        self.signals[op.target] = Signal(target)

    def signal_of(self, value: SSAValue, reader: cpu.LoopOp) -> Signal:
        """What a buffer that a loop reads holds over time.

        Raises:
            UnfitLoop: nothing that is known by then.
        """
        if value not in self.signals:
            raise UnfitLoop(reader, "it reads spikes of the step before, or something that is no spike")
        return self.signals[value]

    def _new_train(self, op: cpu.LoopOp, neurons: Shape, window: Steps) -> Train:
        *positions, channels = neurons
        shape = (*positions, window[1] - window[0], -(-channels // WORD))
        return Train(self._buffer(op, i64, shape), neurons, window)

    def _buffer(self, op: cpu.LoopOp, element: Attribute, shape: Sequence[int]) -> SSAValue:
        """A new buffer, with the label of that for which it stands."""
        written_to = written(op)[-1].owner
        label = written_to.label if isinstance(written_to, cpu.BufferOp) else None
        new = cpu.BufferOp(element, shape, label=None if label is None else label.data)
        new.location = op.location
        self.block.add_op(new)
        return new.result

    def _add(self, like: Operation, new: Operation) -> None:
        new.location = like.location
        self.block.add_op(new)

    # Layers

    def _fire(self, op: cpu.FireOp) -> None:
        _require_plain(op)
        charged = Charged.of(self, op)
        train = self._new_train(op, buffer_shape(op.spikes), op.window)
        properties: dict[str, Attribute | None] = {
            name: getattr(op, name) for name in ("threshold", "reset_value", "strict", "scale", "layout")
        }
        properties |= {
            "bias": charged.bias,
            "initial": charged.initial,
            "gated": BoolAttr.from_bool(charged.gated),
            "channels": integer(train.neurons[-1]),
            "steps": ONCE,
        }
        if charged.heard:
            sources = [signal.train for _, signal in charged.heard]
            properties |= self._synapses(charged.heard)
            properties["source_channels"] = integers(source.neurons[-1] for source in sources)
            operands = [[source.buffer for source in sources], train.buffer, []]
            new: Operation = cpu.SpikeLayerOp.build(operands=operands, properties=properties)
        else:
            current = self._current(op, charged.currents)
            new = cpu.CurrentLayerOp.build(operands=[current, train.buffer], properties=properties)
        self._add(op, new)
        inherit(op, new)
        keep_activity(op, new)
        self.signals[op.spikes] = Signal(train)

    def _current(self, op: cpu.FireOp, parts: Sequence[cpu.AddOp | SynapseOp]) -> SSAValue:
        """The current that does not change: one that is there already, or the sum of all."""
        if len(parts) == 1 and isinstance(parts[0], cpu.AddOp):
            return self.places[parts[0].source]
        current = self._buffer(op, i32, buffer_shape(op.spikes))
        self._add(op, cpu.FillOp(current, (0, 1)))
        for part in parts:
            new = part.clone({part.source: self.places[part.source], part.membrane: current})
            new.properties["steps"] = ONCE
            self.block.add_op(new)
        return current

    def _synapses(self, heard: Sequence[tuple[SynapseOp, Signal]]) -> dict[str, Attribute | None]:
        """The synapses of a layer, their weights, the factor they share and how wide their sum is."""
        weighted = [self._weighted(op, signal) for op, signal in heard]
        factor, arrays = without_common_factor([each.array for each in weighted])
        weighted = [Weighted(each.how, array) for each, array in zip(weighted, arrays, strict=True)]
        return {
            "synapses": ArrayAttr([each.how for each in weighted]),
            "weights": ArrayAttr([self.weights.add(each.array, "weight") for each in weighted]),
            "factor": None if factor == 1 else integer(factor),
            "charge_bits": integer(charge_bits(weighted)),
        }

    def _weighted(self, op: SynapseOp, signal: Signal) -> Weighted:
        """A synapse and its weight for the train itself."""
        array = self.weights.array(op.weight)
        if isinstance(op, cpu.LinearOp):
            if len(buffer_shape(op.source)) > 1:
                raise UnfitLoop(op, "it is a product with a matrix of signals")
            return Weighted(cpu.SynapseAttr.of("linear"), seen_through(signal.chain, array, signal.train.neurons))
        if isinstance(op, cpu.DiagonalOp) and not signal.chain:
            return Weighted(cpu.SynapseAttr.of("diagonal"), array)
        moved = as_convolution(signal.chain[0]) if _is_copy(signal.chain) else None
        if isinstance(op, cpu.DiagonalOp) and moved is not None and array.size in (1, moved[1].shape[-1]):
            return Weighted(moved[0], narrowed(moved[1] * array.astype("int64").reshape(-1)))
        pool = _side_by_side(signal.chain)
        if pool is None or not isinstance(op, cpu.Conv2dOp | cpu.DepthwiseConv2dOp):
            raise UnfitLoop(op, "its source is pooled or moved at every step")
        kind = op.name.removeprefix("cpu.")
        stride, padding, dilation = (values_of(each) for each in (op.stride, op.padding, op.dilation))
        return Weighted(cpu.SynapseAttr.of(kind, stride, padding, dilation, pool), array)

    # Sums over time

    def _read_out(self, membrane: SSAValue, target: SSAValue) -> None:
        """What a membrane that never fires adds up: by linearity, synapses of spike counts.

        The bias comes first, so that no sum on the way is larger than the bounds of the last one.
        """
        loops = self.writers(membrane)
        fills = [op for op in loops if isinstance(op, cpu.FillOp)]
        if len(fills) != 1 or loops[0] is not fills[0]:
            raise UnfitLoop(loops[0], "a sum begins more than once")
        self._add(loops[0], cpu.FillOp(target, (0, 1), fills[0].value))
        for op in sorted(loops[1:], key=lambda op: not isinstance(op, cpu.ChargeOp)):
            start, stop = op.window
            if isinstance(op, cpu.ChargeOp):
                value = self._times(op, self.weights.array(op.value), stop - start)
                properties: dict[str, Attribute | None] = {"value": value, "steps": ONCE}
                self._add(op, cpu.ChargeOp.build(operands=[target], properties=properties))
            elif isinstance(op, cpu.AddOp | SynapseOp) and op.source in self.held:
                self._held_times(op, target, stop - start)
            elif isinstance(op, SynapseOp):
                signal = self.signal_of(op.source, op)
                if op.window != signal.train.window:
                    raise UnfitLoop(op, "it reads spikes at some of their steps alone")
                new = op.clone({op.source: self._counted(op.source, op), op.membrane: target})
                new.properties["steps"] = ONCE
                self.block.add_op(new)
            else:
                raise UnfitLoop(op, "it runs step after step")

    def _times(self, op: Operation, array: Array, count: int) -> Dense:
        """A constant charge that flows at so many steps, in all."""
        total = array.astype("int64") * count
        if total.size and not -(2**31) <= total.min() <= total.max() < 2**31:
            raise UnfitLoop(op, "what it brings over all steps leaves 32 bits")
        return self.weights.add(total.astype("int32"), "bias")

    def _held_times(self, op: cpu.AddOp | SynapseOp, target: SSAValue, count: int) -> None:
        """A current that does not change, at so many steps."""
        import numpy as np

        source = self.places[op.source]
        if isinstance(op, SynapseOp) and count == 1:
            new = op.clone({op.source: source, op.membrane: target})
            new.properties["steps"] = ONCE
            self.block.add_op(new)
            return
        if isinstance(op, SynapseOp):
            raise UnfitLoop(op, "it reads what does not change at every step")
        properties: dict[str, Attribute | None] = {
            "weight": self.weights.add(np.array([count], np.int32), "steps"),
            "steps": ONCE,
        }
        self._add(op, cpu.DiagonalOp.build(operands=[source, target], properties=properties))

    def _counted(self, value: SSAValue, reader: cpu.LoopOp) -> SSAValue:
        """How often the neurons of a signal fire in all, seen through its pools and copies."""
        if value in self._counts:
            return self._counts[value]
        signal = self.signals[value]
        if not signal.chain:
            train = signal.train
            counts = self._buffer(reader, integer_element(0, train.steps), train.neurons)
            properties: dict[str, Attribute | None] = {"channels": integer(train.neurons[-1]), "steps": ONCE}
            self._add(reader, cpu.CountTrainOp.build(operands=[train.buffer, counts], properties=properties))
        else:
            counts = self._counted_through(signal)
        self._counts[value] = counts
        return counts

    def _counted_through(self, signal: Signal) -> SSAValue:
        """The last pool or copy of a chain, of counts."""
        op = signal.chain[-1]
        source = self._counted(op.source, op)
        (target,) = written(op)
        element = buffer_element(source)
        if isinstance(op, cpu.SumPool2dOp):
            rows, columns = values_of(op.kernel)
            element = integer_element(0, rows * columns * _highest(element, signal.train.steps))
        counts = self._buffer(op, element, buffer_shape(target))
        if any(isinstance(other, cpu.FillOp) for other in self.writers(target)):
            self._add(op, cpu.FillOp(counts, (0, 1)))
        new = op.clone({op.source: source, target: counts})
        new.properties["steps"] = ONCE
        self.block.add_op(new)
        return counts


@dataclass(frozen=True)
class Charged:
    """What reaches the membrane of a layer of neurons: spikes, or currents that do not change; a bias; its beginning.

    With `gated` all of it arrives before the neurons may fire; without, everything arrives at every step.
    """

    heard: tuple[tuple[SynapseOp, Signal], ...]
    currents: tuple[cpu.AddOp | SynapseOp, ...]
    bias: Dense | None
    initial: Dense | None
    gated: bool

    @staticmethod
    def of(time: OverTime, op: cpu.FireOp) -> Charged:
        """What the loops around the membrane of a `cpu.fire` say.

        Raises:
            UnfitLoop: one of them does not belong to a layer that can be computed at once.
        """
        loops = [each for each in time.writers(op.membrane) if each is not op]
        gated = op.window[0] > 0
        heard: list[tuple[SynapseOp, Signal]] = []
        currents: list[cpu.AddOp | SynapseOp] = []
        charges: list[Dense] = []
        if not loops or not isinstance(loops[0], cpu.FillOp):
            raise UnfitLoop(op, "its membrane has no beginning")
        for each in loops[1:]:
            if isinstance(each, cpu.ChargeOp) and not gated:
                charges.append(each.value)
                _require_steps(each, op.window, op.window)
            elif isinstance(each, cpu.AddOp | SynapseOp) and each.source in time.held:
                currents.append(each)
                _require_steps(each, (0, 1) if gated else op.window, op.window)
            elif isinstance(each, SynapseOp):
                signal = time.signal_of(each.source, each)
                heard.append((each, signal))
                _require_steps(each, signal.train.window, op.window)
                if signal.train.steps != op.window[1] - op.window[0]:
                    raise UnfitLoop(op, "its source fires for another number of steps")
            else:
                raise UnfitLoop(each, "it changes the membrane step after step")
        if bool(heard) == bool(currents):
            raise UnfitLoop(op, "spikes and a current that does not change meet, or nothing arrives")
        return Charged(tuple(heard), tuple(currents), _sum(time.weights, charges), loops[0].value, gated)


def _require_steps(op: cpu.LoopOp, sent: Steps, fires: Steps) -> None:
    """Everything that is sent arrives: at the steps at which the neurons fire, or before the first of them."""
    together = fires[0] == 0
    if op.window != sent or (sent != fires if together else sent[1] > fires[0]):
        raise UnfitLoop(op, "the neurons fire while only a part has arrived")


def _require_plain(op: cpu.FireOp) -> None:
    """One spike at most, at any step, by the threshold alone."""
    if op.fired is not None or op.ready is not None:
        raise UnfitLoop(op, "its neurons may fire so many times alone, or have to rest")
    if op.values is not None or op.spikes_per_step.value.data > 1 or op.signed.value.data:
        raise UnfitLoop(op, "its spikes have values")
    if buffer_element(op.membrane) != i32 or buffer_element(op.spikes) != i1:
        raise UnfitLoop(op, "its membranes are no integers")


def _sum(weights: WeightStore, constants: Sequence[Dense]) -> Dense | None:
    """Constant charges in one."""
    if len(constants) < 2:
        return constants[0] if constants else None
    import numpy as np

    total = sum((weights.array(each).astype(np.int64) for each in constants), start=np.zeros((), np.int64))
    return weights.add(total.astype(np.int32), "bias")


def _side_by_side(chain: Sequence[cpu.SumPool2dOp | cpu.CopyOp]) -> tuple[int, int] | None:
    """The windows of a pool in which windows do not overlap; 1 x 1 without a pool, None for anything else."""
    if not chain:
        return ONES
    (op, *more) = chain
    if more or not isinstance(op, cpu.SumPool2dOp):
        return None
    rows, columns = values_of(op.kernel)
    plain = (values_of(op.stride), values_of(op.padding), values_of(op.dilation)) == ((rows, columns), NONE, ONES)
    return (rows, columns) if plain else None


def _is_copy(chain: Sequence[cpu.SumPool2dOp | cpu.CopyOp]) -> TypeGuard[tuple[cpu.CopyOp]]:
    return len(chain) == 1 and isinstance(chain[0], cpu.CopyOp)


def _highest(element: Attribute, steps: int) -> int:
    """The largest count that a buffer of counts may hold."""
    assert isinstance(element, IntegerType)
    return steps if element.width.data <= 16 else 2**31 - 1


def written(op: cpu.LoopOp) -> tuple[SSAValue, ...]:
    """The buffers that a loop nest writes; all of them where nobody says."""
    if isinstance(op, cpu.FillOp | cpu.CopyOp | cpu.QuantizeOp | cpu.DequantizeOp | cpu.SumPool2dOp | cpu.MaxPool2dOp):
        return (op.target,)
    if isinstance(op, SynapseOp | cpu.ChargeOp | cpu.AddOp | cpu.LeakOp | cpu.ClampOp):
        return (op.membrane,)
    if isinstance(op, cpu.RunningMaxPool2dOp):
        return (op.counts, op.highest, op.target)
    return tuple(op.operands)
