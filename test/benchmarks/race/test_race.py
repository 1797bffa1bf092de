"""The harness of the race: ratios, networks that mean the same everywhere, and who is refused. Nothing is timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

import neurocuda as nc
from neurocuda.ir.context import weights_of
from neurocuda.reference.interpreter import interpret

if TYPE_CHECKING:
    from architectures import Layers
    from networks import Network

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """The modules beside this file, as the command finds them."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # pyright: ignore[reportUnknownMemberType]
    return import_module


def tiny(layers: Layers) -> str:
    """A stem, a residual block with a projection, one with an identity, a pooling and a classifier."""
    x = layers.neurons(layers.conv(layers.input(2, 8, 8), 4))
    inner = layers.neurons(layers.conv(x, 6, stride=2))
    x = layers.neurons(layers.conv(inner, 6), layers.conv(x, 6, kernel=1, stride=2))
    current = layers.conv(x, 6)
    x = layers.neurons(current, layers.shortcut(x, current))
    return layers.readout(layers.linear(layers.flat(layers.pool(x, 2)), 3))


@pytest.fixture(params=["events", "counts"])
def network(request: pytest.FixtureRequest, load: Load) -> Network:
    found = load("synthetic").synthetic(tiny, 8, 0.2)
    return found if request.param == "events" else load("synthetic").collapsed(found)


def test_the_interpreter_says_the_same_integers_as_pytorch(load: Load, network: Network) -> None:
    images = load("synthetic").random_images(network.input_shape, 4, seed=3)
    expected = load("stepping").expected_logits(network, images)
    context, module = load("writing").written(network)
    (found,) = interpret(module, weights_of(context), [images])
    assert expected.any()
    np.testing.assert_array_equal(found, expected)


def test_every_way_through_pytorch_says_the_same(load: Load) -> None:
    network = load("synthetic").synthetic(tiny, 8, 0.2)
    images = load("synthetic").random_images(network.input_shape, 4, seed=3)
    spiking, x = load("stepping").SpikingNetwork(network), torch.as_tensor(images, dtype=torch.float32)
    expected = load("stepping").expected_logits(network, images)
    np.testing.assert_array_equal(spiking.stepped(x).numpy(), expected)
    np.testing.assert_array_equal(spiking.folded(x).numpy(), expected)


def test_ours_says_the_same(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path))
    network = load("synthetic").synthetic(tiny, 8, 0.2)
    images = load("synthetic").random_images(network.input_shape, 4, seed=3)
    call = load("ours").called(load("ours").built(network, "cpu"), images.astype(np.int8), 1)
    assert load("contestants").differing(call(), load("stepping").expected_logits(network, images)) == ""


def test_layers_fire_at_the_rate(load: Load) -> None:
    network = load("synthetic").synthetic(tiny, 8, 0.1)
    images = load("synthetic").random_images(network.input_shape, 32, seed=3)
    assert load("stepping").firing_rate(network, images) == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize("level", ["snn-integer", "snn-count"])
def test_a_trained_network_is_read_as_it_is(load: Load, level: str) -> None:
    torch.default_generator.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 3)).eval()
    images = np.random.default_rng(0).normal(size=(64, 3, 8, 8)).astype(np.float32)
    conversion = nc.Conversion(code="free", timesteps=4, calibration="mse", threshold_granularity="layer")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    found = load("reading").TrainedNetwork(compiled, level)
    logits = load("stepping").expected_logits(found.network("small"), found.integers(images[:5]))
    np.testing.assert_array_equal(found.interpreted(images[:5]), logits)
    if level == "snn-integer":
        np.testing.assert_array_equal(found.whole(np.asarray(compiled.run(images[:5]).outputs)), logits)


def test_a_layer_that_libraries_lack_is_named(load: Load) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3)).eval()
    images = np.random.default_rng(0).normal(size=(64, 1, 8, 8)).astype(np.float32)
    conversion = nc.Conversion(code="free", timesteps=4, calibration="mse")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    with pytest.raises(load("reading").NotInTheRace, match="running_max_pool2d"):
        load("reading").TrainedNetwork(compiled, "snn-integer").network("small")


# Ratios


def silent(what: str, done: int, rounds: int) -> None:
    """No progress."""


def ticking(*readings: float) -> Callable[[], float]:
    """A clock that says these and then goes on by one."""
    said: Iterator[float] = iter(readings)
    last = [readings[-1]]

    def clock() -> float:
        last[0] = next(said, last[0] + 1)
        return last[0]

    return clock


def test_ratios_are_those_of_the_same_round(load: Load) -> None:
    times = {"events": [1.0, 2.0, 4.0], "peer": [2.0, 4.0, 16.0]}
    spread = load("timing").ratios(times, "events")["peer"]
    assert (spread.median, spread.smallest) == (2.0, 2.0)
    assert spread.low == pytest.approx(2.0)
    assert spread.high == pytest.approx(3.6)


def test_everyone_runs_once_in_a_round(load: Load) -> None:
    ran: list[str] = []
    calls = {name: lambda name=name: ran.append(name) for name in ("a", "b")}
    times = load("timing").timed(calls, ticking(0), 4, 60, silent)
    assert {name: len(each) for name, each in times.items()} == {"a": 4, "b": 4}
    assert ran[-8:] == ["a", "b"] * 4


def test_rounds_end_when_time_is_up_but_there_are_three(load: Load) -> None:
    times = load("timing").timed({"a": lambda: None}, ticking(0), 50, 0, silent)
    assert len(times["a"]) == 3


# Answers


def test_wrong_answers_are_told(load: Load) -> None:
    contestants, logits = load("contestants"), np.asarray([[1, 2, 3]])
    assert contestants.differing(logits, logits) == ""
    assert contestants.differing(logits + np.eye(1, 3, 2, dtype=np.int64), logits) == "1 of 3 logits differ"
    assert contestants.far(logits * 1.01, logits) != ""
    assert contestants.unlike(-logits, logits) == "logits correlate by only -1.00"


def test_what_cannot_be_built_or_answers_wrong_is_left_out(load: Load) -> None:
    contestants, case = load("contestants"), load("case")

    def broken() -> Any:
        raise RuntimeError("no such layer\nand more")

    assert case.tried(broken) == (None, "RuntimeError: no such layer")

    def second_is_wrong(answer: int, number: int) -> str:
        return f"{answer} is wrong" if number == 1 else ""

    liar = contestants.Contestant([lambda: 1, lambda: 2], second_is_wrong)
    assert case.tried(lambda: liar)[1] == "2 is wrong"


def test_outcomes_survive_their_file_and_make_a_page(load: Load) -> None:
    case, spread = load("case"), load("timing").Spread
    outcome = case.Outcome(
        case.Case("mlp", 8, 1, 1, 0.1),
        0.101,
        9,
        {"events": spread(1e-3, 1e-3, 2e-3, 1e-3), "SpikingJelly": spread(0.1, 0.1, 0.1, 0.1)},
        {"events": {"SpikingJelly": spread(100.0, 90.0, 110.0, 80.0)}},
        {"sinabs": "3 of 10 logits differ"},
        {"events": "cpu: llvm"},
        0.5,
        "2026-01-01 00:00 UTC",
        "0123456789",
        "race --quick",
    )
    assert case.Outcome.of(outcome.as_json()) == outcome
    page = load("table").document([outcome], {"torch": "2"})
    assert "| mlp | 8 | 1 | 10 % | events | 1 (least 1) | **100** (90.0–110) | – |" in page
    assert "* sinabs: 3 of 10 logits differ (mlp 0.1 T=8 batch=1 threads=1)" in page
