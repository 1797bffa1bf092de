"""The report as a page: well-formed, nothing fetched, nothing that a name could break."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.compiled import Compiled
from neurocuda.errors import WriteError
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.analysis import AccuracyAt, Analysis, CodeAt
from neurocuda.measure.layers import readout_layers_of
from neurocuda.measure.page.bars import Panel, Segment, bars
from neurocuda.measure.page.curve import CODE_COLOURS, accuracy_curve, steps_curve
from neurocuda.measure.page.drawing import clipped_text, ticks
from neurocuda.measure.page.markup import joined, tag
from neurocuda.measure.page.page import page
from neurocuda.measure.page.tiles import verdict
from neurocuda.options import CODES

VOID = ("meta",)
NASTY = """<script>alert('1')</script>"&amp;"""


class Reader(HTMLParser):
    """Checks that every element is closed in order; keeps elements, their attributes and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> Iterator[str]:
        return (value for attribute, value in self.attributes if attribute == name)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def analysis(compiled: Compiled, images: NDArray[np.float32]) -> Analysis:
    return compiled.analyze(images)


def pages(compiled: Compiled, analysis: Analysis) -> list[str]:
    return [page(compiled, None), page(compiled, analysis)]


def test_it_is_well_formed(compiled: Compiled, analysis: Analysis) -> None:
    for text in pages(compiled, analysis):
        found = read(text)
        names = list(found.values("id"))
        assert len(set(names)) == len(names)
        for value in found.values("aria-labelledby"):
            assert set(value.split()) <= set(names)
        assert {"html", "head", "title", "main", "header", "section", "svg", "table", "footer"} <= set(found.elements)
        for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
            ElementTree.fromstring(svg)


def test_nothing_is_fetched_and_nothing_runs(compiled: Compiled, analysis: Analysis) -> None:
    for text in pages(compiled, analysis):
        found = read(text)
        assert not {"script", "link", "img", "iframe", "object", "embed", "image", "use", "a"} & set(found.elements)
        assert not re.search(r"https?:|url\(|@import|//[a-z]", text)
        assert not {name for name, _ in found.attributes if name.startswith("on") or name in ("src", "href", "style")}
        assert "default-src 'none'" in text


def test_sections(compiled: Compiled, analysis: Analysis) -> None:
    without, with_images = (set(read(text).values("id")) for text in pages(compiled, analysis))
    assert {"schedule", "layers", "cost", "more"} <= without
    expected = {"errors", "losses", "activity", "spikes", "timesteps", "steps", "layers", "cost", "meanings"}
    assert expected <= with_images
    assert "more" not in with_images


def test_layers_stand_beside_the_line_of_the_model(compiled: Compiled, analysis: Analysis) -> None:
    for text in pages(compiled, analysis):
        texts = read(text).texts
        for layer in compiled.layers:
            assert {layer.name, layer.where} <= set(texts)


def test_without_images_readouts_are_listed_behind_the_layers(compiled: Compiled) -> None:
    """As in the text: what they cost, and that they never fire."""
    (readout,) = readout_layers_of(compiled.level("ann-quantized"))
    row = re.search(r"<tr><th[^>]*>last</th>.*?</tr>", page(compiled, None))
    assert row is not None
    assert read(row[0]).texts == ["last", "output", "1", f"{readout.operations:,}", readout.where]


def test_names_are_text(compiled: Compiled, analysis: Analysis) -> None:
    nasty = replace(compiled, name=NASTY)
    parts = tuple(replace(part, name=f"{NASTY}{part.name}", where=NASTY) for part in analysis.parts)
    trains = tuple(replace(train, name=NASTY) for train in analysis.raster.trains)
    broken = replace(analysis, parts=parts, raster=replace(analysis.raster, trains=trains), provenance=NASTY)
    found = read(page(nasty, broken))
    assert "script" not in found.elements
    assert NASTY in found.texts
    assert "script" not in read(page(nasty, None)).elements


def test_why_there_is_no_curve(compiled: Compiled, analysis: Analysis) -> None:
    text = page(compiled, replace(analysis, by_timesteps=(), by_steps=(), no_timesteps="a <reason>"))
    assert "cannot be computed from this artefact: a &lt;reason&gt;" in text
    assert "steps" not in read(text).values("id")


def test_it_is_the_same_every_time(compiled: Compiled, analysis: Analysis, tmp_path: Path) -> None:
    analysis.save_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page(compiled, analysis)
    with pytest.raises(WriteError, match="is a directory"):
        analysis.save_html(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


# Words


def test_the_verdict(analysis: Analysis) -> None:
    worse = {**analysis.accuracy, "spiking": Accuracy(analysis.images - 5, analysis.images)}
    lost = verdict(replace(analysis, accuracy=worse))
    assert lost.startswith("On 32 images the spiking network gives 5 fewer answers of the float network.")
    same = verdict(replace(analysis, accuracy=dict.fromkeys(worse, worse["float"]), labelled=True))
    assert same.startswith("On 32 images the spiking network keeps as many right answers as the float network.")
    assert "With 32 images the accuracy is known to within" in lost


# Pieces


def test_markup() -> None:
    assert tag("p", "a < b", tag("b", "&")) == "<p>a &lt; b<b>&amp;</b></p>"
    assert tag("rect", x=1.04, stroke_width=2.0, class_='"', fill=None) == (
        '<rect x="1" stroke-width="2" class="&quot;"></rect>'
    )
    assert joined("<", (tag("i"), ">")) == "&lt;<i></i>&gt;"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.5, 1]),
        (-3, 9, [-2, 0, 2, 4, 6, 8]),
        (0, 0, [0]),
        (0, 7e6, [0, 2e6, 4e6, 6e6]),
        (-0.042, 0.049, [-0.04, -0.02, 0, 0.02, 0.04]),
        (0, 0.3, [0, 0.1, 0.2, 0.3]),
    ],
)
def test_ticks(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_long_names_lose_their_middle() -> None:
    assert clipped_text("layer1.0.relu", 30) == "layer1.0.relu"
    short = clipped_text("a" * 40 + "z", 11)
    assert (len(short), short[0], short[-1]) == (11, "a", "z")


def test_bars_grow_from_zero() -> None:
    panel = Panel("p", [[Segment(2.0, "weights", "w"), Segment(-1.0, "timing", "t")]], str)
    drawn = ElementTree.fromstring(re.findall(r"<svg.*</svg>", bars("b", "d", ["one"], [panel]))[0])
    pieces = {
        str(each.get("class")): (float(each.get("x", 0)), float(each.get("width", 0)))
        for each in drawn.iter("rect")
        if str(each.get("class")).startswith("fill")
    }
    (right, wide), (left, narrow) = pieces["fill-weights"], pieces["fill-timing"]
    assert wide == pytest.approx(2 * narrow, abs=0.2)
    assert left + narrow == pytest.approx(right, abs=0.2)


def test_a_spiking_network_that_differs_has_its_own_point() -> None:
    exact, own = Accuracy(90, 100), Accuracy(80, 100)
    points = [AccuracyAt(7, own, True), AccuracyAt(15, exact, False)]
    assert ">spiking<" not in accuracy_curve(points, exact, own)
    assert ">spiking<" in accuracy_curve(points, exact, Accuracy(60, 100))
    assert "nan" not in accuracy_curve(points[:1], exact, own)


def test_codes_stand_where_their_steps_are() -> None:
    accuracy = Accuracy(80, 100)
    found = [("unary", 3, 8, False), ("unary", 7, 16, True), ("graded", 3, 2, False), ("graded", 7, 2, False)]
    points = [CodeAt(code, timesteps, steps, accuracy, chosen) for code, timesteps, steps, chosen in found]
    drawn = ElementTree.fromstring(re.findall(r"<svg.*</svg>", steps_curve(points, Accuracy(90, 100)))[0])
    places = [(str(each.get("class")), float(each.get("cx", 0)), each.get("r")) for each in drawn.iter("circle")]
    assert [kind for kind, _, _ in places] == ["fill-own"] * 2 + ["fill-rounding"] * 2
    (_, eight, _), (_, sixteen, large), (_, two, small), (_, same, _) = places
    assert two == same
    assert eight - two == pytest.approx(2 * (sixteen - eight), abs=0.2)
    assert (large, small) == ("7", "4")
    assert "nan" not in steps_curve(points[:1], accuracy)


def test_every_code_has_a_colour() -> None:
    assert set(CODE_COLOURS) == set(CODES) - {"auto"}
    assert len(set(CODE_COLOURS.values())) == len(CODE_COLOURS)
