"""nc-report: text, JSON, the IR of every level, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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


IMAGES = ("--images", "images.npz", "--labels", "images.npz")


def test_images_show_where_accuracy_went(here: Path, tool: Tool) -> None:
    done = tool("nc-report", "model.nca", *IMAGES)
    assert (done.code, done.err) == (0, "")
    compiled = load(here / "model.nca")
    with np.load(here / "images.npz") as arrays:
        analysis = compiled.analyze(arrays["images"], arrays["labels"])
    assert done.out.endswith(f"\n\n{analysis}\n")
    assert "accuracy, cpu:host: " in done.out
    assert "no labels were given" in tool("nc-report", "model.nca", "--images", "images.npz").out


def test_json_of_images(here: Path, tool: Tool) -> None:
    del here
    found = json.loads(tool("nc-report", "model.nca", *IMAGES, "--json").out)
    assert found["accuracy"]["cpu:host"]["images"] == found["analysis"]["images"] == 20
    assert [part["kind"] for part in found["analysis"]["parts"]] == ["input", "neurons", "output"]
    assert found["schedule"]["windows"][0]["stop"] <= found["schedule"]["steps"]


def test_a_page(here: Path, tool: Tool) -> None:
    done = tool("nc-report", "model.nca", "--html", "without.html")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "What images would add" in (here / "without.html").read_text(encoding="utf-8")
    done = tool("nc-report", "model.nca", *IMAGES, "--html", "with.html", "--json")
    assert json.loads(done.out)["analysis"]["labelled"]
    text = (here / "with.html").read_text(encoding="utf-8")
    assert "Where the accuracy went" in text
    assert "nets.py:" in text
    assert "95 % interval" in text


def test_only_some_images_are_analysed(here: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    del here
    monkeypatch.setattr("neurocuda.tools.nc_report.ANALYZED", 6)
    found = json.loads(tool("nc-report", "model.nca", *IMAGES, "--json").out)
    assert (found["accuracy"]["cpu:host"]["images"], found["analysis"]["images"]) == (20, 6)


def test_refusals(here: Path, tool: Tool) -> None:
    tool("nc-report", "model.nca", "--ir", "nix").refused("'nix'", "snn-integer")
    tool("nc-report", "model.nca", "--labels", "labels.npy").refused("--labels", "--images")
    tool("nc-report", "model.nca", "--ir", "cpu", "--html", "out.html").refused("--ir", "--html")
    tool("nc-report", "model.nca", "--certificate", "--images", "images.npz").refused("--certificate", "--images")
    tool("nc-report", "model.nca", "--images", "nix.npz", "--html", "out.html").refused("nix.npz")
    tool("nc-report", "model.nca", "--images", "pixels.npy", "--html", "out.html").refused("expected float images")
    short = ("--images", "images.npz", "--labels", "short.npy", "--html", "out.html")
    np.save(here / "short.npy", np.arange(7) % 5)
    tool("nc-report", "model.nca", *short).refused("20 images but 7 labels")
    tool("nc-report", "model.nca", "--html", "no/such/folder.html").refused("no/such/folder.html")
    tool("nc-report", "nix.nca").refused("nix.nca", "No such file")
    tool("nc-report", "images.npy").refused("images.npy", "artefact")
    tool("nc-report").refused("MODEL.nca")
    assert not (here / "out.html").exists()
