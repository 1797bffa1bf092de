"""One layer on its way through calibration: what it receives in the quantised network, and what it should make of it.

Everything is in the float network's units. Weights, bias and clip range are those that will be written; `current` and
`charge` are what `quantize-weights` will make of them: weights on a grid of 2^(bits-1) - 1 steps to either side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.shared import meanings
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.passes.ann import _fields as fields
from neurocuda.passes.ann._statistics import broadcast_shape, channel_axis
from neurocuda.passes.ann.quantize_weights import coarse_enough, common_unit
from neurocuda.reference.meaning import Array

Field = NDArray[np.float64]
Floats = NDArray[np.float32]

BATCH = 32
"""Images whose patches are laid out at once."""


@dataclass(frozen=True)
class Branch:
    """One synapse of a layer: (batch, *shape) that it reads, what one count of it stands for, and its weight."""

    op: SynapseOp
    values: Array
    scale: Field
    weight: Field

    def current(self, weight: Field) -> Floats:
        """What reaches the neurons through the synapse under a weight."""
        narrow = weight.astype(np.float32)
        batches = range(0, len(self.values), BATCH)
        return np.concatenate([_through(self.op, self.values[start : start + BATCH], narrow) for start in batches])

    def columns(self, weight: Field) -> Field:
        """The weight per count of the input; zero where a column would need several numbers."""
        found = fields.columns(self.op, weight, self.scale)
        assert found is not None, "quantize-activations refuses such a column"
        return found

    def rounded(self, unit: Field) -> Field:
        """The weight that integers in a unit per output stand for."""
        divisor = unit if not isinstance(self.op, Conv2dBase | LinearBase) else fields.per_output(self.op, unit.ravel())
        whole = np.rint(self.columns(self.weight) / divisor)
        inverse = np.where(self.scale > 0, 1 / np.where(self.scale > 0, self.scale, 1), np.nan)
        found = fields.columns(self.op, whole * divisor, inverse)
        assert found is not None
        return found

    def patches(self, batch: slice) -> Floats:
        """What each output of each group reads, (groups, inputs of one output, places)."""
        values = self.values[batch].astype(np.float32, copy=False)
        if isinstance(self.op, LinearBase):
            return values.reshape(1, -1, values.shape[-1]).swapaxes(1, 2)
        assert isinstance(self.op, Conv2dBase)
        kernel = self.weight.shape[2:]
        geometry = (values_of(self.op.stride), values_of(self.op.padding), values_of(self.op.dilation))
        view = meanings.windows(values, kernel, *geometry)
        groups = self.op.groups.value.data
        depth = view.shape[1] // groups * kernel[0] * kernel[1]
        return np.ascontiguousarray(view.transpose(1, 4, 5, 0, 2, 3)).reshape(groups, depth, -1)

    def outputs(self, values: Floats) -> Floats:
        """Values of the layer in the order of `patches`, (groups, outputs of a group, places)."""
        if isinstance(self.op, LinearBase):
            return values.reshape(1, -1, values.shape[-1]).swapaxes(1, 2)
        assert isinstance(self.op, Conv2dBase)
        channels = values.shape[1]
        return values.swapaxes(0, 1).reshape(self.op.groups.value.data, channels // self.op.groups.value.data, -1)


def _through(op: SynapseOp, values: Array, weight: Floats) -> Floats:
    if isinstance(op, LinearBase):
        return meanings.linear(values, weight, None)
    if isinstance(op, Conv2dBase):
        geometry = (values_of(op.stride), values_of(op.padding), values_of(op.dilation), op.groups.value.data)
        return meanings.conv2d(values, weight, None, *geometry)
    return meanings.diagonal(values, weight)


@dataclass(frozen=True)
class Layer:
    """A neuron layer, or a readout (no clip range), in the quantised network; `target` is the float network's charge.

    `bias` broadcasts onto the layer's shape, `clip` has one number per channel, `largest` is the largest weight.
    """

    branches: tuple[Branch, ...]
    bias: Field
    clip: Field | None
    levels: int
    target: Floats
    largest: int
    maximum: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the layer, without the batch axis."""
        return shape_of(self.branches[0].op.result)

    def per_channel(self, values: Array) -> Field:
        """One number per channel in the form that broadcasts onto the layer."""
        return values.astype(np.float64).reshape(broadcast_shape(len(self.shape), len(values)))

    def mean(self, values: Array) -> Field:
        """The mean per channel of (batch, *shape), in the form that broadcasts onto the layer."""
        axes = tuple(axis for axis in range(values.ndim) if axis != channel_axis(len(self.shape)) + 1)
        return self.per_channel(values.mean(axis=axes, dtype=np.float64))

    @cached_property
    def unit(self) -> Field:
        """What one step of a weight stands for, per channel."""
        ops = [branch.op for branch in self.branches]
        unit = common_unit(ops, [branch.columns(branch.weight) for branch in self.branches], self.largest, len(self.shape))
        return unit if self.clip is None else coarse_enough(unit, self.per_channel(self.clip) / self.levels, self.levels)

    @cached_property
    def current(self) -> Floats:
        """What all synapses bring with rounded weights, (batch, *shape)."""
        return sum_of([branch.current(branch.rounded(self.unit)) for branch in self.branches])

    @property
    def charge(self) -> Floats:
        """`current` and the rounded bias."""
        return self.current + (np.rint(self.bias / self.unit) * self.unit).astype(np.float32)

    @property
    def threshold(self) -> Field:
        """The threshold in whole units, per channel."""
        assert self.clip is not None
        return np.maximum(np.rint(self.per_channel(self.clip) / self.levels / self.unit), 1)

    @property
    def activation(self) -> Floats:
        """What the quantised layer says, in floats."""
        return staircase(self.charge, self.unit, self.threshold, self.levels)

    @property
    def wanted(self) -> Floats:
        """What the float layer says."""
        return np.clip(self.target, 0, self.maximum)

    def with_weight(self, index: int, weight: Field) -> Layer:
        """The layer with another weight of one synapse."""
        branches = list(self.branches)
        branches[index] = replace(branches[index], weight=weight)
        return replace(self, branches=tuple(branches))

    def with_bias(self, bias: Field) -> Layer:
        """The layer with another bias; what the synapses bring is kept."""
        return self._keeping(replace(self, bias=bias))

    def with_clip(self, clip: Field) -> Layer:
        """The layer with another clip range; what the synapses bring is kept."""
        return self._keeping(replace(self, clip=clip))

    def _keeping(self, new: Layer) -> Layer:
        new.__dict__.update({name: self.__dict__[name] for name in ("unit", "current") if name in self.__dict__})
        return new

    def batches(self) -> Iterator[slice]:
        """The images in parts whose patches fit into memory."""
        for start in range(0, len(self.target), BATCH):
            yield slice(start, start + BATCH)


def staircase(charge: Floats, unit: Field, threshold: Field, levels: int) -> Floats:
    """What integer neurons make of a charge, in floats: thresholds in whole units, half of one to begin with."""
    whole = np.rint(charge / unit.astype(np.float32)) + (threshold // 2).astype(np.float32)
    counts = np.clip(np.floor(whole / threshold.astype(np.float32)), 0, levels)
    return counts * (threshold * unit).astype(np.float32)


def sum_of(arrays: list[Floats]) -> Floats:
    """The sum of arrays of one shape."""
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total
