"""Which code `compile` says a network in, and what it says of those that a layer refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.ir.constraints import Constraints
from neurocuda.registry import backend_factories
from neurocuda.targeting import backend_of

Floats = NDArray[np.float32]
QUICK = nc.Conversion(timesteps=3)


def narrow(monkeypatch: pytest.MonkeyPatch, constraints: Constraints) -> None:
    """Adds the CPU with other constraints, as target "narrow"."""
    backend = replace(backend_of("cpu"), name="narrow", constraints=constraints)
    factories = {**backend_factories(), "narrow": lambda: backend}
    monkeypatch.setattr("neurocuda.registry.backend_factories", lambda: factories)


def test_a_code_that_a_layer_refuses_is_replaced_by_the_next_one(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, Constraints(codes=("graded", "radix", "unary"), graded_bits=2))
    reason = (
        r"(?s)^code \"radix\" is taken:\nthe network has no code \"graded\":.*up to 3, and the target's have 2 bits"
    )
    with pytest.warns(nc.NeuroCudaWarning, match=reason) as caught:
        compiled = nc.compile(model, target="narrow", calibration=images, conversion=QUICK, validate=True)
    assert compiled.code == "radix"
    assert [warning.filename for warning in caught] == [__file__]
    assert nc.explain(model, images, target="narrow").convertible


def test_a_code_that_was_asked_for_is_not_replaced(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, Constraints(codes=("graded", "radix", "unary"), graded_bits=2))
    with pytest.raises(nc.LevelError, match=r"in code graded .* up to 3, and the target's have 2 bits"):
        nc.compile(model, target="narrow", calibration=images, conversion=replace(QUICK, code="graded"))


def test_a_layer_that_no_code_can_carry_is_told_with_every_reason(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, Constraints(codes=("graded", "radix", "latency"), graded_bits=2, threshold_bits=9))
    with pytest.raises(nc.LevelError, match=r"no code that the target knows \(graded, radix, latency\)") as refusal:
        nc.compile(model, target="narrow", calibration=images, conversion=QUICK)
    assert all("conftest.py" in problem.where for problem in refusal.value.problems)
    told = str(refusal.value)
    for reason in (
        "in code graded",
        "carry numbers up to 3",
        "in code radix",
        "with 2 times",
        "in code latency",
        "with 3 times",
    ):
        assert reason in told
