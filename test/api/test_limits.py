"""What a target's limits make of a network: the code that it is said in, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.ir.constraints import Constraints
from neurocuda.options import EXACT_CODES
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


@pytest.mark.parametrize(
    ("constraints", "remedy"),
    [
        (Constraints(membrane_bits=12), "beyond 12 bits. 5-bit weights (weight_bits=5) would fit."),
        (Constraints(membrane_bits=8), "beyond 8 bits. No width of weights and no number of timesteps fits."),
        (Constraints(membrane_bits=4, weight_bits=2), "inputs of at most 3 levels (timesteps=3) would fit."),
    ],
)
def test_widths_that_are_too_small_are_told_with_what_fits(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch, constraints: Constraints, remedy: str
) -> None:
    narrow(monkeypatch, constraints)
    with pytest.raises(nc.LevelError, match=re.escape(remedy)) as refusal:
        nc.compile(model, target="narrow", calibration=images)
    assert all("conftest.py:" in problem.where for problem in refusal.value.problems)


@pytest.mark.parametrize("code", EXACT_CODES)
def test_one_time_step_is_enough_to_be_exact(model: nn.Module, images: Floats, code: str) -> None:
    """Neurons fire or do not."""
    conversion = nc.Conversion(timesteps=1, code=code, calibration="mse")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    assert {layer.levels for layer in compiled.layers} == {1}
    assert compiled.validate(images).mismatches == 0
