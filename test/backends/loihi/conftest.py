"""Lava, and Pythons that only pretend to have it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from neurocuda.backends.loihi import lava
from neurocuda.errors import ToolchainError

Pretend = Callable[[str], Path]
"""From the text of a Python script, which runs in the place of every program, to an executable."""


@pytest.fixture
def real_lava() -> lava.Lava:
    """Lava, or a skipped test."""
    try:
        return lava.find_lava()
    except ToolchainError:
        pytest.skip("Lava is not set up: run `make lava`")


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Makes a Python that says it has Lava, and runs another script instead of what it is given."""

    def make(script: str) -> Path:
        instead = tmp_path / "instead.py"
        instead.write_text(script)
        path = tmp_path / "python"
        said = f'if [ "$2" = "-c" ]; then echo "0.10.0 3.11.7"; exit 0; fi\nexec "{sys.executable}" "{instead}" "$@"'
        path.write_text(f"#!/bin/sh\n{said}\n")
        path.chmod(0o755)
        monkeypatch.setenv(lava.PYTHON, str(path))
        return path

    return make
