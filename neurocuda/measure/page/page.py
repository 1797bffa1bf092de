"""Puts the page together: what was compiled, and with an analysis where its accuracy went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import OptionError
from neurocuda.ir.files import replacing
from neurocuda.measure.analysis import CAUSES, Analysis, Part
from neurocuda.measure.layers import readout_layers_of
from neurocuda.measure.page.bars import Panel, Segment, bars
from neurocuda.measure.page.cores import SHADES, core_map
from neurocuda.measure.page.curve import CODE_COLOURS, accuracy_curve, steps_curve
from neurocuda.measure.page.markup import Markup, joined, tag
from neurocuda.measure.page.tables import (
    constants_table,
    cost_table,
    facts_table,
    fullest_table,
    layer_table,
    limits_table,
    part_table,
    short,
)
from neurocuda.measure.page.tiles import tiles, verdict
from neurocuda.measure.page.trains import schedule, spike_raster
from neurocuda.measure.placement import chip_of, constants_of_chip, layout_of, summed_up
from neurocuda.measure.raster import schedule_of
from neurocuda.measure.words import percent

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What the page asks the browser to hold it to: nothing is fetched, nothing runs."""

MADE_HERE = tuple(name for name in CAUSES if name != "inherited")


def save_page(path: Path, compiled: Compiled, analysis: Analysis | None) -> None:
    """Writes the page.

    Raises:
        OptionError: the network is one of spike trains, and a page tells of images.
        WriteError: the file cannot be written; nothing half-written is left behind.
    """
    if compiled.trains:
        raise OptionError("a page tells of networks for images, and this is one of spike trains; report() tells of it")
    with replacing(path) as stream:
        stream.write(page(compiled, analysis).encode())


def page(compiled: Compiled, analysis: Analysis | None) -> str:
    """The page's text."""
    title = f"{compiled.name} for {compiled.target}"
    style = files("neurocuda.measure.page").joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        tag("title", title),
        tag("style", Markup(style)),
    )
    sections = _without_images(compiled) if analysis is None else _with_images(compiled, analysis)
    body = tag("body", tag("main", _header(compiled, analysis), sections, _footer()))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _header(compiled: Compiled, analysis: Analysis | None) -> Markup:
    conversion = compiled.conversion
    told = f"{compiled.target} · code “{compiled.code}” · T = {conversion.timesteps} · {conversion.calibration} ranges"
    chip = f"chip {compiled.chip}: {chip_of(compiled).summary}"
    summed = [] if analysis is None else [tag("p", verdict(analysis), class_="verdict")]
    return tag("header", tag("h1", compiled.name), tag("p", told), tag("p", chip), summed, tiles(compiled, analysis))


def _section(name: str, title: str, told: str, *content: Markup) -> Markup:
    return tag("section", tag("h2", title, id=f"{name}-title"), tag("p", told), content, id=name,
               aria_labelledby=f"{name}-title")  # fmt: skip


def _with_images(compiled: Compiled, analysis: Analysis) -> Iterator[Markup]:
    yield _errors(analysis)
    yield _losses(analysis)
    yield _activity(analysis)
    yield _spikes(compiled, analysis)
    yield _timesteps(compiled, analysis)
    yield from _steps(compiled, analysis)
    told = f"Every figure of the pictures, measured on {analysis.images} images; what things mean is below."
    yield _section("layers", "Layers", told, part_table(analysis.parts))
    yield from _places(compiled)
    yield from _known(compiled)
    yield _meanings()


def _without_images(compiled: Compiled) -> Iterator[Markup]:
    steps, windows = schedule_of(compiled.level("snn-integer"))
    told = f"When every layer may fire; one image takes {steps} steps from its pixels to the answer."
    yield _section("schedule", "Schedule", told, schedule(steps, windows))
    layers = (*compiled.layers, *readout_layers_of(compiled.level("ann-quantized")))
    yield _section("layers", "Layers", "Multiplications are those of the float network.", layer_table(layers))
    yield from _places(compiled)
    yield from _known(compiled)
    told = (
        "This page tells what the artefact knows by itself. With images (nc-report MODEL.nca --images FILE --labels "
        "FILE --html PAGE) it also shows accuracy, the error of every layer taken apart by cause, firing rates, the "
        "spikes of one image, synaptic operations, and accuracy against T and against steps."
    )
    yield _section("more", "What images would add", told)


