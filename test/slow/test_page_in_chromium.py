"""The report in a browser that people use: Debian's chromium, headless, with its network log."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

import neurocuda as nc
from neurocuda.measure.page.page import save_page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium (apt-get install chromium)"),
]

SECTIONS = {
    "with": {"errors", "losses", "activity", "spikes", "timesteps", "steps", "layers", "cost", "meanings"},
    "without": {"schedule", "layers", "cost", "more"},
    "placed": {"schedule", "layers", "places", "cost", "more"},
}

PLACED = """
from neurocuda.ir.chip import Chip, Figure, Limit
from neurocuda.ir.layout import CoreUse, Layout

def layout(module, weights, chip):
    limits = {"cores": Limit(Figure(128, "core", "", "assumed"), "chip"),
              "neurons": Limit(Figure(100, "neuron", "", "assumed"), "core")}
    cores = (CoreUse(core // 128, core % 128, {"neurons": core % 101}, ("layer: some",)) for core in range(200))
    return Layout(Chip("toy", "hypothetical", limits, {}), tuple(cores))
"""
"""A target's layout: 200 cores of two chips, from empty to full."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages of a small network; one as if its target had cores."""
    folder = tmp_path_factory.mktemp("pages")
    torch.default_generator.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)).eval()
    images = np.random.default_rng(0).standard_normal((20, 3, 8, 8)).astype(np.float32)
    compiled = nc.compile(model, target="cpu", calibration=images)
    compiled.evaluate(images, np.arange(20) % 5)
    compiled.analyze(images, np.arange(20) % 5).save_html(folder / "with.html")
    save_page(folder / "without.html", compiled, None)
    (folder / "placed_on_cores.py").write_text(PLACED)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))  # pyright: ignore[reportUnknownMemberType]
        hooks = replace(compiled.backend.hooks, layout="placed_on_cores:layout")
        placed = replace(compiled, backend=replace(compiled.backend, hooks=hooks))
        save_page(folder / "placed.html", placed, None)
    return folder


def chromium(folder: Path, page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Opens a page in a profile of its own; what it logs is on stderr."""
    fixed = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder}/profile",
    )
    log = ("--enable-logging=stderr", "--v=0", "--disable-background-networking", f"--log-net-log={folder}/net.json")
    command = ["chromium", *fixed, *log, *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_loads(pages: Path, tmp_path: Path, name: str) -> None:
    done = chromium(tmp_path, pages / f"{name}.html", "--dump-dom")
    assert "CONSOLE" not in done.stderr, done.stderr
    assert set(re.findall(r'<section id="([a-z]+)"', done.stdout)) == SECTIONS[name]
    assert requests(tmp_path / "net.json") == []


def requests(log: Path) -> list[str]:
    """Addresses that a page asked for; those of the browser itself are told by their traffic annotation."""
    events = cast("list[dict[str, object]]", json.loads(log.read_text())["events"])
    parameters = (cast("dict[str, object]", event.get("params", {})) for event in events)
    asked = (each for each in parameters if str(each.get("url", "")).startswith(("http:", "https:")))
    return [str(each["url"]) for each in asked if str(each.get("initiator", "")) not in ("", "not an origin")]


@pytest.mark.parametrize("name", ["with", "placed"])
def test_light_and_dark_have_colours_of_their_own(pages: Path, tmp_path: Path, name: str) -> None:
    pictures: list[bytes] = []
    for scheme in ("1", "0"):
        options = ("--window-size=1400,1800", f"--blink-settings=preferredColorScheme={scheme}")
        chromium(tmp_path, pages / f"{name}.html", f"--screenshot={tmp_path}/{scheme}.png", *options)
        pictures.append((tmp_path / f"{scheme}.png").read_bytes())
    assert all(picture.startswith(b"\x89PNG") and len(picture) > 50_000 for picture in pictures)
    assert pictures[0] != pictures[1]


def test_a_fault_would_be_seen(tmp_path: Path) -> None:
    """The same checks fail on a page that runs a script and fetches a picture."""
    page = tmp_path / "bad.html"
    page.write_text('<script>console.log("here")</script><img src="http://localhost:9/nothing.png">')
    done = chromium(tmp_path, page, "--dump-dom")
    assert "CONSOLE" in done.stderr
    assert requests(tmp_path / "net.json") != []
