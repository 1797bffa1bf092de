"""Networks of spike trains from a .nir file to the CPU: as they are, and in integers."""

from __future__ import annotations

import json
import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.measure.page.page import save_page
from neurocuda.tools import nc_compile, nc_run

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
OPTIONS = nc.NirOptions(dt=1e-3)
INTEGERS = nc.Conversion(weight_bits=8)

Floats = NDArray[np.float32]


def test_a_network_runs_as_it_is(recurrent: Path, events: Floats) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS, calibration=events, validate=True)
    result = compiled.run(events, threads=2)
    assert isinstance(result.outputs, np.ndarray)
    assert (result.outputs.shape, result.outputs.dtype, result.steps) == ((6, 40, 2), np.float32, 40)
    np.testing.assert_array_equal(result.counts["last"], result.outputs.sum(axis=1))
    np.testing.assert_array_equal(result.scores, result.outputs.sum(axis=1))
    assert result.counts["lif"].any()
    assert tuple(compiled.levels) == ("snn", "cpu")
    assert compiled.validate(events).divergences[0].differing == 0
    assert "in floats" in compiled.report()
    assert not compiled.certificate().exact


def test_with_weight_bits_it_becomes_integers(recurrent: Path, events: Floats) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=INTEGERS, calibration=events, validate=True)
    validation = compiled.validate(events)
    assert validation.passed
    assert (validation.mismatches, len(validation.drifts)) == (0, 1)
    assert compiled.validate(events, against="reference").passed
    assert tuple(compiled.levels) == ("snn", "snn-integer", "cpu")
    assert "integers, weights of 8 bits" in compiled.report()
    assert compiled.certificate().exact


def test_events_may_be_counts_of_any_type(recurrent: Path, events: Floats) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS)
    np.testing.assert_array_equal(compiled.run(events.astype(np.uint8)).outputs, compiled.run(events).outputs)


def test_accuracy_is_that_of_the_sums_over_time(recurrent: Path, events: Floats) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS)
    labels = compiled.run(events).scores.argmax(axis=1)
    found = compiled.evaluate(events, labels)
    assert (found.accuracy.correct, found.steps, found.operations) == (6, 40, None)
    assert found.spikes_per_neuron is not None
    assert found.spikes_per_neuron > 0
    assert compiled.evaluate(events, labels, level="snn").accuracy.correct == 6


@pytest.mark.parametrize("conversion", [nc.Conversion(), INTEGERS], ids=["floats", "integers"])
def test_an_artefact_gives_the_same_spikes(
    recurrent: Path, events: Floats, tmp_path: Path, conversion: nc.Conversion
) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=conversion)
    compiled.validate(events)
    path = tmp_path / "network.nca"
    compiled.save(path)
    loaded = nc.load(path)
    np.testing.assert_array_equal(loaded.run(events).outputs, compiled.run(events).outputs)
    assert loaded.validation is not None
    assert loaded.validation.divergences == (compiled.validation.divergences if compiled.validation else ())
    assert loaded.report().splitlines()[:4] == compiled.report().splitlines()[:4]
    again = tmp_path / "again.nca"
    compiled.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_what_does_not_fit_is_told(recurrent: Path, events: Floats) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS)
    with pytest.raises(nc.InputError, match=r"expected recordings of shape \(time, 3\), found \(3,\)"):
        compiled.run(events[:, 0])
    with pytest.raises(nc.InputError, match="NaN"):
        compiled.run(events * np.float32("nan"))
    with pytest.raises(nc.OptionError, match="execution: spike trains stand for themselves"):
        nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=nc.Conversion(execution="counts"))
    assert nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=nc.Conversion(execution="events")).trains
    with pytest.raises(nc.OptionError, match="timesteps: spike trains stand for themselves"):
        nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=nc.Conversion(timesteps=7))
    with pytest.raises(nc.TargetError, match="weight_bits=12: target cpu takes at most 8"):
        nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=nc.Conversion(weight_bits=12))


@pytest.mark.parametrize("value", [0.5, -1.0, 256.0])
def test_integers_are_given_counts(recurrent: Path, events: Floats, value: float) -> None:
    compiled = nc.compile(recurrent, target="cpu", nir=OPTIONS, conversion=INTEGERS)
    events[2, 5, 1] = value
    with pytest.raises(nc.InputError, match=rf"takes whole numbers 0 \.\.\. 255, found {value:g} in recording 2"):
        compiled.run(events)


def test_the_tools_know_trains(
    recurrent: Path, events: Floats, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artefact, inputs = tmp_path / "network.nca", tmp_path / "events.npz"
    np.savez(inputs, allow_pickle=False, images=events)
    assert nc_compile.main([str(recurrent), "--dt", "1e-3", "--weight-bits", "8", "-o", str(artefact), "--quiet"]) == 0
    assert nc_run.main([str(artefact), "--inputs", str(inputs), "--json", "--quiet"]) == 0
    told = cast("dict[str, Any]", json.loads(capsys.readouterr().out))
    assert told["steps"] == 40
    assert len(told["classes"]) == 6


def test_a_page_is_for_images(recurrent: Path, tmp_path: Path) -> None:
    with pytest.raises(nc.OptionError, match="this is one of spike trains"):
        save_page(tmp_path / "page.html", nc.compile(recurrent, target="cpu", nir=OPTIONS), None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "floats", "integers"),
    [
        (nc.NirOptions(reset="subtract"), 97, 98),
        (nc.NirOptions(), 100, 100),
        (nc.NirOptions(reset="subtract", spikes_per_step=64, lower_bound=-1.0), 96, 97),
    ],
    ids=["subtract", "zero", "many"],
)
def test_nmnist(options: nc.NirOptions, floats: int, integers: int) -> None:
    """All 100 test recordings, events counted in 300 frames of 1 ms."""
    file = DATA / "nir" / "nmnist_cnn.nir"
    if not file.exists():
        pytest.skip(f"NEUROCUDA_DATA has no nir/nmnist_cnn.nir: {DATA}")
    frames, labels = _recordings()
    for conversion, expected in ((nc.Conversion(), floats), (INTEGERS, integers)):
        compiled = nc.compile(file, target="cpu", nir=options, conversion=conversion)
        assert compiled.evaluate(frames, labels).accuracy.correct == expected


def _recordings() -> tuple[Floats, NDArray[np.int64]]:
    spec = spec_from_file_location("shared_datasets", DATA / "datasets.py")
    assert spec is not None
    assert spec.loader is not None
    datasets = module_from_spec(spec)
    spec.loader.exec_module(datasets)
    recordings = list(datasets.nmnist("test"))
    frames = np.zeros((len(recordings), 300, 2, 34, 34), np.float32)
    for frame, (x, y, polarity, microseconds, _) in zip(frames, recordings, strict=True):
        step = microseconds // 1000
        inside = step < 300
        np.add.at(frame, (step[inside], polarity[inside], y[inside], x[inside]), 1)
    return frames, np.array([label for *_, label in recordings])
