"""Spikes against time, and when layers may fire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurocuda.measure.page.drawing import WIDTH, clipped_text, picture, text, ticks
from neurocuda.measure.page.markup import Markup, tag
from neurocuda.measure.raster import Raster, Train, Window

NAMES = 190
TRAIN_ROW = 3
POPULATION = 56
WINDOW_ROW = 22


def spike_raster(raster: Raster, windows: Sequence[Window]) -> Markup:
    """A dot for every spike of some neurons of every layer; above, how many neurons of all fired at every step."""
    width = (WIDTH - NAMES - 10) / max(1, raster.steps)
    tops: list[float] = []
    height = float(POPULATION + 14)
    for train in raster.trains:
        tops.append(height)
        height += TRAIN_ROW * len(train.neurons) + 8
    active = {window.name: window for window in windows}

    def parts() -> Iterator[Markup]:
        yield from _population(raster, width)
        for train, top in zip(raster.trains, tops, strict=True):
            yield from _train(train, active.get(train.name), top, width)
        for step in ticks(0, raster.steps, min(6, raster.steps)):
            yield text(f"{step:.0f}", NAMES + step * width, height + 14, class_="tick", anchor="middle")
        yield text("step", NAMES - 10, height + 14, class_="tick", anchor="end")

    spikes = sum(sum(train.population) for train in raster.trains)
    told = f"{spikes:,} spikes of {len(raster.trains)} layers in {raster.steps} steps"
    return picture("Spikes of one image", told, height + 22, parts())


def _population(raster: Raster, width: float) -> Iterator[Markup]:
    totals = [sum(train.population[step] for train in raster.trains) for step in range(raster.steps)]
    most = max([1, *totals])
    base = POPULATION + 2
    corners = (
        f"H{NAMES + step * width:.1f}V{base - POPULATION * total / most:.1f}" for step, total in enumerate(totals)
    )
    path = f"M{NAMES} {base}{''.join(corners)}H{NAMES + raster.steps * width:.1f}V{base}Z"
    yield tag("path", d=path, class_="population")
    yield text(f"firing at once: up to {most:,}", 6, POPULATION / 2 + 6, class_="tick")


def _train(train: Train, window: Window | None, top: float, width: float) -> Iterator[Markup]:
    height = TRAIN_ROW * len(train.neurons)
    yield tag("rect", x=NAMES, y=top, width=WIDTH - NAMES - 10, height=height, class_="quiet")
    if window is not None:
        told = tag("title", f"{window.name} may fire in steps {window.start} to {window.stop}")
        x, long = NAMES + window.start * width, (window.stop - window.start) * width
        yield tag("rect", told, x=x, y=top, width=long, height=height, class_="window")
    dot = min(max(width * 0.8, 1.0), 9.0)
    dots = (
        f"M{NAMES + step * width:.1f} {top + row * TRAIN_ROW:.1f}h{dot:.1f}v2.4h-{dot:.1f}z"
        for step, row in train.spikes
    )
    yield tag("path", d="".join(dots), class_="spikes")
    yield text(clipped_text(train.name, 26), 6, top + height / 2 + 4, class_="label", told=train.name)


def schedule(steps: int, windows: Sequence[Window]) -> Markup:
    """When every layer may fire."""
    width = (WIDTH - NAMES - 10) / max(1, steps)

    def parts() -> Iterator[Markup]:
        for row, window in enumerate(windows):
            top = 6 + row * WINDOW_ROW
            told = tag("title", f"{window.name}: steps {window.start} to {window.stop}")
            yield tag("rect", x=NAMES, y=top, width=WIDTH - NAMES - 10, height=WINDOW_ROW - 8, class_="quiet")
            x, long = NAMES + window.start * width, (window.stop - window.start) * width
            yield tag("rect", told, x=x, y=top, width=long, height=WINDOW_ROW - 8, class_="fill-own")
            yield text(clipped_text(window.name, 26), 6, top + 11, class_="label", told=window.name)
        bottom = 6 + len(windows) * WINDOW_ROW
        for step in ticks(0, steps, min(6, steps)):
            yield text(f"{step:.0f}", NAMES + step * width, bottom + 14, class_="tick", anchor="middle")

    described = "; ".join(f"{window.name}: {window.start} to {window.stop}" for window in windows)
    return picture("Firing windows", described, 6 + len(windows) * WINDOW_ROW + 22, parts())
