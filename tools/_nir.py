"""The options of the command line that say how a .nir file runs in discrete time."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from neurocuda.options import NirOptions

NIR = ".nir"


class NirArguments(Namespace):
    """What the command line says of time, resets and comparisons."""

    dt: float | None
    reset: str | None
    comparison: str | None
    spikes_per_step: int | None
    lower_bound: float | None
    integration: str | None


def add_nir_options(parser: ArgumentParser) -> None:
    """Adds the options; what is not given keeps NIR's own meaning."""
    add = parser.add_argument_group("for a .nir file").add_argument
    add("--dt", type=float, metavar="SECONDS", help="the duration of a step; most frameworks mean 1e-4")
    add("--reset", choices=("nir", "subtract"), help="to v_reset, or by the threshold")
    add("--comparison", choices=("strict", "non-strict"), help="fire above the threshold, or where it is reached")
    add("--spikes-per-step", type=int, metavar="K", help="the most spikes of a neuron in one step")
    add("--lower-bound", type=float, metavar="V", help="what a membrane potential never falls below")
    add("--integration", choices=("euler", "exponential"), help="of time constants")


def nir_options(arguments: NirArguments, path: Path | None) -> NirOptions | None:
    """The options given; None where there are none and the file is no .nir file.

    Raises:
        OptionError: a value is out of range.
    """
    names = ("dt", "reset", "comparison", "spikes_per_step", "lower_bound", "integration")
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    return NirOptions(**given) if given or (path is not None and path.suffix == NIR) else None
