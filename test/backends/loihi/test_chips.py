"""The chips of the Loihi family: what their files say, and how sure of it they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurocuda.backends.loihi import BACKEND
from neurocuda.ir.chip import Chip, Figure

ROOT = Path(__file__).resolve().parents[3]


def test_the_limits_of_loihi2() -> None:
    limits = BACKEND.chip("loihi2").limits
    assert {name: (limit.figure.value, limit.per) for name, limit in limits.items()} == {
        "neurons": (8192, "core"),
        "memory_bytes": (192 * 1024, "core"),
        "in_axons": (4096, "core"),
        "out_axons": (4096, "core"),
        "cores": (128, "chip"),
        "synapses": (120_000_000, "chip"),
        "chips": (1152, "network"),
        "state_words": (4096, "operation"),
        "weight_bits": (8, "operation"),
        "delay": (63, "operation"),
        "message_bits": (32, "operation"),
    }
    assert {name for name, limit in limits.items() if limit.figure.kind == "assumed"} == {"in_axons", "out_axons"}


def test_loihi2_is_the_default() -> None:
    assert BACKEND.chip().name == "loihi2"


def test_nothing_is_known_of_loihi3() -> None:
    chip = BACKEND.chip("loihi3")
    figures = [*(limit.figure for limit in chip.limits.values()), *chip.energies.values(), *chip.constants.values()]
    assert chip.summary.startswith("hypothetical: ")
    assert "no primary source" in chip.summary
    for figure in figures:
        assert figure.kind == "assumed"
        assert figure.source.startswith("hypothetical: no primary source on a Loihi 3 exists; ")


@pytest.mark.parametrize("name", ["loihi2", "loihi3"])
def test_energies_are_those_of_loihi1_and_assumed(name: str) -> None:
    energies = BACKEND.chip(name).energies
    assert {name: figure.value for name, figure in energies.items()} == {
        "synaptic_operation": 23.6,
        "active_update": 81,
        "inactive_update": 52,
        "spike": 1.7,
        "hop_east_west": 3.0,
        "hop_north_south": 4.0,
    }
    assert {(figure.unit, figure.kind) for figure in energies.values()} == {("pJ", "assumed")}
    assert all("10.1109/MM.2018.112130359" in figure.source for figure in energies.values())


def test_loihi3_is_nowhere_narrower() -> None:
    def values(chip: Chip) -> dict[str, float]:
        return {name: limit.figure.value for name, limit in chip.limits.items()}

    narrow, wide = values(BACKEND.chip("loihi2")), values(BACKEND.chip("loihi3"))
    assert list(narrow) == list(wide)
    assert all(narrow[name] <= wide[name] for name in narrow)


def test_the_guide_has_the_numbers_of_the_files() -> None:
    text = (ROOT / "docs" / "loihi.md").read_text(encoding="utf-8")
    narrow, wide = BACKEND.chip("loihi2"), BACKEND.chip("loihi3")
    for name, limit in narrow.limits.items():
        numbers = f"{told(limit.figure)} | {told(wide.limits[name].figure)}"
        assert f"| `{name}` | {limit.per} | {limit.figure.unit} | {numbers} | {limit.figure.source} |" in text
    for name, figure in narrow.energies.items():
        assert f"| `{name}` | {told(figure)} pJ |" in text


def told(figure: Figure) -> str:
    """A number, starred where it is assumed."""
    return f"{figure.value:,.15g}" + ("*" if figure.kind == "assumed" else "")