def _legend(names: Sequence[tuple[str, str]]) -> Markup:
    entries = (tag("li", tag("span", class_=f"fill-{colour}"), name) for colour, name in names)
    return tag("ul", entries, class_="legend")


def _names(parts: Sequence[Part]) -> list[str]:
    return [part.name for part in parts]


def _errors(analysis: Analysis) -> Markup:
    parts = analysis.parts
    made = [
        [
            Segment(relative, name, f"{part.name}, {name}: {percent(relative)}")
            for name in MADE_HERE
            if (relative := finite(part, part.errors.causes[name].square))
        ]
        for part in parts
    ]
    sums = [finite(part, part.errors.error) for part in parts]
    totals = [
        [Segment(error, "inherited", f"{part.name}: {percent(error)}")] for part, error in zip(parts, sums, strict=True)
    ]
    marks = [finite(part, part.errors.quantized_error) for part in parts]
    panels = [
        Panel("made in this layer, by cause", made, percent),
        Panel("in all, with what came from before", totals, percent, marks),
    ]
    told = (
        "The mean square error of every layer's values, as a share of their mean square. Left: what the layer itself "
        "adds, cause by cause. Right: all of it, most of which deep layers inherit; the ticks are the quantised "
        "network, which an exact code equals."
    )
    described = f"The largest error is that of {parts[sums.index(max(sums))].name}, {percent(max(sums))}"
    legend = _legend([*((name, name) for name in MADE_HERE), ("inherited", "in all"), ("mark", "quantised")])
    return _section("errors", "Error by layer", told, legend, bars("Error by layer", described, _names(parts), panels))


def finite(part: Part, square: float) -> float:
    """A mean square relative to the layer's own, zero where that is zero."""
    return part.errors.relative(square) if part.errors.square else 0.0


def _losses(analysis: Analysis) -> Markup:
    parts = analysis.parts
    size = parts[-1].errors.square if parts else 0.0
    scale = next((part.errors.square for part in parts if part.kind == "output"), size) or 1.0
    lost = [
        [
            Segment(float(n), name, f"{part.name}, {name}: {n:+d}")
            for name in MADE_HERE
            if (n := part.errors.causes[name].lost)
        ]
        for part in parts
    ]
    moved = [
        [
            Segment(share, name, f"{part.name}, {name}: {percent(share)}")
            for name in MADE_HERE
            if (share := part.errors.causes[name].moved / scale)
        ]
        for part in parts
    ]
    answers = "right answers lost" if analysis.labelled else "answers of the float network lost"
    panels = [Panel(answers, lost, "{:.0f}".format), Panel("error added to the output", moved, percent)]
    told = (
        "Inputs, layers and outputs are switched from float to spiking one after the other, each cause by cause. What "
        "a switch changes at the output is booked on it, so all bars add up to the whole loss. Bars to the left are "
        "gains. Single answers are chance; the error of the output is steadier."
    )
    described = f"{analysis.lost} of {analysis.images} answers are lost"
    legend = _legend([(name, name) for name in MADE_HERE])
    picture = bars("What each layer costs", described, _names(parts), panels)
    return _section("losses", "Where the accuracy went", told, legend, picture)


def _activity(analysis: Analysis) -> Markup:
    parts = [part for part in analysis.parts if part.operations is not None]
    spikes: list[list[Segment]] = []
    silent: list[list[Segment]] = []
    work: list[list[Segment]] = []
    marks: list[float] = []
    for part in parts:
        firing, operations = part.firing, part.operations
        rate, quiet = (firing.spikes, firing.silent) if firing else (0.0, 0.0)
        done = operations.accumulations + operations.input_products if operations else 0.0
        dense = operations.dense if operations else 0.0
        spikes.append([Segment(rate, "own", f"{part.name}: {rate:.3g} spikes per neuron and image")])
        silent.append([Segment(quiet, "inherited", f"{part.name}: {percent(quiet)} of neurons silent")])
        work.append([Segment(done, "weights", f"{part.name}: {done:,.0f} synaptic operations, {dense:,.0f} MACs")])
        marks.append(dense)
    panels = [
        Panel("spikes per neuron and image", spikes, "{:.3g}".format),
        Panel("neurons silent", silent, percent),
        Panel("synaptic operations per image", work, short, marks),
    ]
    every = [part.operations for part in parts if part.operations is not None]
    done = sum(operations.accumulations + operations.input_products for operations in every)
    dense = sum(operations.dense for operations in every)
    told = (
        f"What every layer sends, and the work that its inputs make. In all {done:,.0f} synaptic operations per image "
        f"against {dense:,.0f} MACs of the float network, {done / dense if dense else 0:.2f} times as many."
    )
    legend = _legend([("weights", "synaptic operations"), ("mark", "MACs of the float network")])
    picture = bars("Firing rates by layer", told, _names(parts), panels)
    return _section("activity", "Firing rates", told, legend, picture)


