"""Figures with their nouns, as a reader expects them."""

from __future__ import annotations

ASSUMED = "assumed"
"""The kind of figures that reports mark with a star."""


def counted(number: int, noun: str) -> str:
    """ "1 step", "1,024 steps"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size_of(count: int) -> str:
    """A number of bytes with three digits, in the unit that fits: "812 bytes", "43.2 kB", "1.07 MB"."""
    if count < 1000:
        return counted(count, "byte")
    return f"{count / 1e3:.3g} kB" if count < 999_500 else f"{count / 1e6:.3g} MB"


def amount(value: float) -> str:
    """A figure with all digits where it is whole, else with six: "1,572,864", "23.6"."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.6g}"


def starred(kind: str) -> str:
    """The kind of a figure, with a star where it is assumed."""
    return f"{kind}*" if kind == ASSUMED else kind


def percent(share: float) -> str:
    """A share in percent with two significant digits: "12 %", "0.034 %", "<.001 %"; "n/a" for NaN."""
    if share != share:
        return "n/a"
    value = 100 * share
    if 0 < abs(value) < 0.001:
        return "<.001 %"
    return f"{value:.0f} %" if abs(value) >= 10 or not value else f"{value:.2g} %"
