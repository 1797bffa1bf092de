"""A pass is held to its promise value by value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from neurocuda.dialects.ann import ops as ann
from neurocuda.errors import InputError, ModelError, NeuroCudaWarning, PromiseError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import origin_of, set_origin
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.promise import Approximates, Equal, Promise, Within
from neurocuda.ir.rewriting import NeuroPass, replace
from neurocuda.ir.validation import KEEPING, observe, random_inputs, validate_pass
from neurocuda.ir.weights import WeightStore
from neurocuda.registry import merged_universe

NETWORK = """
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x shift(dense<1.0> : tensor<1xf32>) {nc.origin = "shifted"} : tensor<2xf32> -> tensor<2xf32> loc("layer1"("model.py":7:0))
  %1 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}
"""  # noqa: E501

Edit = Callable[[ModuleOp, WeightStore], None]


@dataclass(frozen=True)
class EditPass(NeuroPass):
    """Does what a test says."""

    name = "edit"
    promise: ClassVar[Promise] = Equal()
    edit: Edit | None = None

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        if self.edit is not None:
            self.edit(module, weights)


class ExactPass(EditPass):
    """Promises equality."""


class CoarsePass(EditPass):
    """Promises a bound."""

    promise: ClassVar[Promise] = Within(0.5)


class LossyPass(EditPass):
    """Promises to be measured."""

    promise: ClassVar[Promise] = Approximates()


class SilentPass(ModulePass):
    """Promises nothing."""

    name = "silent"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        raise AssertionError("a pass without a promise must not run")


def first(module: ModuleOp, kind: type[Operation]) -> Operation:
    return next(op for op in module.walk() if isinstance(op, kind))


def shift_by(amount: float, *, in_place: bool = True) -> Edit:
    """Changes the shift; a new operation without an origin says that its value is another one."""

    def edit(module: ModuleOp, weights: WeightStore) -> None:
        affine = first(module, ann.AffineOp)
        assert isinstance(affine, ann.AffineOp)
        shift = weights.add(np.full(1, amount, np.float32))
        if in_place:
            affine.shift = shift
            return
        new = ann.AffineOp(affine.input, None, shift)
        replace(affine, new)
        set_origin(new, None)

    return edit


def validate(step: ModulePass, text: str = NETWORK, inputs: list[list[float]] | None = None) -> dict[str, float]:
    """The largest deviation of everything that was compared."""
    context = create_context()
    module = parse_module(context, text)
    images = None if inputs is None else [np.array(inputs, np.float32)]
    return {report.name: report.deviation.largest for report in validate_pass(step, context, module, images)}


def test_what_survives_is_compared_and_the_outputs() -> None:
    assert validate(ExactPass()) == {"shifted": 0.0, "value0": 0.0, "output 0": 0.0}


def test_a_broken_promise_names_pass_value_place_and_element() -> None:
    with pytest.raises(PromiseError) as caught:
        validate(ExactPass(shift_by(3.0)), inputs=[[0.0, 5.0], [1.0, 2.0]])
    assert str(caught.value).startswith("edit changed shifted (layer1, model.py:7): element [0, 0] was 1 and is 3;")


def test_a_value_that_claims_to_be_new_is_not_compared_but_what_follows_from_it_is() -> None:
    with pytest.raises(PromiseError, match="edit changed value0 "):
        validate(ExactPass(shift_by(3.0, in_place=False)))
    negative = [[-9.0, -8.0]]  # behind the relu nothing changes for these
    assert validate(ExactPass(shift_by(3.0, in_place=False)), inputs=negative) == {"value0": 0.0, "output 0": 0.0}


def test_a_bound_is_checked_in_the_units_of_the_value() -> None:
    assert max(validate(CoarsePass(shift_by(1.5))).values()) == pytest.approx(0.5)
    with pytest.raises(PromiseError):
        validate(CoarsePass(shift_by(1.75)))


def test_an_approximation_is_measured() -> None:
    found = validate(LossyPass(shift_by(3.0)), inputs=[[0.0, 0.0]])
    assert found == {"shifted": 2.0, "value0": 2.0, "output 0": 2.0}


def test_a_pass_must_declare_a_promise() -> None:
    with pytest.raises(PromiseError, match="pass silent declares no promise"):
        validate(SilentPass())


@pytest.mark.parametrize("name", sorted(KEEPING))
def test_passes_of_xdsl_that_keep_values_are_checked(name: str) -> None:
    step = merged_universe().all_passes[name]()()
    twice = NETWORK.replace("func.return %1", "%2 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32>\n  func.return %2")
    context = create_context()
    module, plain = parse_module(context, twice), parse_module(context, twice)
    assert validate_pass(step, context, module)[-1].name == "output 0"
    step.apply(context, plain)
    assert module.is_structurally_equivalent(plain)


def test_origins_that_were_given_for_the_comparison_go_again() -> None:
    context = create_context()
    module = parse_module(context, NETWORK)
    validate_pass(ExactPass(), context, module)
    assert [origin_of(op) for op in module.walk() if op.name.startswith("ann.")] == ["shifted", None]


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(2,\)"):
        validate(ExactPass(), inputs=[[1.0, 2.0, 3.0]])


QUANTISED = """
func.func @main(%x: tensor<2xf32>, %p: tensor<2xui8>) -> tensor<2xf32> {
  %0 = host.quantize %x step(dense<0.5> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) scale(dense<0.5> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>) {nc.origin = "x"} : tensor<2xf32> -> tensor<2x!ann.count<-8, 7>>
  %1 = ann.linear %0 weight(dense<[[2, 0], [0, 4]]> : tensor<2x2xi8>) {nc.origin = "current"} : tensor<2x!ann.count<-8, 7>> -> tensor<2xi32>
  %2 = ann.staircase %1 bias(dense<0> : tensor<1xi32>) threshold(dense<2> : tensor<1xi32>) initial(dense<1> : tensor<1xi32>) scale(dense<[0.5, 0.25]> : tensor<2xf64>) levels 3 {nc.origin = "y"} : (tensor<2xi32>) -> tensor<2x!ann.count<0, 3>>
  %3 = ann.concat %2, %0 axis 0 {nc.origin = "joined"} : (tensor<2x!ann.count<0, 3>>, tensor<2x!ann.count<-8, 7>>) -> tensor<4x!ann.count<-8, 7>>
  %4 = host.dequantize %2 scale(dense<[0.5, 0.25]> : tensor<2xf64>) {nc.origin = "z"} : tensor<2x!ann.count<0, 3>> -> tensor<2xf32>
  func.return %4 : tensor<2xf32>
}
"""  # noqa: E501


def test_counts_are_observed_in_the_units_of_floats_and_currents_are_not_observed() -> None:
    context = create_context()
    module = parse_module(context, QUANTISED)
    images = [np.array([[1.0, 0.5]], np.float32), np.zeros((1, 2), np.uint8)]
    found, _ = observe(module, weights_of(context), images)
    assert {name: value.tolist() for name, value in found.items()} == {
        "x": [[1.0, 0.5]],
        "y": [[1.0, 0.5]],
        "joined": [[1.0, 0.5, 1.0, 0.5]],
        "z": [[1.0, 0.5]],
        "output 0": [[1.0, 0.5]],
    }


def test_random_inputs_fit_the_types_and_are_always_the_same() -> None:
    module = parse_module(create_context(), QUANTISED)
    found, again = random_inputs(module), random_inputs(module)
    assert found is not None
    assert again is not None
    assert [(array.shape, array.dtype) for array in found] == [((3, 2), np.float32), ((3, 2), np.uint8)]
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


def test_a_module_without_a_network_has_nothing_to_compare() -> None:
    context = create_context()
    module = parse_module(context, "builtin.module {}")
    assert random_inputs(module) is None
    reason = "edit was not validated: the module has no single function @main"
    with pytest.warns(NeuroCudaWarning, match=reason) as caught:
        assert validate_pass(EditPass(), context, module) == []
    assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize("value", ["0x7FC00000", "0x7F800000"])
def test_of_nan_and_infinity_nothing_can_be_promised(value: str) -> None:
    context = create_context()
    module = parse_module(context, NETWORK.replace("dense<1.0>", f"dense<{value}>"))
    reason = r"shifted \(layer1, model.py:7\) is NaN or infinite before edit runs"
    with pytest.raises(ModelError, match=reason):
        validate_pass(EditPass(), context, module)


def test_minus_infinity_may_stand_as_in_masks() -> None:
    context = create_context()
    module = parse_module(context, NETWORK.replace("dense<1.0>", "dense<0xFF800000>"))
    assert validate_pass(EditPass(), context, module)
