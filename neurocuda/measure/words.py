"""Figures with their nouns, as a reader expects them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """ "1 step", "1,024 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_of(count: int) -> str:
    """A number of bytes with three digits, in the unit that fits: "812 bytes", "43.2 kB", "1.07 MB"."""
    if count < 1000:
        return counted(count, "byte")
    return f"{count / 1e3:.3g} kB" if count < 999_500 else f"{count / 1e6:.3g} MB"
