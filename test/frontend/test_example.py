"""Where the shape of the input comes from, and inputs that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from xdsl.dialects.builtin import ModuleOp, TensorType

from neurocuda.errors import InputError
from neurocuda.frontend.example import Example, example_inputs
from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret, main_function


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()


class Two(nn.Module):
    """Two inputs, two outputs."""

    def forward(self, image: Tensor, vector: Tensor) -> dict[str, Tensor]:
        return {"sum": image.mean((2, 3)) + vector, "image": image * 2}


def input_types(module: ModuleOp) -> list[str]:
    return [str(argument.type) for argument in main_function(module).body.block.args]


@pytest.mark.parametrize(
    "example",
    [
        torch.zeros(2, 3, 6, 6),
        np.zeros((2, 3, 6, 6), np.float32),
        np.zeros((2, 3, 6, 6)),
        [torch.zeros(1, 3, 6, 6)],
        {"input": np.zeros((1, 3, 6, 6), np.float32)},
    ],
)
def test_an_example_says_the_shape(example: Example) -> None:
    module = import_torch(network(), example, context=create_context())
    assert input_types(module) == ["tensor<3x6x6xf32>"]


def test_a_model_says_its_shape() -> None:
    with_configuration, with_example = network(), network()
    setattr(with_configuration, "default_cfg", {"input_size": (3, 5, 5)})  # noqa: B010
    setattr(with_example, "example_input_array", torch.zeros(1, 3, 7, 7))  # noqa: B010
    assert input_types(import_torch(with_configuration, context=create_context())) == ["tensor<3x5x5xf32>"]
    assert input_types(import_torch(with_example, context=create_context())) == ["tensor<3x7x7xf32>"]


def test_a_read_only_array_is_fine() -> None:
    array = np.zeros((1, 3, 6, 6), np.float32)
    array.flags.writeable = False
    example_inputs(network(), array, None)


def test_nothing_says_the_shape() -> None:
    with pytest.raises(
        InputError, match=r"calibration.*input_shape.*exported program.*default_cfg.*example_input_array"
    ):
        import_torch(network(), context=create_context())


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        (np.zeros((1, 3, 6, 6), np.uint8), "is uint8: expected float32; uint8 images need preprocessing"),
        (torch.zeros(1, 3, 6, 6, dtype=torch.int64), "is int64: expected float32"),
        (torch.zeros(1, 3, 6, 6, dtype=torch.complex64), "is complex64: expected float32"),
        (torch.zeros(0, 3, 6, 6), "leading batch axis"),
        (torch.zeros(3), "leading batch axis"),
        (torch.zeros(1, 1, 6, 6), r"does not run on inputs of shape \(1, 1, 6, 6\): .*3 channels"),
        (torch.zeros(1, 3, 2, 2), "does not run on inputs of shape"),
        ({"image": torch.zeros(1, 3, 6, 6)}, r"\['image'\] do not fit the model"),
        ([torch.zeros(1, 3, 6, 6)] * 2, "does not run on inputs of shape"),
        (np.full((1, 3, 6, 6), "a"), "input 0 is <U1: expected numbers"),
        (np.full((1, 3, 6, 6), None), "input 0 is object: expected numbers"),
    ],
)
def test_unusable_examples(example: Example, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        import_torch(network(), example, context=create_context())


@pytest.mark.parametrize("shape", [(), (3, 0, 6), (3, -1, 6), ("a",), (3.0, 8, 8), 8, "3,8,8", (True, 8, 8)])
def test_unusable_shapes(shape: Any) -> None:
    with pytest.raises(InputError, match="positive sizes"):
        import_torch(network(), input_shape=shape, context=create_context())


def test_a_shape_beyond_any_memory() -> None:
    with pytest.raises(InputError, match=r"input_shape \(3, 10000000, 10000000\) is too large"):
        import_torch(network(), input_shape=(3, 10**7, 10**7), context=create_context())


def test_sizes_may_be_integers_of_numpy() -> None:
    module = import_torch(network(), input_shape=list(np.array([3, 6, 6])), context=create_context())
    assert input_types(module) == ["tensor<3x6x6xf32>"]


class Named(nn.Module):
    """Inputs that are given by name only, in another order than alphabetical."""

    def forward(self, image: Tensor, *, other: Tensor, factor: float = 2.0, bias: Tensor) -> Tensor:
        return image - factor * other + bias


@pytest.mark.parametrize("names", [("image", "other", "bias"), ("bias", "image", "other")])
def test_inputs_by_name_only(close: Callable[..., None], names: Sequence[str]) -> None:
    model = Named().eval()
    arrays = {name: torch.randn(2, 4) for name in names}
    context = create_context()
    module = import_torch(model, arrays, context=context)
    assert len(input_types(module)) == 3
    ordered = [arrays[name].numpy() for name in ("image", "other", "bias")]
    (found,) = interpret(module, weights_of(context), ordered)
    close(found, model(**arrays))


def test_an_optional_input_by_name_only_is_refused() -> None:
    arrays = {name: torch.zeros(2, 4) for name in ("image", "other", "bias", "factor")}
    with pytest.raises(InputError, match="input 'factor' is optional and taken by name only; leave it out"):
        import_torch(Named().eval(), arrays, context=create_context())


def test_a_single_input_by_name_only_may_be_given_without_it() -> None:
    class Single(nn.Module):
        def forward(self, *, image: Tensor) -> Tensor:
            return image.relu()

    assert input_types(import_torch(Single().eval(), torch.zeros(2, 4), context=create_context())) == ["tensor<4xf32>"]


def test_missing_inputs_are_named() -> None:
    reason = "takes 3 inputs, 1 were given; give a dictionary with one array for each of 'image', 'other', 'bias' "
    with pytest.raises(InputError, match=rf"{reason}\(of a loader's batches only the first"):
        import_torch(Named().eval(), torch.zeros(2, 4), context=create_context())


def test_an_example_and_a_shape_that_differ() -> None:
    with pytest.raises(InputError, match=r"input_shape is \(3, 5, 5\), but the example has shape \(3, 6, 6\)"):
        import_torch(network(), torch.zeros(1, 3, 6, 6), input_shape=(3, 5, 5), context=create_context())


@pytest.mark.parametrize("named", [False, True])
def test_several_inputs_and_outputs(close: Callable[..., None], named: bool) -> None:
    image, vector = torch.randn(3, 4, 5, 5), torch.randn(3, 4)
    context = create_context()
    example = {"vector": vector, "image": image} if named else [image, vector]
    module = import_torch(Two().eval(), example, context=context)
    assert input_types(module) == ["tensor<4x5x5xf32>", "tensor<4xf32>"]
    expected = Two()(image, vector)
    found = interpret(module, weights_of(context), [image.numpy(), vector.numpy()])
    close(found[0], expected["sum"])
    close(found[1], expected["image"])


def test_normalised_pixels(close: Callable[..., None]) -> None:
    model, context = network(), create_context()
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 3, 6, 6), dtype=np.uint8)
    module = import_torch(model, pixels, normalize=(mean, std), context=context)
    module.verify()
    assert input_types(module) == ["tensor<3x6x6xui8>"]
    shaped = [torch.tensor(values)[:, None, None] for values in (mean, std)]
    expected = model((torch.as_tensor(pixels).float() / 255 - shaped[0]) / shaped[1])
    (found,) = interpret(module, weights_of(context), [pixels])
    close(found, expected)


def test_normalisation_that_does_not_fit() -> None:
    with pytest.raises(InputError, match="normalised with 1 channels"):
        import_torch(network(), input_shape=(3, 6, 6), normalize=([0.5], [0.5]), context=create_context())
    with pytest.raises(InputError, match="one positive standard deviation"):
        import_torch(network(), input_shape=(3, 6, 6), normalize=([0.5], [0.0]), context=create_context())
    with pytest.raises(InputError, match="with preprocessing, images are uint8"):
        import_torch(network(), torch.zeros(1, 3, 6, 6), normalize=([0.5] * 3, [0.5] * 3), context=create_context())


def test_token_inputs_are_refused() -> None:
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2)).eval()
    with pytest.raises(InputError):
        import_torch(model, torch.zeros(1, 5, dtype=torch.int64), context=create_context())


def test_results_have_no_batch_axis() -> None:
    module = import_torch(network(), input_shape=(3, 6, 6), context=create_context())
    (output,) = main_function(module).function_type.outputs
    assert isinstance(output, TensorType)
    assert output.get_shape() == (4, 4, 4)
