"""Chips are data: one TOML file each, with a unit, a source and a kind for every number.

    summary = "what it is, in one line"

    [limits.membrane_bits]          # how much an operation, or the network in all, may use of something
    value = 24
    unit = "bit"
    per = "operation"               # or "core", "chip", "network": what lies there is summed
    source = "data sheet, table 3"
    kind = "datasheet"              # or "measured", "assumed"

    [energies.synaptic_operation]   # as limits, without `per`
    value = 23.6
    unit = "pJ"
    ...

    [constants.mesh_columns]        # what is neither, e.g. how cores lie; as energies
    value = 16
    unit = "core"
    ...

An unknown key is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast

from neurocuda.errors import TargetError

KINDS = ("datasheet", "measured", "assumed")
"""Where a number comes from. Reports star what is assumed."""
SCOPES = ("operation", "core", "chip", "network")

Table: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Figure:
    """A number with its unit, its source and its kind (one of `KINDS`)."""

    value: float
    unit: str
    source: str
    kind: str


@dataclass(frozen=True)
class Limit:
    """The most of something that one operation ("operation"), all of them together ("network"), or those that lie on
    one core or chip may use."""

    figure: Figure
    per: str

    def shortage(self, resource: str, amount: float) -> str:
        """`accumulator_bits is 40, and the chip has 32 bit (assumed: ...)`."""
        whose = {"core": "a core", "network": "the system"}.get(self.per, "the chip")
        most, unit, kind = f"{self.figure.value:.15g}", self.figure.unit, self.figure.kind
        return f"{resource} is {amount:.15g}, and {whose} has {most} {unit} ({kind}: {self.figure.source})"


@dataclass(frozen=True)
class Chip:
    """What a chip file says, by name. Operations say what they use by the names of `limits`."""

    name: str
    summary: str
    limits: Mapping[str, Limit]
    energies: Mapping[str, Figure]
    constants: Mapping[str, Figure] = field(default_factory=dict[str, Figure])


def load_chip(path: Path) -> Chip:
    """Reads a chip file; its name is the chip's name.

    Raises:
        TargetError: the file cannot be read, is malformed, or has an unknown or missing key.
    """
    import tomllib

    try:
        data: Table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as reason:
        raise TargetError(f"chip file {path}: {reason}") from None
    _check_keys(path, "", data, required=("summary",), optional=("limits", "energies", "constants"))
    summary = _text(path, "summary", data["summary"])
    limits = {name: _limit(path, f"limits.{name}", table) for name, table in _tables(path, data, "limits")}
    return Chip(path.stem, summary, limits, _figures(path, data, "energies"), _figures(path, data, "constants"))


def _figures(path: Path, data: Table, key: str) -> dict[str, Figure]:
    return {name: _figure(path, f"{key}.{name}", table) for name, table in _tables(path, data, key)}


def _tables(path: Path, data: Table, key: str) -> list[tuple[str, Table]]:
    found = _table(path, key, data.get(key, {}))
    return [(name, _table(path, f"{key}.{name}", value)) for name, value in found.items()]


def _limit(path: Path, where: str, table: Table) -> Limit:
    _check_keys(path, where, table, required=("value", "unit", "per", "source", "kind"))
    per = _text(path, f"{where}.per", table["per"], SCOPES)
    return Limit(_figure(path, where, {key: value for key, value in table.items() if key != "per"}), per)


def _figure(path: Path, where: str, table: Table) -> Figure:
    _check_keys(path, where, table, required=("value", "unit", "source", "kind"))
    value = table["value"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TargetError(f"chip file {path}: {where}.value is no number")
    return Figure(
        value,
        _text(path, f"{where}.unit", table["unit"]),
        _text(path, f"{where}.source", table["source"]),
        _text(path, f"{where}.kind", table["kind"], KINDS),
    )


def _table(path: Path, where: str, value: object) -> Table:
    if not isinstance(value, dict):
        raise TargetError(f"chip file {path}: {where} is no table")
    return cast(Table, value)


def _text(path: Path, where: str, value: object, allowed: tuple[str, ...] = ()) -> str:
    if not isinstance(value, str):
        raise TargetError(f"chip file {path}: {where} is no text")
    if allowed and value not in allowed:
        raise TargetError(f"chip file {path}: {where} is '{value}', expected one of {', '.join(allowed)}")
    return value


def _check_keys(
    path: Path, where: str, table: Table, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> None:
    place = f" in {where}" if where else ""
    for key in required:
        if key not in table:
            raise TargetError(f"chip file {path}: '{key}' is missing{place}")
    for key in table:
        if key not in required and key not in optional:
            raise TargetError(f"chip file {path}: unknown key '{key}'{place}")
