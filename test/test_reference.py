"""The generated reference says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurocuda.tools.nc_docs import main, references

ROOT = Path(__file__).resolve().parent.parent

TEXTS = references()


@pytest.mark.parametrize("name", TEXTS)
def test_the_reference_is_current(name: str) -> None:
    path = ROOT / "docs" / "reference" / name
    assert path.is_file(), "run `make docs`"
    assert path.read_text(encoding="utf-8").splitlines() == TEXTS[name].splitlines(), "run `make docs`"


def test_an_operation_is_shown_with_what_it_takes() -> None:
    section = TEXTS["dialects.md"].partition("### `ann.max_pool2d`")[2].partition("###")[0]
    assert "ann.max_pool2d $input kernel $kernel (stride $stride)? " in section
    assert "| operand | `input` | tensor |  |" in section
    assert "| property | `stride` | integers | `array<i64: 1, 1>` |" in section
    assert "(C1) The result has the inferred shape." in section
    assert "Pure" in section


def test_a_pass_is_shown_with_its_options_and_promise() -> None:
    section = TEXTS["passes.md"].partition("### balance-thresholds\n")[2].partition("###")[0]
    assert "Before:\n\n```mlir\nfunc.func @main" in section
    assert "| `timesteps` | int | `15` |" in section
    assert "Promise: `Equal(rtol=0.0)`." in section


def test_it_writes_both_files(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md")} == TEXTS
