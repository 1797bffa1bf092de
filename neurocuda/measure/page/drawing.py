"""What all pictures have in common: a frame with a title for those who cannot see it, texts, and ticks of axes."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, log10
from zlib import crc32

from neurocuda.measure.page.markup import Markup, tag

WIDTH = 1040
"""Of every picture, in its own units."""

ROUNDING = 1e-9
"""So that 0.3 / 0.1 is 3."""


def picture(title: str, described: str, height: float, parts: Iterable[Markup]) -> Markup:
    """An SVG image; `described` says in words what it shows."""
    name = f"picture-{crc32(f'{title} {described}'.encode()):x}"
    drawn = tag(
        "svg",
        tag("title", title, id=f"{name}-title"),
        tag("desc", described, id=f"{name}-desc"),
        parts,
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )
    return tag("div", drawn, class_="picture")


def text(content: str, x: float, y: float, *, class_: str, anchor: str = "start", told: str = "") -> Markup:
    """A text; `told` shows under the pointer."""
    tip = [tag("title", told)] if told else []
    return tag("text", tip, content, x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def clipped_text(label: str, most: int) -> str:
    """The label, its middle left out where it is longer than `most` characters."""
    if len(label) <= most:
        return label
    half = (most - 1) // 2
    return f"{label[:half]}…{label[-half:]}"


def ticks(low: float, high: float, least: int = 3) -> list[float]:
    """Round numbers from `low` to `high`, as few as possible but at least so many, zero where it lies between."""
    span = high - low
    if span <= 0:
        return [low]
    power = 10.0 ** floor(log10(span / least))
    found: list[float] = []
    for factor in (10, 5, 2, 1):
        step = power * factor
        first, last = ceil(low / step - ROUNDING), floor(high / step + ROUNDING)
        found = [index * step for index in range(first, last + 1)]
        if len(found) >= least:
            break
    return found
