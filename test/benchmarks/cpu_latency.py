"""Milliseconds per image on this CPU, one thread and all threads; not part of the test suite.

python test/benchmarks/cpu_latency.py                    # ResNet-20 of the data folder, or a random one without it
python test/benchmarks/cpu_latency.py --model plain10 --timesteps 31 --images 500
"""

from __future__ import annotations

import argparse
import os
import statistics
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.ir.backend import Execution, RunOptions

ROOT = Path(__file__).resolve().parents[2]
Images = NDArray[np.float32]


def data_folder() -> Path:
    """NEUROCUDA_DATA, by default the sibling `shared/data`."""
    return Path(os.environ.get("NEUROCUDA_DATA", ROOT.parent / "shared" / "data"))


def trained(name: str, count: int) -> tuple[nn.Module, Images, Images, NDArray[np.uint8] | None]:
    """(model, calibration images, test images, labels) from the data folder; random ones where there is none."""
    folder = data_folder()
    if not (folder / "trained.py").is_file():
        return untrained(count)
    model, prepare = getattr(module_of(folder / "trained.py"), name)()
    training, _, images, labels = module_of(folder / "datasets.py").cifar10()
    return model, prepare(training[:256]).numpy(), prepare(images[:count]).numpy(), labels[:count]


def module_of(path: Path) -> ModuleType:
    """A Python file as a module."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def untrained(count: int) -> tuple[nn.Module, Images, Images, None]:
    """A network of ResNet-20's size with random weights."""
    torch.default_generator.manual_seed(0)
    widths = [3, *[16] * 7, *[32] * 6, *[64] * 6]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        stride = 2 if before not in (3, after) else 1
        layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)).eval()
    images = np.random.default_rng(0).normal(0, 1, (256 + count, 3, 32, 32)).astype(np.float32)
    return model, images[:256], images[256:], None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet20", choices=["resnet20", "plain10", "resnet8"])
    parser.add_argument("--timesteps", type=int, default=15)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()

    model, calibration, images, labels = trained(options.model, options.images)
    compiled = nc.compile(
        model,
        target="cpu",
        calibration=calibration,
        conversion=nc.Conversion(timesteps=options.timesteps),
    )

    def once(threads: int | None) -> Execution:
        return compiled.program.run([images], RunOptions(threads=threads))

    done = once(None)
    for name, threads in (("one thread", 1), ("all threads", None)):
        times = [1000 * once(threads).seconds / len(images) for _ in range(5)]
        print(f"{name}: {statistics.median(times):.2f} ms per image (best {min(times):.2f}), {done.provenance}")
    if labels is not None:
        right = int((done.outputs[0].argmax(axis=1) == labels).sum())
        print(f"top-1 on {len(images)} images: {100 * right / len(images):.1f} %")


if __name__ == "__main__":
    main()
