"""nc-report: text, JSON, the IR of every level, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neurocuda.api import load

Tool = Callable[..., Any]


def test_text_is_the_report(here: Path, tool: Tool) -> None:
    done = tool("nc-report", "model.nca")
    assert (done.code, done.err) == (0, "")
    assert done.out == load(here / "model.nca").report() + "\n"
    assert done.out.startswith("Net for cpu:host\n")


def test_json_holds_layers_and_cost(here: Path, tool: Tool) -> None:
    found = json.loads(tool("nc-report", "model.nca", "--json").out)
    compiled = load(here / "model.nca")
    assert (found["name"], found["target"], found["code"], found["timesteps"]) == ("Net", "cpu:host", "graded", 15)
    assert found["levels"] == list(compiled.levels)
    (layer,) = found["layers"]
    assert (layer["shape"], layer["neurons"], layer["levels"], layer["synapses"]) == ([4, 8, 8], 256, 15, 1)
    assert "nets.py:" in layer["where"]
    assert {"name", "value", "unit", "kind"} == set(found["cost"][0])
    assert {reading["kind"] for reading in found["cost"]} == {"estimated"}


def test_every_level_can_be_printed(here: Path, tool: Tool) -> None:
    compiled = load(here / "model.nca")
    for level in compiled.levels:
        done = tool("nc-report", "model.nca", "--ir", level)
        assert done.code == 0
        assert done.out == compiled.ir(level) + "\n"
        assert f'nc.level = "{level}"' in done.out
    assert "nets.py" in tool("nc-report", "model.nca", "--ir", "ann-imported", "--locations").out


def test_certificate(here: Path, tool: Tool) -> None:
    del here
    assert 'code "graded" is exact' in tool("nc-report", "model.nca", "--certificate").out


def test_refusals(here: Path, tool: Tool) -> None:
    tool("nc-report", "model.nca", "--ir", "nix").refused("'nix'", "snn-integer")
    tool("nc-report", "model.nca", "--html", "out.html").refused("--html", "planned")
    tool("nc-report", "nix.nca").refused("nix.nca", "No such file")
    tool("nc-report", "images.npy").refused("images.npy", "artefact")
    tool("nc-report").refused("MODEL.nca")
    assert not (here / "out.html").exists()
