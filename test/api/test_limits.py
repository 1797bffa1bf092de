"""What a target's limits make of a network: the code that it is said in, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.activity import activity_of
from neurocuda.ir.constraints import Constraints, constraints_of
from neurocuda.options import EXACT_CODES
from neurocuda.registry import backend_factories
from neurocuda.targeting import backend_of, shared_constraints

Floats = NDArray[np.float32]
COST = r"\d+\.\d\d % of \d+ calibration images change their class against the float network, \d+\.\d\d % with unc"
LATENCY = Constraints(threshold_bits=8)
QUICK = nc.Conversion(timesteps=3)


def narrow(monkeypatch: pytest.MonkeyPatch, constraints: Constraints, **of_codes: Constraints) -> None:
    """Adds the CPU with other constraints, as target "narrow"."""
    backend = replace(backend_of("cpu"), name="narrow", constraints=constraints, code_constraints=of_codes)
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


def test_integers_obey_the_registers_of_the_code(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    powers = Constraints(threshold_exponent=7, threshold_granularity="layer")
    narrow(monkeypatch, Constraints(codes=("unary", "graded", "latency")), graded=powers, latency=LATENCY)

    def compiled(**options: str) -> nc.Compiled:
        return nc.compile(model, target="narrow", calibration=images, conversion=replace(QUICK, **options))

    plain, graded, latency = compiled(), compiled(code="graded"), compiled(code="latency")
    assert plain.code == "unary"
    assert max(largest_thresholds(plain)) > 127 // 3
    assert all(threshold in (1, 2, 4, 8, 16, 32, 64, 128) for threshold in largest_thresholds(graded))
    assert max(largest_thresholds(latency)) <= 127 // 3
    for each in (graded, latency):
        assert each.validate(images).passed
        assert constraints_of(each.level("snn-integer")) == constraints_of(each.level("ann-quantized"))


def test_a_code_taken_later_gets_its_own_registers(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, Constraints(codes=("graded", "latency", "unary"), graded_bits=2), latency=LATENCY)
    with pytest.warns(nc.NeuroCudaWarning, match=r'(?s)code "unary" is taken:.*3 times its threshold.* leaves 8 bits'):
        compiled = nc.compile(model, target="narrow", calibration=images, conversion=QUICK)
    assert compiled.code == "unary"
    assert constraints_of(compiled.level("snn-integer")).threshold_bits == 32


def test_limits_that_bind_no_layer_cost_nothing(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, Constraints(membrane_bits=28, threshold_bits=28))
    compiled, free = (
        nc.compile(model, target=target, calibration=images, conversion=QUICK) for target in ("narrow", "cpu")
    )
    assert compiled.facts["weight format"] == "the integers are those of unconstrained int8"
    assert "weight format" not in free.facts
    assert largest_thresholds(compiled) == largest_thresholds(free)
    assert np.array_equal(compiled.interpret(images, "ann-quantized"), free.interpret(images, "ann-quantized"))


def test_limits_that_bind_are_told_with_their_cost(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, Constraints(weight_bits=2))
    compiled = nc.compile(model, target="narrow", calibration=images, conversion=QUICK)
    told = str(compiled.facts["weight format"])
    assert re.match(COST, told)
    assert all(layer.name in told for layer in compiled.layers)
    assert f"weight format: {told}" in compiled.report()
    assert "nc.narrowed" not in compiled.ir("ann-quantized")
    with pytest.warns(nc.NeuroCudaWarning, match="no calibration images"):
        compiled = nc.compile(model, target="narrow", input_shape=images.shape[1:], conversion=QUICK)
    assert "limits bind in" in (told := str(compiled.facts["weight format"]))
    assert told.endswith("without calibration images their cost is not known")


def test_one_layer_that_a_limit_binds_is_named(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = nc.compile(model, target="cpu", calibration=images, conversion=QUICK)
    thresholds = dict(zip((layer.name for layer in free.layers), largest_thresholds(free), strict=True))
    widest = max(thresholds, key=lambda name: thresholds[name])
    narrow(monkeypatch, Constraints(threshold_bits=thresholds[widest].bit_length()))
    compiled = nc.compile(model, target="narrow", calibration=images, conversion=QUICK)
    assert re.search(rf"limits bind in .*{re.escape(widest)}", str(compiled.facts["weight format"]))


@pytest.mark.parametrize("code", ["unary", "latency"])
def test_activity_is_measured_for_targets_that_read_it(
    model: nn.Module, images: Floats, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    backend = replace(backend_of("cpu"), name="narrow", reads_activity=True)
    factories = {**backend_factories(), "narrow": lambda: backend}
    monkeypatch.setattr("neurocuda.registry.backend_factories", lambda: factories)
    conversion = replace(QUICK, code=code, execution="events")
    compiled = nc.compile(model, target="narrow", calibration=images, conversion=conversion, validate=True)
    counts = compiled.run(images).counts
    layers = [op for op in compiled.level("snn-integer").walk() if isinstance(op, snn.IntegrateAndFireOp)]
    for op, values in zip(layers, counts.values(), strict=True):
        assert activity_of(op) == pytest.approx(float((values if code == "unary" else values > 0).mean()))


def test_targets_share_the_registers_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, Constraints(codes=("unary", "latency")), latency=LATENCY)
    narrower, cpu = backend_of("narrow"), backend_of("cpu")
    assert shared_constraints(cpu, ("narrow",), "latency").threshold_bits == 8
    assert shared_constraints(cpu, ("narrow",), "unary") == shared_constraints(cpu, ("narrow",))
    assert narrower.constraints_for("latency").codes == ("unary", "latency")


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
        (Constraints(membrane_bits=11), "beyond 11 bits. 2-bit weights (weight_bits=2) would fit."),
        (Constraints(membrane_bits=12), "beyond 12 bits. No width of weights and no number of timesteps fits."),
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


def largest_thresholds(compiled: nc.Compiled) -> list[int]:
    staircases = [op for op in compiled.level("ann-quantized").walk() if isinstance(op, ann.StaircaseOp)]
    return [int(compiled.weights.array(op.threshold).max()) for op in staircases]


@pytest.mark.parametrize("code", EXACT_CODES)
def test_one_time_step_is_enough_to_be_exact(model: nn.Module, images: Floats, code: str) -> None:
    """Neurons fire or do not."""
    conversion = nc.Conversion(timesteps=1, code=code, calibration="mse")
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    assert {layer.levels for layer in compiled.layers} == {1}
    assert compiled.validate(images).mismatches == 0
