"""Built libraries of a test session stay out of the user's cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.cpu.run import CpuProgram, load_here, load_portable
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.cpu.llvm.features import features_named


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this session."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("NEUROCUDA_CACHE", str(folder))
    return folder


@pytest.fixture
def ways() -> Callable[[ModuleOp, WeightStore, int], Iterator[tuple[str, CpuProgram]]]:
    """The programs of a module as code for this processor, and, by turns, for one with less or as portable C."""

    def loaded(module: ModuleOp, weights: WeightStore, turn: int) -> Iterator[tuple[str, CpuProgram]]:
        yield "host", load_here(module, weights)
        other = ("avx2", "baseline", "c11")[turn % 3]
        if other == "c11":
            yield other, load_portable(module, weights)
        elif features_named(other).flags <= features_named("host").flags:
            yield other, load_here(module, weights, other)

    return loaded
