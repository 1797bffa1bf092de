"""Accuracy of converted CIFAR-10 networks on the whole test set, and whether their spikes are exact.

    python test/benchmarks/accuracy.py [resnet20:15 resnet20:15:weight_bits=4 resnet20:32:code=free ...]

Data: the folder NEUROCUDA_DATA (default ../shared/data beside the checkout), holding either compact CIFAR-10 and
networks with readers `datasets.py` and `trained.py`, or the public files listed in the README (`cifar-10-python.tar.gz`
and the checkpoint of akamaster's ResNet-20). 256 training images without labels calibrate, nothing is trained; int8
weights and code "unary" where a case does not say otherwise (any option of `nc.Conversion`). Prints one line per case:
the float accuracy, the spiking accuracy with its 95 % interval on all test images through the CPU target, steps per
image, spikes per neuron, mismatching counts on whole images step by step, seconds to compile, milliseconds per image.

Exact codes say the same counts: all test images are run in the quickest, "graded", its counts give the spikes of the
case's own code, and that code is run on the first images, where every count is compared and the time is taken.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import os
import pickle
import sys
import tarfile
from ast import literal_eval
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy
from neurocuda.measure.evaluation import Activity, correct_answers

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
CALIBRATION_IMAGES = 256
EXACT_IMAGES = 20
TIMED_IMAGES = 200
BATCH = 250
CASES = (
    *(f"resnet20:{timesteps}:calibration=joint" for timesteps in (4, 7, 8, 15, 31)),
    "resnet20:15",
    "resnet20:15:weight_bits=4",
    "resnet20:15:threshold_granularity=layer",
    "resnet20:15:latency_budget=133",
    *(f"{name}:{timesteps}:calibration=joint" for name in ("plain10", "resnet8") for timesteps in (15, 31)),
    "resnet20:32:code=free",
    "resnet20:8:code=free:firing_delay=6",
)

ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
"""Published beside the archive as MD5 c58f30108f718f92721af3b95e74349a; this is its SHA-256."""

CHECKPOINT = "resnet20-12fca82f.th"
CHECKPOINT_PREFIX = "12fca82f"
"""The file's name ends in the first digits of its SHA-256, as torch hub checkpoints do."""

Images: TypeAlias = NDArray[np.uint8]
Labels: TypeAlias = NDArray[np.int64]
Prepare: TypeAlias = Callable[[Images], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES, help=f"network:timesteps, by default {' '.join(CASES)}")
    parser.add_argument("--images", type=int, default=10_000, help="test images (default: all 10,000)")
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    train, _, test, labels = cifar10()
    chosen = np.random.default_rng(0).choice(len(train), CALIBRATION_IMAGES, replace=False)
    print(
        f"{'case':40} {'float':>7} {'spiking':>7} {'95 % interval':>15} {'n':>6} {'steps':>5} {'spikes':>6} "
        f"{'differs':>22} {'compile':>9} {'image':>10}",
        flush=True,
    )
    for case in arguments.cases:
        measure(case, train[chosen], test[: arguments.images], labels, arguments.threads)


def conversion_of(options: Sequence[str]) -> nc.Conversion:
    """Options such as weight_bits=4 on top of int8 weights and code "unary", step by step."""
    given = {key: _value(value) for key, _, value in (option.partition("=") for option in options)}
    defaults: dict[str, object] = {"code": "unary", "weight_bits": 8, "execution": "events"}
    return nc.Conversion(**(defaults | given))  # pyright: ignore[reportArgumentType]  Conversion checks them


def _value(text: str) -> object:
    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):  # a word
        return text


def measure(case: str, calibration: Images, test: Images, labels: Labels, threads: int | None) -> None:
    """Compiles one network and prints its line."""
    name, timesteps, *options = case.split(":")
    model, prepare = network(name)
    started = perf_counter()
    conversion = conversion_of([f"timesteps={timesteps}", *options])
    compiled = nc.compile(model, target="cpu", calibration=prepare(calibration), conversion=conversion)
    seconds = perf_counter() - started
    labels = labels[: len(test)]
    inputs = prepare(test)
    float_accuracy = accuracy_of(model, inputs, labels)
    validation = compiled.validate(inputs[:EXACT_IMAGES])
    some = len(test) if conversion.code == "free" else TIMED_IMAGES
    spiking = compiled.evaluate(inputs[:some], labels[:some], threads=threads)
    accuracy, spikes = spiking.accuracy, spiking.spikes_per_neuron
    if conversion.code != "free":
        graded = replace(conversion, code="graded", execution="counts")
        quickest = nc.compile(model, target="cpu", calibration=prepare(calibration), conversion=graded)
        accuracy, spikes = counted(quickest, conversion.code, inputs, labels, threads)
    low, high = accuracy.interval
    counts = sum(comparison.counts for comparison in validation.exact)
    print(
        f"{case:40} {100 * float_accuracy:6.2f}% {100 * accuracy.value:6.2f}% "
        f"{100 * low:6.2f} ...{100 * high:6.2f} {accuracy.images:6d} {spiking.steps:5d} {spikes or 0:6.2f} "
        f"{validation.mismatches:6d} of {counts:12,d} {seconds:7.1f} s {1e3 * spiking.seconds_per_image:7.2f} ms",
        flush=True,
    )


