"""What targets demand: written into a module, read back, and met between targets."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import DictionaryAttr, IntegerAttr, ModuleOp, StringAttr, i64

from neurocuda.errors import TargetError
from neurocuda.ir.constraints import CONSTRAINTS, Constraints, constraints_of, set_constraints


def test_constraints_survive_a_module() -> None:
    module = ModuleOp([])
    assert constraints_of(module) == Constraints()
    given = Constraints(
        weight_bits=6, threshold_step=64, threshold_granularity="layer", codes=("free",), comparisons=("gt",)
    )
    set_constraints(module, given)
    assert constraints_of(module) == given


def test_two_targets_meet_in_what_both_offer() -> None:
    one = Constraints(weight_bits=8, weight_step=2, threshold_step=4, membrane_bits=24, comparisons=("gt",))
    other = Constraints(weight_bits=6, weight_step=3, threshold_step=6, membrane_bits=32, comparisons=("ge", "gt"))
    met = one.meet(other)
    assert (met.weight_bits, met.weight_step, met.threshold_step, met.membrane_bits) == (6, 6, 12, 24)
    assert met.comparisons == ("gt",)
    assert one.meet(one) == one


def test_one_threshold_per_layer_is_the_stricter_demand() -> None:
    fine, coarse = Constraints(), Constraints(threshold_granularity="layer")
    assert fine.meet(coarse) == coarse.meet(fine) == coarse


def test_powers_of_two_are_the_stricter_demand() -> None:
    narrow, wide = Constraints(threshold_exponent=7), Constraints(threshold_exponent=9, threshold_step=4)
    assert Constraints().meet(narrow) == narrow.meet(Constraints()) == narrow
    assert (narrow.meet(wide).threshold_exponent, narrow.meet(wide).threshold_step) == (7, 4)


@pytest.mark.parametrize("step", [3, 12, 16])
def test_powers_of_two_that_no_step_reaches_are_refused(step: int) -> None:
    with pytest.raises(TargetError, match=f"no power of two up to 8 is a threshold in steps of {step}"):
        Constraints(threshold_exponent=3).meet(Constraints(threshold_step=step))


def test_targets_without_a_common_code_are_refused() -> None:
    with pytest.raises(TargetError, match="the targets share no code: unary against free"):
        Constraints(codes=("unary",)).meet(Constraints(codes=("free",)))


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (StringAttr("8"), "expected a dictionary"),
        (DictionaryAttr({"colour": IntegerAttr(1, i64)}), "unknown key 'colour'"),
        (DictionaryAttr({"weight_bits": StringAttr("8")}), "'weight_bits' cannot be"),
        (DictionaryAttr({"threshold_granularity": StringAttr("neuron")}), "'threshold_granularity' cannot be"),
        (DictionaryAttr({"codes": IntegerAttr(1, i64)}), "'codes' cannot be"),
    ],
)
def test_malformed_constraints_are_refused(attribute: StringAttr | DictionaryAttr, message: str) -> None:
    module = ModuleOp([])
    module.attributes[CONSTRAINTS] = attribute
    with pytest.raises(TargetError, match=message):
        constraints_of(module)
