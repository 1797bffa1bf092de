"""Trains LeNet-5 on MNIST with activations of 0 and 1, compiles it for Loihi 2, and runs digits in Lava.

    python examples/train_lenet.py [DATA] [--images 10] [--epochs 3] [--output build/lenet]

DATA is a folder with the four files as published (`train-images-idx3-ubyte.gz`, ...), by default $NEUROCUDA_DATA/mnist.

With T = 1 every neuron is one of Loihi's own: leaky integrate-and-fire, reset to zero, with one threshold per layer.
The network goes from layer to layer, so that it is also written as a .net file, which Lava's netx reads; images have
16 grey levels, so that biases beside them fit into the 13 bits of Loihi's. The float network is trained first, then
its rectifiers become steps and it is trained again. Averages are pooled; they go into the layer behind them. The seed
is fixed; one core takes five minutes. Without Lava (`make lava`) nothing is run, but everything is written.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy
from neurocuda.training import FineTuning, fine_tune, with_staircases

DATA = Path(os.environ.get("NEUROCUDA_DATA", "../shared/data"), "mnist")
CALIBRATION_IMAGES, BATCH = 256, 100


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="a folder with MNIST")
    parser.add_argument("--images", type=int, default=10, help="digits to run in Lava")
    parser.add_argument(
        "--epochs", type=int, default=3, help="passes over the training images, in floats and with steps"
    )
    parser.add_argument("--output", type=Path, default=Path("build/lenet"), help="the folder for what is written")
    arguments = parser.parse_args()
    images, labels = mnist(arguments.data, "train")
    test, truth = mnist(arguments.data, "t10k")

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = lenet()
    train(model, images, labels, arguments.epochs)
    print(f"float:    {accuracy(model, test, truth)}")
    steps = with_staircases(model, images[:CALIBRATION_IMAGES], timesteps=1)
    steps = fine_tune(
        steps, list(batches_of(images, labels)), FineTuning(epochs=arguments.epochs, learning_rate=0.02), teacher=model
    )
    print(f"T = 1:    {accuracy(steps, test, truth)}")

    conversion = nc.Conversion(timesteps=1, code="latency", threshold_granularity="layer")
    compiled = nc.compile(steps, target="loihi2", calibration=images[:CALIBRATION_IMAGES], conversion=conversion)
    print(f"integers: {compiled.evaluate(test, truth, level='ann-quantized').accuracy}")
    files = compiled.export(arguments.output)
    print(f"written:  {', '.join(path.name for path in files)} in {arguments.output}")
    if not [target for target in nc.targets() if target.name == "loihi" and target.available]:
        sys.exit("Lava is not there, so nothing is run: make lava")
    run(compiled, test[: arguments.images], truth[: arguments.images])


def run(compiled: nc.Compiled, images: Tensor, labels: Tensor) -> None:
    """Compares Lava with the reference interpreter on some images."""
    found = compiled.run(images, counts=True)
    expected = compiled.run(images, counts=True, on="reference")
    differing = sum(int((found.counts[name] != counts).sum()) for name, counts in expected.counts.items())
    total = sum(counts.size for counts in expected.counts.values())
    right = int((found.scores.argmax(1) == labels.numpy()).sum())
    print(
        f"{found.provenance}: {differing} of {total:,d} spikes differ on {len(images)} images, {right} digits are right"
    )


def lenet() -> nn.Sequential:
    """LeNet-5 with rectifiers: two convolutions, three matrices, 61,706 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def train(model: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    """Adam with a cosine schedule; leaves the model in evaluation mode."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    console = Console(file=sys.stderr)
    for _ in track(range(epochs), "training", console=console, transient=True, disable=not sys.stderr.isatty()):
        order = torch.randperm(len(images))
        for part, true in batches_of(images[order], labels[order]):
            optimizer.zero_grad()
            F.cross_entropy(model(part), true).backward()
            optimizer.step()
        schedule.step()
    model.eval()


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> Accuracy:
    """How many images get their class."""
    with torch.no_grad():
        right = sum(int((model(part).argmax(1) == true).sum()) for part, true in batches_of(images, labels))
    return Accuracy(right, len(images))


def batches_of(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and labels, some at a time."""
    yield from zip(images.split(BATCH), labels.split(BATCH), strict=True)


def mnist(folder: Path, split: str) -> tuple[Tensor, Tensor]:
    """(images (n, 1, 28, 28) in 16 grey levels from 0 to 1, labels) of a split, "train" or "t10k"."""
    files = [folder / f"{split}-{kind}-ubyte.gz" for kind in ("images-idx3", "labels-idx1")]
    for file in files:
        if not file.is_file():
            sys.exit(f"{file} does not exist; see --help for what is read")
    pixels, classes = (gzip.decompress(file.read_bytes()) for file in files)
    images = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return torch.from_numpy((images >> 4).astype(np.float32) / 15), torch.from_numpy(
        np.frombuffer(classes, np.uint8, offset=8).astype(np.int64)
    )


if __name__ == "__main__":
    main()
