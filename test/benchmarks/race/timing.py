"""How contestants are timed: interleaved rounds, and every round's ratio to the one of ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

import numpy as np

ROUND_SECONDS = 0.02
"""A contestant is called again in a round until about so much time has passed; the median of its calls counts."""

SHORTEST_SECONDS = 0.0002
"""Shorter calls are timed several at once: a look at the clock takes part of a microsecond."""

MOST_REPEATS = 100
FEWEST_ROUNDS = 3

Call: TypeAlias = Callable[[], object]
Clock: TypeAlias = Callable[[], float]
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with (contestant, round, rounds)."""

Times: TypeAlias = Mapping[str, Sequence[float]]
"""Seconds of every round, by contestant."""


@dataclass(frozen=True)
class Spread:
    """A median over rounds, and where 10 % and 90 % of them lie."""

    median: float
    low: float
    high: float
    smallest: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        """The spread of some values."""
        low, middle, high = (float(value) for value in np.percentile(values, [10, 50, 90]))
        return Spread(middle, low, high, min(values))


def clock_for(threads: int) -> Clock:
    """Seconds that the calling thread was on a processor, which neighbours disturb least; of several threads, wall."""
    return time.thread_time if threads == 1 else time.perf_counter


def timed(
    calls: Mapping[str, Call],
    clock: Clock,
    rounds: int,
    seconds: float,
    tell: Progress,
) -> Times:
    """Every contestant once per round, in turn.

    There are `rounds`, or as many as fit into `seconds`, but at least `FEWEST_ROUNDS`.
    """
    plans = {name: _Plan.of(call, clock) for name, call in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    started = time.perf_counter()
    for number in range(rounds):
        if number >= FEWEST_ROUNDS and (time.perf_counter() - started) * (number + 1) / number > seconds:
            break
        for name, call in calls.items():
            tell(name, number, rounds)
            found[name].append(plans[name].seconds(call, clock))
    return found


@dataclass(frozen=True)
class _Plan:
    """How often a contestant is called between two looks at the clock, and how often that is done in a round."""

    calls: int
    repeats: int

    @staticmethod
    def of(call: Call, clock: Clock) -> _Plan:
        """Warms a contestant up and finds out how long it takes."""
        call()
        before = clock()
        call()
        once = max(clock() - before, 1e-7)
        calls = max(1, round(SHORTEST_SECONDS / once))
        return _Plan(calls, max(1, min(MOST_REPEATS, round(ROUND_SECONDS / (calls * once)))))

    def seconds(self, call: Call, clock: Clock) -> float:
        """The median of a round, behind a call that finds the caches as another contestant left them."""
        if self.calls * self.repeats > 1:
            call()
        passed: list[float] = []
        for _ in range(self.repeats):
            before = clock()
            for _ in range(self.calls):
                call()
            passed.append((clock() - before) / self.calls)
        return median(passed)


def ratios(times: Times, ours: str) -> dict[str, Spread]:
    """By contestant, its time over ours in the same round: above one, ours is faster."""
    return {
        name: Spread.of([theirs / own for theirs, own in zip(seconds, times[ours], strict=True)])
        for name, seconds in times.items()
    }
