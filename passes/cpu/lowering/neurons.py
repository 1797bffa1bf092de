"""Neurons and accumulators: synapses add straight onto the membrane, then leak, bias, bound and threshold as loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import f32, i1, i32
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.shared.bases import LinearBase, SynapseOp
from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.activity import keep_activity
from neurocuda.ir.attributes import FOREVER, Dense, integer, integers, shape_of, values_of
from neurocuda.ir.origin import inherit
from neurocuda.passes.cpu.lowering.builder import Place, is_float_element, signal_element
from neurocuda.passes.cpu.lowering.grids import Layout, memory_shape, natural, row_major
from neurocuda.passes.cpu.lowering.products import product_layout
from neurocuda.passes.snn.analysis.activity import Activity
from neurocuda.passes.snn.analysis.bounds import is_counted, largest_spike, shift_of, spikes_at_once

if TYPE_CHECKING:
    from neurocuda.passes.cpu.lowering.network import NetworkLowering

REMEDY = "Quantise the whole network, or none of it."


@dataclass(frozen=True)
class Layer:
    """A layer of neurons being lowered: its membrane, and the first step at which nothing matters any more."""

    membrane: SSAValue
    element: Attribute
    layout: Layout
    stop: int


def lower_neurons(lowering: NetworkLowering, op: snn.IntegrateAndFireOp) -> Place:
    """Lowers a layer of integrate-and-fire neurons; returns where its spikes are."""
    start, stop = op.window or (0, lowering.steps)
    layer = charged(lowering, op, min(stop, lowering.steps))
    _require_positive_threshold(lowering, op)
    _require_representable_threshold(lowering, op)
    builder, shape = lowering.builder, shape_of(op.result)
    element = signal_element(lowering.bounds.signals[op.result], spikes=True)
    spikes = builder.buffer(element, memory_shape(shape, layer.layout), op)
    limits = _Limits.of(lowering, op, layer)

    reset_value = _reset_value(lowering, op)
    # GCC 12 vectorises short rows wrongly where one constant has a number per column and another one per element.
    sizes = {lowering.weights.array(value).size for value in (op.threshold, reset_value) if value is not None}

    def constant(value: Dense | None, name: str) -> Dense | None:
        whole = len(sizes - {1}) > 1
        return (
            None
            if value is None
            else builder.constant(value, shape, layer.layout, layer.element, name, op, whole=whole)
        )

    properties: dict[str, Attribute | None] = {
        "threshold": constant(op.threshold, "threshold"),
        "reset_value": constant(reset_value, "reset_value"),
        "strict": op.strict,
        "spikes_per_step": integer(spikes_at_once(op)),
        "levels": op.levels if limits.fired else None,
        "refractory": op.refractory if limits.ready else None,
        "values": None if op.values is None else integers(values_of(op.values)[: layer.stop - start]),
        "signed": op.signed,
        "scale": op.scale,
        "layout": integers(layer.layout),
    }
    operands = [layer.membrane, spikes, limits.fired, limits.ready]
    fire = builder.nest(cpu.FireOp, operands, (start, layer.stop), op, properties)
    if fire is not None:
        inherit(op, fire)
        keep_activity(op, fire)
    return Place(spikes, shape, layer.layout, Activity(start, layer.stop))


def lower_threshold(lowering: NetworkLowering, op: snn.ThresholdOp) -> Place:
    """Lowers neurons without a memory: a copy of what arrives at a step is compared, and forgotten."""
    builder, shape = lowering.builder, shape_of(op.result)
    element = f32 if lowering.weights.array(op.threshold).dtype.kind == "f" else i32
    charge = lower_sum(lowering, [op.input], op, element)
    spikes = builder.buffer(i1, memory_shape(shape, charge.layout), op)
    properties: dict[str, Attribute | None] = {
        "threshold": builder.constant(op.threshold, shape, charge.layout, element, "threshold", op),
        "strict": op.strict,
        "layout": integers(charge.layout),
    }
    fire = builder.nest(cpu.FireOp, [charge.buffer, spikes, [], []], charge.due, op, properties)
    if fire is not None:
        inherit(op, fire)
    return Place(spikes, shape, charge.layout, charge.activity)


def lower_sum(lowering: NetworkLowering, signals: Sequence[SSAValue], op: Operation, element: Attribute) -> Place:
    """Adds up what arrives at a step; returns where the sums are."""
    builder, shape = lowering.builder, shape_of(op.results[0])
    known = [lowering.places[signal].layout for signal in signals if signal in lowering.places]
    layout = row_major(len(shape)) if isinstance(signals[0].owner, LinearBase) else natural(len(shape))
    layout = known[0] if known else layout
    bounds = lowering.range_of(op) if isinstance(op, snn.AddOp) else None
    buffer = builder.buffer(element, memory_shape(shape, layout), op, bounds)
    sums = Place(buffer, shape, layout, lowering.activities[op.results[0]])
    builder.nest(cpu.FillOp, [buffer], sums.due, op)
    for signal in signals:
        receive(lowering, signal, sums)
    return sums


def lower_accumulator(lowering: NetworkLowering, op: snn.AccumulateOp) -> Place:
    """Lowers a membrane that never fires; returns where it is."""
    layer = charged(lowering, op, lowering.steps)
    return Place(layer.membrane, shape_of(op.result), layer.layout, Activity(0, lowering.steps))


# The membrane

Leaky: TypeAlias = snn.IntegrateAndFireOp | snn.AccumulateOp
"""Neurons whose state decays, where they say so, and saturates, where they say how wide it is."""

Charged: TypeAlias = Leaky | snn.FiringTableOp


def charged(lowering: NetworkLowering, op: Charged, stop: int) -> Layer:
    """A layer with its membrane, on which all that arrives until the step `stop` adds up."""
    layer = _membrane(lowering, op, stop)
    _charge(lowering, op, layer)
    return layer


def _membrane(lowering: NetworkLowering, op: Charged, stop: int) -> Layer:
    builder, shape = lowering.builder, shape_of(op.result)
    layout = _layout(lowering, op)
    element = _element(lowering, op)
    bounds = lowering.bounds.membranes.get(op)
    limits = None if bounds is None or is_float_element(element) else bounds.integers
    if limits is not None and not (limits[0] >= -(2**31) and limits[1] < 2**31):
        why = f"its membrane potential may lie anywhere in {limits[0]} ... {limits[1]}, which leaves 32 bits"
        builder.refuse(op, why, "Use fewer timesteps or narrower weights.")
        limits = None
    membrane = builder.buffer(element, memory_shape(shape, layout), op, limits)
    initial = None if op.initial is None else builder.constant(op.initial, shape, layout, element, "initial", op)
    builder.fill(membrane, min(_first_step(lowering, op), lowering.steps - 1), op, initial)
    return Layer(membrane, element, layout, stop)


def _first_step(lowering: NetworkLowering, op: Charged) -> int:
    """The first step at which anything touches the membrane."""
    if isinstance(op, snn.AccumulateOp) or op.window is None or _changes_alone(op):
        return 0
    starts = [0 if a.held else a.start for a in (lowering.activities[current] for current in op.currents)]
    return min([*starts, op.window[0]])


def _changes_alone(op: snn.IntegrateAndFireOp | snn.FiringTableOp) -> bool:
    """Whether a membrane may change though nothing arrives."""
    if isinstance(op, snn.FiringTableOp):
        return False
    return any(each is not None for each in (op.bias, op.membrane_decay, op.current_decay, op.lower_bound))


def _layout(lowering: NetworkLowering, op: Charged) -> Layout:
    """Channels last, unless rows of the last axis make the user's own order the better one."""
    rank = len(shape_of(op.result))
    first = op.currents[0]
    if isinstance(first.owner, LinearBase) or isinstance(op, snn.SoftmaxOp | snn.LayerNormOp):
        return row_major(rank)
    if isinstance(first.owner, ProductBase):
        return product_layout(lowering, first.owner)
    known = lowering.places.get(first)
    return natural(rank) if known is None else known.layout


