"""What travels between the parts of a network: spikes, graded spikes, currents; and the widths of what is kept."""

from __future__ import annotations

from xdsl.dialects.builtin import IntegerType, i1, i32
from xdsl.ir import SSAValue

from neurocuda.ir.attributes import element_type

SPIKE = i1
"""A spike: 0 or 1."""

GRADED = i32
"""A graded spike: an integer that the message carries; 0 is silence."""

CURRENT = IntegerType(24)
"""What a synapse brings at a step, and what a membrane holds: 24 bits, signed."""

MEMBRANE = 2**23 - 1
"""The largest membrane potential; the lowest is its negative."""

MESSAGE_BITS = (8, 16, 24, 32)
"""How wide the integer of a graded spike may be."""


def carries_spikes(value: SSAValue) -> bool:
    """Whether a tensor holds spikes, plain or graded."""
    return element_type(value) in (SPIKE, GRADED)
