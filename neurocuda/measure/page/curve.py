"""Accuracy against T."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import log2
from typing import TypeAlias

from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.analysis import AccuracyAt
from neurocuda.measure.page.drawing import WIDTH, picture, text, ticks
from neurocuda.measure.page.markup import Markup, tag

Scale: TypeAlias = Callable[[float], float]

HEIGHT = 300
LEFT = 64
RIGHT = WIDTH - 120
TOP, BOTTOM = 18, HEIGHT - 46


def accuracy_curve(points: Sequence[AccuracyAt], exact: Accuracy, spiking: Accuracy) -> Markup:
    """The quantised network's accuracy at several T with 95 % intervals, and the float network's as a line.

    Where the spiking network's is not that of the quantised one, it has a point of its own.
    """
    first, last = (log2(points[index].timesteps) for index in (0, -1))
    low = min(0.98 * exact.value, spiking.interval[0], *(point.accuracy.interval[0] for point in points))
    high = max(exact.value, *(point.accuracy.interval[1] for point in points))
    span, octaves = (high - low) or 1.0, (last - first) or 1.0

    def x(timesteps: int) -> float:
        return LEFT + 24 + (RIGHT - LEFT - 48) * (log2(timesteps) - first) / octaves

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - low) / span

    def parts() -> Iterator[Markup]:
        for value in ticks(low, high):
            yield tag("line", x1=LEFT, x2=RIGHT, y1=y(value), y2=y(value), class_="grid")
            yield text(f"{100 * value:.3g} %", LEFT - 10, y(value) + 4, class_="tick", anchor="end")
        yield tag("line", x1=LEFT, x2=RIGHT, y1=y(exact.value), y2=y(exact.value), class_="float-line")
        yield text(f"float {100 * exact.value:.2f} %", RIGHT + 8, y(exact.value) + 4, class_="label")
        line = " ".join(f"{x(point.timesteps):.1f},{y(point.accuracy.value):.1f}" for point in points)
        yield tag("polyline", points=line, class_="curve")
        for point in points:
            yield from _point(point, x(point.timesteps), y)
            if point.chosen and point.accuracy != spiking:
                told = tag("title", f"spiking: {spiking}")
                yield tag("circle", told, cx=x(point.timesteps), cy=y(spiking.value), r=6, class_="fill-timing")
                yield text("spiking", x(point.timesteps) + 11, y(spiking.value) + 4, class_="label")
        yield text("T, levels of an activation", (LEFT + RIGHT) / 2, HEIGHT - 6, class_="tick", anchor="middle")

    told = ", ".join(f"T = {point.timesteps}: {100 * point.accuracy.value:.2f} %" for point in points)
    return picture("Accuracy against T", f"{told}; float {100 * exact.value:.2f} %", HEIGHT, parts())


def _point(point: AccuracyAt, x: float, y: Scale) -> Iterator[Markup]:
    low, high = point.accuracy.interval
    told = tag("title", f"T = {point.timesteps}: {point.accuracy}")
    yield tag("line", x1=x, x2=x, y1=y(low), y2=y(high), class_="interval")
    kind = "point chosen" if point.chosen else "point"
    yield tag("circle", told, cx=x, cy=y(point.accuracy.value), r=7 if point.chosen else 5, class_=kind)
    yield text(str(point.timesteps), x, BOTTOM + 20, class_="label" if point.chosen else "tick", anchor="middle")
