"""Problems are told once each, however often they come."""

from __future__ import annotations

import pytest

from neurocuda.errors import MOST_PRINTED, Problem, ProblemsError, told_once

READS = Problem("`ann.mul`", "gate, net.py:7", "it has no spiking rule", "Remove it.")


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (["net.py:7"], "net.py:7"),
        (["net.py:7"] * 3, "net.py:7, 3 times"),
        (["", ""], "2 times"),
        (["net.py:7", "net.py:7", "net.py:8"], "net.py:7; and 1 more"),
    ],
)
def test_equal_problems_are_one(places: list[str], told: str) -> None:
    found = told_once(Problem("`ann.mul`", place, "why") for place in places)
    assert found == (Problem("`ann.mul`", told, "why"),)
    assert told_once(found) == found


def test_different_problems_stay_in_order() -> None:
    other = Problem("`ann.mul`", "gate, net.py:7", "another reason")
    assert told_once([READS, other]) == (READS, other)


def test_a_long_list_is_cut_in_print_only() -> None:
    problems = [Problem(f"thing {number}") for number in range(MOST_PRINTED + 3)]
    error = ProblemsError("all of this:", problems)
    assert error.problems == tuple(problems)
    *_, last, more = str(error).splitlines()
    assert last == f"  - thing {MOST_PRINTED - 1}"
    assert more == "  and 3 more"
