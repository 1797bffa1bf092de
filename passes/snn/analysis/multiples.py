"""What multiples of their threshold neurons are compared with, by code."""

from __future__ import annotations


def largest_multiple(code: str, levels: int) -> int:
    """The largest multiple of its threshold that a neuron of so many levels is compared with."""
    if code in ("latency", "free"):
        return levels
    return radix_values(levels)[0] if code == "radix" else 1


def radix_values(levels: int) -> tuple[int, ...]:
    """What spikes of code "radix" stand for, step by step, in a window that says counts of up to `levels`."""
    steps = levels.bit_length()
    return (levels + 1 - 2 ** (steps - 1), *(2**power for power in reversed(range(steps - 1))))
