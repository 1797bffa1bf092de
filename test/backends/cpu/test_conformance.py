"""Target cpu does what every target must do: random networks through the whole line, count by count, and the rest."""

from __future__ import annotations

import pytest

from neurocuda.backends.cpu import BACKEND
from neurocuda.options import EXACT_CODES
from neurocuda.testing_conformance import CHECKS, Check, check_networks, conformance_cases


@pytest.mark.parametrize("code", BACKEND.constraints.codes)
def test_random_networks_keep_every_count(code: str) -> None:
    conformance = check_networks(BACKEND, conformance_cases([code], 7), least=1)
    assert not conformance.not_run


@pytest.mark.parametrize("code", EXACT_CODES)
def test_random_networks_keep_every_count_as_counts(code: str) -> None:
    conformance = check_networks(BACKEND, conformance_cases([code], 7, execution="counts"), least=1)
    assert not conformance.not_run


@pytest.mark.parametrize("check", CHECKS)
def test_what_every_target_does(check: Check) -> None:
    check(BACKEND)
