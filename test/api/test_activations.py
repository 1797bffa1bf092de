"""Networks with more than rectifiers: the program says the integer network's counts, and stays near the float network.

Every network is small and random.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc

Floats = NDArray[np.float32]
FINE = nc.Conversion(timesteps=127)
SHAPE, WIDTH = (3, 8, 8), 8


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


# Parts


class Residual(nn.Module):
    """x + body(x)."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SqueezeAndExcite(nn.Module):
    """Every channel times a gate that the mean of all channels opens (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.excite(F.silu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))))


class Tokens(nn.Module):
    """(channels, height, width) as (tokens, features)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class ClassToken(nn.Module):
    """A learned token in front, and positions."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.token = nn.Parameter(0.2 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.2 * torch.randn(1, tokens + 1, width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions


class FirstToken(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0]


class MeanOfTokens(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


class Transposed(nn.Module):
    """A layer that mixes tokens instead of features."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.transpose(1, 2)).transpose(1, 2)


class Attention(nn.Module):
    """Attention of several heads by `scaled_dot_product_attention`, as in a vision transformer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.qkv, self.projection = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        parts = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts.unbind(0))
        return self.projection(mixed.transpose(1, 2).reshape(batch, tokens, width))


class AttentionOfTorch(nn.Module):
    """`nn.MultiheadAttention` of a sequence with itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=False)[0]


class SpelledOutAttention(nn.Module):
    """Attention of one head, written as matrix products and a softmax."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.query(x) @ self.key(x).transpose(1, 2) / x.shape[-1] ** 0.5
        return torch.softmax(scores, -1) @ self.value(x)


class ChannelsLast(nn.Module):
    """A layer that sees channels as features: the body of a ConvNeXt block behind its depthwise convolution."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def inverted(activation: type[nn.Module], *gate: nn.Module) -> nn.Module:
    """An inverted bottleneck with a linear end (Sandler et al. 2018)."""
    wide = 3 * WIDTH
    return Residual(
        *(nn.Conv2d(WIDTH, wide, 1, bias=False), nn.BatchNorm2d(wide), activation()),
        *(nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False), nn.BatchNorm2d(wide), activation()),
        *gate,
        *(nn.Conv2d(wide, WIDTH, 1, bias=False), nn.BatchNorm2d(WIDTH)),
    )


def pre_activation() -> nn.Module:
    """A residual block whose sums no activation follows (He et al. 2016)."""
    halves = ([nn.BatchNorm2d(WIDTH), nn.ReLU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)] for _ in range(2))
    return Residual(*(layer for half in halves for layer in half))


def perceptron(inputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, 2 * inputs), nn.GELU(), nn.Linear(2 * inputs, inputs)]


# Networks


def convolutional(*body: nn.Module) -> nn.Module:
    """A stem, a body, means of 2 x 2 and a classifier."""
    ends = nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * WIDTH, 5)
    return nn.Sequential(nn.Conv2d(3, WIDTH, 3, padding=1), *body, *ends)


def activated(activation: Callable[[], nn.Module]) -> nn.Module:
    """Two convolutions with an activation each."""
    return convolutional(activation(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), activation())


def sequential(*body: nn.Module) -> nn.Module:
    """Patches of 2 x 2 as 16 tokens, a body, a norm, the mean and a classifier."""
    patches = nn.Conv2d(3, WIDTH, 2, 2), Tokens()
    return nn.Sequential(*patches, *body, nn.LayerNorm(WIDTH), MeanOfTokens(), nn.Linear(WIDTH, 5))


def transformer() -> nn.Module:
    blocks = [
        Residual(nn.LayerNorm(WIDTH), Attention(WIDTH, 2)),
        Residual(nn.LayerNorm(WIDTH), *perceptron(WIDTH)),
    ]
    patches = nn.Conv2d(3, WIDTH, 2, 2), Tokens(), ClassToken(16, WIDTH)
    return nn.Sequential(*patches, *blocks, nn.LayerNorm(WIDTH), FirstToken(), nn.Linear(WIDTH, 5))


def pooled() -> nn.Module:
    """Maxima of signed numbers, padding included."""
    convolution = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
    return convolutional(nn.SiLU(), nn.MaxPool2d(3, 1, 1), convolution, nn.MaxPool2d(3, 1, 1), nn.Tanh())


def mixer() -> nn.Module:
    tokens = Residual(nn.LayerNorm(WIDTH), Transposed(*perceptron(16)))
    return sequential(tokens, Residual(nn.LayerNorm(WIDTH), *perceptron(WIDTH)))


