"""Where a network lies on its chips: in the text, as plain values, and as a picture on the page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from neurocuda.compiled import Compiled
from neurocuda.ir.chip import Chip, Figure, Limit
from neurocuda.ir.layout import CoreUse, Layout
from neurocuda.measure.page.cores import MESH_COLUMNS, columns_of, core_map, shade_of
from neurocuda.measure.page.page import page
from neurocuda.measure.placement import fullest, limit_uses, summed_up
from neurocuda.measure.report import figures

TOY = Chip("toy", "a toy", {}, {})

NASTY = """<script>alert('1')</script>"&amp;"""

CHIP = """
summary = "hypothetical: a toy for tests"

[limits.cores]
value = 6
unit = "core"
per = "chip"
source = "invented"
kind = "assumed"

[limits.neurons]
value = 100
unit = "neuron"
per = "core"
source = "data sheet, table 3"
kind = "datasheet"

[limits.synapse_memory]
value = 2000
unit = "byte"
per = "core"
source = "a guess"
kind = "assumed"

[energies.spike]
value = 1.5
unit = "pJ"
source = "another guess"
kind = "assumed"
"""

HOOK = """
from neurocuda.ir.layout import CoreUse, Layout

def layout(module, weights, chip):
    first = CoreUse(0, 0, {"neurons": 50, "synapse_memory": 200}, ("first: 50 of 90 neurons",))
    other = CoreUse(0, 4, {"neurons": 40, "synapse_memory": 1800}, ("first: 40 of 90 neurons", NAME))
    return Layout(chip, (first, other, CoreUse(1, 5, {"neurons": 1}, ("last: 1 of 1 neurons",))))
"""


