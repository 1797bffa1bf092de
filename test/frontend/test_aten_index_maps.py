"""Operations that move elements, imported, against torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from xdsl.dialects.builtin import ModuleOp

from neurocuda.errors import UnsupportedModelError


class Function(nn.Module):
    """A module around a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Weighted(nn.Module):
    """A module around a function of the input and a weight."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


def named(value: object) -> str:
    """The name of a case."""
    return str(value).replace("\n", "")[:60]


CASES: list[tuple[nn.Module, tuple[int, ...]]] = [
    (nn.Flatten(), (4, 3, 5)),
    (nn.Flatten(2), (4, 3, 5)),
    (nn.Unflatten(1, (2, 3)), (6, 4)),
    (Function(lambda x: x.view(x.size(0), -1)), (4, 3)),
    (Function(lambda x: x.reshape(len(x), 2, 6)), (4, 3)),
    (Function(lambda x: x.view(-1, 12)), (4, 3)),
    (Function(lambda x: x.squeeze(1).unsqueeze(-1)), (1, 5)),
    (Function(lambda x: x.permute(0, 2, 3, 1)), (4, 3, 5)),
    (Function(lambda x: torch.permute(x, (0, -1, 1, -2))), (4, 3, 5)),
    (Function(lambda x: x.transpose(-1, 1)), (4, 3, 5)),
    (Function(lambda x: x.permute(2, 0, 1).contiguous().permute(1, 2, 0)), (4, 3)),
    (Function(lambda x: x.t().t()), (4,)),
    (Function(lambda x: x[:, :, ::2, ::2]), (4, 7, 8)),
    (Function(lambda x: x[:, 1:-1]), (4, 3)),
    (Function(lambda x: x[..., -1]), (4, 3)),
    (Function(lambda x: x[:, 1]), (4, 3)),
    (Function(lambda x: x[:, -1:]), (4, 3)),
    (Function(lambda x: x.narrow(2, 1, 2)), (4, 3)),
    (Function(lambda x: x.select(-1, -2)), (4, 3)),
    (Function(lambda x: torch.stack(x.chunk(3, 1)).mean(0)), (6, 3)),
    (Function(lambda x: x.chunk(3, -1)[2]), (4, 7)),
    (Function(lambda x: torch.cat(torch.split(x, 2, 1)[::-1], 1)), (5, 3)),
    (Function(lambda x: torch.cat(torch.split(x, [1, 4], -1)[::-1], -1)), (3, 5)),
    (Function(lambda x: torch.stack(x.unbind(1)).mean(0)), (4, 3)),
    (Function(lambda x: torch.cat([x, x.relu()], -1)), (4, 3)),
    (Weighted(lambda x, w: torch.cat([w.expand(x.shape[0], -1, -1), x], 1), 1, 1, 3), (4, 3)),
    (Weighted(lambda x, w: torch.cat([w.repeat(len(x), 2, 1), x], 1), 1, 1, 3), (4, 3)),
    (Function(lambda x: torch.cat([x, torch.zeros(x.shape[0], 2, 3)], 1)), (4, 3)),
    (Function(lambda x: torch.cat([x.new_zeros(x.shape), x, torch.zeros_like(x)], 1)), (4, 3)),
    (Weighted(lambda x, w: torch.cat([x.transpose(0, 1), w.expand(-1, len(x), -1)]).transpose(0, 1), 1, 1, 3), (4, 3)),
    (Function(lambda x: torch.stack([x, x.relu()], 1)), (4, 3)),
    (Function(lambda x: torch.stack([x, x.relu()], -1)), (4, 3)),
    (nn.ZeroPad2d((1, 2, 3, 0)), (4, 3, 5)),
    (Function(lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))), (4, 4, 6)),
    (Function(lambda x: F.pad(x, (-1, 2))), (4, 3)),
    (Function(lambda x: torch.constant_pad_nd(x, (1, 1))), (4, 3)),
    (nn.Dropout(0.5), (8,)),
    (Function(lambda x: F.dropout(x, 0.5, training=False)), (8,)),
    (nn.Dropout2d(), (4, 3, 3)),
    (Function(lambda x: x.contiguous().clone().detach().to(torch.float32)), (8,)),
    (Function(lambda x: x.expand(-1, 4, 3)), (1, 3)),
    (Function(lambda x: x.repeat(1, 2, 3)), (2, 3)),
    (nn.ChannelShuffle(2), (6, 3, 3)),
    (nn.PixelShuffle(2), (8, 3, 3)),
    (
        Function(lambda x: x.view(x.shape[0], 2, 3, 4, 4).transpose(1, 2).contiguous().view(x.shape[0], -1, 4, 4)),
        (6, 4, 4),
    ),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (nn.ConstantPad2d(1, 0.5), (4, 3, 3), "pads with 0.5"),
        (nn.Upsample(scale_factor=2), (4, 3, 3), "resampling"),
        (Function(lambda x: x[:, torch.tensor([0, 2])]), (4, 3), "index tensor"),
        (Function(lambda x: F.dropout(x, 0.5, training=True)), (8,), "random|importer"),
        (Function(lambda x: x.double()), (8,), "float64"),
        (Function(lambda x: x[x > 0]), (8,), "index tensor"),
        (Function(lambda x: x * torch.rand(8)), (8,), "random"),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
