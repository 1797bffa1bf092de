"""Statistics of an activation, per channel, as one attribute: extremes, moments and a histogram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, ModuleOp
from xdsl.ir import Attribute, Operation

from neurocuda.ir.attributes import Dense
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

STATISTICS = "nc.statistics"
"""The attribute on an `ann.input` or a rectified activation that holds its statistics."""

IMAGES = "nc.calibration"
"""The module attribute that names the calibration images in the weight store, one array per input."""

CLIP = "nc.clip"
"""The attribute on a neuron layer that holds its clip range per channel (f32)."""

LEVELS = "nc.levels"
"""The attribute on a neuron layer that gives it another number of levels than the rest of the network."""

LARGEST = 1e18
"""Of larger values no variance fits into a float."""

BINS = 2048
"""The number of bins of a histogram."""


@dataclass(frozen=True)
class Statistics:
    """Per channel: extremes, mean, variance, and how many values fell into each of `BINS` even bins between two edges.

    An input whose values lie on at most 256 evenly spaced points also has that grid: (channels, 3) with step, first
    point and number of points.
    """

    minimum: Floats
    maximum: Floats
    mean: Floats
    variance: Floats
    edges: Floats
    histogram: NDArray[np.int32]
    grid: NDArray[np.float64] | None = None

    def attribute(self, weights: WeightStore) -> DictionaryAttr:
        """As an attribute; the tensors go into the store."""
        fields: dict[str, Attribute] = {
            name: weights.add(getattr(self, name), name)
            for name in ("minimum", "maximum", "mean", "variance", "edges", "histogram")
        }
        if self.grid is not None:
            fields["grid"] = weights.add(self.grid, "grid")
        return DictionaryAttr(fields)


def statistics_of(op: Operation, weights: WeightStore) -> Statistics | None:
    """The statistics written on an operation, or None."""
    attribute = op.attributes.get(STATISTICS)
    if not isinstance(attribute, DictionaryAttr):
        return None
    arrays = {name: weights.array(cast(Dense, value)) for name, value in attribute.data.items()}
    return Statistics(**arrays)  # pyright: ignore[reportArgumentType]


def levels_of(op: Operation, timesteps: int) -> int:
    """The layer's own number of levels where it has one, else the network's."""
    own = op.attributes.get(LEVELS)
    return own.value.data if isinstance(own, IntegerAttr) else timesteps


def named_images(module: ModuleOp, weights: WeightStore) -> list[NDArray[np.generic]]:
    """The calibration images that the module names, one array per input; none where it names none."""
    attribute = module.attributes.get(IMAGES)
    named = attribute.data if isinstance(attribute, ArrayAttr) else ()
    return [weights.array(cast(Dense, dense)) for dense in named]


def channel_axis(rank: int) -> int:
    """The axis of channels, not counting the batch: the first of an image or a vector, the last of a sequence."""
    return 1 if rank == 2 else 0


def by_channel(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """(batch, *shape) as (channels, rest)."""
    import numpy as np

    axis = channel_axis(values.ndim - 1) + 1
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)


def broadcast_shape(rank: int, channels: int) -> tuple[int, ...]:
    """The shape in which one constant per channel broadcasts onto a value of `rank` axes."""
    return (channels,) if rank in (1, 2) else (channels, *(1,) * (rank - 1))
