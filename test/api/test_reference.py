"""A network that was compiled for a target, run by the reference interpreter because its name was said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import neurocuda as nc
from neurocuda.errors import ToolchainError

IMAGES = torch.randn(20, 2, 6, 6, generator=torch.Generator().manual_seed(1))


def network() -> nn.Module:
    torch.default_generator.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 4), nn.ReLU(), nn.Linear(4, 3)
    ).eval()


@pytest.mark.parametrize(
    ("target", "code"),
    [*(("cpu", code) for code in ("graded", "latency", "radix", "unary", "free")), ("nir", "unary"), ("nir", "free")],
)
def test_it_gives_what_the_target_gives(target: str, code: str) -> None:
    conversion = nc.Conversion(code=code, timesteps=4, calibration="mse")
    compiled = nc.compile(network(), target=target, calibration=IMAGES, conversion=conversion)
    told: list[tuple[int, int]] = []
    found = compiled.run(IMAGES, on="reference", progress=lambda done, of: told.append((done, of)))
    expected = compiled.run(IMAGES)
    np.testing.assert_array_equal(found.outputs, expected.outputs)
    assert found.steps == expected.steps
    assert set(found.counts) == set(expected.counts) == {layer.name for layer in compiled.layers}
    for name, counts in found.counts.items():
        np.testing.assert_array_equal(counts, expected.counts[name])
    assert found.provenance == "reference"
    assert told == [(16, 20), (20, 20)]


@pytest.mark.parametrize("code", ["unary", "latency"])
def test_loihi_needs_no_lava_for_it(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCUDA_LAVA_PYTHON", "none")
    conversion = nc.Conversion(code=code, timesteps=3, weight_bits=4, calibration="mse")
    compiled = nc.compile(network(), target="loihi", calibration=IMAGES, conversion=conversion)
    with pytest.raises(ToolchainError, match="is no Python that has Lava"):
        compiled.run(IMAGES)
    found = compiled.run(IMAGES[:4], on="reference")
    np.testing.assert_array_equal(found.outputs, compiled.interpret(IMAGES[:4], "snn-integer"))
    assert {name: counts.shape[1:] for name, counts in found.counts.items()} == {
        layer.name: layer.shape for layer in compiled.layers
    }


def test_it_needs_no_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nc.compile(network(), target="cpu:c11", calibration=IMAGES, conversion=nc.Conversion(timesteps=3)).save(
        tmp_path / "m.nca"
    )
    compiled = nc.load(tmp_path / "m.nca")
    monkeypatch.setenv("CC", "none")
    with pytest.raises(ToolchainError, match="CC is 'none'"):
        compiled.run(IMAGES)
    assert compiled.run(IMAGES[:2], on="reference", counts=False).counts == {}


@pytest.mark.parametrize("on", ["cpu", "Reference", "", 3])
def test_there_is_nothing_else_to_run_on(on: object) -> None:
    compiled = nc.compile(network(), target="cpu", calibration=IMAGES, conversion=nc.Conversion(timesteps=3))
    with pytest.raises(nc.OptionError, match='a network runs on its target, or on="reference", not on='):
        compiled.run(IMAGES, on=on)  # pyright: ignore[reportArgumentType]
