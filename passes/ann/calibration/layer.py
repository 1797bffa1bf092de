"""One layer on its way through calibration: what it receives in the quantised network, and what it should make of it.

Everything is in the float network's units. Weights, bias and clip range are those that will be written; `charge` and
`activation` are what `quantize-weights` will make of them: integers in one unit per channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.shared import meanings
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.passes.ann import _fields as fields
from neurocuda.passes.ann._statistics import broadcast_shape, channel_axis
from neurocuda.passes.ann._weight_grid import WeightGrid
from neurocuda.passes.ann.calibration.firing import free_spikes
from neurocuda.passes.ann.quantize_weights import largest_by_output
from neurocuda.reference.meaning import Array

Field = NDArray[np.float64]
Floats = NDArray[np.float32]

BATCH = 32
"""Images whose patches are laid out at once."""


@dataclass(frozen=True)
class Branch:
    """One synapse of a layer: (batch, *shape) that it reads, what one count of it stands for, and its weight.

    A train, (steps, batch, *shape), says how free-running neurons spread what it reads over the steps.
    """

    op: SynapseOp
    values: Floats
    scale: Field
    weight: Field
    train: Floats | None = None

    def current(self, weight: Field) -> Floats:
        """What reaches the neurons through the synapse under a weight."""
        return self._through(self.values, weight)

    def currents(self, weight: Field, steps: int) -> list[Floats]:
        """What reaches the neurons at every step."""
        if self.train is None:
            return [self.current(weight)] * steps
        return [self._through(values, weight) for values in self.train]

    def _through(self, values: Floats, weight: Field) -> Floats:
        narrow = weight.astype(np.float32)
        return np.concatenate([_through(self.op, values[batch], narrow) for batch in batches(len(values))])

    @cached_property
    def columns(self) -> Field:
        """The weight per count of what it reads, as `quantize-activations` will write it."""
        found = fields.columns(self.op, self.weight, self.scale)
        assert found is not None, "the walk refuses inputs whose scale varies inside a column"
        return found

    def rounded(self, unit: Field, grid: WeightGrid) -> Field:
        """The weight that integers of a grid, in a unit per channel, stand for."""
        divisor = fields.per_output(self.op, unit.ravel()) if isinstance(self.op, Conv2dBase | LinearBase) else unit
        counted = self.scale > 0
        inverse = np.where(counted, 1 / np.where(counted, self.scale, 1), np.nan)
        found = fields.columns(self.op, grid.weight(self.columns, divisor) * divisor, inverse)
        assert found is not None
        return found

    def patches(self, batch: slice) -> Floats:
        """What the outputs of each group read, (groups, inputs of an output, places); of no diagonal."""
        values = self.values[batch]
        if isinstance(self.op, LinearBase):
            return values.reshape(1, -1, values.shape[-1]).swapaxes(1, 2)
        assert isinstance(self.op, Conv2dBase)
        geometry = (values_of(self.op.stride), values_of(self.op.padding), values_of(self.op.dilation))
        windows = meanings.windows(values, self.weight.shape[2:], *geometry)
        ordered = np.ascontiguousarray(windows.transpose(1, 4, 5, 0, 2, 3))
        groups = self.op.groups.value.data
        return ordered.reshape(groups, self.weight[0].size, -1)

    def outputs(self, values: Floats) -> Floats:
        """Values of the layer in the order of `patches`, (groups, outputs of a group, places)."""
        if isinstance(self.op, LinearBase):
            return values.reshape(1, -1, values.shape[-1]).swapaxes(1, 2)
        assert isinstance(self.op, Conv2dBase)
        groups = self.op.groups.value.data
        return values.swapaxes(0, 1).reshape(groups, values.shape[1] // groups, -1)


def _through(op: SynapseOp, values: Floats, weight: Floats) -> Floats:
    if isinstance(op, LinearBase):
        return meanings.linear(values, weight, None)
    if isinstance(op, Conv2dBase):
        geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation), op.groups.value.data)
        return meanings.conv2d(values, weight, None, *geometry)
    return meanings.diagonal(values, weight)


@dataclass(frozen=True)
class Layer:
    """A neuron layer, or a readout (without a clip range), in the quantised network.

    `bias` broadcasts onto the layer's shape and `clip` has one number per channel; `target` is the charge that the
    float network has there, (batch, *shape), and `maximum` the largest activation that the model allows. A `free`
    layer runs free for as many steps as it has levels.
    """

    branches: tuple[Branch, ...]
    bias: Field
    clip: Field | None
    levels: int
    target: Floats
    grid: WeightGrid
    maximum: float | None = None
    free: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the layer, without the batch axis."""
        return shape_of(self.branches[0].op.result)

    def per_channel(self, values: Array) -> Field:
        """One number per channel in the form that broadcasts onto the layer."""
        return values.astype(np.float64).reshape(broadcast_shape(len(self.shape), len(values)))

    def mean(self, values: Floats) -> Field:
        """The mean per channel of (batch, *shape), in the form that broadcasts onto the layer."""
        channel = channel_axis(len(self.shape)) + 1
        others = tuple(axis for axis in range(values.ndim) if axis != channel)
        return self.per_channel(values.mean(axis=others, dtype=np.float64))

    @cached_property
    def top(self) -> Field:
        """The largest weight per channel, for one count of what it reads."""
        ops = [branch.op for branch in self.branches]
        return largest_by_output(ops, [branch.columns for branch in self.branches], len(self.shape))

    @cached_property
    def unit(self) -> Field:
        """What one step of an integer weight stands for, per channel."""
        return self._unit_on(self.grid)

    def _unit_on(self, grid: WeightGrid) -> Field:
        if self.clip is None:
            return grid.finest(self.top)
        return grid.unit(self.top, self.per_channel(self.clip) / self.levels, self.levels)

    @property
    def narrowed(self) -> bool:
        """Whether the target's limits change the integers."""
        return self.grid.narrows(self.unit, self._unit_on(self.grid.unlimited), fires=self.clip is not None)

    @cached_property
    def current(self) -> Floats:
        """What all synapses bring with their integer weights."""
        return total([branch.current(branch.rounded(self.unit, self.grid)) for branch in self.branches])

    @property
    def exact_charge(self) -> Floats:
        """What the neurons would receive if no weight were rounded."""
        return total([branch.current(branch.weight) for branch in self.branches]) + self.bias.astype(np.float32)

    @property
    def charge(self) -> Floats:
        """What the neurons receive, the integer bias included."""
        return self.current + (np.rint(self.bias / self.unit) * self.unit).astype(np.float32)

    @property
    def threshold(self) -> Field:
        """The integer threshold per channel."""
        assert self.clip is not None
        return self.grid.threshold(self.per_channel(self.clip) / self.levels, self.unit)

    @cached_property
    def currents(self) -> list[Floats]:
        """`current` step by step."""
        parts = [branch.currents(branch.rounded(self.unit, self.grid), self.levels) for branch in self.branches]
        return [total(step) for step in zip(*parts, strict=True)]

    @property
    def train(self) -> Floats:
        """What the free-running layer says step by step; the mean over the steps is its activation."""
        step = self.unit * self.levels
        bias = np.rint(self.bias / self.unit) * self.unit
        spikes = free_spikes(self.currents, bias, self.threshold * step, self.threshold // 2 * step)
        return spikes * (self.threshold * step).astype(np.float32)

    @property
    def activation(self) -> Floats:
        """What the quantised layer says."""
        if self.free:
            return self.train.mean(axis=0)
        return staircase(self.charge, self.unit, self.threshold, self.levels)

    @property
    def wanted(self) -> Floats:
        """What the float layer says."""
        return np.clip(self.target, 0, self.maximum)

    def with_weight(self, index: int, weight: Field) -> Layer:
        """The layer with another weight of one synapse."""
        changed = replace(self.branches[index], weight=weight)
        return replace(self, branches=(*self.branches[:index], changed, *self.branches[index + 1 :]))

    def with_bias(self, bias: Field) -> Layer:
        """The layer with another bias; what its synapses bring is not computed again."""
        return self._with_same_current(replace(self, bias=bias))

    def with_clip(self, clip: Field) -> Layer:
        """The layer with another clip range per channel."""
        changed = replace(self, clip=clip)
        return self._with_same_current(changed) if np.array_equal(changed.unit, self.unit) else changed

    def _with_same_current(self, changed: Layer) -> Layer:
        known = {name: vars(self)[name] for name in ("top", "unit", "current", "currents") if name in vars(self)}
        vars(changed).update(known)
        return changed


class Step(Protocol):
    """What a calibration step does: from a layer to a better one."""

    def __call__(self, layer: Layer) -> Layer: ...


def staircase(charge: Floats, unit: Field, threshold: Field, levels: int) -> Floats:
    """What integer neurons say about a charge: `threshold` is in whole units, half of it is there to begin with."""
    whole = np.rint(charge / unit.astype(np.float32)) + (threshold // 2).astype(np.float32)
    counts = np.clip(np.floor(whole / threshold.astype(np.float32)), 0, levels)
    return counts * (threshold * unit).astype(np.float32)


def total(arrays: Sequence[Floats]) -> Floats:
    """The sum of arrays of one shape."""
    result = arrays[0]
    for array in arrays[1:]:
        result = result + array
    return result


def batches(images: int) -> Iterator[slice]:
    """Some images at a time."""
    return (slice(start, start + BATCH) for start in range(0, images, BATCH))
