"""A small residual network, images for it, and both compiled for the CPU once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.compiled import Compiled

Floats: TypeAlias = NDArray[np.float32]
Build: TypeAlias = Callable[[], nn.Module]
SHAPE = (3, 8, 8)


class Small(nn.Module):
    """Convolutions, a residual sum, max and average pooling, and a classifier; batch norms have seen some images."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.last = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm(self.first(x)))
        y = F.max_pool2d(F.relu(self.second(y) + y), 2)
        return self.last(F.adaptive_avg_pool2d(y, 1).flatten(1))


def small() -> nn.Module:
    """The same network every time, in evaluation mode."""
    random = torch.Generator().manual_seed(0)
    model = Small()
    with torch.no_grad():
        for parameter in model.parameters():
            fan_in = max(1, parameter[0].numel())
            parameter.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=random)
        model.norm.weight.fill_(1.0)
        model.train()
        model(torch.randn(64, *SHAPE, generator=random))
    return model.eval()


@pytest.fixture(scope="session")
def images() -> Floats:
    """32 images."""
    return np.random.default_rng(0).standard_normal((32, *SHAPE)).astype(np.float32)


@pytest.fixture
def model() -> nn.Module:
    return small()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Built programs go where the session's other files are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROCUDA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def compiled(images: Floats) -> Compiled:
    """The network with T = 7. Do not change it."""
    return nc.compile(small(), target="cpu", calibration=images, conversion=nc.Conversion(code="unary", timesteps=7))


@pytest.fixture
def labels(compiled: Compiled, images: Floats) -> NDArray[np.int64]:
    """The classes that the network gives, but for the first two."""
    outputs = compiled.run(images).outputs
    assert isinstance(outputs, np.ndarray)
    classes = outputs.argmax(1)
    classes[:2] = (classes[:2] + 1) % 4
    return classes