def counted(
    compiled: nc.Compiled, code: str, inputs: Tensor, labels: Labels, threads: int | None
) -> tuple[Accuracy, float | None]:
    """The accuracy, and the spikes per neuron that a code takes to say the same counts."""
    activity, correct = Activity(code, compiled.layers), 0
    for start in range(0, len(inputs), BATCH):
        batch = slice(start, start + BATCH)
        result = compiled.run(inputs[batch], counts=True, threads=threads)
        correct += correct_answers(np.asarray(result.outputs), labels[batch])
        activity.add(result.counts)
    return Accuracy(correct, len(inputs)), activity.spikes_per_neuron


def accuracy_of(model: nn.Module, inputs: Tensor, labels: Labels) -> float:
    """The accuracy of a float network."""
    with torch.inference_mode():
        outputs = torch.cat([model(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)])
    return float((outputs.argmax(1).numpy() == labels).mean())


def cifar10() -> tuple[Images, Labels, Images, Labels]:
    """Training images (N, 32, 32, 3) and their labels, test images and theirs."""
    if (DATA / "datasets.py").is_file():
        x_train, y_train, x_test, y_test = _module("datasets").cifar10()
        return x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64)
    archive = DATA / ARCHIVE
    if not archive.is_file():
        sys.exit(f"no CIFAR-10 in {DATA}: set NEUROCUDA_DATA to a folder with {ARCHIVE} and {CHECKPOINT}")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != ARCHIVE_SHA256:
        sys.exit(f"{archive} is not the published archive: its SHA-256 differs")
    with tarfile.open(archive) as tar:
        parts = [_batch(tar, f"data_batch_{number}") for number in range(1, 6)]
        x_test, y_test = _batch(tar, "test_batch")
    x_train, y_train = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return x_train, y_train, x_test, y_test


def _batch(tar: tarfile.TarFile, name: str) -> tuple[Images, Labels]:
    member = tar.extractfile(f"cifar-10-batches-py/{name}")
    if member is None:
        sys.exit(f"{ARCHIVE}: {name} is missing")
    content = cast("dict[bytes, object]", _ArraysOnly(io.BytesIO(member.read()), encoding="bytes").load())
    images = cast(Images, content[b"data"]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, np.asarray(content[b"labels"], np.int64)


class _ArraysOnly(pickle.Unpickler):
    """CIFAR-10 is published as pickles; nothing but NumPy arrays may come out of them."""

    allowed = frozenset({("numpy", "dtype"), ("numpy", "ndarray"), ("numpy.core.multiarray", "_reconstruct")})

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in CIFAR-10")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def network(name: str) -> tuple[nn.Module, Prepare]:
    """A trained network and its preprocessing."""
    if (DATA / "trained.py").is_file():
        return getattr(_module("trained"), name)()
    if name != "resnet20":
        sys.exit(f"{name} is not among the public checkpoints; only resnet20 is")
    content = (DATA / CHECKPOINT).read_bytes()
    if not hashlib.sha256(content).hexdigest().startswith(CHECKPOINT_PREFIX):
        sys.exit(f"{DATA / CHECKPOINT} is not the published checkpoint: its SHA-256 differs")
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)["state_dict"]
    model = CifarResNet(3)
    model.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (
        model.eval(),
        lambda images: (torch.tensor(images).permute(0, 3, 1, 2) / 255 - mean[:, None, None]) / std[:, None, None],
    )


def _module(name: str) -> ModuleType:
    """A reader beside the data, loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Block(nn.Module):
    """Two convolutions; a shape change in the shortcut is a strided slice with zero channels around it."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.extra = (channels - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.extra:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra, self.extra))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    """The CIFAR-10 ResNet of He et al. 2015, depth 6n + 2, with the parameter names of akamaster's checkpoints."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self._stage(16, 16, n, 1)
        self.layer2 = self._stage(16, 32, n, 2)
        self.layer3 = self._stage(32, 64, n, 2)
        self.linear = nn.Linear(64, 10)

    @staticmethod
    def _stage(inputs: int, channels: int, n: int, stride: int) -> nn.Sequential:
        first = Block(inputs, channels, stride)
        return nn.Sequential(first, *(Block(channels, channels, 1) for _ in range(n - 1)))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.avg_pool2d(x, 8).flatten(1))


if __name__ == "__main__":
    main()
