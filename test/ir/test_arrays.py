"""Arrays from files that are damaged in any way, or are something else."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from neurocuda.errors import InputError
from neurocuda.ir.arrays import read_arrays


def content(suffix: str) -> bytes:
    stream = io.BytesIO()
    images = np.arange(600, dtype=np.float32).reshape(2, 3, 10, 10)
    if suffix == ".npy":
        np.save(stream, images)
    else:
        np.savez_compressed(stream, images=images)
    return stream.getvalue()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str) -> None:
    whole, path = content(suffix), tmp_path / f"images{suffix}"
    for size in (0, 1, 6, 10, 40, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match="cannot read arrays"):
            read_arrays(path)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_refused_or_read(tmp_path: Path, suffix: str, seed: int) -> None:
    random, path = np.random.default_rng(seed), tmp_path / f"images{suffix}"
    whole = content(suffix)
    for _ in range(60):
        damaged = bytearray(whole)
        place = int(random.integers(min(len(whole), 300)))
        damaged[place : place + 3] = random.bytes(3)
        path.write_bytes(damaged)
        try:
            read_arrays(path)
        except InputError as reason:
            assert "cannot read arrays" in str(reason)  # noqa: PT017  both ways are right


@pytest.mark.parametrize("header", [b"{'descr': '<f4', 'shape': (2, (", b"{'descr': 3}", b"", b"\x00\xff", b"{'a':"])
def test_headers_that_are_no_python_are_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "images.npy"
    padded = header.ljust(118) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + bytes(100))
    with pytest.raises(InputError, match="cannot read arrays"):
        read_arrays(path)
