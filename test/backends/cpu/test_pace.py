"""Whether the next image is for one thread or for all: the faster way is taken, the other one tried now and then."""

from __future__ import annotations

from neurocuda.backends.cpu.native import AGAIN, Pace


def ran(pace: Pace, *, alone: float, together: float) -> bool:
    """Whether an image ran on all threads; it took so long."""
    chosen = pace.together()
    pace.note(together if chosen else alone, together=chosen)
    return chosen


def test_what_takes_no_time_wakes_nobody() -> None:
    pace = Pace()
    assert not any(ran(pace, alone=1e-6, together=1e-7) for _ in range(3 * AGAIN))


def test_the_faster_way_is_taken() -> None:
    pace = Pace()
    choices = [ran(pace, alone=2e-3, together=1e-3) for _ in range(3 * AGAIN)]
    assert choices[:3] == [False, True, True]
    assert sum(choices) == 3 * AGAIN - 4


def test_a_busy_machine_is_noticed_and_its_end_too() -> None:
    pace = Pace()
    choices = [ran(pace, alone=1e-3, together=7e-3) for _ in range(2 * AGAIN)]
    assert sum(choices) == 3, "the first try, and one for every hundred"
    later = [ran(pace, alone=1e-3, together=6e-4) for _ in range(AGAIN + 9)]
    assert later[-9:] == [True] * 9
