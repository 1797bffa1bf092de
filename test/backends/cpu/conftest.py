"""Built libraries of a test session stay out of the user's cache."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this session."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("NEUROCUDA_CACHE", str(folder))
    return folder
