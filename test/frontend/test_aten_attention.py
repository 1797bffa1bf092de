"""Attention, imported, against torch."""

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


class SelfAttention(nn.Module):
    """`nn.MultiheadAttention` of a sequence with itself."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=False)[0]


def named(value: object) -> str:
    """The name of a case."""
    return str(value).replace("\n", "")[:60]


CASES: list[tuple[nn.Module, tuple[int, ...]]] = [
    (Function(lambda x: F.scaled_dot_product_attention(x, x, x)), (2, 5, 4)),
    (Function(lambda x: F.scaled_dot_product_attention(x, x.relu(), x[..., :3], is_causal=True)), (5, 4)),
    (Weighted(lambda x, w: F.scaled_dot_product_attention(x, x, x, attn_mask=w, scale=0.3), 5, 5), (2, 5, 4)),
    (
        Function(
            lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=torch.ones(5, 5, dtype=torch.bool).tril())
        ),
        (2, 5, 4),
    ),
    (SelfAttention(8, 2), (5, 8)),
    (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (5, 8)),
    (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu"), (5, 8)),
]


@pytest.mark.parametrize(("model", "shape"), CASES, ids=named)
def test_agrees(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...]) -> None:
    agrees(model, shape)


@pytest.mark.parametrize(
    ("model", "shape", "reason"),
    [
        (Function(lambda x: F.scaled_dot_product_attention(x, x, x)), (4,), "batch"),
        (
            Function(lambda x: F.scaled_dot_product_attention(x.transpose(0, 1), x.transpose(0, 1), x.transpose(0, 1))),
            (5, 4),
            "batch",
        ),
    ],
    ids=named,
)
def test_refused(agrees: Callable[..., ModuleOp], model: nn.Module, shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        agrees(model, shape)