def conv_next() -> nn.Module:
    depthwise = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH)
    body = ChannelsLast(nn.LayerNorm(WIDTH), *perceptron(WIDTH))
    return convolutional(Residual(depthwise, body), Residual(depthwise, body))


NETWORKS: Mapping[str, Callable[[], nn.Module]] = {
    "leaky relu": lambda: activated(lambda: nn.LeakyReLU(0.1)),
    "prelu of every channel": lambda: activated(lambda: nn.PReLU(WIDTH)),
    "silu": lambda: activated(nn.SiLU),
    "gelu": lambda: activated(nn.GELU),
    "gelu by tanh": lambda: activated(lambda: nn.GELU("tanh")),
    "hard swish": lambda: activated(nn.Hardswish),
    "hard sigmoid": lambda: activated(nn.Hardsigmoid),
    "sigmoid": lambda: activated(nn.Sigmoid),
    "tanh": lambda: activated(nn.Tanh),
    "hardtanh": lambda: activated(lambda: nn.Hardtanh(-1, 2)),
    "no activation": lambda: activated(nn.Identity),
    "inverted bottleneck": lambda: convolutional(inverted(nn.ReLU6), inverted(nn.ReLU6)),
    "squeeze and excite": lambda: convolutional(inverted(nn.SiLU, SqueezeAndExcite(3 * WIDTH))),
    "pre-activation": lambda: convolutional(pre_activation(), pre_activation(), nn.ReLU()),
    "maxima": pooled,
    "mean of tokens": lambda: sequential(nn.Linear(WIDTH, WIDTH)),
    "mixer": mixer,
    "attention of torch": lambda: sequential(AttentionOfTorch(WIDTH, 2)),
    "attention spelled out": lambda: sequential(SpelledOutAttention(WIDTH)),
    "vision transformer": transformer,
    "conv next": conv_next,
}


BOUND = 0.08
"""Largest root mean square of errors over that of differences between images; twice what most networks have."""

BOUNDS = {"hard sigmoid": 0.12, "vision transformer": 0.16}
"""Of networks whose outputs differ little between images."""


def images(seed: int, count: int) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, *SHAPE)).astype(np.float32)


def built(name: str) -> nn.Module:
    """The network in evaluation mode; weights are twice as large as usual, and batch norms have seen some images."""
    torch.default_generator.manual_seed(0)
    model = NETWORKS[name]()
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data.mul_(2)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    with torch.no_grad():
        for seed in range(20):
            model(torch.tensor(images(seed, 16)))
    return model.eval()


def float_outputs(model: nn.Module, inputs: Floats) -> Floats:
    with torch.no_grad():
        return model(torch.tensor(inputs)).numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_program_says_the_integer_networks_counts_and_stays_near_the_floats(name: str) -> None:
    model, unseen = built(name), images(100, 32)
    compiled = nc.compile(model, target="cpu", calibration=images(101, 64), conversion=FINE)
    result = compiled.run(unseen, counts=True)
    assert result.counts.keys() == {layer.name for layer in compiled.layers}
    validation = compiled.validate(unseen)
    assert validation.mismatches == 0
    neurons = sum(layer.neurons for layer in compiled.layers)
    assert [comparison.counts for comparison in validation.exact] == [32 * (neurons + 5)] * 3
    expected = float_outputs(model, unseen)
    assert isinstance(result.outputs, np.ndarray)
    error, size = result.outputs - expected, expected - expected.mean(axis=0)
    assert np.square(error).mean() < BOUNDS.get(name, BOUND) ** 2 * np.square(size).mean()


@pytest.mark.parametrize("name", NETWORKS)
def test_explain_says_that_it_can_be_converted(name: str) -> None:
    assert nc.explain(built(name), images(0, 1), target="cpu").convertible


@pytest.mark.parametrize("code", ["unary", "radix", "latency", "signed", "free"])
def test_codes_without_numbers_refuse_every_layer_that_needs_them(code: str) -> None:
    with pytest.raises(nc.LevelError, match="4 things stand between the model and level ann-convertible") as refusal:
        nc.compile(
            built("squeeze and excite"),
            target="cpu",
            calibration=images(0, 8),
            conversion=nc.Conversion(code=code),
        )
    told = {problem.what: problem for problem in refusal.value.problems}
    assert told.keys() == {"`ann.relay`", "`ann.silu`", "`ann.sigmoid`", "`ann.mul`"}
    for problem in told.values():
        assert problem.why == f"it needs spikes that carry a number (code graded), not {code}"
        assert problem.remedy
