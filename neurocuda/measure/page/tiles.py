"""The figures that a reader wants first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.analysis import Analysis
from neurocuda.measure.page.markup import Markup, tag
from neurocuda.measure.raster import schedule_of
from neurocuda.measure.report import readings_of
from neurocuda.measure.words import counted

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled


STEPS = "time steps"
"""The reading of a cost model that says how long an image takes."""


def tiles(compiled: Compiled, analysis: Analysis | None) -> Markup:
    """One card per figure."""
    return tag("div", _tiles(compiled, analysis), class_="tiles")


def _tile(title: str, value: str, *told: str) -> Markup:
    return tag("div", tag("h3", title), tag("div", value, class_="value"), (tag("p", t) for t in told), class_="tile")


def _tiles(compiled: Compiled, analysis: Analysis | None) -> Iterator[Markup]:
    evaluation = compiled.evaluations.get(compiled.target)
    if evaluation is not None:
        yield _tile("Accuracy", _percent(evaluation.accuracy), _interval(evaluation.accuracy),
                    f"measured: {evaluation.provenance}")  # fmt: skip
    if analysis is not None:
        kept = "right" if analysis.labelled else "kept"
        found = analysis.accuracy
        yield _tile("Float, then spiking", f"{100 * found['float'].value:.1f} → {_percent(found['spiking'])}",
                    f"answers {kept}, measured on {analysis.images} images", analysis.provenance)  # fmt: skip
    yield _latency(compiled)
    yield _tile("Neurons", f"{compiled.neurons:,}", f"in {counted(len(compiled.layers), 'layer')}")
    if analysis is not None:
        layers = [part for part in analysis.parts if part.firing is not None]
        spikes = sum(part.elements * part.firing.spikes for part in layers if part.firing is not None)
        neurons = sum(part.elements for part in layers)
        yield _tile("Spikes per neuron", f"{spikes / neurons if neurons else 0:.2f}",
                    f"{spikes:,.0f} spikes per image, measured on {analysis.images} images")  # fmt: skip


def _latency(compiled: Compiled) -> Markup:
    """Steps from an image to its answer: those of the target, where it takes others than the schedule of the spikes."""
    steps, _ = schedule_of(compiled.level("snn-integer"))
    own = next((reading for reading in readings_of(compiled) if reading.name == STEPS), None)
    told = f"end to end, T = {compiled.conversion.timesteps} per layer"
    if own is None or own.value == steps:
        return _tile("Latency", f"{steps:,} steps", told, "follows from the schedule")
    return _tile("Latency", f"{own.value:,.0f} steps", told, f"on {compiled.target}; the schedule has {steps:,}")


def _percent(found: Accuracy) -> str:
    return f"{100 * found.value:.1f} %"


def _interval(found: Accuracy) -> str:
    low, high = found.interval
    return f"95 % interval {100 * low:.2f} … {100 * high:.2f} %, n = {found.images:,}"


def verdict(analysis: Analysis) -> str:
    """What came out, in words."""
    images, lost = analysis.images, analysis.lost
    answers = "right answers" if analysis.labelled else "answers of the float network"
    if not lost:
        start = f"On {images} images the spiking network keeps as many {answers} as the float network."
    else:
        start = f"On {images} images the spiking network gives {abs(lost)} {'fewer' if lost > 0 else 'more'} {answers}."
    causes = sorted(analysis.lost_by_cause().items(), key=lambda item: -item[1])
    told = ", ".join(f"{name} {count}" for name, count in causes if count)
    worst = max(analysis.parts, key=lambda part: part.errors.lost)
    place = f" {worst.name} costs most, {worst.errors.lost}." if worst.errors.lost > 0 else ""
    low, high = analysis.accuracy["spiking"].interval
    chance = f" With {images} images the accuracy is known to within {100 * (high - low) / 2:.1f} points (95 %)."
    return f"{start}{f' Lost by cause: {told}.' if told else ''}{place}{chance}"
