"""Runs the commands in this process, on a small network that lies in files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

NETS = '''"""Networks that the commands build."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 4 * 4, 5)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x)))
        return self.fc(nn.functional.max_pool2d(x, 2).flatten(1))


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 3)

    def forward(self, left, right):
        return self.fc(torch.relu(torch.cat([left, right], 1)))


class Factories:
    small = Net


class Softened(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        x = torch.log_softmax(torch.relu(self.first(x)), 1)
        return torch.relu(self.last(nn.functional.layer_norm(x.reshape(-1, 2, 4), (2, 4)).flatten(1)))


ready = Net()
number = 7


def broken():
    raise ValueError("no such file\\nand more")


def seven():
    return 7
'''


@dataclass(frozen=True)
class Done:
    """What a run of a command left."""

    code: int
    out: str
    err: str

    def refused(self, *words: str) -> None:
        """One line on stderr that says all the words, nothing on stdout, exit code 1."""
        assert self.code == 1, self
        assert self.out == ""
        assert self.err.endswith("\n")
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if ": warning: " not in line]
        assert len(lines) == 1, self.err
        for word in words:
            assert word in lines[0], f"{word!r} is not in {lines[0]!r}"


Tool = Callable[..., Done]
"""tool("nc-run", "x.nca", ...) runs a command in the current folder."""


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tool:
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: object) -> Done:
        module = import_module(f"neurocuda.tools.{name.replace('-', '_')}")
        main = cast("Callable[[list[str]], int]", module.main)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network as code, weights, exported program and artefact, and with images and labels."""
    folder = tmp_path_factory.mktemp("material")
    (folder / "nets.py").write_text(NETS)
    torch.default_generator.manual_seed(0)
    from neurocuda.api import compile
    from neurocuda.tools._user_code import built_model

    model = built_model(f"{folder / 'nets.py'}:Net")
    _save(model, folder)
    images = np.random.default_rng(0).standard_normal((20, 3, 8, 8)).astype(np.float32)
    labels = np.arange(20) % 5
    np.savez(folder / "images.npz", images=images, labels=labels)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)
    np.save(folder / "pixels.npy", np.random.default_rng(1).integers(0, 256, (20, 3, 8, 8), np.uint8))
    compile(model, target="cpu", calibration=images).save(folder / "model.nca")
    return folder


def _save(model: nn.Module, folder: Path) -> None:
    from safetensors import torch as safetensors_torch

    save_file = cast(Callable[[dict[str, torch.Tensor], Path], None], safetensors_torch.save_file)
    state = model.state_dict()
    torch.save(state, folder / "weights.pth")
    save_file(state, folder / "weights.safetensors")
    program = torch.export.export(model, (torch.randn(2, 3, 8, 8),))
    torch.export.save(program, folder / "model.pt2")


@pytest.fixture
def here(material: Path, tool: Tool, tmp_path: Path) -> Path:
    """The current folder, with everything that `material` holds."""
    del tool
    for file in material.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    return tmp_path
