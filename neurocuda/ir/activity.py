"""How often the neurons of a layer fire: measured on images while compiling, read where costs are estimated."""

from __future__ import annotations

from xdsl.dialects.builtin import FloatAttr, f64
from xdsl.ir import Operation

ACTIVITY = "nc.activity"
"""The discardable attribute that holds the mean number of spikes per neuron and image of a layer, or of a group."""


def activity_of(op: Operation) -> float | None:
    """The mean number of spikes per neuron and image, or None where nobody has counted."""
    attribute = op.attributes.get(ACTIVITY)
    return attribute.value.data if isinstance(attribute, FloatAttr) else None


def set_activity(op: Operation, spikes: float) -> None:
    """Says the mean number of spikes per neuron and image."""
    op.attributes[ACTIVITY] = FloatAttr(spikes, f64)


def keep_activity(old: Operation, new: Operation) -> None:
    """Says of an operation that takes another's place how often its neurons fire, where somebody has counted."""
    if ACTIVITY in old.attributes:
        new.attributes[ACTIVITY] = old.attributes[ACTIVITY]
