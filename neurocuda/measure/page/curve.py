"""Accuracy against T, and against steps from an image to its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log2

from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.analysis import AccuracyAt, CodeAt
from neurocuda.measure.page.drawing import WIDTH, picture, text, ticks
from neurocuda.measure.page.markup import Markup, tag

HEIGHT = 300
LEFT = 64
RIGHT = WIDTH - 120
TOP, BOTTOM = 18, HEIGHT - 46


CODE_COLOURS: Mapping[str, str] = {
    "unary": "own",
    "radix": "mark",
    "latency": "clipping",
    "graded": "rounding",
    "signed": "inherited",
    "free": "timing",
}
"""The colour of each code's curve."""


@dataclass(frozen=True)
class Axes:
    """A frame in which powers of two are even steps to the right and shares of right answers go up."""

    first: float
    last: float
    low: float
    high: float

    def x(self, number: int) -> float:
        """Where a number of time steps stands."""
        return LEFT + 24 + (RIGHT - LEFT - 48) * (log2(number) - self.first) / ((self.last - self.first) or 1.0)

    def y(self, value: float) -> float:
        """Where an accuracy stands."""
        return BOTTOM - (BOTTOM - TOP) * (value - self.low) / ((self.high - self.low) or 1.0)

    def drawn(self, exact: Accuracy, named: str) -> Iterator[Markup]:
        """The grid, the float network's accuracy as a line, and the name of the horizontal axis."""
        for value in ticks(self.low, self.high):
            yield tag("line", x1=LEFT, x2=RIGHT, y1=self.y(value), y2=self.y(value), class_="grid")
            yield text(f"{100 * value:.3g} %", LEFT - 10, self.y(value) + 4, class_="tick", anchor="end")
        yield tag("line", x1=LEFT, x2=RIGHT, y1=self.y(exact.value), y2=self.y(exact.value), class_="float-line")
        yield text(f"float {100 * exact.value:.2f} %", RIGHT + 8, self.y(exact.value) + 4, class_="label")
        yield text(named, (LEFT + RIGHT) / 2, HEIGHT - 6, class_="tick", anchor="middle")


def _axes(numbers: Sequence[int], found: Sequence[Accuracy], exact: Accuracy) -> Axes:
    low = min(0.98 * exact.value, *(accuracy.interval[0] for accuracy in found))
    high = max(exact.value, *(accuracy.interval[1] for accuracy in found))
    return Axes(log2(min(numbers)), log2(max(numbers)), low, high)


def accuracy_curve(points: Sequence[AccuracyAt], exact: Accuracy, spiking: Accuracy) -> Markup:
    """The quantised network's accuracy at several T with 95 % intervals, and the float network's as a line.

    Where the spiking network's is not that of the quantised one, it has a point of its own.
    """
    accuracies = [*(point.accuracy for point in points), spiking]
    axes = _axes([point.timesteps for point in points], accuracies, exact)

    def parts() -> Iterator[Markup]:
        yield from axes.drawn(exact, "T, levels of an activation")
        yield _line([(axes.x(point.timesteps), axes.y(point.accuracy.value)) for point in points], "curve")
        for point in points:
            yield from _point(point, axes)
            if point.chosen and point.accuracy != spiking:
                told = tag("title", f"spiking: {spiking}")
                x, y = axes.x(point.timesteps), axes.y(spiking.value)
                yield tag("circle", told, cx=x, cy=y, r=6, class_="fill-timing")
                yield text("spiking", x + 11, y + 4, class_="label")

    told = ", ".join(f"T = {point.timesteps}: {100 * point.accuracy.value:.2f} %" for point in points)
    return picture("Accuracy against T", f"{told}; float {100 * exact.value:.2f} %", HEIGHT, parts())


def _line(corners: Sequence[tuple[float, float]], kind: str) -> Markup:
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in corners), class_=kind)


def _point(point: AccuracyAt, axes: Axes) -> Iterator[Markup]:
    low, high = point.accuracy.interval
    x = axes.x(point.timesteps)
    told = tag("title", f"T = {point.timesteps}: {point.accuracy}")
    yield tag("line", x1=x, x2=x, y1=axes.y(low), y2=axes.y(high), class_="interval")
    kind = "point chosen" if point.chosen else "point"
    yield tag("circle", told, cx=x, cy=axes.y(point.accuracy.value), r=7 if point.chosen else 5, class_=kind)
    yield text(str(point.timesteps), x, BOTTOM + 20, class_="label" if point.chosen else "tick", anchor="middle")


def steps_curve(points: Sequence[CodeAt], exact: Accuracy) -> Markup:
    """A curve for every code: its accuracy against its steps, one point for every T."""
    axes = _axes([point.steps for point in points], [point.accuracy for point in points], exact)
    codes = list(dict.fromkeys(point.code for point in points))

    def parts() -> Iterator[Markup]:
        yield from axes.drawn(exact, "steps from an image to its answer")
        for steps in _powers(min(point.steps for point in points), max(point.steps for point in points)):
            yield text(str(steps), axes.x(steps), BOTTOM + 20, class_="tick", anchor="middle")
        for code in codes:
            own = [point for point in points if point.code == code]
            colour = CODE_COLOURS[code]
            yield _line([(axes.x(at.steps), axes.y(at.accuracy.value)) for at in own], f"code-curve line-{colour}")
            for at in own:
                told = tag("title", f"{code}, T = {at.timesteps}: {at.steps} steps, {at.accuracy}")
                x, y = axes.x(at.steps), axes.y(at.accuracy.value)
                yield tag("circle", told, cx=x, cy=y, r=7 if at.chosen else 4, class_=f"fill-{colour}")

    told = "; ".join(
        f"{at.code}, T = {at.timesteps}: {at.steps} steps, {100 * at.accuracy.value:.2f} %" for at in points
    )
    return picture("Accuracy against steps", told, HEIGHT, parts())


def _powers(low: int, high: int) -> Iterator[int]:
    """The powers of two from `low` to `high`."""
    return (2**power for power in range(ceil(log2(low)), floor(log2(high)) + 1))