def _spikes(compiled: Compiled, analysis: Analysis) -> Markup:
    _, windows = schedule_of(compiled.level("snn-integer"))
    most = max((len(train.neurons) for train in analysis.raster.trains), default=0)
    told = (
        f"The first image, step by step in the reference interpreter: a dot for every spike of up to {most} neurons "
        "of each layer, evenly spaced. The tinted field is when the layer may fire."
    )
    return _section("spikes", "Spikes of one image", told, spike_raster(analysis.raster, windows))


def _timesteps(compiled: Compiled, analysis: Analysis) -> Markup:
    if not analysis.by_timesteps:
        told = f"It cannot be computed from this artefact: {analysis.no_timesteps}"
        return _section("timesteps", "Accuracy against T", told)
    told = (
        "The quantised network, quantised again with other T in the reference interpreter "
        f"({analysis.images} images, 95 % intervals). Clip ranges stay those chosen for T = "
        f"{compiled.conversion.timesteps}; compiled for its own T a network may do better. An exact code gives the "
        "same answers in spikes."
    )
    curve = accuracy_curve(analysis.by_timesteps, analysis.accuracy["float"], analysis.accuracy["spiking"])
    return _section("timesteps", "Accuracy against T", told, curve)


def _steps(compiled: Compiled, analysis: Analysis) -> Iterator[Markup]:
    if not analysis.by_steps:
        return
    codes = dict.fromkeys(point.code for point in analysis.by_steps)
    told = (
        "From an image to its answer, as the schedule has it: in “unary”, layers take their T steps one after the "
        "other. Exact codes answer what the quantised network does; “free” was run on the target. “signed” is counted "
        f"with the most steps that it can take. Clip ranges stay those chosen for code “{compiled.code}” and T = "
        f"{compiled.conversion.timesteps}; compiled for itself, a network may do better."
    )
    legend = _legend([(CODE_COLOURS[code], code) for code in codes])
    curve = steps_curve(analysis.by_steps, analysis.accuracy["float"])
    yield _section("steps", "Accuracy against steps", told, legend, curve)


def _places(compiled: Compiled) -> Iterator[Markup]:
    layout = layout_of(compiled)
    if layout is None:
        return
    told = (
        f"{summed_up(layout)}. A square is a core, its colour says how full the limit is of which it takes "
        "most; under the pointer, what lies there and every use against its limit."
    )
    legend = _legend([(f"use-{shade}", name) for shade, name in SHADES.items()])
    tables = (limits_table(layout), fullest_table(layout))
    yield _section("places", "Where it lies", told, legend, core_map(layout), *tables)


def _known(compiled: Compiled) -> Iterator[Markup]:
    told = "Figures say whether they are measured or estimated; those with a star rest on assumptions."
    constants = [constants_table(compiled)] if constants_of_chip(compiled) else []
    yield _section("cost", "Cost and facts", told, cost_table(compiled), *constants, facts_table(compiled))


def _meanings() -> Markup:
    told = "A float activation becomes what was sent in five steps; each cause is the difference that one step makes."
    entries = (joined(tag("dt", name), tag("dd", meaning)) for name, meaning in CAUSES.items())
    return _section("meanings", "What the causes are", told, tag("dl", entries))


def _footer() -> Markup:
    from neurocuda import __version__

    return tag("footer", f"Written by neurocuda {__version__}. This page fetches nothing and runs no scripts.")
