"""The examples that train: their readers on made-up recordings, and the whole commands in the slow suite."""

from __future__ import annotations

import gzip
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NEUROCUDA_DATA", ROOT / ".." / "shared" / "data"))


def run(*arguments: str) -> str:
    """What an example prints."""
    environment = {**os.environ, "NEUROCUDA_DATA": str(DATA), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(*parts: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not DATA.joinpath(*parts).exists(), reason=f"{'/'.join(parts)} is not in NEUROCUDA_DATA")


@pytest.mark.slow
@needs("events", "nmnist_small.npz")
def test_nmnist(tmp_path: Path) -> None:
    text = run("examples/train_nmnist.py", "--output", str(tmp_path / "nmnist.nca"))
    accuracy = {match[1]: float(match[2]) for match in re.finditer(r"^(\w+): +([\d.]+) % of 100 images", text, re.M)}
    assert accuracy["SNN"] == accuracy["quantised"]
    assert abs(accuracy["quantised"] - accuracy["float"]) <= 1
    assert re.search(r"^0 of [\d,]+ counts differ between stages, on 100 recordings$", text, re.M)


@pytest.mark.slow
@needs("datasets.py")
@pytest.mark.parametrize("network", ["resnet18", "vgg16"])
def test_cifar10_at_a_small_scale(tmp_path: Path, network: str) -> None:
    command = ("examples/train_cifar10.py", "--small", "--network", network, "--checkpoints", str(tmp_path))
    text = run(*command, "--epochs", "4")
    assert text.count(" 0 count mismatches on 10 images") == 3
    assert run(*command, "--epochs", "4").splitlines()[1:] == text.splitlines()[1:]  # from the checkpoints


@pytest.mark.slow
def test_a_vision_transformer_at_a_small_scale() -> None:
    text = run("examples/train_vit.py", "--small", "--timesteps", "15", "127")
    exact, coarse, fine = (float(match[1]) for match in re.finditer(r": +([\d.]+) % of 450 images", text))
    assert exact > 94
    assert exact - coarse < 4
    assert abs(exact - fine) < 1
    assert len(re.findall(r"^ +0 of [\d,]+ counts differ on 20 images$", text, re.M)) == 2


def test_idx_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))  # pyright: ignore[reportUnknownMemberType]
    example = runpy.run_path(str(ROOT / "examples" / "train_vit.py"))
    for split in ("train", "t10k"):
        pixels = np.array([0, 255] * 392, np.uint8)
        (tmp_path / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + pixels.tobytes()))
        (tmp_path / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + bytes([7])))
    images, labels, test, truth = example["fashion_mnist"](tmp_path)
    assert images.shape == test.shape == (1, 1, 28, 28)
    assert images.ravel()[:2].tolist() == pytest.approx([-0.286 / 0.353, 0.714 / 0.353])
    assert labels.tolist() == truth.tolist() == [7]


@pytest.mark.slow
def test_digits(tmp_path: Path) -> None:
    text = run("examples/finetune.py", "--timesteps", "2", "--checkpoints", str(tmp_path))
    before, after = (float(match[1]) for match in re.finditer(r"SNN +([\d.]+) %", text))
    assert after > before + 5
    free = run("examples/finetune.py", "--timesteps", "4", "--free", "--epochs", "5")
    before, after = (float(match[1]) for match in re.finditer(r"SNN +([\d.]+) %", free))
    assert after >= before


def test_both_layouts_of_recordings_are_read(tmp_path: Path) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "train_nmnist.py"))
    events = np.array([[3, 4, 1], [33, 0, 0], [3, 4, 1]])
    times = np.array([0, 150_000, 299_999])
    folder = tmp_path / "Train" / "7"
    folder.mkdir(parents=True)
    high = np.stack([events[:, 0], events[:, 1], events[:, 2] << 7 | times >> 16, times >> 8 & 255, times & 255], 1)
    (folder / "00001.bin").write_bytes(high.astype(np.uint8).tobytes())
    arrays = {"train_xyp": events, "train_t_us": times, "train_off": np.array([0, 3]), "train_y": np.array([7])}
    np.savez(tmp_path / "events.npz", **arrays)  # pyright: ignore[reportArgumentType]
    frame = cast("Callable[[object], NDArray[np.uint8]]", example["frame"])
    (one,) = read(example["from_folder"], tmp_path)
    (other,) = read(example["from_file"], tmp_path / "events.npz")
    np.testing.assert_array_equal(frame(one), frame(other))
    assert np.argwhere(frame(one)).tolist() == [[1, 0, 33], [3, 4, 3], [5, 4, 3]]


def read(reader: object, path: Path) -> Iterator[object]:
    return cast("Callable[[Path, str], Iterator[object]]", reader)(path, "train")
