"""The graphs that Pedersen et al. published with NIR (Nature Communications 15, 2024), on real recordings."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

import neurocuda

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))
STEPS = 300

pytestmark = pytest.mark.skipif(not (DATA / "nir").is_dir(), reason="needs the published graphs in NEUROCUDA_DATA")

SUBTRACT = neurocuda.NirOptions(reset="subtract")
SINABS = neurocuda.NirOptions(reset="subtract", comparison="non-strict", spikes_per_step=2**31 - 1, lower_bound=-1.0)


def recordings() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The 100 test recordings of N-MNIST, events counted in frames of 1 ms, (100, 300, 2, 34, 34); and their digits."""
    spec = importlib.util.spec_from_file_location("datasets", DATA / "datasets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    events = cast(Callable[[str], Iterator[tuple[Any, ...]]], module.nmnist)
    frames, digits = np.zeros((100, STEPS, 2, 34, 34), np.float32), list[int]()
    for index, (x, y, polarity, microseconds, digit) in enumerate(events("test")):
        inside = microseconds < STEPS * 1000
        where = (microseconds[inside] // 1000, polarity[inside], y[inside], x[inside])
        np.add.at(frames[index], where, 1)
        digits.append(digit)
    return frames, np.array(digits)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "correct"),
    [(SUBTRACT, 97), (neurocuda.NirOptions(), 100), (SINABS, 96)],
    ids=["subtract", "nir", "sinabs"],
)
def test_digits_seen_by_an_event_camera(options: neurocuda.NirOptions, correct: int) -> None:
    frames, digits = recordings()
    model = neurocuda.import_model(DATA / "nir" / "nmnist_cnn.nir", nir=options)
    spikes = [cast("NDArray[np.float32]", model.interpret(frames[index : index + 10])) for index in range(0, 100, 10)]
    assert int((np.concatenate(spikes).sum(axis=1).argmax(axis=1) == digits).sum()) == correct


def parameters(name: str) -> dict[str, dict[str, NDArray[Any]]]:
    """By node and name."""
    with h5py.File(DATA / "nir" / name, "r") as file:
        nodes = cast(Any, file["node/nodes"])
        return {node: {each: np.asarray(nodes[node][each][()]) for each in nodes[node]} for node in nodes}


def test_a_leaky_neuron() -> None:
    p = parameters("lif.nir")
    current = np.random.default_rng(0).normal(0.2, 0.2, (1, 400, 1)).astype(np.float32)
    model = neurocuda.import_model(DATA / "nir" / "lif.nir", nir=neurocuda.NirOptions(dt=1e-4))
    v, expected = np.zeros(1), list[float]()
    for x in current[0].astype(float):
        v = v + 1e-4 / p["1"]["tau"] * (p["1"]["v_leak"] - v + p["1"]["r"] * (p["0"]["weight"] @ x + p["0"]["bias"]))
        expected.append(float(v[0] > p["1"]["v_threshold"][0]))
        v = v * (1 - expected[-1])
    assert sum(expected) > 10
    np.testing.assert_array_equal(cast(Any, model.interpret(current))[0, :, 0], expected)


def test_a_recurrent_network_that_reads_braille() -> None:
    """Spikes go round the recurrent layer in a step."""
    p, dt = parameters("braille_rnn.nir"), 1e-4
    trains = np.random.default_rng(0).integers(0, 2, (1, 256, 12)).astype(np.float32)
    layers = {name: {"i": np.zeros(size), "v": np.zeros(size)} for name, size in (("lif1.lif", 38), ("lif2", 7))}

    def fire(name: str, x: NDArray[Any]) -> NDArray[Any]:
        node, state = p[name], layers[name]
        state["i"] = state["i"] + dt / node["tau_syn"] * (node["w_in"] * x - state["i"])
        state["v"] = state["v"] + dt / node["tau_mem"] * (node["v_leak"] - state["v"] + node["r"] * state["i"])
        spikes = (state["v"] > node["v_threshold"]).astype(float)
        state["v"] = state["v"] * (1 - spikes)
        return spikes

    def weigh(name: str, x: NDArray[Any]) -> NDArray[Any]:
        return p[name]["weight"] @ x + p[name]["bias"]

    hidden, expected = np.zeros(38), list[NDArray[Any]]()
    for x in trains[0]:
        hidden = fire("lif1.lif", weigh("fc1", x) + weigh("lif1.w_rec", hidden))
        expected.append(fire("lif2", weigh("fc2", hidden)))
    model = neurocuda.import_model(DATA / "nir" / "braille_rnn.nir", nir=neurocuda.NirOptions(dt=dt))
    found = cast(Any, model.interpret(trains))[0]
    assert 100 < found.sum() < found.size
    assert (found != np.stack(expected)).mean() < 0.01
