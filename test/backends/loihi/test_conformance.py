"""Target loihi does what every target must do: random networks through the whole line, count by count, and the rest."""

from __future__ import annotations

import pytest

from neurocuda.backends.loihi import BACKEND
from neurocuda.testing_conformance import CHECKS, Check, check_networks, conformance_cases

pytestmark = pytest.mark.skipif(
    not any(step.startswith("place-groups") for step in BACKEND.pipeline), reason="nothing is placed on Loihi yet"
)


def require_equal(count: int, first: int = 0) -> None:
    """So many networks, in all codes; without Lava, the level is compared and the test skipped with the reason."""
    conformance = check_networks(
        BACKEND, conformance_cases(BACKEND.constraints.codes, count, first), least=0.8, images=1
    )
    if conformance.not_run:
        pytest.skip(f"{len(conformance.counts)} networks are equal in the interpreter; Lava: {conformance.not_run}")


def test_random_networks_keep_every_count() -> None:
    require_equal(20)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(20, 440, 60))
def test_more_random_networks(first: int) -> None:
    require_equal(60, first)


@pytest.mark.parametrize("check", CHECKS)
def test_what_every_target_does(check: Check) -> None:
    check(BACKEND)
