"""nc-run: images from files, outputs, spikes, accuracy, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurocuda.api import load

Tool = Callable[..., Any]


def test_classes_of_images(here: Path, tool: Tool) -> None:
    done = tool("nc-run", "model.nca", "--inputs", "images.npz")
    assert (done.code, done.err) == (0, "")
    outputs = load(here / "model.nca").run(np.load(here / "images.npy")).outputs
    assert not isinstance(outputs, tuple)
    first, second = done.out.splitlines()
    assert first.startswith("20 images, ")
    assert "1 step, cpu: counts, " in first
    assert second == "classes: " + " ".join(str(best) for best in outputs.argmax(axis=1))


@pytest.mark.usefixtures("here")
def test_the_interpreter_runs_it_by_name(tool: Tool) -> None:
    expected = tool("nc-run", "model.nca", "--inputs", "images.npz").out.splitlines()[1]
    done = tool("nc-run", "model.nca", "--inputs", "images.npz", "--on", "reference")
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first.endswith("step, reference")
    assert second == expected
    done = tool("nc-run", "model.nca", "--inputs", "images.npz", "--labels", "labels.npy", "--on", "reference")
    assert "of 20 images (95 % interval" in done.out
    assert tool("nc-run", "model.nca", "--inputs", "images.npz", "--on", "cpu").code == 1


def test_many_classes_are_cut(here: Path, tool: Tool) -> None:
    np.save(here / "more.npy", np.concatenate([np.load(here / "images.npy")] * 2))
    assert tool("nc-run", "model.nca", "--inputs", "more.npy").out.endswith(" ... (40 in all)\n")


@pytest.mark.parametrize("labels", ["labels.npy", "images.npz"])
def test_accuracy(here: Path, tool: Tool, labels: str) -> None:
    outputs = load(here / "model.nca").run(np.load(here / "images.npy")).outputs
    assert not isinstance(outputs, tuple)
    correct = int((outputs.argmax(axis=1) == np.load(here / "labels.npy")).sum())
    done = tool("nc-run", "model.nca", "--inputs", "images.npz", "--labels", labels)
    assert done.out.startswith(f"{5 * correct:.2f} % of 20 images (95 % interval ")
    done = tool("nc-run", "model.nca", "--inputs", "images.npz", "--labels", labels, "--json")
    found = json.loads(done.out)
    assert (found["correct"], found["images"], found["accuracy"]) == (correct, 20, correct / 20)
    assert 0 < found["spikes_per_neuron"] < 15


def test_outputs_and_counts_are_written(here: Path, tool: Tool) -> None:
    arguments = ("--inputs", "images.npy", "--counts", "--labels", "labels.npy", "--output", "out.npz", "--json")
    done = tool("nc-run", "model.nca", *arguments)
    assert (done.code, done.err) == (0, "nc-run: wrote out.npz\n")
    expected = load(here / "model.nca").run(np.load(here / "images.npy"), counts=True)
    written = np.load(here / "out.npz")
    assert not isinstance(expected.outputs, tuple)
    np.testing.assert_array_equal(written["outputs"], expected.outputs)
    assert set(written.files) == {"outputs", *(f"counts/{layer}" for layer in expected.counts)}
    for layer, counts in expected.counts.items():
        np.testing.assert_array_equal(written[f"counts/{layer}"], counts)
    found = json.loads(done.out)
    assert found["classes"] == expected.outputs.argmax(axis=1).tolist()
    assert found["count_per_neuron"] == {layer: float(counts.mean()) for layer, counts in expected.counts.items()}


@pytest.mark.parametrize("name", ["out.txt", "out.npy", "out"])
def test_outputs_have_one_format(here: Path, tool: Tool, name: str) -> None:
    tool("nc-run", "model.nca", "--inputs", "images.npy", "-o", name).refused(f"{name}: outputs are written as .npz")
    assert not (here / name).exists()


def test_a_program_is_no_artefact(here: Path, tool: Tool) -> None:
    del here
    for name, arguments in {"nc-run": ("--inputs", "images.npy"), "nc-report": ()}.items():
        tool(name, "model.pt2", *arguments).refused("model.pt2 is a PyTorch program", "nc-compile model.pt2")
    tool("nc-compile", "model.nca").refused("'model.nca' is compiled already", "nc-run")


def test_spikes_are_told(here: Path, tool: Tool) -> None:
    out = tool("nc-run", "model.nca", "--inputs", "images.npy", "--counts").out
    counts = load(here / "model.nca").run(np.load(here / "images.npy"), counts=True).counts
    for layer, values in counts.items():
        assert f"  {layer:32} {values.mean():.4g}\n" in out


def test_threads_change_nothing(here: Path, tool: Tool) -> None:
    for threads in (1, 3):
        done = tool("nc-run", "model.nca", "--inputs", "images.npy", "--threads", threads, "-o", f"{threads}.npz")
        assert done.code == 0
    np.testing.assert_array_equal(np.load(here / "1.npz")["outputs"], np.load(here / "3.npz")["outputs"])


def test_preprocessing_travels_in_the_artefact(here: Path, tool: Tool) -> None:
    del here
    pixels = ("--calibration", "pixels.npy", "--mean", "0.5,0.5,0.5", "--std", "0.2,0.2,0.2")
    assert tool("nc-compile", "model.pt2", *pixels, "-o", "pixels.nca").code == 0
    assert tool("nc-run", "pixels.nca", "--inputs", "pixels.npy").code == 0
    tool("nc-run", "pixels.nca", "--inputs", "images.npy").refused("uint8", "float32")


def test_quiet(here: Path, tool: Tool) -> None:
    done = tool("nc-run", "model.nca", "--inputs", "images.npy", "--quiet", "-o", "out.npz")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (here / "out.npz").is_file()


def test_wrong_images(here: Path, tool: Tool) -> None:
    images = np.load(here / "images.npy")
    wrong = {
        "missing_axis": (images[0], "batch axis is missing"),
        "channels_last": (images.transpose(0, 2, 3, 1), "channels come first"),
        "size": (images[:, :, :7], "(3, 8, 8)"),
        "integers": (images.astype(np.int64), "int64"),
        "pixels": (np.zeros((2, 3, 8, 8), np.uint8), "Normalize"),
        "complex": (images.astype(np.complex64), "complex64"),
        "text": (np.array(["a", "b"]), "(3, 8, 8)"),
        "none": (images[:0], "no images"),
        "infinite": (np.full_like(images, np.inf), "infinite values in image 0"),
    }
    for name, (array, words) in wrong.items():
        np.save(here / f"{name}.npy", array)
        tool("nc-run", "model.nca", "--inputs", f"{name}.npy", "-o", "out.npz").refused(words)
    assert not (here / "out.npz").exists()


def test_wrong_files(here: Path, tool: Tool) -> None:
    np.save(here / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.savez(here / "empty.npz")
    np.savez(here / "several.npz", a=np.zeros(2), b=np.zeros(2))
    (here / "torn.npz").write_bytes((here / "images.npz").read_bytes()[:300])
    for file, words in {
        "nix.npz": "No such file",
        "objects.npy": "objects.npy",
        "empty.npz": "no images",
        "several.npz": "called x, not a, b",
        "torn.npz": "torn.npz",
        "nets.py": "nets.py",
        ".": ".",
    }.items():
        tool("nc-run", "model.nca", "--inputs", file).refused(words)
    tool("nc-run", "model.nca").refused("--inputs")
    tool("nc-run", "nix.nca", "--inputs", "images.npy").refused("nix.nca", "No such file")
    tool("nc-run", "images.npz", "--inputs", "images.npy").refused("images.npz", "artefact")


def test_wrong_labels(here: Path, tool: Tool) -> None:
    for name, array in {
        "few": np.zeros(3, int),
        "strange": np.arange(20),
        "fractions": np.zeros(20),
        "square": np.zeros((20, 2), int),
    }.items():
        np.save(here / f"{name}.npy", array)
        for more in ((), ("--counts",)):
            done = tool("nc-run", "model.nca", "--inputs", "images.npy", "--labels", f"{name}.npy", *more)
            done.refused("labels")
    np.savez(here / "several.npz", a=np.zeros(2), b=np.zeros(2))
    tool("nc-run", "model.nca", "--inputs", "images.npy", "--labels", "several.npz").refused("'labels'", "a, b")


def test_wrong_numbers(here: Path, tool: Tool) -> None:
    del here
    for threads in ("0", "-1", "two"):
        tool("nc-run", "model.nca", "--inputs", "images.npy", "--threads", threads).refused("threads")


def test_output_that_cannot_be_written(here: Path, tool: Tool) -> None:
    (here / "folder.npz").mkdir()
    tool("nc-run", "no.nca", "--inputs", "no.npy", "-o", "folder.npz").refused("folder.npz", "is a directory")
    tool("nc-run", "model.nca", "--inputs", "images.npy", "-o", "folder.npz").refused("folder.npz")
    tool("nc-run", "model.nca", "--inputs", "images.npy", "-o", "nix/out.npz").refused("nix/out.npz")
    if Path("/dev/full").exists():
        tool("nc-run", "model.nca", "--inputs", "images.npy", "-o", "/dev/full").refused("No space left")