def _element(lowering: NetworkLowering, op: Charged) -> Attribute:
    """i32 where currents and constants are integers, f32 where currents are floats; a mixture is refused."""
    currents = {lowering.bounds.signals[current] is None for current in op.currents}
    real = [c is not None and lowering.weights.array(c).dtype.kind == "f" for c in _charging_constants(op)]
    if currents == {False} and not any(real):
        return i32
    if False in currents and lowering.steps != FOREVER:
        lowering.builder.refuse(op, "integers and floats meet in its membrane", REMEDY)
    return f32


def _charging_constants(op: Charged) -> list[Dense | None]:
    if isinstance(op, snn.FiringTableOp):
        return [op.initial]
    threshold = [op.threshold] if isinstance(op, snn.IntegrateAndFireOp) else []
    return [*threshold, op.initial, op.bias, op.membrane_decay, op.current_decay]


def _charge(lowering: NetworkLowering, op: Charged, layer: Layer) -> None:
    """Decays, currents, bias, lower bound and saturation, in this order."""
    builder, shape, window = lowering.builder, shape_of(op.result), (0, layer.stop)
    leaky = op if isinstance(op, Leaky) else None

    def constant(value: Dense, name: str) -> Dense:
        return builder.constant(value, shape, layer.layout, layer.element, name, op)

    def leak(buffer: SSAValue, decay: Dense, name: str) -> None:
        assert leaky is not None
        builder.nest(cpu.LeakOp, [buffer], window, op, {"decay": constant(decay, name), "bits": leaky.decay_bits})

    if leaky is not None and leaky.membrane_decay is not None:
        leak(layer.membrane, leaky.membrane_decay, "membrane_decay")
    receiver = layer.membrane
    if leaky is not None and leaky.current_decay is not None:
        receiver = builder.buffer(layer.element, memory_shape(shape, layer.layout), op)
        builder.fill(receiver, 0, op)
        leak(receiver, leaky.current_decay, "current_decay")
    target = Place(receiver, shape, layer.layout, Activity(0, layer.stop))
    for current in op.currents:
        receive(lowering, current, target, shift_of(op))
    if not isinstance(op, snn.FiringTableOp) and op.bias is not None:
        builder.nest(cpu.ChargeOp, [layer.membrane], window, op, {"value": constant(op.bias, "bias")})
    if receiver is not layer.membrane:
        _saturate(lowering, op, receiver, layer)
        builder.nest(cpu.AddOp, [receiver, layer.membrane], window, op)
    _saturate(lowering, op, layer.membrane, layer)


