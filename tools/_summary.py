"""What is known of a compiled network, as plain values that can be written as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurocuda.compiled import Compiled


def summary_of(compiled: Compiled) -> dict[str, object]:
    """Target, options and facts."""
    return {
        "name": compiled.name,
        "target": compiled.target,
        "code": compiled.code,
        "timesteps": None if compiled.trains else compiled.conversion.timesteps,
        "conversion": asdict(compiled.conversion),
        "preprocessing": None if compiled.preprocessing is None else asdict(compiled.preprocessing),
        "levels": list(compiled.levels),
        "facts": dict(compiled.facts),
        "validation": None if compiled.validation is None else asdict(compiled.validation),
    }


def report_of(compiled: Compiled) -> dict[str, object]:
    """The summary, and everything that the report says."""
    from neurocuda.measure.report import figures

    return {**summary_of(compiled), **figures(compiled)}
