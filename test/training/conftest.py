"""A small residual network in every style of rectifier, and images with labels that it can learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

Batches: TypeAlias = list[tuple[Tensor, Tensor]]
Build: TypeAlias = Callable[[], nn.Module]

SHAPE = (2, 6, 6)
CLASSES = 3


class Residual(nn.Module):
    """A module, a function and a method; batch norms; a residual sum; maximum and average pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.act = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.last = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.norm(self.first(x)))
        y = F.max_pool2d(F.relu(self.second(y) + y), 2)
        return self.last(F.adaptive_avg_pool2d(y, 1).flatten(1).clamp(0, 6))


def settled(model: nn.Module) -> nn.Module:
    """The same weights every time, with batch norms that have seen some images, in evaluation mode."""
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" not in name:
                reach = max(1, parameter[0].numel()) ** -0.5
                parameter.uniform_(-reach, reach, generator=random)
        model.train()
        model(torch.randn(64, *SHAPE, generator=random))
    return model.eval()


@pytest.fixture
def model() -> nn.Module:
    return settled(Residual())


@pytest.fixture
def images() -> Tensor:
    """48 images."""
    return torch.randn(48, *SHAPE, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels(images: Tensor) -> Tensor:
    """Which of three sums of pixels is the largest."""
    return torch.stack([images[:, 0].sum((1, 2)), images[:, 1].sum((1, 2)), 0 * images[:, 0, 0, 0]], 1).argmax(1)


@pytest.fixture
def batches(images: Tensor, labels: Tensor) -> Batches:
    """Three batches."""
    return list(zip(images.chunk(3), labels.chunk(3), strict=True))


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Built programs go where the session's other files are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROCUDA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
