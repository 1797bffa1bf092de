"""One case of the race: what runs how, and what came of it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from contestants import Contestant, Stable
from ours import MODES
from reading import NotInTheRace
from stepping import firing_rate
from timing import Progress, Spread, clock_for, ratios, timed
from workloads import Workload

LONGEST_CALL = 30.0
"""Seconds: who takes longer for a batch is left out."""


@dataclass(frozen=True)
class Case:
    """A network on so many steps, images at once and threads; `rate` is asked for where the network is synthetic."""

    network: str
    steps: int
    batch: int
    threads: int
    rate: float | None

    @property
    def key(self) -> str:
        """What its outcome is kept under."""
        kind = "trained" if self.rate is None else f"{self.rate:g}"
        return f"{self.network} {kind} T={self.steps} batch={self.batch} threads={self.threads}"

    @property
    def order(self) -> tuple[object, ...]:
        """Where it stands in a table."""
        return self.batch, self.rate is None, self.network, self.steps, self.rate or 0


@dataclass(frozen=True)
class Outcome:
    """Seconds per batch of everyone, and by mode of ours everyone's time over it.

    `rate`: spikes per neuron and step that were counted. `left_out`: who is missing, and why. `load`: runnable
    processes meanwhile. `provenance`: what ran, by mode of ours. `commit`: of this checkout.
    """

    case: Case
    rate: float | None
    rounds: int
    seconds: Mapping[str, Spread]
    ratios: Mapping[str, Mapping[str, Spread]]
    left_out: Mapping[str, str]
    provenance: Mapping[str, str]
    load: float
    date: str
    commit: str
    command: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def of(found: Mapping[str, Any]) -> Outcome:
        """What `as_json` gave."""
        spreads = {name: Spread(**each) for name, each in found["seconds"].items()}
        by_mode = {
            mode: {name: Spread(**each) for name, each in others.items()} for mode, others in found["ratios"].items()
        }
        parsed: dict[str, Any] = {**found, "case": Case(**found["case"]), "seconds": spreads, "ratios": by_mode}
        return Outcome(**parsed)


def race(
    case: Case, workload: Workload, peers: tuple[str, ...], rounds: int, seconds: float, tell: Progress
) -> Outcome:
    """Builds all contestants, compares what they answer, and times those that answer right."""
    torch.set_num_threads(case.threads)
    calls, left_out = dict[str, Callable[[], object]](), dict(workload.missing)
    with torch.inference_mode():
        for name, make in Stable(workload, case.batch, case.threads).makers(peers).items():
            tell(f"building {name}", 0, rounds)
            contestant, fault = tried(make)
            if contestant is None or fault:
                left_out[name] = fault
            else:
                calls[name] = contestant.in_turn()
        times = timed(calls, clock_for(case.threads), rounds, seconds, tell)
        rate = _rate(workload)
    torch.compiler.reset()
    return Outcome(
        case,
        rate,
        len(next(iter(times.values()), ())),
        {name: Spread.of(each) for name, each in times.items()},
        {name: ratios(times, name) for name in times if name.startswith(MODES)},
        left_out,
        {mode: side.program.run([side.given[:1]]).provenance for mode, side in workload.sides.items()},
        round(os.getloadavg()[0], 1),
        datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        _commit(),
        shlex.join(["test/benchmarks/race", *sys.argv[1:]]),
    )


def tried(make: Callable[[], Contestant]) -> tuple[Contestant | None, str]:
    """A contestant that has answered, or why there is none."""
    try:
        contestant = make()
        contestant.calls[0]()
        started = perf_counter()
        contestant.calls[0]()
        passed = perf_counter() - started
        fault = f"takes {passed:.0f} s for a batch" if passed > LONGEST_CALL else contestant.faults()
    except NotInTheRace as reason:
        return None, str(reason)
    except Exception as reason:  # noqa: BLE001  foreign code can raise anything
        return None, f"{type(reason).__name__}: {str(reason).strip().partition(chr(10))[0]}"
    return contestant, fault


@cache
def _commit() -> str:
    """The commit of this checkout, with "+" where it is changed; nothing outside of git."""
    command = ["git", "describe", "--always", "--abbrev=10", "--dirty=+"]
    return subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    ).stdout.strip()


def _rate(workload: Workload) -> float | None:
    events = workload.sides.get("events")
    return None if events is None or events.network is None else firing_rate(events.network, events.integers)
