"""Bars in rows, one row per layer: several panels share the rows, each with an axis of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from neurocuda.measure.page.drawing import WIDTH, clipped_text, picture, text, ticks
from neurocuda.measure.page.markup import Markup, tag

ROW = 24
BAR = 14
TOP = 46
GAP = 36
LABEL_CHARACTERS = 30
CHARACTER = 6.9


@dataclass(frozen=True)
class Segment:
    """A piece of a bar; its colour is that of a CSS class, and `told` shows under the pointer."""

    value: float
    colour: str
    told: str


@dataclass(frozen=True)
class Panel:
    """A column of bars. `marks` are ticks beside the bars: what they would be at best, or in all."""

    title: str
    bars: Sequence[Sequence[Segment]]
    spelled: Callable[[float], str]
    marks: Sequence[float] = ()

    def ends(self) -> tuple[float, float]:
        """The lowest and highest value; zero lies between."""
        sums = [sum(s.value for s in bar if s.value * sign > 0) for bar in self.bars for sign in (1, -1)]
        return min([0.0, *sums]), max([0.0, *sums, *self.marks])


def bars(title: str, described: str, labels: Sequence[str], panels: Sequence[Panel]) -> Markup:
    """The picture; rows go from top to bottom in the order of `labels`."""
    shown = [clipped_text(label, LABEL_CHARACTERS) for label in labels]
    left = 14 + CHARACTER * max(map(len, shown), default=0)
    width = (WIDTH - left - GAP * (len(panels) - 1) - 18) / len(panels)
    height = TOP + ROW * len(labels) + 8
    rows = [_label(index, label, full) for index, (label, full) in enumerate(zip(shown, labels, strict=True))]
    columns = [
        part for number, panel in enumerate(panels) for part in _panel(panel, left + number * (width + GAP), width)
    ]
    return picture(title, described, height, [*_stripes(len(labels)), *rows, *columns])


def _stripes(rows: int) -> Iterator[Markup]:
    for row in range(0, rows, 2):
        yield tag("rect", x=0, y=TOP + ROW * row, width=WIDTH, height=ROW, class_="stripe")


def _label(row: int, label: str, full: str) -> Markup:
    return text(label, 6, TOP + ROW * row + 16, class_="label", told=full if full != label else "")


def _panel(panel: Panel, left: float, width: float) -> Iterator[Markup]:
    low, high = panel.ends()
    span = (high - low) or 1.0
    bottom = TOP + ROW * len(panel.bars)

    def x(value: float) -> float:
        return left + width * (value - low) / span

    yield text(panel.title, left, 16, class_="panel-title")
    for value in ticks(low, high):
        yield tag("line", x1=x(value), x2=x(value), y1=TOP - 4, y2=bottom, class_="grid" if value else "zero")
        yield text(panel.spelled(value), x(value), TOP - 10, class_="tick", anchor="middle")
    for row, segments in enumerate(panel.bars):
        top = TOP + ROW * row + (ROW - BAR) / 2
        yield from _bar(segments, x, top)
        if row < len(panel.marks) and panel.marks[row]:
            yield tag("rect", x=x(panel.marks[row]) - 1, y=top - 3, width=2.5, height=BAR + 6, class_="mark")


def _bar(segments: Sequence[Segment], x: Callable[[float], float], top: float) -> Iterator[Markup]:
    """Positive pieces go right from zero, negative ones left."""
    reached = {True: 0.0, False: 0.0}
    for segment in segments:
        start = reached[segment.value > 0]
        stop = start + segment.value
        reached[segment.value > 0] = stop
        left, right = sorted((x(start), x(stop)))
        if segment.value:
            told = tag("title", segment.told)
            yield tag(
                "rect", told, x=left, y=top, width=max(right - left, 0.5), height=BAR, class_=f"fill-{segment.colour}"
            )