@pytest.fixture
def placed(compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiled:
    """The network on a target with cores: three of the twelve on two toy chips."""
    package = tmp_path / "placed_target"
    (package / "chips").mkdir(parents=True)
    (package / "__init__.py").write_text(HOOK.replace("NAME", repr(f"{NASTY}: 2 of 2 neurons")))
    (package / "chips" / "toy.toml").write_text(CHIP)
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    hooks = replace(compiled.backend.hooks, layout="placed_target:layout")
    backend = replace(compiled.backend, package="placed_target", hooks=hooks)
    return replace(compiled, backend=backend, chip="toy")


def test_text_says_cores_limits_and_constants_with_their_sources(placed: Compiled) -> None:
    lines = placed.report().splitlines()
    assert lines[1] == "chip toy: hypothetical: a toy for tests"
    assert "where it lies: 3 of 12 cores in use on 2 chips, the fullest to 90 %: chip 0, core 4" in lines
    assert (
        "neurons: 50 % of 100 neuron in the fullest core, 30 % on average, 91 in all (datasheet: data sheet, table 3)"
    ) in lines
    assert (
        "synapse_memory: 90 % of 2,000 byte in the fullest core, 33 % on average, 2,000 in all (assumed*: a guess)"
    ) in lines
    told = [line for line in lines if line.startswith("chip ") and ", core " in line]
    assert [line.partition(":")[0] for line in told] == [
        "chip 0, core 4, 90 % of synapse_memory",
        "chip 0, core 0, 50 % of neurons",
        "chip 1, core 5, 1 % of neurons",
    ]
    assert "spike: 1.5 pJ (assumed*: another guess)" in lines


def test_json_holds_every_core(placed: Compiled) -> None:
    found = json.loads(json.dumps(figures(placed)))
    assert found["chip"]["summary"] == "hypothetical: a toy for tests"
    assert found["chip"]["constants"]["spike"]["source"] == "another guess"
    layout = found["layout"]
    assert (layout["chips"], layout["cores per chip"], list(layout["limits"])) == (2, 6, ["neurons", "synapse_memory"])
    assert [(core["chip"], core["core"], core["share"]) for core in layout["cores"]] == [
        (0, 0, 0.5),
        (0, 4, 0.9),
        (1, 5, 0.01),
    ]
    assert layout["cores"][0]["parts"] == ["first: 50 of 90 neurons"]
    assert layout["cores"][0]["uses"] == {"neurons": 50, "synapse_memory": 200}


def test_a_target_without_cores_has_no_such_section(compiled: Compiled) -> None:
    assert "where it lies" not in compiled.report()
    assert figures(compiled)["layout"] is None
    assert 'id="places"' not in page(compiled, None)
    assert f"chip host: {compiled.backend.chip('host').summary}" in compiled.report()


def test_the_page_draws_a_grid_for_every_chip(placed: Compiled) -> None:
    text = page(placed, None)
    assert "<p>chip toy: hypothetical: a toy for tests</p>" in text
    section = re.search(r'<section id="places".*?</section>', text, re.DOTALL)
    assert section is not None
    (svg,) = re.findall(r"<svg.*?</svg>", section[0], re.DOTALL)
    drawn = ElementTree.fromstring(svg)
    kinds = [str(each.get("class")) for each in drawn.iter("rect")]
    assert kinds == [f"fill-use-{shade}" for shade in (2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1)]
    tips = [str(each.findtext("title")) for each in drawn.iter("rect")]
    assert tips[1] == "core 1: not in use"
    assert tips[4].splitlines() == [
        "chip 0, core 4: 90 %",
        "first: 40 of 90 neurons",
        f"{NASTY}: 2 of 2 neurons",
        "neurons: 40 of 100 neuron (datasheet), 40 %",
        "synapse_memory: 1,800 of 2,000 byte (assumed*), 90 %",
    ]
    assert "chip 1: 1 of 6 cores in use, core 5 is the fullest, 1 %" in str(drawn.findtext("desc"))
    assert "assumed*" in section[0]
    assert "another guess" in text
    assert "<script" not in text


def test_cores_of_a_chip_stand_in_full_rows_where_they_can() -> None:
    assert [columns_of(TOY, cores) for cores in (0, 1, 2, 6, 13, 120, 128)] == [1, 1, 2, 3, 4, 12, 16]
    wide = replace(TOY, constants={MESH_COLUMNS: Figure(5, "core", "data sheet", "datasheet")})
    assert columns_of(wide, 128) == 5
    assert [shade_of(share) for share in (0, 0.25, 0.26, 1, 1.01)] == [1, 1, 2, 4, 5]


def test_a_chip_of_unknown_size_and_an_empty_one() -> None:
    neurons = Limit(Figure(10, "neuron", "data sheet", "datasheet"), "core")
    chip = Chip("toy", "a toy", {"neurons": neurons}, {})
    layout = Layout(chip, (CoreUse(0, 2, {"neurons": 12}, ("a: 12 of 12 neurons",)),))
    assert summed_up(layout) == "1 core in use on 1 chip, the fullest to 120 %: chip 0, core 2"
    assert core_map(layout).count("<rect") == 3
    assert "fill-use-5" in core_map(layout)
    nothing = Layout(chip, ())
    assert summed_up(nothing) == "0 cores in use on 0 chips"
    assert fullest(nothing) == []
    assert [use.fullest_share + use.mean_share for use in limit_uses(nothing)] == [0]
    assert "no core is in use" in core_map(nothing)


def test_many_chips_stand_in_rows() -> None:
    chip = Chip("toy", "a toy", {"cores": Limit(Figure(128, "core", "data sheet", "datasheet"), "chip")}, {})
    layout = Layout(chip, tuple(CoreUse(number, 0, {}, ()) for number in range(5)))
    drawn = ElementTree.fromstring(re.findall(r"<svg.*</svg>", core_map(layout), re.DOTALL)[0])
    width, height = map(float, str(drawn.get("viewBox")).split()[2:])
    places = {(float(each.get("x", 0)), float(each.get("y", 0))) for each in drawn.iter("rect")}
    assert len(places) == 5 * 128
    assert max(x for x, _ in places) + 23 < width
    assert max(y for _, y in places) + 23 < height
