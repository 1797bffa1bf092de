"""nc-compile: models from files and code, weights, images, options, what is written and what is told."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from neurocuda.api import load
from neurocuda.compiled import Compiled

Tool = Callable[..., Any]
MODEL = ("--model", "nets:Net", "--input-shape", "3,8,8")


@pytest.fixture
def compiled(here: Path, tool: Tool) -> Callable[..., Compiled]:
    """Compiles with the given arguments and loads what was written."""
    del here

    def run(*arguments: object) -> Compiled:
        done = tool("nc-compile", *arguments, "-o", "out.nca")
        assert done.code == 0, done.err
        return load("out.nca")

    return run


def scores(network: Compiled) -> np.ndarray[Any, Any]:
    outputs = network.run(np.load("images.npy")).outputs
    assert not isinstance(outputs, tuple)
    return outputs


def test_a_program_becomes_an_artefact_that_computes_the_same(here: Path, tool: Tool) -> None:
    done = tool("nc-compile", "model.pt2", "--calibration", "images.npz", "--timesteps", "255", "-o", "deep.nca")
    assert done.code == 0
    assert done.err == ""
    assert done.out.startswith('deep.nca: model for cpu:host, code "graded", T = 255')
    program = torch.export.load(here / "model.pt2").module()
    expected = program(torch.tensor(np.load("images.npy")[:2])).detach().numpy()
    assert np.abs(scores(load("deep.nca"))[:2] - expected).max() < 0.03 * np.abs(expected).max()


def test_the_artefact_is_called_after_the_model(here: Path, tool: Tool) -> None:
    assert tool("nc-compile", "model.pt2").code == 0
    assert tool("nc-compile", "--model", "nets:Factories.small", "--input-shape", "3,8,8").code == 0
    assert (here / "model.nca").is_file()
    assert (here / "small.nca").is_file()


@pytest.mark.parametrize("file", ["weights.pth", "weights.safetensors"])
def test_weights_fill_the_model(compiled: Callable[..., Compiled], file: str) -> None:
    filled = compiled(*MODEL, "--weights", file, "--calibration", "images.npz")
    from_program = compiled("model.pt2", "--calibration", "images.npz")
    np.testing.assert_array_equal(scores(filled), scores(from_program))


def test_weights_of_a_wrapped_model_in_a_checkpoint(compiled: Callable[..., Compiled]) -> None:
    state = torch.load("weights.pth", weights_only=True)
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": value for name, value in state.items()}}, "ck.pth")
    wrapped = compiled(*MODEL, "--weights", "ck.pth", "--calibration", "images.npz")
    plain = compiled(*MODEL, "--weights", "weights.pth", "--calibration", "images.npz")
    np.testing.assert_array_equal(scores(wrapped), scores(plain))


def test_weights_that_do_not_fit(here: Path, tool: Tool) -> None:
    state = torch.load(here / "weights.pth", weights_only=True)
    state["head.weight"] = state.pop("fc.weight")
    state["conv.bias"] = torch.zeros(7)
    torch.save(state, here / "other.pth")
    done = tool("nc-compile", *MODEL, "--weights", "other.pth", "-o", "out.nca")
    done.refused("other.pth", "fc.weight is missing", "head.weight is unexpected", "conv.bias has shape (7,), not (4,)")
    assert not (here / "out.nca").exists()


def test_weights_are_never_executed(here: Path, tool: Tool) -> None:
    torch.save({"fc.weight": Trap(here / "executed")}, here / "trap.pth")
    tool("nc-compile", *MODEL, "--weights", "trap.pth").refused("trap.pth", "more than tensors: getattr")
    assert not (here / "executed").exists()


def test_a_pickled_model_is_told_what_to_do(here: Path, tool: Tool) -> None:
    torch.save(nn.Linear(3, 2), here / "model.pth")
    done = tool("nc-compile", *MODEL, "--weights", "model.pth")
    done.refused("model.pth: holds more than tensors: torch.nn.modules.linear.Linear; save the weights with torch.save")
    assert "\x1b" not in done.err


def test_code_that_ends_the_program(here: Path, tool: Tool) -> None:
    (here / "leaving.py").write_text("import sys\ndef net():\n    sys.exit(0)\n")
    tool("nc-compile", "--model", "leaving.py:net").refused("leaving.py:net", "calling it failed: SystemExit: 0")
    (here / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    tool("nc-compile", "--model", "leaving.py:net").refused("leaving.py cannot be imported: SystemExit: 3")


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("file", ["weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("keep", [0, 50, 400])
def test_truncated_weights(here: Path, tool: Tool, file: str, keep: int) -> None:
    (here / file).write_bytes((here / file).read_bytes()[:keep])
    tool("nc-compile", *MODEL, "--weights", file).refused(file, "damaged")


def test_missing_weights(here: Path, tool: Tool) -> None:
    tool("nc-compile", *MODEL, "--weights", "nix.pth").refused("nix.pth", "No such file")
    tool("nc-compile", *MODEL, "--weights", "nix.safetensors").refused("nix.safetensors", "No such file")
    tool("nc-compile", "model.pt2", "--weights", "weights.pth").refused("--weights goes with --model")
    torch.save([1, 2], here / "list.pth")
    tool("nc-compile", *MODEL, "--weights", "list.pth").refused("list.pth", "dictionary of tensors, found list")
    torch.save({"fc.weight": 3}, here / "number.pth")
    tool("nc-compile", *MODEL, "--weights", "number.pth").refused("number.pth", "'fc.weight' is int")


@pytest.mark.parametrize("place", ["nets.py:Net", "nets:ready", "nets:Factories.small"])
def test_places_of_code(compiled: Callable[..., Compiled], place: str) -> None:
    assert compiled("--model", place, "--input-shape", "3,8,8").name == "Net"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("nets", ["expected package.module:factory"]),
        ("nets:", ["expected package.module:factory"]),
        ("nix:Net", ["there is no module 'nix'"]),
        ("nix.py:Net", ["nix.py: no such file"]),
        ("nets:nix", ["nets has no 'nix'"]),
        ("nets:number", ["expected a function or class, found int"]),
        ("nets:seven", ["expected a torch.nn.Module, found int"]),
        ("nets:broken", ["calling it failed", "ValueError: no such file"]),
        ("faulty:Net", ["faulty cannot be imported", "ZeroDivisionError"]),
    ],
)
def test_code_that_gives_no_model(here: Path, tool: Tool, place: str, words: list[str]) -> None:
    (here / "faulty.py").write_text("1 / 0\n")
    tool("nc-compile", "--model", place, "--input-shape", "3,8,8").refused(*words)


def test_exactly_one_model(here: Path, tool: Tool) -> None:
    del here
    tool("nc-compile").refused("give a model")
    tool("nc-compile", "model.pt2", *MODEL).refused("give a model")


def test_options_reach_the_compiler(compiled: Callable[..., Compiled]) -> None:
    options = ("--timesteps", "3", "--code", "free", "--method", "percentile", "--percentile", "99", "--weight-bits", 4)
    found = compiled("model.pt2", "--calibration", "images.npz", *options).conversion
    assert (found.timesteps, found.code, found.calibration, found.percentile, found.weight_bits) == (
        3,
        "free",
        "percentile",
        99.0,
        4,
    )


def test_time_steps_are_chosen(compiled: Callable[..., Compiled]) -> None:
    network = compiled("model.pt2", "--calibration", "images.npz", "--timesteps", "auto", "--max-accuracy-loss", "100")
    assert network.conversion.timesteps == 3


def test_pixels(compiled: Callable[..., Compiled]) -> None:
    network = compiled("model.pt2", "--calibration", "pixels.npy", "--mean", "0.5,0.4,0.3", "--std", "0.2,0.2,0.2")
    assert network.preprocessing is not None
    assert network.preprocessing.mean == (0.5, 0.4, 0.3)
    network.run(np.load("pixels.npy"))


def test_one_array_per_input_by_name(here: Path, tool: Tool) -> None:
    random = np.random.default_rng(0)
    right, left = (random.standard_normal((9, size)).astype(np.float32) for size in (4, 2))
    np.savez(here / "pairs.npz", right=right, left=left, labels=np.zeros(9, np.int64))
    done = tool("nc-compile", "--model", "nets:Pair", "--calibration", "pairs.npz", "-o", "pair.nca")
    assert done.code == 0, done.err
    outputs = load("pair.nca").run({"left": left, "right": right}).outputs
    done = tool("nc-run", "pair.nca", "--inputs", "pairs.npz", "--output", "out.npz")
    assert done.code == 0, done.err
    np.testing.assert_array_equal(np.load("out.npz")["outputs"], outputs)


def test_summary_as_json(here: Path, tool: Tool) -> None:
    del here
    done = tool("nc-compile", "model.pt2", "--calibration", "images.npz", "-o", "out.nca", "--json")
    found = json.loads(done.out)
    assert (found["artefact"], found["target"], found["code"], found["timesteps"]) == (
        "out.nca",
        "cpu:host",
        "graded",
        15,
    )
    assert done.err == ""


def test_quiet(here: Path, tool: Tool) -> None:
    done = tool("nc-compile", "model.pt2", "--calibration", "images.npz", "-o", "out.nca", "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (here / "out.nca").is_file()


def test_warnings_are_one_line(here: Path, tool: Tool) -> None:
    del here
    done = tool("nc-compile", "model.pt2", "-o", "out.nca")
    assert done.code == 0
    assert done.err.startswith("nc-compile: warning: no calibration images")
    assert done.err.count("\n") == 1


def test_twice_the_same_bytes(here: Path, tool: Tool) -> None:
    for name in ("one.nca", "two.nca"):
        assert tool("nc-compile", "model.pt2", "--calibration", "images.npz", "-o", name).code == 0
    assert (here / "one.nca").read_bytes() == (here / "two.nca").read_bytes()


def test_validated(here: Path, tool: Tool) -> None:
    del here
    done = tool("nc-compile", "model.pt2", "--calibration", "images.npz", "--validate", "-o", "out.nca")
    assert done.code == 0
    assert "validated on 3 images: passed, 0 of" in done.out


def test_explain_lists_everything(here: Path, tool: Tool) -> None:
    done = tool("nc-compile", "--model", "nets:Softened", "--input-shape", "8", "--explain")
    assert done.code == 1
    assert "softmax" in done.out
    assert "layer_norm" in done.out
    assert "nets.py:" in done.out
    assert list(here.glob("*.nca")) == [here / "model.nca"]
    found = json.loads(tool("nc-compile", "--model", "nets:Softened", "--input-shape", "8", "--explain", "--json").out)
    assert found["target"] == "cpu:host"
    assert len(found["problems"]) >= 2


def test_explain_where_nothing_stands_in_the_way(here: Path, tool: Tool) -> None:
    del here
    done = tool("nc-compile", "model.pt2", "--explain")
    assert (done.code, done.out) == (0, "the model can be compiled for cpu:host\n")


def test_targets(tool: Tool) -> None:
    done = tool("nc-compile", "--list-targets")
    assert done.code == 0
    assert done.out.startswith("cpu (aarch64, c11, cortex-m7, host): ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "gpu"], ["'gpu'", "planned"]),
        (["--target", "cpu:nix"], ["no chip 'nix'", "host"]),
        (["--target", "cpx"], ["unknown target 'cpx'", "cpu"]),
        (["--code", "morse"], ["--code", "'morse'"]),
        (["--method", "guess"], ["--method", "'guess'"]),
        (["--timesteps", "0"], ["timesteps", "0"]),
        (["--timesteps", "100000"], ["timesteps", "100000"]),
        (["--timesteps", "many"], ["--timesteps", "'many'"]),
        (["--percentile", "0"], ["percentile"]),
        (["--weight-bits", "64"], ["weight_bits"]),
        (["--max-accuracy-loss", "-1"], ["max_accuracy_loss"]),
        (["--mean", "0.5,0.5,0.5"], ["--mean and --std"]),
        (["--mean", "0.5", "--std", "0"], ["standard deviations"]),
        (["--mean", "a", "--std", "1"], ["--mean", "'a'"]),
        (["--mean", "0.5,0.5", "--std", "1,1"], ["2 channels"]),
        (["--portable", "cpu,nix"], ["'nix'"]),
        (["--input-shape", "3,x"], ["--input-shape", "'3,x'"]),
        (["--input-shape", "3,0,8"], ["--input-shape"]),
        (["--input-shape", "3,9,9"], ["(3, 9, 9)"]),
        (["--output", "nix/out.nca"], ["no folder nix"]),
        (["--output", "folder"], ["folder", "is a directory"]),
        (["--timesteps", "auto"], ["calibration"]),
        (["--calibration", "nix.npz"], ["nix.npz", "No such file"]),
        (["--nix"], ["--nix", "--help"]),
    ],
)
def test_wrong_arguments(here: Path, tool: Tool, arguments: list[str], words: list[str]) -> None:
    (here / "folder").mkdir()
    before = sorted(here.rglob("*"))
    tool("nc-compile", "model.pt2", *arguments).refused(*words)
    assert sorted(path for path in here.rglob("*") if "__pycache__" not in path.parts) == before


def test_the_users_code_is_left_as_it_was(here: Path, tool: Tool) -> None:
    import sys

    path, modules = list(sys.path), set(sys.modules)  # noqa: TID251  compared, not changed
    assert tool("nc-compile", *MODEL, "-o", "out.nca").code == 0
    assert sys.path == path  # noqa: TID251
    assert "nets" in modules | set(sys.modules)
    assert (here / "out.nca").is_file()


@pytest.fixture(autouse=True)
def fresh_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test imports the modules of its own folder."""
    import sys

    for name in ("nets", "faulty"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_wrapped_model_in_training(here: Path, tool: Tool) -> None:
    code = "import nets, torch\n\n\ndef wrapped():\n    return torch.nn.DataParallel(nets.Net()).train()\n"
    (here / "wrapping.py").write_text(code)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = tool("nc-compile", "--model", "wrapping.py:wrapped", "--input-shape", "3,8,8", "-o", "out.nca")
    assert done.code == 0
    assert "DataParallel" in done.err
    assert isinstance(nn.DataParallel(nn.Linear(1, 1)), nn.Module)
