"""The batch axis: followed wherever it goes, refused where images would meet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import UnsupportedModelError
from neurocuda.frontend.batch_axis import MANY, BatchAxis, locate
from neurocuda.frontend.operands import Refusal
from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret


class Function(nn.Module):
    """A module around a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def test_a_merged_axis_keeps_its_other_factors() -> None:
    assert BatchAxis(1).without((5, 3, 7)) == (5, 7)
    assert BatchAxis(1, outer=1, inner=4).without((5, 12, 7)) == (5, 4, 7)


def test_axes_behind_a_vanished_batch_move_up() -> None:
    assert [BatchAxis(1).renumbered(dim, 3) for dim in (0, 2, -1)] == [0, 1, 1]
    assert BatchAxis(1, inner=2).renumbered(-1, 3) == 2


@pytest.mark.parametrize(
    ("shape", "before", "expected"),
    [
        ((MANY, 3), 1, BatchAxis(0)),
        ((4, MANY, 3), 4, BatchAxis(1)),
        ((MANY * 6, 3), 1, BatchAxis(0, 1, 6)),
        ((2, 3 * MANY * 5), 6, BatchAxis(1, 3, 5)),
    ],
)
def test_locate_finds_the_batch_behind_the_elements_before_it(
    shape: tuple[int, ...], before: int, expected: BatchAxis
) -> None:
    assert locate(shape, before, MANY) == expected


@pytest.mark.parametrize(("shape", "before", "expected"), [((1, 6), 1, BatchAxis(0)), ((3, 1, 2), 3, BatchAxis(1))])
def test_locate_with_a_batch_of_one(shape: tuple[int, ...], before: int, expected: BatchAxis) -> None:
    assert locate(shape, before, 1) == expected


def test_locate_refuses_a_batch_taken_apart() -> None:
    with pytest.raises(Refusal, match="takes the batch apart"):
        locate((4, MANY), 3, MANY)


FOLLOWED: list[tuple[Function, tuple[int, ...]]] = [
    (Function(lambda x: x.permute(1, 2, 0).softmax(0).permute(2, 0, 1)), (3, 4)),
    (Function(lambda x: x.transpose(0, 1).flatten(1).view(3, -1, 4).transpose(0, 1)), (3, 4)),
    (Function(lambda x: (x.flatten(0, 1) * 2).view(-1, 3, 4)), (3, 4)),
    (Function(lambda x: x.unsqueeze(0).add(1).squeeze(0)), (3, 4)),
    (Function(lambda x: x.transpose(0, 1)[1]), (3, 4)),
    (Function(lambda x: torch.stack([x, -x]).mean(0)), (3, 4)),
    (Function(lambda x: torch.cat([x.t(), -x.t()]).t()), (3,)),
    (Function(lambda x: x.reshape(-1, 2).relu().view(len(x), 6)), (6,)),
]


@pytest.mark.parametrize(("model", "shape"), FOLLOWED, ids=range(len(FOLLOWED)))
def test_the_batch_is_followed(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


MIXED: list[tuple[Function, tuple[int, ...], str]] = [
    (Function(lambda x: x - x.mean(0)), (4,), r"aten.mean.*test_batch_axis.py:\d+.*along the batch axis"),
    (Function(lambda x: x.softmax(0)), (4,), "along the batch axis"),
    (Function(lambda x: x.mean() + x), (4,), "along the batch axis"),
    (Function(lambda x: torch.cat([x, x])), (4,), "along the batch axis"),
    (Function(lambda x: x[0] + x), (4,), "aten.select.*along the batch axis"),
    (Function(lambda x: x[:1] + x), (4,), "aten.slice.*along the batch axis"),
    (Function(lambda x: x[1:]), (4,), "aten.slice.*along the batch axis"),
    (Function(lambda x: x.flip(0)), (4,), "aten.flip.*no importer"),
    (Function(lambda x: x.flatten(0)), (4,), "no batch as its first axis"),
    (Function(lambda x: x.t()), (4,), "no batch as its first axis"),
    (Function(lambda x: x @ x.t()), (4,), "mixes the batch axis"),
    (Function(lambda x: x * x.size(0)), (4,), "number of images"),
    (Function(lambda x: x / (x.size(0) / 2)), (4,), "number of images"),
    (Function(lambda x: x + torch.arange(x.size(0))[:, None]), (4,), "number of images"),
    (Function(lambda x: nn.functional.pad(x, (0, 0, 1, 1))), (4,), "pads the batch axis"),
    (Function(lambda x: nn.functional.max_pool2d(x.flatten(0, 1), 2)), (3, 2, 4, 4), "first axis is not the batch"),
]


@pytest.mark.parametrize(("model", "shape", "reason"), MIXED, ids=range(len(MIXED)))
def test_images_that_meet_are_refused(model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        import_torch(model, input_shape=shape, context=create_context())


@pytest.mark.parametrize(
    "model", [Function(lambda x: x.view(1, -1) @ torch.ones(12, 2)), Function(lambda x: x.reshape(1, 6, 2).flatten(1))]
)
def test_a_fixed_batch_of_one_is_followed(close: Callable[..., None], model: nn.Module) -> None:
    """The exported graph computes one image; the imported network computes any number."""
    context = create_context()
    module = import_torch(model, input_shape=(3, 4), context=context)
    images = torch.randn(5, 3, 4)
    (found,) = interpret(module, weights_of(context), [images.numpy()])
    expected = torch.cat([model(image[None]) for image in images])
    close(found, expected)


def test_a_fixed_batch_of_four_is_followed(close: Callable[..., None]) -> None:
    model, context = Function(lambda x: x.view(4, 2, 6).mean(1)), create_context()
    images = torch.randn(4, 3, 4)
    module = import_torch(model, images, context=context)
    (found,) = interpret(module, weights_of(context), [images.numpy()])
    close(found, model(images))


def test_a_fixed_batch_does_not_hide_that_images_meet() -> None:
    model = Function(lambda x: x.view(4, 12) - x.view(4, 12).mean(0))
    with pytest.raises(UnsupportedModelError, match="along the batch axis"):
        import_torch(model, torch.randn(4, 3, 4), context=create_context())


def test_squeeze_leaves_a_symbolic_batch_alone(close: Callable[..., None]) -> None:
    context = create_context()
    module = import_torch(Function(lambda x: x.squeeze()), input_shape=(1, 5, 1), context=context)
    images = torch.randn(3, 1, 5, 1)
    (found,) = interpret(module, weights_of(context), [images.numpy()])
    close(found, images.squeeze())
