"""What users hold becomes arrays, or one clear line says why not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, TensorDataset

from neurocuda import InputError, NeuroCudaWarning
from neurocuda.images import Array, Arrays, InputSpec, as_arrays, checked, first_arrays, require_channels_first

FLOATS = InputSpec(("x",), ((3, 8, 8),), pixels=False)
PIXELS = InputSpec(("x",), ((3, 8, 8),), pixels=True)
TWO = InputSpec(("left", "right"), ((2,), (3,)), pixels=False)


def zeros(*shape: int, dtype: str = "float32") -> NDArray[np.generic]:
    return np.zeros(shape, dtype)


def listed(arrays: Arrays) -> list[Array]:
    assert isinstance(arrays, list)
    return arrays


def test_a_tensor_and_an_array_are_the_same() -> None:
    tensor = torch.arange(6.0).reshape(2, 3).requires_grad_()
    (found,) = listed(as_arrays(tensor))
    np.testing.assert_array_equal(found, [[0, 1, 2], [3, 4, 5]])
    assert as_arrays(found) == [found]


def test_a_loader_gives_its_images_without_labels() -> None:
    images = torch.arange(20.0).reshape(10, 2)
    loader = DataLoader(TensorDataset(images, torch.zeros(10)), batch_size=3)
    (found,) = listed(as_arrays(loader))
    np.testing.assert_array_equal(found, images.numpy())


def test_batches_are_cut_with_a_warning() -> None:
    batches = (np.full((4, 2), index, np.float32) for index in range(100))
    with pytest.warns(NeuroCudaWarning, match="calibration: the first 10 images are used, the rest is left out"):
        (found,) = listed(as_arrays(batches, what="calibration", most=10))
    assert found[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_exactly_enough_batches_are_no_reason_to_warn() -> None:
    (found,) = listed(as_arrays([zeros(4, 2), zeros(4, 2)], most=8))
    assert len(found) == 8


def test_of_batches_an_example_is_the_first() -> None:
    (found,) = listed(first_arrays(np.full((2, 1), index) for index in range(3)))
    assert found.tolist() == [[0], [0]]


def test_inputs_are_put_in_order_by_name() -> None:
    left, right = zeros(4, 2), zeros(4, 3)
    found = checked(as_arrays({"right": right, "left": left}), TWO)
    assert [array.shape for array in found] == [(4, 2), (4, 3)]


def test_a_single_input_may_have_any_name() -> None:
    (found,) = checked(as_arrays({"whatever": zeros(1, 3, 8, 8)}), FLOATS)
    assert found.shape == (1, 3, 8, 8)


def test_other_floats_become_float32() -> None:
    for kind in ("float16", "float64"):
        (found,) = checked([zeros(2, 3, 8, 8, dtype=kind)], FLOATS)
        assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "images: there are no images"),
        (iter(()), "images: there are no images"),
        (zeros(0, 3, 8, 8), "images: there are no images"),
        (np.float32(1), "images: expected a tensor, an array or batches of them, found float32"),
        (3, "images: expected a tensor, an array or batches of them, found int"),
        ("images.npz", "images: expected a tensor, an array or batches of them, found str"),
        ([()], "images: a batch is empty"),
        (["a"], "images: expected images as a tensor or an array, found str"),
        ({"x": None}, "images: expected images as a tensor or an array, found NoneType"),
        ([zeros(2, 3), zeros(2, 4)], "images: batches have images of different shapes: (3,), (4,)"),
        (
            torch.zeros(2, 3, dtype=torch.bfloat16),
            "images: a bfloat16 tensor has no plain array; convert it with .float()",
        ),
    ],
)
def test_what_is_no_image_is_refused(data: object, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        as_arrays(data)  # pyright: ignore[reportArgumentType]
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("array", "spec", "message"),
    [
        (
            zeros(3, 8, 8),
            FLOATS,
            "expected images of shape (3, 8, 8), found (8, 8) (a batch axis is missing: images[None])",
        ),
        (
            zeros(1, 8, 8, 3),
            FLOATS,
            "expected images of shape (3, 8, 8), found (8, 8, 3) (channels come first: images.transpose(0, 3, 1, 2))",
        ),
        (zeros(1, 3, 9, 9), FLOATS, "expected images of shape (3, 8, 8), found (3, 9, 9)"),
        (
            zeros(1, 3, 8, 8, dtype="uint8"),
            FLOATS,
            "expected float images, found uint8; normalise them, or compile with preprocessing=Normalize(mean, std), "
            "in the shell --mean and --std",
        ),
        (zeros(1, 3, 8, 8), PIXELS, "expected uint8 pixels (the network normalises them), found float32"),
        (zeros(1, 3, 8, 8, dtype="complex64"), FLOATS, "expected float images, found complex64; normalise them, or "
         "compile with preprocessing=Normalize(mean, std), in the shell --mean and --std"),
    ],
)  # fmt: skip
def test_images_that_do_not_fit_are_refused(array: NDArray[np.generic], spec: InputSpec, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        checked([array], spec)
    assert str(refusal.value) == f"images: {message}"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    images = np.zeros((4, 3, 8, 8))
    images[2, 1, 3, 3] = bad
    with pytest.raises(InputError, match="calibration: there are NaN or infinite values in image 2"):
        checked([images], FLOATS, "calibration")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([zeros(4, 2)], "the network has 2 inputs, 1 were given"),
        ([zeros(4, 2), zeros(5, 3)], r"the inputs have different numbers of images, \[4, 5\]"),
        ({"left": zeros(4, 2), "wrong": zeros(4, 3)}, "the inputs are called left, right, not left, wrong"),
    ],
)
def test_several_inputs_have_to_fit_together(arrays: list[NDArray[np.generic]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked(arrays, TWO)


def test_channels_last_is_told_before_a_model_fails_on_it() -> None:
    with pytest.raises(InputError, match=r"images of shape \(8, 8, 3\) have channels last; channels come first"):
        require_channels_first([zeros(2, 8, 8, 3)], 3, "calibration")
    require_channels_first([zeros(2, 3, 8, 8)], 3, "calibration")
    require_channels_first([zeros(2, 3, 3, 3)], 3, "calibration")
