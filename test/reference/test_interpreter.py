"""The interpreter runs a module on images with a leading batch axis."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects import test as unknown
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import InputError, ModelError, NeuroCudaError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret, main_function
from neurocuda.reference.meaning import meaning_of

Array = NDArray[np.generic]


def parsed(text: str) -> tuple[ModuleOp, WeightStore]:
    context = create_context()
    return parse_module(context, text), weights_of(context)


DOUBLE = """
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.affine %x scale(dense<2.0> : tensor<1xf32>) : tensor<2xf32> -> tensor<2xf32>
  func.return %0 : tensor<2xf32>
}"""


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_every_image_of_a_batch_is_run_alike(batch: int) -> None:
    module, weights = parsed(DOUBLE)
    images = np.arange(2 * batch, dtype=np.float32).reshape(batch, 2)
    (found,) = interpret(module, weights, [images])
    assert np.array_equal(found, 2 * images)


def test_no_images_give_no_outputs() -> None:
    module, weights = parsed(DOUBLE)
    (found,) = interpret(module, weights, [np.zeros((0, 2), np.float32)])
    assert found.shape == (0, 2)


def test_several_inputs_and_outputs() -> None:
    module, weights = parsed("""
    func.func @main(%x: tensor<1xf32>, %y: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
      %0 = ann.sub %x, %y : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      func.return %0, %x : tensor<1xf32>, tensor<1xf32>
    }""")
    found = interpret(module, weights, [np.array([[5.0]], np.float32), np.array([[3.0]], np.float32)])
    assert [output.tolist() for output in found] == [[[2.0]], [[5.0]]]


def test_an_output_of_constants_alone_has_the_batch_of_the_inputs() -> None:
    module, weights = parsed("""
    func.func @main(%x: tensor<1xf32>) -> (tensor<1xf32>, tensor<2xf32>) {
      %0 = ann.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
      func.return %x, %0 : tensor<1xf32>, tensor<2xf32>
    }""")
    found = interpret(module, weights, [np.zeros((3, 1), np.float32)])
    assert found[1].tolist() == [[1.0, 2.0]] * 3


def test_an_input_of_another_shape_is_refused() -> None:
    module, weights = parsed(DOUBLE)
    with pytest.raises(InputError, match=r"input 0: expected images of shape \(2,\), found \(3,\)"):
        interpret(module, weights, [np.zeros((1, 3), np.float32)])


def test_inputs_of_different_batches_are_refused() -> None:
    module, weights = parsed("""
    func.func @main(%x: tensor<1xf32>, %y: tensor<1xf32>) -> tensor<1xf32> {
      %0 = ann.sub %x, %y : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      func.return %0 : tensor<1xf32>
    }""")
    with pytest.raises(InputError, match="3 and 1 images"):
        interpret(module, weights, [np.zeros((3, 1), np.float32), np.zeros((1, 1), np.float32)])


def test_a_wrong_number_of_inputs_is_refused() -> None:
    module, weights = parsed(DOUBLE)
    with pytest.raises(InputError, match="the network has 1 inputs, 2 were given"):
        interpret(module, weights, [np.zeros((1, 2), np.float32)] * 2)


def test_inputs_are_not_changed() -> None:
    module, weights = parsed(DOUBLE)
    images = np.ones((2, 2), np.float32)
    images.flags.writeable = False
    interpret(module, weights, [images])
    assert (images == 1).all()


def test_the_observer_sees_every_operation_in_order_with_its_first_result() -> None:
    module, weights = parsed("""
    func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
      %0 = ann.relu %x : tensor<1xf32> -> tensor<1xf32>
      %1 = ann.affine %0 shift(dense<3.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
      func.return %1 : tensor<1xf32>
    }""")
    seen: list[tuple[str, float]] = []
    interpret(module, weights, [np.array([[-1.0]], np.float32)], lambda op, x: seen.append((op.name, float(x.item()))))
    assert seen == [("ann.relu", 0.0), ("ann.affine", 3.0)]


def test_what_is_read_twice_by_one_operation_is_kept_until_then() -> None:
    module, weights = parsed("""
    func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
      %0 = ann.relu %x : tensor<1xf32> -> tensor<1xf32>
      %1 = ann.mul %0, %0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      %2 = ann.add %1, %0 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
      func.return %2 : tensor<1xf32>
    }""")
    assert interpret(module, weights, [np.array([[3.0]], np.float32)])[0].tolist() == [[12.0]]


def test_infinities_and_nan_pass_without_a_warning() -> None:
    module, weights = parsed("""
    func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
      %0 = ann.sub %x, %x : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
      func.return %0 : tensor<3xf32>
    }""")
    (found,) = interpret(module, weights, [np.array([[np.inf, np.nan, 1.0]], np.float32)])
    assert np.isnan(found).tolist() == [[True, True, False]]


def test_main_is_the_network_or_the_only_function() -> None:
    main = "func.func @main() { func.return }"
    other = "func.func @other() { func.return }"
    assert main_function(parsed(other + main)[0]).sym_name.data == "main"
    assert main_function(parsed(other)[0]).sym_name.data == "other"
    with pytest.raises(ModelError, match="expected a function @main, found 2 functions"):
        main_function(parsed(other + other.replace("other", "another"))[0])
    with pytest.raises(ModelError, match="expected a function @main, found 0 functions"):
        main_function(parsed("builtin.module {}")[0])


def test_an_operation_without_a_meaning_is_named() -> None:
    with pytest.raises(NeuroCudaError, match=r"`test\.op` has no meaning"):
        meaning_of(unknown.TestOp)
