"""nc-diff: networks that agree, the first value that differs, what cannot be compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Tool = Callable[..., Any]

NETWORK = """func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {{
  %a = ann.linear %x weight(dense<{weight}> : tensor<2x2xf32>) {{nc.origin = "first"}} : tensor<2xf32> -> tensor<2xf32> loc("first"("model.py":7:0))
  %b = ann.relu %a {{nc.origin = "second"}} : tensor<2xf32> -> tensor<2xf32> loc("second"("model.py":8:0))
  func.return %b : tensor<2xf32>
}}
"""  # noqa: E501


@pytest.fixture
def pair(here: Path) -> Path:
    """Three networks: two are equal, the weights of one are others."""
    for name, weight in {"a": "0.5", "b": "0.5", "c": "0.25", "d": "0.50000006"}.items():
        (here / f"{name}.mlir").write_text(NETWORK.format(weight=weight))
    return here


def test_equal_networks(pair: Path, tool: Tool) -> None:
    del pair
    done = tool("nc-diff", "a.mlir", "b.mlir", "--rtol", "0")
    assert (done.code, done.out, done.err) == (0, "3 values agree on 3 inputs\n", "")


def test_the_first_value_that_differs(pair: Path, tool: Tool) -> None:
    del pair
    done = tool("nc-diff", "a.mlir", "c.mlir")
    assert done.code == 1
    assert done.err == ""
    first, summary = done.out.splitlines()
    assert re.fullmatch(
        r"first \(first, model\.py:7\): input \d, element \[\d\] is [-\d.]+ and becomes [-\d.]+, "
        r"the largest of 6 differences in 6 elements \(root mean square [\d.]+\)",
        first,
    )
    assert summary == "3 of 3 values differ on 3 inputs"


def test_every_value_that_differs(pair: Path, tool: Tool) -> None:
    del pair
    lines = tool("nc-diff", "a.mlir", "c.mlir", "--all").out.splitlines()
    assert [line.partition(" ")[0].rstrip(":") for line in lines] == ["first", "second", "output", "3"]


def test_tolerance(pair: Path, tool: Tool) -> None:
    del pair
    assert tool("nc-diff", "a.mlir", "d.mlir").code == 0
    assert tool("nc-diff", "a.mlir", "d.mlir", "--rtol", "0").code == 1
    assert tool("nc-diff", "a.mlir", "c.mlir", "--rtol", "0.6").code == 0


def test_json(pair: Path, tool: Tool) -> None:
    del pair
    done = tool("nc-diff", "a.mlir", "c.mlir", "--json")
    found = json.loads(done.out)
    assert (done.code, found["values"], found["differing"]) == (1, 3, 3)
    (first,) = found["differences"]
    assert (first["name"], first["where"]) == ("first", "first, model.py:7")
    assert first["deviation"]["largest"] > 0


def test_given_inputs(pair: Path, tool: Tool) -> None:
    np.save(pair / "zeros.npy", np.zeros((5, 2), np.float32))
    done = tool("nc-diff", "a.mlir", "c.mlir", "--inputs", "zeros.npy")
    assert (done.code, done.out) == (0, "3 values agree on 5 inputs\n")


def test_levels_of_an_artefact(here: Path, tool: Tool) -> None:
    del here
    for before, after in (("ann-quantized", "snn-count"), ("snn-count", "snn-integer"), ("snn-integer", "cpu")):
        exact = ("--rtol", "0", "--inputs", "images.npz")
        done = tool("nc-diff", "model.nca", "--level", before, "--level", after, *exact)
        assert done.code == 0, done
        assert re.fullmatch(r"\d+ values agree on 20 inputs\n", done.out)
    done = tool("nc-diff", "model.nca", "--level", "ann-convertible", "--level", "ann-quantized", "--all")
    assert done.code == 1
    assert "nets.py:" in done.out


def test_artefacts_and_files(here: Path, tool: Tool) -> None:
    del here
    assert tool("nc-compile", "model.pt2", "--timesteps", "3", "-o", "coarse.nca", "-q").code == 0
    assert tool("nc-diff", "model.nca", "coarse.nca").code == 1
    assert tool("nc-diff", "model.nca", "coarse.nca", "--level", "ann-imported").code == 0
    assert tool("nc-translate", "--import-torch", "model.pt2", "-o", "model.mlir").code == 0
    assert tool("nc-diff", "model.mlir", "model.nca", "--level", "ann-imported", "--rtol", "0").code == 0


def test_counts_are_told_beside_values(here: Path, tool: Tool) -> None:
    del here
    assert (
        tool("nc-compile", "model.pt2", "--calibration", "images.npy", "--timesteps", "3", "-o", "coarse.nca").code == 0
    )
    done = tool("nc-diff", "model.nca", "coarse.nca", "--level", "ann-quantized", "--inputs", "images.npz")
    line = done.out.splitlines()[0]
    assert re.match(r"relu \([^)]*nets\.py:\d+\): input \d+, element \[\d, \d, \d\] is [\d.]+ \(count \d+\) and", line)


def test_an_input_whose_counts_do_not_start_at_zero(here: Path, tool: Tool) -> None:
    """A pixel keeps its exact value: only floats are rounded."""
    del here
    pixels = ("--calibration", "pixels.npy", "--mean", "0.4,0.5,0.6", "--std", "0.2,0.3,0.2")
    assert tool("nc-compile", "model.pt2", *pixels, "-o", "pixels.nca").code == 0
    levels = ("--level", "ann-convertible", "--level", "ann-quantized", "--inputs", "pixels.npy", "--all", "--json")
    differing = json.loads(tool("nc-diff", "pixels.nca", *levels).out)["differences"]
    assert differing
    assert "x" not in {difference["name"] for difference in differing}


def test_pixels(here: Path, tool: Tool) -> None:
    del here
    pixels = ("--calibration", "pixels.npy", "--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2")
    assert tool("nc-compile", "model.pt2", *pixels, "-o", "pixels.nca").code == 0
    levels = ("--level", "ann-quantized", "--level", "snn-integer")
    assert tool("nc-diff", "pixels.nca", *levels, "--inputs", "pixels.npy").code == 0
    tool("nc-diff", "pixels.nca", *levels, "--inputs", "images.npy").refused("uint8")
    tool("nc-diff", "pixels.nca", "model.nca").refused("takes", "ui8")


def test_what_cannot_be_compared(pair: Path, tool: Tool) -> None:
    broken = "func.func @main() {\n  %x = nix.nix\n}\n"
    (pair / "broken.mlir").write_text(broken)
    tool("nc-diff", "a.mlir").refused("two files")
    tool("nc-diff", "model.nca", "--level", "cpu").refused("two files", "--level twice")
    tool("nc-diff", "a.mlir", "b.mlir", "--level", "cpu").refused("--level")
    tool("nc-diff", "model.nca", "--level", "cpu", "--level", "nix").refused("'nix'", "snn-integer")
    tool("nc-diff", "a.mlir", "b.mlir", "--rtol", "-1").refused("--rtol")
    tool("nc-diff", "a.mlir", "nix.mlir").refused("nix.mlir")
    tool("nc-diff", "a.mlir", "nix.nca").refused("nix.nca")
    tool("nc-diff", "a.mlir", "model.nca").refused("takes")
    tool("nc-diff", "a.mlir", "b.mlir", "--inputs", "images.npy").refused("images.npy", "(2,)")
    tool("nc-diff", "a.mlir", "b.mlir", *(["--level", "x"] * 3)).refused("--level once or twice")
    done = tool("nc-diff", "a.mlir", "broken.mlir")
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(r"broken\.mlir:2:\d+: error: .*nix\.nix.*\n", done.err)


def test_nothing_in_common(pair: Path, tool: Tool) -> None:
    (pair / "none.mlir").write_text("func.func @main(%x: tensor<2xf32>) {\n  func.return\n}\n")
    tool("nc-diff", "a.mlir", "none.mlir").refused("no value in common")
