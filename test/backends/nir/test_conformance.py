"""Target nir does what every target must do: random networks through the whole line, count by count, and the rest."""

from __future__ import annotations

import pytest

from neurocuda.backends.nir import BACKEND
from neurocuda.testing_conformance import CHECKS, Check, check_networks, conformance_cases


def test_random_networks_keep_every_count() -> None:
    """NIR has no uneven padding, and no maximum of counts as they come."""
    conformance = check_networks(BACKEND, conformance_cases(BACKEND.constraints.codes, 42), least=0.7)
    assert not conformance.not_run
    assert all("uneven" in why or "running_max_pool2d" in why for why in conformance.refused.values())


@pytest.mark.parametrize("check", CHECKS)
def test_what_every_target_does(check: Check) -> None:
    check(BACKEND)
