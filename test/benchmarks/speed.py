"""Seconds and memory of compiling, and milliseconds of running, beside PyTorch in the same process.

    python test/benchmarks/speed.py

Prints: compiling a network of ResNet-18's shape (224 x 224, random weights, no calibration images) with its peak
memory, for a CPU and at T = 4 for Loihi 2, and ResNet-20 for Loihi 2; a round trip of ResNet-18's IR through `nc-opt`;
compiling ResNet-20 (CIFAR-10) with 256 random calibration images; and ResNet-20 at T = 15 on one thread, in rounds that
alternate with the float network in eager PyTorch (a ratio above one: ours is slower). Machines are noisy: ratios within
a run say more than times.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from accuracy import CifarResNet  # beside this file
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.ir.printing import save_module

ROUNDS = 9
IMAGES = 16


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut, projected where the shape changes."""

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


def resnet18() -> nn.Module:
    """ResNet-18 of He et al. 2015 for 1,000 classes, random weights."""
    plan = [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
    blocks = [BasicBlock(*shape) for shape in (*plan, (512, 512, 1))]
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000)).eval()


def main() -> None:
    torch.default_generator.manual_seed(0)
    compile_resnet18()
    compile_for_loihi("ResNet-20", CifarResNet(3).eval(), 32)
    compile_for_loihi("ResNet-18", resnet18(), 224)
    compile_and_run_resnet20()


def compile_resnet18() -> None:
    """Compile time, peak memory and the round trip of the IR."""
    model = resnet18()
    started = perf_counter()
    compiled = nc.compile(model, target="cpu", input_shape=(3, 224, 224))
    seconds = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"ResNet-18, 224x224, no calibration: compiled in {seconds:.1f} s, peak memory {peak:.2f} GiB")
    with tempfile.TemporaryDirectory() as folder:
        source, copy = Path(folder) / "resnet18.mlir", Path(folder) / "copy.mlir"
        save_module(compiled.levels["ann-imported"], compiled.context, source, locations=True)
        started = perf_counter()
        command = [sys.executable, "-m", "neurocuda.tools.nc_opt", str(source), "-o", str(copy)]
        subprocess.run(command, check=True)
        print(f"ResNet-18, round trip of the IR through nc-opt: {perf_counter() - started:.2f} s")


def compile_for_loihi(name: str, model: nn.Module, size: int) -> None:
    """Compile time, peak memory so far, and what of the chips is used."""
    started = perf_counter()
    compiled = nc.compile(
        model, target="loihi2", input_shape=(3, size, size), conversion=nc.Conversion(timesteps=4, code="unary")
    )
    seconds = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    layout = compiled.backend.layout(compiled.level("loihi"), compiled.weights, compiled.chip)
    assert layout is not None
    chips = len({use.chip for use in layout.cores})
    print(
        f"{name}, {size}x{size}, for Loihi 2: compiled, partitioned and placed in {seconds:.1f} s, {chips} chips, "
        f"{len(layout.cores)} cores, peak memory {peak:.2f} GiB"
    )


def compile_and_run_resnet20() -> None:
    """Compile time with calibration, and one-thread latency beside eager PyTorch."""
    model = CifarResNet(3).eval()
    images = torch.randn(256, 3, 32, 32)
    started = perf_counter()
    compiled = nc.compile(model, target="cpu", calibration=images)
    print(f"ResNet-20, 256 calibration images: compiled in {perf_counter() - started:.1f} s")
    torch.set_num_threads(1)
    compiled.run(images[:IMAGES], threads=1)
    ours, theirs = list[float](), list[float]()
    for _ in range(ROUNDS):
        ours.append(1e3 * compiled.run(images[:IMAGES], threads=1).seconds / IMAGES)
        started = perf_counter()
        with torch.inference_mode():
            for image in images[:IMAGES].split(1):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
                model(image)
        theirs.append(1e3 * (perf_counter() - started) / IMAGES)
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"ResNet-20, T = 15, one thread: {median(ours):.1f} ms per image (lowest {min(ours):.1f})")
    print(f"  the float network in eager PyTorch, batch 1: {median(theirs):.1f} ms; ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
