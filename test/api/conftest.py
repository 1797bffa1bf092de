"""A small residual network, images for it, and both compiled for the CPU once; a recurrent one of spike trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import h5py
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


@pytest.fixture
def recurrent(tmp_path: Path) -> Path:
    """Five leaky neurons that hear each other, and two that listen."""
    random = np.random.default_rng(0)
    path = tmp_path / "recurrent.nir"
    neurons = dict(zip(("tau", "r", "v_leak", "v_threshold"), np.array([[0.01], [10.0], [0.0], [1.0]]), strict=True))
    nodes: dict[str, tuple[str, dict[str, NDArray[np.float64]]]] = {
        "input": ("Input", {"shape": np.array([3])}),
        "in": ("Affine", {"weight": random.normal(size=(5, 3)), "bias": np.full(5, 0.1)}),
        "lif": ("LIF", {name: np.repeat(value, 5) for name, value in neurons.items()}),
        "back": ("Linear", {"weight": random.normal(size=(5, 5)) / 2}),
        "out": ("Linear", {"weight": random.normal(size=(2, 5))}),
        "last": ("LIF", {name: np.repeat(value, 2) for name, value in neurons.items()}),
        "output": ("Output", {"shape": np.array([2])}),
    }
    edges = ["input in", "in lif", "lif back", "back lif", "lif out", "out last", "last output"]
    with h5py.File(path, "w") as file:
        file.create_dataset("version", data="1.0.8")
        graph = file.create_group("node")
        graph.create_dataset("type", data="NIRGraph")
        graph.create_dataset("edges", data=np.array([edge.encode().split() for edge in edges]))
        for name, (kind, parameters) in nodes.items():
            node = graph.create_group(f"nodes/{name}")
            node.create_dataset("type", data=kind)
            for parameter, value in parameters.items():
                node.create_dataset(parameter, data=value)
    return path


@pytest.fixture
def events() -> Floats:
    """Six recordings of forty steps of counts."""
    return np.random.default_rng(1).poisson(0.4, (6, 40, 3)).astype(np.float32)
