"""Codes in which a layer speaks at one step: sigma-delta neurons for graded spikes, plain LIF neurons for T = 1.

Whatever a layer hears must arrive at that step, so shortcuts are delayed.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from math import prod
from operator import add
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import MEMBRANE
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import integer, shape_of, values_of
from neurocuda.passes.loihi.lowering._connections import Step
from neurocuda.passes.loihi.lowering.builder import EVEN, message_bits
from neurocuda.passes.loihi.lowering.coding import (
    FORGETS,
    LIF_UNIT,
    MOST,
    Coding,
    Path,
    Port,
    Readout,
    Signal,
    Wire,
    stand_in,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

LARGEST_WINDOW = 16
"""Windows of graded spikes are compared pair by pair."""

LARGEST_EXPONENT = 7
"""`state_exp` has three bits."""

BIAS = (-4096, 4095)
"""The mantissa of a bias has 13 bits."""


class OneShot(Coding, ABC):
    """A layer speaks at the step at which everything arrives."""

    def step(self, wires: Sequence[Wire]) -> int:
        """The step at which a layer hears and speaks."""
        return max((wire.path.port.stop for wire in wires), default=0)

    def heard(self, op: Operation, wires: Sequence[Wire], unit: int) -> list[SSAValue]:
        """The currents of a layer, all at its step."""
        step = self.step(wires)
        return self.currents(op, wires, unit, {wire: step - wire.path.port.stop for wire in wires})

    def brought(self, op: Operation, values: Array, wires: Sequence[Wire]) -> list[SSAValue]:
        """A constant of the layer, doubled, that arrives with everything else."""
        shape = shape_of(op.results[0])[::-1]
        return list(self.build.pulsed(op, values, shape, {self.step(wires) - 1: 1}))


class SigmaDelta(OneShot):
    """Graded spikes. A neuron sends floor(max(v, 0) / 2^k); what exceeds T a second group of neurons takes back."""

    def neurons(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> Port:
        """Thresholds are one power of two, the shift of the message."""
        self.require_plain(op)
        self.require_room(op, EVEN)
        build, thresholds = self.build, self.build.array(op.threshold)
        threshold, levels = int(thresholds.max()), self.levels(op)
        exponent = (threshold * EVEN).bit_length() - 1
        if (thresholds != threshold).any() or threshold * EVEN != 1 << exponent or exponent > LARGEST_EXPONENT:
            why = f"its thresholds, {thresholds.min()} ... {threshold}, are not one power of two up to 64"
            build.refuse(op, why, 'Quantise for this target: compile with code="graded".')
            exponent = LARGEST_EXPONENT
        most = max(1, self.bounds.membranes[op].integers[1] // max(1, threshold))
        sends = self._group(op, wires, build.array(op.initial), exponent, worth=1)
        minus = None
        if most > levels:
            rest = build.array(op.initial) - levels * threshold
            minus = self._group(op, wires, rest, exponent, worth=-1)
        step = self.step(wires)
        return Port(sends, shape_of(op.result), step, step + 1, bits=message_bits(0, most), minus=minus)

    def levels(self, op: snn.IntegrateAndFireOp) -> int:
        """The largest count."""
        return op.spikes_per_step.value.data if op.levels is None else op.levels.value.data

    def _group(
        self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire], constant: Array, exponent: int, *, worth: int
    ) -> SSAValue:
        currents = [*self.heard(op, wires, EVEN), *self.brought(op, constant, wires)]
        properties: dict[str, Attribute] = {
            "vth": integer(1),
            "activation": StringAttr("relu"),
            "state_exp": integer(exponent),
            "worth": integer(worth),
        }
        return self.build.group(loihi.SigmaDeltaOp, op, currents, properties, layer=True).spikes

    def maximum(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """The larger of a and b is b + max(a - b, 0): neurons that send the difference, beside those of b."""
        if prod(values_of(op.kernel)) > LARGEST_WINDOW:
            why = f"windows of more than {LARGEST_WINDOW} neurons would be compared pair by pair"
            self.build.refuse(op, why, 'Pool in two steps, or use average pooling or code="unary".')
            return (Path(self.nothing(op)),)
        rest = [tuple(replace(path, steps=(*path.steps, *steps)) for path in paths) for steps in _places(op)]
        while len(rest) > 1:
            pairs = zip(rest[0::2], rest[1::2], strict=False)
            rest = [self._larger(op, *pair) for pair in pairs] + rest[len(rest) // 2 * 2 :]
        return rest[0]

    def _larger(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, one: Signal, other: Signal) -> Signal:
        wires = [*self._taken(op, one, 1), *self._taken(op, other, -1)]
        properties: dict[str, Attribute] = {
            "vth": integer(1),
            "activation": StringAttr("relu"),
            "state_exp": integer(EVEN.bit_length() - 1),
        }
        group = self.build.group(loihi.SigmaDeltaOp, op, self.heard(op, wires, EVEN), properties)
        step, known = self.step(wires), self.bounds.signals[op.input]
        assert known is not None
        bits = message_bits(0, known.total.integers[1])
        return (*other, Path(Port(group.spikes, shape_of(op.result), step, step + 1, bits=bits)))

    def _taken(self, op: Operation, signal: Signal, weight: int) -> list[Wire]:
        """Every neuron of a signal with one weight."""
        import numpy as np

        weights = self.build.weights.add(np.full((1,) * len(shape_of(op.results[0])), weight, np.int8), "one")
        synapse = snn.DiagonalOp(stand_in(op.results[0]), weights)
        synapse.location = op.location
        return [wire for path in signal if (wire := self.wire(synapse, path)) is not None]

    def accumulate(self, op: snn.AccumulateOp, wires: Sequence[Wire]) -> Readout:
        """Neurons with a threshold that no change reaches."""
        self.require_room(op, EVEN)
        constant = self.sum_of_biases(op)
        currents = [*self.heard(op, wires, EVEN), *self.brought(op, constant, wires)]
        properties: dict[str, Attribute] = {"vth": integer(MEMBRANE), "activation": StringAttr("unit")}
        group = self.build.group(loihi.SigmaDeltaOp, op, currents, properties)
        return Readout(group.membrane, EVEN, self.step(wires))


class Memoryless(OneShot):
    """T = 1 on stock LIF neurons that forget everything from step to step.

    They speak at every step; only at one step, the wave of the image, does it mean anything.
    """

    def neurons(self, op: snn.IntegrateAndFireOp, wires: Sequence[Wire]) -> Port:
        """A neuron fires where sum + initial >= threshold: the threshold goes into the bias."""
        import numpy as np

        build = self.build
        self.require_plain(op)
        margin = build.array(op.initial) - build.array(op.threshold)
        unit, step, brought = self.unit(wires), self.step(wires), 0
        base = max(1, BIAS[0] - int(margin.min()) * unit)
        if base + int(margin.max()) * unit <= BIAS[1]:
            properties = {**_forgetful(base - 1), "bias_mant": build.of_neurons(margin * unit + base, "bias")}
            currents = self.heard(op, wires, unit)
        else:
            properties = _forgetful(EVEN - 1)
            currents = [*self.heard(op, wires, EVEN), *self.brought(op, margin + 1, wires)]
            unit, brought = EVEN, int(np.abs(margin + 1).max())
        self.require_reach(op, (self._charge(op) + brought) * unit, MOST)  # a membrane may saturate, a current not wrap
        properties |= {"since": integer(step), "until": integer(step + 1)}
        group = build.group(loihi.LifOp, op, currents, properties, layer=True)
        return Port(group.spikes, shape_of(op.result), step, step + 1)

    def _charge(self, op: snn.IntegrateAndFireOp) -> int:
        """How far the sum of all currents may be from zero."""
        known = [bounds.total for current in op.currents if (bounds := self.bounds.signals[current]) is not None]
        lowest, highest = reduce(add, known).integers
        return max(-lowest, highest)

    def maximum(self, op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp, paths: Sequence[Path]) -> Signal:
        """The largest of zeros and ones is whether there is a one."""
        return self.any_spike_of_aligned(op, paths)

    def accumulate(self, op: snn.AccumulateOp, wires: Sequence[Wire]) -> Readout:
        """Neurons that never fire, read as the wave passes."""
        build, unit = self.build, self.unit(wires)
        constant = self.sum_of_biases(op)
        self.require_room(op, EVEN, MOST)
        properties = _forgetful(MOST)
        if BIAS[0] <= int(constant.min()) * unit and int(constant.max()) * unit <= BIAS[1]:
            properties["bias_mant"] = build.of_neurons(constant * unit, "bias")
            currents = self.heard(op, wires, unit)
        else:
            unit = EVEN
            currents = [*self.heard(op, wires, unit), *self.brought(op, constant, wires)]
        group = build.group(loihi.LifOp, op, currents, properties)
        return Readout(group.membrane, unit * LIF_UNIT, self.step(wires), passing=True)


def _places(op: snn.MaxPool2dOp | snn.RunningMaxPool2dOp) -> list[tuple[Step, Step]]:
    """How every place of a window is cut out of what is pooled."""
    top, bottom, left, right = values_of(op.padding)
    pad = snn.PadOp(stand_in(op.input), (0, top, left), (0, bottom, right))
    channels, rows, columns = shape_of(op.result)
    (height, width), (down, right) = values_of(op.kernel), values_of(op.dilation)
    strides = values_of(op.stride)
    steps: list[tuple[Step, Step]] = []
    for row in range(0, height * down, down):
        for column in range(0, width * right, right):
            ends = (row + (rows - 1) * strides[0] + 1, column + (columns - 1) * strides[1] + 1)
            cut = snn.SliceOp(pad.result, (0, row, column), (channels, *ends), (1, *strides))
            steps.append((Step(pad), Step(cut)))
    return steps


def _forgetful(vth: int) -> dict[str, Attribute]:
    """Properties of neurons without a memory, whose biases are in units of weights."""
    return {
        "du": integer(FORGETS),
        "dv": integer(0),
        "vth": integer(vth),
        "bias_exp": integer(6),
        "reset_interval": integer(1),
    }
