"""A disk that is full: one line, exit code 1, and nothing half-written, not even an empty folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FULL = """
import resource, signal, sys
from importlib import import_module
main = import_module(sys.argv[1]).main
if sys.argv[2] == "whole":
    sys.exit(main(sys.argv[3:]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
sys.exit(main(sys.argv[3:]))
"""
"""A limit on the size of files answers as a full disk does."""


def run(folder: Path, tool: str, room: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FULL, f"neurocuda.tools.{tool}", room, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def paths_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("nc_compile", ["model.pt2", "--input-shape", "3,8,8", "-o", "out.nca"]),
        ("nc_translate", ["--import-torch", "model.pt2", "-o", "out.mlir"]),
        ("nc_translate", ["--emit-c", "model.nca", "-o", "deep/folder"]),
        ("nc_run", ["model.nca", "--inputs", "images.npy", "-o", "out.npz"]),
    ],
    ids=["nc-compile", "nc-translate --import-torch", "nc-translate --emit-c", "nc-run"],
)
def test_nothing_is_left_behind(
    here: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    tool: str,
    arguments: list[str],
) -> None:
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path_factory.mktemp("cache")))
    assert run(here, "nc_run", "whole", "model.nca", "--inputs", "images.npy").returncode == 0  # fills the cache
    before = paths_below(here)
    done = run(here, tool, "100", *arguments)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if ": warning: " not in line]
    assert "File too large" in line
    assert paths_below(here) == before


def test_a_skeleton_is_written_whole_or_not_at_all(checkout: Path) -> None:
    before = paths_below(checkout)
    done = run(checkout, "nc_new", "1000", "backend", "toychip", "--root", str(checkout))
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert paths_below(checkout) == before
