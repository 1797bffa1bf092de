"""Neurons and accumulators: synapses add straight onto the membrane, then leak, bias, bound and threshold as loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import f32, i32
from xdsl.ir import Attribute, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.shared.bases import LinearBase, SynapseOp
from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import FOREVER, Dense, integers, shape_of, values_of
from neurocuda.ir.origin import inherit
from neurocuda.passes.cpu.lowering.builder import Place, is_float_element, signal_element
from neurocuda.passes.cpu.lowering.grids import Layout, memory_shape, natural, row_major
from neurocuda.passes.cpu.lowering.products import product_layout
from neurocuda.passes.snn.analysis.activity import Activity
from neurocuda.passes.snn.analysis.bounds import largest_spike

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

    def constant(value: Dense | None, name: str, element: Attribute = layer.element) -> Dense | None:
        return None if value is None else builder.constant(value, shape, layer.layout, element, name, op)

    properties: dict[str, Attribute | None] = {
        "threshold": constant(op.threshold, "threshold"),
        "reset_value": constant(_reset_value(lowering, op), "reset_value"),
        "strict": op.strict,
        "spikes_per_step": op.spikes_per_step,
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
    return Place(spikes, shape, layer.layout, Activity(start, layer.stop))


def lower_threshold(lowering: NetworkLowering, op: snn.ThresholdOp) -> Place:
    """Lowers neurons without a memory: what arrives at a step is compared and forgotten."""
    builder, shape = lowering.builder, shape_of(op.result)
    layout, element = _layout(lowering, op), _element(lowering, op)
    sums = builder.buffer(element, memory_shape(shape, layout), op)
    when = lowering.activities[op.result]
    target = Place(sums, shape, layout, when)
    builder.nest(cpu.FillOp, [sums], target.due, op)
    for current in op.currents:
        receive(lowering, current, target)
    spikes = builder.buffer(signal_element(lowering.bounds.signals[op.result], spikes=True), memory_shape(shape, layout), op)
    properties: dict[str, Attribute | None] = {
        "threshold": builder.constant(op.threshold, shape, layout, element, "threshold", op),
        "strict": op.strict,
        "scale": None,
        "layout": integers(layout),
    }
    fire = builder.nest(cpu.FireOp, [sums, spikes, [], []], target.due, op, properties)
    if fire is not None:
        inherit(op, fire)
    return Place(spikes, shape, layout, when)


def lower_accumulator(lowering: NetworkLowering, op: snn.AccumulateOp | snn.IntegrateOp) -> Place:
    """Lowers a membrane that never fires; returns where it is."""
    layer = charged(lowering, op, lowering.steps)
    return Place(layer.membrane, shape_of(op.result), layer.layout, Activity(0, lowering.steps))


# The membrane

Leaky: TypeAlias = snn.IntegrateAndFireOp | snn.IntegrateOp
"""Neurons whose state decays, where they say so, and saturates, where they say how wide it is."""

Charged: TypeAlias = Leaky | snn.AccumulateOp | snn.FiringTableOp


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
    if isinstance(op, snn.AccumulateOp | snn.IntegrateOp) or op.window is None or _changes_alone(op):
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


def _charging_constants(op: Charged | snn.ThresholdOp) -> list[Dense | None]:
    if isinstance(op, snn.ThresholdOp):
        return [op.threshold]
    if isinstance(op, snn.FiringTableOp):
        return [op.initial]
    if isinstance(op, snn.AccumulateOp):
        return [op.initial, op.bias]
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
        receive(lowering, current, target, 0 if leaky is None else leaky.shift.value.data)
    if not isinstance(op, snn.FiringTableOp) and op.bias is not None:
        builder.nest(cpu.ChargeOp, [receiver], window, op, {"value": constant(op.bias, "bias")})
    if receiver is not layer.membrane:
        _saturate(lowering, op, receiver, layer)
        builder.nest(cpu.AddOp, [receiver, layer.membrane], window, op)
    _saturate(lowering, op, layer.membrane, layer)


def _saturate(lowering: NetworkLowering, op: Charged, state: SSAValue, layer: Layer) -> None:
    """Keeps a membrane above its lower bound, and a membrane or a synaptic current within its width."""
    if not isinstance(op, Leaky):
        return
    width = None if op.state_bits is None else 2 ** (op.state_bits.value.data - 1)
    bound = op.lower_bound.value.data if op.lower_bound is not None and state is layer.membrane else None
    lowest = [each for each in (bound, None if width is None else -width) if each is not None]
    if not lowest:
        return
    properties: dict[str, Attribute | None] = {
        "lowest": _whole(lowering, max(lowest), layer.element),
        "highest": None if width is None else _whole(lowering, width - 1, layer.element),
    }
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
    """With several spikes per step the threshold divides."""
    if op.spikes_per_step.value.data > 1 and not (lowering.weights.array(op.threshold) > 0).all():
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
    value = 0.0 if op.reset_value is None else op.reset_value.value.data
    return _whole(lowering, value, _element(lowering, op))


def _whole(lowering: NetworkLowering, value: float, element: Attribute) -> Dense:
    """A number for a membrane; integer membranes cut off its fraction."""
    import numpy as np

    array = np.asarray([value], np.float64)
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
