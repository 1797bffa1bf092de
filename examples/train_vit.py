"""Trains a small vision transformer on Fashion-MNIST and compiles it for the CPU with several numbers of levels.

    python examples/train_vit.py [DATA] [--timesteps 15 31 63 127] [--epochs 6]
    python examples/train_vit.py --small

DATA is a folder with the four files as published (`train-images-idx3-ubyte.gz`, ...), by default
$NEUROCUDA_DATA/fashion-mnist. --small trains a smaller transformer on the digits of scikit-learn instead, in a minute
on one core.

Layer norms, attention and GELU stay what they are: they become integer layers that say one graded spike per neuron.
Accuracies are those of all test images with a 95 % interval. Float and integer network are those of the same training;
nothing is trained again. The seed is fixed; one core takes ten minutes.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from digits import digits
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy

DATA = Path(os.environ.get("NEUROCUDA_DATA", "../shared/data"), "fashion-mnist")
MEAN, STD = 0.286, 0.353
CALIBRATION_IMAGES, VALIDATED_IMAGES, BATCH = 256, 20, 128


@dataclass(frozen=True)
class Scale:
    """How large everything is: pixels a side of an image and of a patch, the transformer, passes over the images."""

    image: int
    patch: int
    width: int
    heads: int
    hidden: int
    blocks: int
    epochs: int


FULL = Scale(image=28, patch=4, width=64, heads=4, hidden=128, blocks=4, epochs=6)
SMALL = Scale(image=8, patch=2, width=32, heads=2, hidden=64, blocks=2, epochs=40)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="a folder with Fashion-MNIST")
    parser.add_argument("--small", action="store_true", help="a smaller transformer, on digits, in a minute")
    parser.add_argument("--timesteps", type=int, nargs="+", default=[15, 31, 63, 127], help="numbers of levels, T")
    parser.add_argument("--epochs", type=int, help="passes over the training images instead of the recipe's")
    arguments = parser.parse_args()
    scale = SMALL if arguments.small else FULL
    epochs = arguments.epochs or scale.epochs
    images, labels, test, truth = digits() if arguments.small else fashion_mnist(arguments.data)

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Transformer(scale)
    started = perf_counter()
    train(model, images, labels, epochs)
    print(f"trained on {len(images)} images for {epochs} epochs in {perf_counter() - started:.0f} s")
    with torch.no_grad():
        found = torch.cat([model(part).argmax(1) for part in test.split(BATCH)])
    print(f"float:    {Accuracy(int((found == truth).sum()), len(test))}")
    for timesteps in arguments.timesteps:
        compiled = nc.compile(
            model,
            target="cpu",
            calibration=images[:CALIBRATION_IMAGES],
            conversion=nc.Conversion(timesteps=timesteps),
        )
        measured = compiled.evaluate(test, truth)
        validation = compiled.validate(test[:VALIDATED_IMAGES])
        counts = sum(comparison.counts for comparison in validation.exact)
        print(f"T = {timesteps:3}:  {measured.accuracy}, {1e3 * measured.seconds_per_image:.2f} ms an image")
        print(f"          {validation.mismatches} of {counts:,d} counts differ on {validation.images} images")


def train(model: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    """AdamW, one cycle of learning rates up to 2e-3, label smoothing 0.05; leaves the model in evaluation mode."""
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    steps = epochs * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    console = Console(file=sys.stderr)
    for _ in track(range(epochs), "training", console=console, transient=True, disable=not sys.stderr.isatty()):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model(images[batch]), labels[batch], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
    model.eval()


# The network


class Block(nn.Module):
    """Self-attention and a perceptron, each behind a layer norm and beside a shortcut (Dosovitskiy et al. 2021)."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        parts = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        attention = F.scaled_dot_product_attention(query, key, value)
        x = x + self.projection(attention.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.perceptron(self.norm2(x))


class Transformer(nn.Module):
    """A vision transformer with a class token for one-channel images and ten classes."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        tokens = (scale.image // scale.patch) ** 2 + 1
        self.patches = nn.Conv2d(1, scale.width, scale.patch, scale.patch)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, scale.width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, tokens, scale.width))
        blocks = [Block(scale.width, scale.heads, scale.hidden) for _ in range(scale.blocks)]
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.LayerNorm(scale.width)
        self.head = nn.Linear(scale.width, 10)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), patches], 1) + self.positions
        return self.head(self.norm(self.blocks(tokens))[:, 0])


# Data


def fashion_mnist(folder: Path) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images and labels, test images and labels; images are normalised floats (batch, 1, 28, 28)."""
    if not folder.is_dir():
        sys.exit(f"{folder} does not exist; see --help for what is read")
    images, test = (read(folder / f"{split}-images-idx3-ubyte.gz", 16) for split in ("train", "t10k"))
    labels, truth = (read(folder / f"{split}-labels-idx1-ubyte.gz", 8) for split in ("train", "t10k"))
    return normalised(images), numbers(labels), normalised(test), numbers(truth)


def read(path: Path, header: int) -> NDArray[np.uint8]:
    """The numbers behind the header of an IDX file."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def normalised(pixels: NDArray[np.uint8]) -> Tensor:
    """Pixels as images of mean zero."""
    return (torch.from_numpy(pixels.copy()).reshape(-1, 1, 28, 28).float() / 255 - MEAN) / STD


def numbers(labels: NDArray[np.uint8]) -> Tensor:
    """Class numbers."""
    return torch.from_numpy(labels.astype(np.int64))


if __name__ == "__main__":
    main()
