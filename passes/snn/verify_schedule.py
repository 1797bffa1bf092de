"""Checks that the windows, delays and intervals in the text keep what a code's proof needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.dialects.shared.tables import ProductBase
from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.types import SpikesType
from neurocuda.errors import LevelError, Problem
from neurocuda.ir.attributes import element_type, values_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.activity import NEURONS, Activity, activities
from neurocuda.passes.snn.analysis.schedule import GRADED, NO_GRADED, STATEFUL, USE_GRADED, beginnings, busy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field = NDArray[np.float64]

GATED = ("unary", "radix", "latency", "graded")
"""Codes in which a layer fires only when nothing arrives any more."""


@dataclass(frozen=True)
class VerifySchedulePass(NeuroPass):
    """
    Recomputes the schedule of every spiking network from its firing windows and delays alone. Changes nothing.

    In the codes "unary", "radix", "latency" and "graded" every layer has a firing window, in which it can say all its
    levels and nothing arrives. In code "signed" the network runs until every layer must be at rest. A maximum at a step
    reads trains that begin together. Table layers and products stand in code "graded" alone, and the factors of a
    product speak at one step. All windows end within the network's steps, and no state is in use for longer than
    `interval`. Everything that does not hold is listed, with the user's layer.

    Before:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.spikes<0, 4>> {
          %y = snn.network code "unary" steps 5 interval 5 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            snn.output %2 : tensor<1x!snn.spikes<0, 4>>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.spikes<0, 4>>)
          func.return %y : tensor<1x!snn.spikes<0, 4>>
        }

    After:
        func.func @main(%x: tensor<1x!ann.count<-8, 7>>) -> tensor<1x!snn.spikes<0, 4>> {
          %y = snn.network code "unary" steps 5 interval 5 inputs(%x) {
          ^bb0(%i: tensor<1x!ann.count<-8, 7>>):
            %0 = snn.input %i : tensor<1x!ann.count<-8, 7>> -> tensor<1x!snn.graded<-8, 7>>
            %1 = snn.linear %0 weight(dense<3> : tensor<1x1xi8>) : tensor<1x!snn.graded<-8, 7>> -> tensor<1xi32>
            %2 = snn.integrate_and_fire %1 threshold(dense<10> : tensor<1xi32>) levels 4 fire [1, 5]
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 4>>
            snn.output %2 : tensor<1x!snn.spikes<0, 4>>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1x!snn.spikes<0, 4>>)
          func.return %y : tensor<1x!snn.spikes<0, 4>>
        }
    """

    name = "verify-schedule"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp) and op.code.data != "count"]
        problems = [problem for network in networks for problem in _violations(network, weights)]
        if problems:
            raise LevelError("the schedule does not hold:", problems)


def _violations(network: snn.NetworkOp, weights: WeightStore) -> Iterator[Problem]:
    when = activities(network)
    aligned = beginnings(network, weights)
    code = network.code.data
    for op in network.body.block.ops:
        if isinstance(op, NEURONS):
            yield from _ends_in_time(op, network)
        if isinstance(op, GRADED):
            yield from _graded(op, when, aligned) if code == "graded" else [_problem(op, NO_GRADED, USE_GRADED)]
        elif isinstance(op, snn.IntegrateAndFireOp):
            yield from _gated(op, when, code) if code in GATED else ()
            yield from _at_rest(op, when) if code == "signed" else ()
        elif isinstance(op, snn.MaxPool2dOp) and (aligned[op.result] is None or not _steps_have_maxima(op, code)):
            why = (
                "it takes maxima at a step, of trains that do not begin together or whose maxima at a step say nothing"
            )
            yield _problem(op, why, "Use `snn.running_max_pool2d`.")
        elif isinstance(op, Conv2dBase | LinearBase) and op.bias is not None and code != "free":
            yield _problem(op, "its bias arrives at every step", "Give it to the neurons.")
        if isinstance(op, STATEFUL):
            yield from _free_for_the_next(op, when, network)


def _problem(op: Operation, why: str, remedy: str = "") -> Problem:
    return Problem(f"`{op.name}`", user_location(op) or origin_of(op) or "", why, remedy)


def _ends_in_time(op: NEURONS, network: snn.NetworkOp) -> Iterator[Problem]:
    steps = network.duration
    if op.window is not None and op.window[1] > steps:
        yield _problem(op, f"it fires until step {op.window[1]}, and the network ends at step {steps}")


def _gated(op: snn.IntegrateAndFireOp, when: Mapping[SSAValue, Activity], code: str) -> Iterator[Problem]:
    """Nothing arrives from the start of the window on, and the window is long enough for all levels."""
    if op.window is None or op.levels is None:
        yield _problem(op, f'in code "{code}" a layer has levels and a firing window')
        return
    yield from _heard_all(op, when)
    changing = (op.bias, op.membrane_decay, op.current_decay, op.lower_bound)
    if any(each is not None for each in changing) or op.refractory.value.data or not _SAYS[code](op):
        yield _problem(op, f'it does not say counts of up to {op.levels.value.data} in code "{code}"')


def _heard_all(op: NEURONS, when: Mapping[SSAValue, Activity]) -> Iterator[Problem]:
    """Nothing arrives from the start of the firing window on."""
    for current in op.currents:
        start, stop = when[op.result].start, when[current].stop
        if stop > start:
            source = current.owner if isinstance(current.owner, Operation) else op
            where = Problem(f"`{source.name}`", user_location(source))
            yield _problem(op, f"it fires from step {start} on, and {where} may arrive until step {stop}")


def _graded(
    op: GRADED, when: Mapping[SSAValue, Activity], aligned: Mapping[SSAValue, Field | None]
) -> Iterator[Problem]:
    """A table layer speaks once, after all that it hears; the factors of a product speak at one and the same step."""
    if isinstance(op, ProductBase):
        if not _at_one_step([aligned[factor] for factor in op.operands]):
            why = "its factors do not speak at one and the same step, and only what meets is multiplied"
            yield _problem(op, why, "Put `snn.delay` before the one that speaks first.")
    elif op.window is None:
        yield _problem(op, 'in code "graded" a layer has a firing window')
    else:
        yield from _heard_all(op, when)


def _at_one_step(begins: Sequence[Field | None]) -> bool:
    """Whether all elements of some signals speak at one step; padding may at any."""
    import numpy as np

    known = [field for field in begins if field is not None]
    steps = {step for field in known for step in np.unique(field[~np.isnan(field)])}
    return len(known) == len(begins) and len(steps) <= 1


def _says_as_many(op: snn.IntegrateAndFireOp) -> bool:
    return _subtracts(op) and op.values is None and not op.signed.value.data and _length(op) >= _levels(op)


def _says_values(op: snn.IntegrateAndFireOp) -> bool:
    """The values sum up to T, and no value is larger than those behind it, and one, together."""
    values = () if op.values is None else values_of(op.values)
    steps = range(len(values))
    return _subtracts(op) and sum(values) == _levels(op) and all(values[k] <= 1 + sum(values[k + 1 :]) for k in steps)


def _says_by_time(op: snn.IntegrateAndFireOp) -> bool:
    values = () if op.values is None else values_of(op.values)
    return op.reset.data == "zero" and op.reset_value is None and values == tuple(range(_levels(op), 0, -1))


def _says_at_once(op: snn.IntegrateAndFireOp) -> bool:
    return op.values is None and _length(op) == 1 and op.spikes_per_step.value.data >= _levels(op)


_SAYS: Mapping[str, Callable[[snn.IntegrateAndFireOp], bool]] = {
    "unary": _says_as_many,
    "radix": _says_values,
    "latency": _says_by_time,
    "graded": _says_at_once,
}
"""Whether a neuron says every count up to its levels in its window, by code."""


def _subtracts(op: snn.IntegrateAndFireOp) -> bool:
    return op.reset.data == "subtract"


def _levels(op: snn.IntegrateAndFireOp) -> int:
    return 0 if op.levels is None else op.levels.value.data


def _length(op: snn.IntegrateAndFireOp) -> int:
    return 0 if op.window is None else op.window[1] - op.window[0]


def _at_rest(op: snn.IntegrateAndFireOp, when: Mapping[SSAValue, Activity]) -> Iterator[Problem]:
    """A signed neuron may fire until it must be at rest: T - 1 steps after the step of the last arrival."""
    last = max(when[current].stop for current in op.currents)
    if not op.signed.value.data or op.bias is not None:
        yield _problem(op, "it cannot take spikes back, or its bias arrives at every step")
    elif when[op.result].start > 0 or when[op.result].stop < last + _levels(op) - 1:
        fires = f"{when[op.result].start} to {when[op.result].stop}"
        yield _problem(op, f"it fires from step {fires}, and is at rest from step {last + _levels(op) - 1} on at last")


def _steps_have_maxima(op: snn.MaxPool2dOp, code: str) -> bool:
    """Whether the sum of maxima at every step is the maximum of sums, for trains that begin together."""
    return code == "graded" or (code == "unary" and isinstance(element_type(op.input), SpikesType))


def _free_for_the_next(op: Operation, when: Mapping[SSAValue, Activity], network: snn.NetworkOp) -> Iterator[Problem]:
    first, end = busy(op, when)
    if network.interval is not None and end - first > network.interval.value.data:
        why = f"it works on an image from step {first} to {end}, and the next may come {network.interval.value.data}"
        yield _problem(op, f"{why} steps after it")