def _saturate(lowering: NetworkLowering, op: Charged, state: SSAValue, layer: Layer) -> None:
    """Keeps a membrane above its lower bound, and a membrane or a synaptic current within its width."""
    if not isinstance(op, Leaky):
        return
    import numpy as np

    def constant(value: Dense, name: str) -> Dense:
        return lowering.builder.constant(value, shape_of(op.result), layer.layout, layer.element, name, op)

    width = None if op.state_bits is None else 2 ** (op.state_bits.value.data - 1)
    lowest = None if width is None else np.array([-width])
    if isinstance(op, snn.IntegrateAndFireOp) and op.lower_bound is not None and state is layer.membrane:
        bound = lowering.weights.array(_whole(lowering, op.lower_bound, layer.element))
        lowest = bound if lowest is None else np.maximum(bound, lowest)
    if lowest is None:
        return
    properties: dict[str, Attribute | None] = {
        "lowest": constant(lowering.weights.add(lowest, "lowest"), "lower_bound")
    }
    if width is not None:
        properties["highest"] = constant(lowering.weights.add(np.array([width - 1]), "highest"), "state")
    lowering.builder.nest(cpu.ClampOp, [state], (0, layer.stop), op, properties)


def receive(lowering: NetworkLowering, current: SSAValue, target: Place, shift: int = 0) -> None:
    """Adds 2^shift times a current onto a membrane: straight from the synapse where nobody else reads the current."""
    stop = target.activity.stop
    producer = current.owner
    if isinstance(producer, SynapseOp | ProductBase) and lowering.is_fused(producer):
        if lowering.add_current(producer, target, stop, shift):
            return
        lowering.lower_alone(producer)
    import numpy as np

    assert current in lowering.places
    place = lowering.builder.in_layout(lowering.places[current], target.layout, lowering.owner(current))
    steps = (0, stop) if place.activity.held else (place.activity.start, min(stop, place.activity.stop))
    owner = lowering.owner(current)
    if not shift:
        lowering.builder.nest(cpu.AddOp, [place.buffer, target.buffer], steps, owner)
        return
    factor = lowering.weights.add(np.array([2**shift], np.int32), "factor")
    lowering.builder.nest(cpu.DiagonalOp, [place.buffer, target.buffer], steps, owner, {"weight": factor})


# Thresholds, resets and limits


def _require_positive_threshold(lowering: NetworkLowering, op: snn.IntegrateAndFireOp) -> None:
    """With several spikes per step, and in counts, the threshold divides."""
    divides = is_counted(op) or op.spikes_per_step.value.data > 1
    if divides and not (lowering.weights.array(op.threshold) > 0).all():
        lowering.builder.refuse(op, "a threshold is not positive", "Make all thresholds positive.")


def _require_representable_threshold(lowering: NetworkLowering, op: snn.IntegrateAndFireOp) -> None:
    """With values per spike the threshold is multiplied."""
    highest = int(abs(lowering.weights.array(op.threshold).astype("float64")).max()) * largest_spike(op)
    if op.values is not None and _element(lowering, op) == i32 and highest >= 2**31:
        why = f"{largest_spike(op)} times its threshold is {highest}, which leaves 32 bits"
        lowering.builder.refuse(op, why, "Use fewer timesteps or narrower weights.")


def _reset_value(lowering: NetworkLowering, op: snn.IntegrateAndFireOp) -> Dense | None:
    if op.reset.data == "subtract":
        return None
    import numpy as np

    value = op.reset_value or lowering.weights.add(np.zeros(1), "value")
    return _whole(lowering, value, _element(lowering, op))


def _whole(lowering: NetworkLowering, value: Dense, element: Attribute) -> Dense:
    """Numbers for a membrane; integer membranes cut off their fractions."""
    import numpy as np

    array = lowering.weights.array(value).astype(np.float64)
    return lowering.weights.add(array if is_float_element(element) else array.astype(np.int64), "value")


@dataclass(frozen=True)
class _Limits:
    """The buffers that keep count of spikes and of the refractory time, as optional operands."""

    fired: list[SSAValue]
    ready: list[SSAValue]

    @staticmethod
    def of(lowering: NetworkLowering, op: snn.IntegrateAndFireOp, layer: Layer) -> _Limits:
        capped = lowering.bounds.is_capped(op)
        rests = op.refractory.value.data > 0
        return _Limits(
            [_counter(lowering, op, layer)] if capped else [], [_counter(lowering, op, layer)] if rests else []
        )


def _counter(lowering: NetworkLowering, op: snn.IntegrateAndFireOp, layer: Layer) -> SSAValue:
    counter = lowering.builder.buffer(i32, memory_shape(shape_of(op.result), layer.layout), op)
    lowering.builder.fill(counter, op.window[0] if op.window else 0, op)
    return counter
