"""What one version costs its users: starting up, compiling, the size of the IR, running. Prints JSON.

    PYTHONPATH=<a checkout> python test/benchmarks/tracking/costs.py

Seconds are those on a processor, of this process and of compilers that it starts: neighbours on the machine disturb
them least. As little as can be of what may change is used, so that older versions can be measured, too.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from statistics import median
from tempfile import TemporaryDirectory
from time import thread_time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.pipeline import Line, target_stage

STARTS = 7
RUNS = 50
CALIBRATION_IMAGES = 128
LEVELS = ("ann-imported", "ann-quantized", "snn-count", "snn-integer", "cpu")


class Block(nn.Module):
    """Two convolutions and a shortcut, projected where the shape changes."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        projection = (nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        self.shortcut = nn.Sequential(*projection) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


def resnet(widths: tuple[int, ...], blocks: int) -> nn.Module:
    """A residual network for 32 x 32 images, random weights."""
    torch.default_generator.manual_seed(0)
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    before = widths[0]
    for width in widths:
        layers += [
            Block(before, width, 1 if width == before else 2),
            *(Block(width, width, 1) for _ in range(blocks - 1)),
        ]
        before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10)).eval()


NETWORKS: Mapping[str, tuple[tuple[int, ...], int]] = {
    "ResNet-20": ((16, 32, 64), 3),
    "ResNet-18": ((64, 128, 256, 512), 2),
}


def main() -> None:
    torch.set_num_threads(1)
    figures = dict[str, float]()
    python = started("-c", "")
    for name, arguments in {
        "import neurocuda": ("-c", "import neurocuda"),
        "import neurocuda.compile": ("-c", "import neurocuda; neurocuda.compile"),
        "nc-opt": ("-m", "neurocuda.tools.nc_opt"),
    }.items():
        figures[f"start-up: {name}, ms"] = 1e3 * (started(*arguments) - python)
    with TemporaryDirectory() as folder:
        os.environ["NEUROCUDA_CACHE"] = folder
        for name, shape in NETWORKS.items():
            figures |= {f"{name}: {figure}": value for figure, value in of_network(resnet(*shape)).items()}
    print(json.dumps({**figures, "load of the machine meanwhile": os.getloadavg()[0]}))


def busy() -> float:
    """Seconds that this process and its children were on a processor."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def started(*arguments: str) -> float:
    """The least seconds of a process of its own."""
    seconds: list[float] = []
    for _ in range(STARTS):
        before = busy()
        subprocess.run([sys.executable, *arguments], input=b"builtin.module {}", check=True, capture_output=True)
        seconds.append(busy() - before)
    return min(seconds)


def of_network(model: nn.Module) -> dict[str, float]:
    """Compiling it, lowering its integers once more, its IR, and one image on one thread."""
    images = torch.randn(CALIBRATION_IMAGES, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    before = busy()
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=nc.Conversion(calibration="mse"))
    figures = {"compile, s": busy() - before, **built(compiled)}
    for level in LEVELS:
        text = compiled.ir(level)
        figures |= {f"{level}, lines": text.count("\n"), f"{level}, KiB": len(text.encode()) / 1024}
    return {**figures, "run, T = 15, ms": 1e3 * run(compiled, images[:1])}


def built(compiled: nc.Compiled) -> dict[str, float]:
    """From integers in spikes to a program that is ready to run, with an empty cache and with a full one."""
    figures = dict[str, float]()
    with TemporaryDirectory() as folder:
        kept, os.environ["NEUROCUDA_CACHE"] = os.environ["NEUROCUDA_CACHE"], folder
        for name in ("lower and build, s", "lower and load from the cache, s"):
            line = Line.start(compiled.context, compiled.level("snn-integer").clone())
            before = busy()
            line.run(target_stage(compiled.backend, compiled.chip))
            compiled.backend.load(line.module, compiled.weights)
            figures[name] = busy() - before
        os.environ["NEUROCUDA_CACHE"] = kept
    return figures


def run(compiled: nc.Compiled, image: Any) -> float:
    """The median of some calls."""
    seconds: list[float] = []
    for _ in range(RUNS):
        before = thread_time()
        compiled.run(image, threads=1, counts=False)
        seconds.append(thread_time() - before)
    return median(seconds)


if __name__ == "__main__":
    main()
