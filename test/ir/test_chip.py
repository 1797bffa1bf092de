"""Chip files: every number with unit, source and kind; nothing unknown, nothing missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurocuda.errors import TargetError
from neurocuda.ir.backend import Backend
from neurocuda.ir.chip import Figure, Limit, load_chip
from neurocuda.registry import backend_factories

GOOD = """
summary = "a chip"

[limits.membrane_bits]
value = 24
unit = "bit"
per = "operation"
source = "data sheet, table 3"
kind = "datasheet"

[energies.synaptic_operation]
value = 23.6
unit = "pJ"
source = "our meter"
kind = "measured"

[constants.columns]
value = 16
unit = "core"
source = "photograph"
kind = "assumed"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "chip.toml"
    path.write_text(text)
    return path


def test_a_chip_is_read(tmp_path: Path) -> None:
    chip = load_chip(written(tmp_path, GOOD))
    assert (chip.name, chip.summary) == ("chip", "a chip")
    assert chip.limits["membrane_bits"].figure.value == 24
    assert chip.limits["membrane_bits"].per == "operation"
    assert chip.energies["synaptic_operation"].kind == "measured"
    assert chip.constants["columns"].value == 16


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('summary = "a chip"', "", "'summary' is missing"),
        ('summary = "a chip"', 'summary = "a chip"\ncolour = "red"', "unknown key 'colour'"),
        ('unit = "bit"', "", "'unit' is missing in limits.membrane_bits"),
        ('unit = "bit"', 'unit = "bit"\nbits = 3', "unknown key 'bits' in limits.membrane_bits"),
        ('per = "operation"', 'per = "rack"', "per is 'rack', expected one of operation, core, chip, network"),
        ('kind = "measured"', 'kind = "guessed"', "expected one of datasheet, measured, assumed"),
        ("value = 24", 'value = "24"', "limits.membrane_bits.value is no number"),
        ("value = 24", "value = true", "limits.membrane_bits.value is no number"),
        ('unit = "core"', 'unit = "core"\nper = "core"', "unknown key 'per' in constants.columns"),
        ("[limits.membrane_bits]", "limits = 3\n[other]", "unknown key 'other'"),
        ('summary = "a chip"', "summary = ", "chip.toml: "),
    ],
)
def test_malformed_files_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(TargetError) as caught:
        load_chip(written(tmp_path, GOOD.replace(old, new)))
    assert message in str(caught.value)
    assert "chip.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("per", "told"), [("operation", "the chip"), ("core", "a core"), ("chip", "the chip"), ("network", "the system")]
)
def test_a_shortage_says_whose_limit_it_is_and_who_says_so(per: str, told: str) -> None:
    limit = Limit(Figure(1152, "chip", "news", "datasheet"), per)
    assert limit.shortage("chips", 123456789) == f"chips is 123456789, and {told} has 1152 chip (datasheet: news)"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="No such file"):
        load_chip(tmp_path / "none.toml")


@pytest.mark.parametrize("name", sorted(backend_factories()))
def test_the_chips_of_every_backend_can_be_read(name: str) -> None:
    backend = backend_factories()[name]()
    assert isinstance(backend, Backend)
    assert backend.chip().name == backend.default_chip
    assert backend.name == name
    with pytest.raises(TargetError, match=f"target '{name}' has no chip 'abacus'; it has "):
        backend.chip("abacus")
