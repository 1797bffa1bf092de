"""Images that lie strangely in memory are read right; what is no image is refused in one line, whoever is asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.compiled import Compiled

Array = NDArray[Any]
Floats = NDArray[np.float32]
Held = Callable[[Floats, Path], Any]


def misaligned(images: Floats, folder: Path) -> Array:
    """One byte off."""
    del folder
    octets = np.frombuffer(b"?" + images.tobytes(), np.uint8)
    found = octets[1:].view(images.dtype).reshape(images.shape)
    assert not found.flags.aligned
    return found


def mapped(images: Floats, folder: Path) -> Array:
    """A file that may only be read, behind a header of three bytes."""
    path = folder / "images"
    path.write_bytes(b"abc" + images.tobytes())
    return np.memmap(path, images.dtype, "r", offset=3, shape=images.shape)


PLACES: dict[str, Held] = {
    "misaligned": misaligned,
    "a file": mapped,
    "Fortran order": lambda images, _: np.asfortranarray(images),
    "channels last": lambda images, _: np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
    "every second": lambda images, _: np.repeat(images, 2, axis=3)[..., ::2],
    "backwards": lambda images, _: images[:, :, ::-1].copy()[:, :, ::-1],
    "swapped bytes": lambda images, _: images.astype(">f4"),
    "doubles": lambda images, _: images.astype(np.float64),
    "long doubles": lambda images, _: images.astype(np.longdouble),
    "a tensor, channels last": lambda images, _: torch.as_tensor(images).to(memory_format=torch.channels_last),
    "a tensor that learns": lambda images, _: torch.tensor(images).requires_grad_(),
    "batches": lambda images, _: [images[:3], images[3:]],
}


@pytest.mark.parametrize("place", PLACES)
def test_images_may_lie_anywhere(compiled: Compiled, images: Floats, tmp_path: Path, place: str) -> None:
    before = images.copy()
    held = PLACES[place](images, tmp_path)
    np.testing.assert_array_equal(compiled.run(held).outputs, compiled.run(images).outputs)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("place", ["Fortran order", "every second", "backwards", "a file"])
def test_pixels_may_lie_anywhere(images: Floats, model: torch.nn.Module, tmp_path: Path, place: str) -> None:
    pixels = (images * 40 + 128).clip(0, 255).astype(np.uint8)
    preprocessing = nc.Normalize((0.5,) * 3, (0.2,) * 3)
    network = nc.compile(model, target="cpu", calibration=pixels, preprocessing=preprocessing)
    held = PLACES[place](pixels, tmp_path)  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(network.run(held).outputs, network.run(pixels).outputs)


def test_one_image_for_all_may_lie_once(compiled: Compiled, images: Floats) -> None:
    (outputs,) = {tuple(row) for row in np.asarray(compiled.run(np.broadcast_to(images[:1], images.shape)).outputs)}
    np.testing.assert_array_equal(outputs, np.asarray(compiled.run(images[:1]).outputs)[0])


ASKED: dict[str, Callable[[Compiled, Any], object]] = {
    "run": lambda compiled, x: compiled.run(x),
    "run on reference": lambda compiled, x: compiled.run(x, on="reference"),
    "interpret": lambda compiled, x: compiled.interpret(x),
    "evaluate": lambda compiled, x: compiled.evaluate(x, np.zeros(32, np.int64)),
    "validate": lambda compiled, x: compiled.validate(x),
    "analyze": lambda compiled, x: compiled.analyze(x),
    "neurobench": lambda compiled, x: compiled.neurobench(x, np.zeros(32, np.int64)),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_all(compiled: Compiled, images: Floats, asked: str, value: float) -> None:
    bad = images.copy()
    bad[5:9, 1, 3, 3] = value
    with pytest.raises(nc.InputError) as refusal:
        ASKED[asked](compiled, bad)
    assert str(refusal.value) == "images: there are NaN or infinite values in image 5"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_recordings_are_finite_too(recurrent: Path, events: Floats, value: float) -> None:
    network = nc.compile(recurrent, target="cpu", nir=nc.NirOptions(dt=1e-3))
    events[2:, 7, 1] = value
    for name in ("run", "run on reference", "interpret", "validate"):
        with pytest.raises(nc.InputError, match="there are NaN or infinite values in image 2"):
            ASKED[name](network, events)


def test_images_to_calibrate_with_are_finite_too(images: Floats, model: torch.nn.Module) -> None:
    bad = images.copy()
    bad[4, 0, 0, 0] = np.nan
    with pytest.raises(nc.InputError, match="calibration: there are NaN or infinite values in image 4"):
        nc.compile(model, target="cpu", calibration=bad)


BAD: dict[str, tuple[object, str]] = {
    "objects": (np.zeros((1, 3, 8, 8), object), "expected float images, found object"),
    "dates": (np.zeros((1, 3, 8, 8), "M8[s]"), "expected float images, found datetime64"),
    "raw bytes": (np.zeros((1, 3, 8, 8), "V4"), "expected float images, found |V4"),
    "words": (np.array(["cat.png"]), "expected images of shape (3, 8, 8), found ()"),
    "a single number": (np.array(1.0), "expected images as a tensor or an array, found a single number"),
    "no images": (np.zeros((0, 3, 8, 8), np.float32), "there are no images"),
    "images of nothing": (np.zeros((4, 0, 8, 8), np.float32), "there is nothing in images of shape (0, 8, 8)"),
    "gaps": (np.ma.masked_array(np.zeros((1, 3, 8, 8)), True), "a masked array has gaps; fill them with .filled(0)"),
    "a sparse tensor": (torch.zeros(1, 3, 8, 8).to_sparse(), "a sparse float32 tensor has no plain array; convert it "
                        "with .to_dense()"),
    "no input": ({}, "the inputs are called x, not none"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_image_is_refused_by_all(compiled: Compiled, bad: str) -> None:
    data, message = BAD[bad]
    for asked in ASKED.values():
        with pytest.raises(nc.InputError) as refusal:
            asked(compiled, data)
        assert str(refusal.value).startswith(f"images: {message}")
        assert "\n" not in str(refusal.value)


def test_huge_values_are_clipped_as_the_network_says(compiled: Compiled, images: Floats) -> None:
    """Floats outside of the range that calibration found are clipped, by the program as by the interpreter."""
    huge = np.where(images > 1, np.float32(3e38), np.where(images < -1, np.float32(-3e38), images))
    np.testing.assert_array_equal(compiled.run(huge).outputs, compiled.run(huge, on="reference").outputs)
    np.testing.assert_array_equal(compiled.run(huge).outputs, compiled.run(huge.clip(-1e6, 1e6)).outputs)


def test_one_network_runs_in_several_threads_at_once(compiled: Compiled, images: Floats) -> None:
    expected = compiled.run(images, counts=True)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(compiled.run, images, counts=True, threads=2) for _ in range(12)]
    for result in (future.result() for future in waiting):
        np.testing.assert_array_equal(result.outputs, expected.outputs)
        for layer, counts in expected.counts.items():
            np.testing.assert_array_equal(result.counts[layer], counts)


COMPILE = """
import sys
import numpy as np
import neurocuda as nc
import neurocuda.backends.cpu.run, neurocuda.compiling_trains
print("ready", flush=True)
sys.stdin.readline()
network = nc.compile(sys.argv[1], target="cpu", nir=nc.NirOptions(dt=1e-3))
recordings = np.random.default_rng(1).poisson(0.4, (6, 40, 3)).astype(np.float32)
print(*np.asarray(network.run(recordings).outputs, int).ravel(), sep="")
"""


def test_processes_compile_one_network_at_once(
    recurrent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have loaded everything when they are let go, so that they build at the same time."""
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-W", "error", "-c", COMPILE, str(recurrent)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120) for process in processes]
    assert [error for _, error in told] == [""] * 3
    (outputs,) = {output for output, _ in told}
    assert "1" in outputs
    again = subprocess.run(command, input="\n", capture_output=True, text=True, check=True)
    assert again.stdout == f"ready\n{outputs}"
    leftovers = [path.name for path in (tmp_path / "cache").rglob(".*")]
    assert not leftovers
