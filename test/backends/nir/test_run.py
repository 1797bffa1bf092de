"""Target nir: the reference interpreter runs the graph, and says so."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import neurocuda as nc
from neurocuda.backends.nir import emit


def network(pool: nn.Module | None = None) -> nn.Module:
    torch.default_generator.manual_seed(0)
    pool = nn.AvgPool2d(2) if pool is None else pool
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), pool, nn.Flatten(), nn.Linear(12, 4)).eval()


package: Any = import_module("nir")

QUICK = nc.Conversion(timesteps=3, calibration="mse")
FREE = nc.Conversion(code="free", timesteps=3, calibration="mse")
IMAGES = torch.randn(40, 2, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("code", ["unary", "free"])
def test_the_exact_graph_keeps_every_count(code: str) -> None:
    conversion = nc.Conversion(code=code, timesteps=4, calibration="mse")
    compiled = nc.compile(network(), target="nir", calibration=IMAGES, conversion=conversion, validate=True)
    assert compiled.target == "nir:exact"
    validation = compiled.validate(IMAGES)
    assert validation.mismatches == 0
    assert validation.counts > 0
    result = compiled.run(IMAGES)
    assert result.provenance == "reference"
    assert result.steps == (5 if code == "unary" else 4)
    assert compiled.validate(IMAGES, against="cpu").mismatches == 0


def test_the_cheapest_exact_code_is_unary() -> None:
    assert nc.compile(network(), target="nir", calibration=IMAGES, conversion=QUICK).code == "unary"


def test_max_pooling_of_layers_of_one_depth_is_said() -> None:
    compiled = nc.compile(network(nn.MaxPool2d(2)), target="nir", calibration=IMAGES, conversion=QUICK)
    assert compiled.validate(IMAGES).mismatches == 0
    with pytest.raises(nc.UnsupportedModelError, match="average pooling"):
        nc.compile(network(nn.MaxPool2d(2)), target="nir", calibration=IMAGES, conversion=FREE)


def test_the_compatible_graph_means_what_its_file_says() -> None:
    """IF nodes reset to 0, so counts may differ; a warning says so, and comparing counts shows it."""
    conversion = nc.Conversion(code="free", timesteps=8, initial=0.0, calibration="mse")
    with pytest.warns(nc.NeuroCudaWarning, match="subtract their threshold"):
        compiled = nc.compile(network(), target="nir:compatible", calibration=IMAGES, conversion=conversion)
    assert "nir.if" in compiled.ir()
    assert "nir.threshold" not in compiled.ir()
    assert compiled.validate(IMAGES, against="reference").mismatches > 0
    with pytest.raises(nc.UnsupportedModelError, match=r"initial=0"), pytest.warns(nc.NeuroCudaWarning):
        nc.compile(network(), target="nir:compatible", calibration=IMAGES[:1], conversion=FREE)


def test_the_report_says_how_large_the_file_is() -> None:
    compiled = nc.compile(network(), target="nir", calibration=IMAGES, conversion=QUICK)
    assert "nodes: " in compiled.report()
    assert "parameters: " in compiled.report()


def test_codes_that_nir_has_not() -> None:
    with pytest.raises(nc.TargetError, match='target nir has no code "graded"; it has unary, free'):
        nc.compile(network(), target="nir", calibration=IMAGES, conversion=nc.Conversion(code="graded"))
    with pytest.raises(nc.TargetError, match="'nir' has no chip 'lossy'; it has compatible, exact"):
        nc.compile(network(), target="nir:lossy", calibration=IMAGES)


def test_integers_beyond_what_readers_hold() -> None:
    """32 bits of quantised membranes are not asked for; what a code multiplies them by is looked at again."""
    torch.default_generator.manual_seed(0)
    wide = nn.Sequential(nn.Linear(2000, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
    images = torch.randn(300, 2000)
    with pytest.raises(nc.NeuroCudaError, match=r"24 bits|float32 is exact to 2\^23"):
        nc.compile(
            wide,
            target="nir",
            calibration=images,
            conversion=nc.Conversion(code="free", timesteps=60, calibration="mse"),
        )


def test_bad_inputs() -> None:
    compiled = nc.compile(network(), target="nir", calibration=IMAGES, conversion=QUICK)
    with pytest.raises(nc.InputError):
        compiled.run(np.zeros((1, 2, 6, 7), np.float32))
    with pytest.raises(nc.InputError):
        compiled.program.run([])


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    (target,) = (each for each in nc.targets() if each.name == "nir")
    assert (target.chips, target.available) == (("compatible", "exact"), True)

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(emit, "version", missing)
    (target,) = (each for each in nc.targets() if each.name == "nir")
    assert not target.available
    assert "pip install 'neurocuda[nir]'" in target.detail


def test_a_network_from_a_file_is_compiled_for_files(tmp_path: Path) -> None:
    """Floats, leaks and a cycle: the graph gives the network's own trains, and so does what is read back."""
    shape = (6,)
    random = np.random.default_rng(0)
    leak = {"tau": np.full(shape, 5e-4), "r": np.full(shape, 5.0), "v_leak": np.zeros(shape)}
    nodes = {
        "input": package.Input(np.array(shape)),
        "in": package.Linear(random.normal(0, 1, (6, 6)).astype(np.float32)),
        "lif": package.LIF(**leak, v_threshold=np.ones(shape), v_reset=np.zeros(shape)),
        "back": package.Linear(random.normal(0, 1, (6, 6)).astype(np.float32)),
        "output": package.Output(np.array(shape)),
    }
    edges = [("input", "in"), ("in", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "output")]
    package.write(tmp_path / "net.nir", package.NIRGraph(nodes, edges))
    compiled = nc.compile(tmp_path / "net.nir", target="nir", nir=nc.NirOptions(dt=1e-4))
    x = (random.random((3, 40, 6)) < 0.5).astype(np.float32)
    outputs = compiled.run(x).outputs
    assert isinstance(outputs, np.ndarray)
    np.testing.assert_array_equal(outputs, compiled.interpret(x, "snn"))
    assert outputs.sum() > 20
    (path,) = compiled.export(tmp_path / "again")
    np.testing.assert_array_equal(nc.import_model(path, nir=nc.NirOptions(dt=1.0)).interpret(x), outputs)
