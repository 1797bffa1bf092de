"""Neurons, integrators and accumulators as nodes.

A reset by subtraction is three nodes: an integrator, a threshold, and a factor that takes the threshold from the
integrator at the next step. A firing window and an initial value are pulses that depend on the time alone, integrated
with everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.origin import inherit
from neurocuda.passes.nir.lowering.builder import SECONDS_PER_STEP, Builder, Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

LARGEST = 2**23
"""float32, in which readers compute, holds all integers up to twice as far: what is pushed down so far stays exact."""

USE_EXACT = 'Use target "nir:exact".'
USE_CODES = 'Use code="unary" or code="free".'


def lower_neurons(build: Builder, op: snn.IntegrateAndFireOp, charge: Signal, bias: Array | None, steps: int) -> Signal:
    """A layer that fires. `bias` is what has not been folded; `steps` 0 stands for any number."""
    problems = list(_unsayable(build, op, steps))
    for why, remedy in problems:
        build.refuse(op, why, remedy)
    if problems:
        return charge
    if not (build.exact and op.reset.data == "subtract"):
        return (_fires(build, op, charge, bias),)
    charge = (*with_constants(build, op, charge, bias, op.initial), *_closed(build, op, charge, steps))
    one = build.floats(1 / SECONDS_PER_STEP, "r")
    membrane = build.node(nir.IOp, op, charge, shape_of(op.result), "membrane", r=one)
    spikes = build.node(
        nir.ThresholdOp,
        op,
        (membrane,),
        shape_of(op.result),
        element=element_type(op.result),
        threshold=_above(build, op),
        scale=op.scale,
    )
    taken = build.scaled(op, (spikes,), -build.array(op.threshold).astype("float64"), "reset")
    assert isinstance(membrane.owner, nir.IOp)
    membrane.owner.operands = [*charge, taken]
    inherit_origin(op, spikes)
    return (spikes,)


def inherit_origin(op: snn.IntegrateAndFireOp, spikes: SSAValue) -> None:
    """The node that says what the layer says is compared with it."""
    assert isinstance(spikes.owner, Operation)
    inherit(op, spikes.owner)


def _unsayable(build: Builder, op: snn.IntegrateAndFireOp, steps: int) -> Iterator[tuple[str, str]]:
    """Why NIR cannot say a layer, and what to do."""
    if op.values is not None or op.signed.value.data or op.spikes_per_step.value.data > 1:
        yield "NIR has spikes of one kind, one per step", USE_CODES
    if op.refractory.value.data or op.lower_bound is not None:
        yield "NIR has neither rest after a spike nor a lower bound of the membrane potential", ""
    start, stop = op.window or (0, steps)
    if op.levels is not None and not 0 < stop - start <= op.levels.value.data:
        yield "NIR has no cap on the number of spikes", ""
    subtracts, leaks = op.reset.data == "subtract", op.membrane_decay is not None or op.current_decay is not None
    if subtracts and leaks and build.exact:
        yield "a reset by subtraction and a leak cannot be said together exactly", "Reset to a value."
    gated = op.window is not None and (start > 0 or not steps or stop < steps)
    if gated and not (build.exact and subtracts):
        yield "IF nodes have no firing window", USE_EXACT if subtracts else ""
    if not build.exact and op.initial is not None and build.array(op.initial).any():
        yield "IF nodes start at 0", f"Use Conversion(initial=0), or else {USE_EXACT.lower()}"


def _above(build: Builder, op: snn.IntegrateAndFireOp | snn.ThresholdOp) -> Dense:
    """The threshold that a strict comparison needs: the float next to it, or in the compatible file half a unit off.

    Readers that do not compare strictly differ only where a membrane is just there, and integers never are.
    """
    import numpy as np

    threshold, strict = build.array(op.threshold), op.strict.value.data
    if threshold.dtype.kind != "f" and not build.exact:
        return build.floats(threshold + (0.5 if strict else -0.5), "threshold")
    single = threshold.astype(np.float32)
    return build.floats(single if strict else np.nextafter(single, np.float32(-np.inf)), "threshold")


def with_constants(
    build: Builder,
    op: snn.IntegrateAndFireOp | snn.AccumulateOp,
    charge: Signal,
    bias: Array | None,
    initial: Dense | None,
) -> Signal:
    """The charge of a layer with its bias at every step and its initial value at the first one."""
    more: list[SSAValue] = []
    start = None if initial is None else build.array(initial)
    if bias is not None and bias.any():
        more.append(build.scaled(op, (build.always(op, charge),), bias, "bias"))
    if start is not None and start.any():
        more.append(build.scaled(op, (build.pulse(op, charge, 0),), start, "initial"))
    return (*charge, *more)


def _closed(build: Builder, op: snn.IntegrateAndFireOp, charge: Signal, steps: int) -> Signal:
    """What keeps a layer from firing outside its window: it is pushed far down, and back up for the window."""
    start, stop = op.window or (0, steps)
    pushes = {0: -1, start: 1} if start else {}
    if op.window is not None and (not steps or stop < steps):
        pushes[stop] = -1
    return tuple(
        build.scaled(
            op, (build.pulse(op, charge, step),), sign * float(LARGEST), f"{'opens' if sign > 0 else 'shuts'}_{step}"
        )
        for step, sign in pushes.items()
    )


def _fires(build: Builder, op: snn.IntegrateAndFireOp, charge: Signal, bias: Array | None) -> SSAValue:
    """One of NIR's own neurons, which reset to a value."""
    leaks = _leaks(build, op, bias)
    charge = with_constants(build, op, charge, None if leaks else bias, op.initial)
    if op.current_decay is not None and op.membrane_decay is None:
        charge = (_leaky_current(build, op, charge),)
    reset = 0.0 if op.reset.data == "subtract" or op.reset_value is None else build.array(op.reset_value)
    parameters: dict[str, Attribute | None] = {
        "v_threshold": _above(build, op),
        "v_reset": build.floats(reset, "v_reset"),
        "scale": op.scale,
        **(leaks or {"r": build.floats(1 / SECONDS_PER_STEP, "r")}),
    }
    kind = nir.CubaLIFOp if "tau_syn" in leaks else nir.LIFOp if leaks else nir.IFOp
    spikes = build.node(kind, op, charge, shape_of(op.result), element=element_type(op.result), **parameters)
    inherit_origin(op, spikes)
    return spikes


# Leaks: a decay d is a time constant of dt / (1 - d), and a gain of 1 / (1 - d) makes up for it


def _leaks(
    build: Builder, op: snn.IntegrateAndFireOp | snn.AccumulateOp, bias: Array | None
) -> dict[str, Attribute | None]:
    """The parameters of a leaky membrane and of its current; none where the membrane keeps what it has."""
    import numpy as np

    if op.membrane_decay is None:
        return {}
    tau, gain = _time_constant(build, op, op.membrane_decay)
    leak = np.zeros(1) if bias is None else bias.astype(np.float64) * gain
    found: dict[str, Attribute | None] = {
        "r": build.doubles(gain, "r"),
        "v_leak": build.doubles(leak, "v_leak"),
    }
    if op.current_decay is None:
        return {"tau": build.doubles(tau, "tau"), **found}
    tau_syn, gain_syn = _time_constant(build, op, op.current_decay)
    synapse = {"tau_syn": build.doubles(tau_syn, "tau_syn"), "w_in": build.doubles(gain_syn, "w_in")}
    return {"tau_mem": build.doubles(tau, "tau_mem"), **synapse, **found}


def _time_constant(build: Builder, op: snn.IntegrateAndFireOp | snn.AccumulateOp, decay: Dense) -> tuple[Array, Array]:
    """(tau in seconds, gain) of a decay."""
    import numpy as np

    kept = build.array(decay).astype(np.float64)
    if (kept >= 1).any():
        build.refuse(op, "a decay of 1 beside smaller ones has no time constant", "Leak everywhere, or nowhere.")
        kept = np.zeros_like(kept)
    return SECONDS_PER_STEP / (1 - kept), 1 / (1 - kept)


def _leaky_current(build: Builder, op: snn.IntegrateAndFireOp | snn.AccumulateOp, charge: Signal) -> SSAValue:
    """A synaptic current that leaks, in front of a membrane that does not."""
    assert op.current_decay is not None
    tau, gain = _time_constant(build, op, op.current_decay)
    parameters: dict[str, Attribute] = {
        "tau": build.doubles(tau, "tau"),
        "r": build.doubles(gain, "r"),
        "v_leak": build.floats(0.0, "v_leak"),
    }
    return build.node(nir.LIOp, op, charge, shape_of(op.result), "current", **parameters)


def lower_accumulator(
    build: Builder, op: snn.AccumulateOp, charge: Signal, bias: Array | None, *, every_step: bool
) -> Signal:
    """A readout. Where it is read at the end, the compatible file has the current itself, for the reader to add up."""
    leaks = _leaks(build, op, bias)
    if build.exact or every_step:
        charge = with_constants(build, op, charge, None if leaks else bias, op.initial)
        if op.current_decay is not None and op.membrane_decay is None:
            charge = (_leaky_current(build, op, charge),)
        kind = nir.CubaLIOp if "tau_syn" in leaks else nir.LIOp if leaks else nir.IOp
        parameters = leaks or {"r": build.floats(1 / SECONDS_PER_STEP, "r")}
        return (build.node(kind, op, charge, shape_of(op.result), **parameters),)
    unfolded = bias is not None and bias.any()
    if unfolded or leaks or (op.initial is not None and build.array(op.initial).any()):
        build.refuse(op, "readers of the compatible file have no readout that starts at a value or leaks", USE_EXACT)
    return charge


def lower_threshold(build: Builder, op: snn.ThresholdOp, source: Signal) -> Signal:
    """A comparison without memory."""
    bound, element = _above(build, op), element_type(op.result)
    return (build.node(nir.ThresholdOp, op, source, shape_of(op.result), element=element, threshold=bound),)
