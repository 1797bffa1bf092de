"""Trains a small residual network on scikit-learn's digits, compiles it for the CPU and checks it spike by spike.

    python examples/digits.py [--timesteps 15] [--output digits.nca]

Everything printed was measured by this run, on all 450 test images.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc

EPOCHS = 12


class Block(nn.Module):
    """Two convolutions and an identity shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + x)


def network() -> nn.Module:
    """A residual network for one-channel images of 8x8 and ten classes."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        Block(16),
        nn.MaxPool2d(2),
        Block(16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 10),
    )


def digits() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images and labels, test images and labels; images are (batch, 1, 8, 8) between 0 and 1."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32)[:, None] / 16
    labels = torch.tensor(data.target)
    train, test = train_test_split(range(len(labels)), test_size=450, stratify=labels, random_state=0)
    return images[train], labels[train], images[test], labels[test]


def train(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """A few epochs of Adam, with fixed seeds."""
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--timesteps", type=int, default=15, help="T, the number of levels (default: 15)")
    parser.add_argument("--output", type=Path, default=Path("build/digits.nca"), help="where the artefact goes")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    train_images, train_labels, test_images, test_labels = digits()
    model = network()
    started = perf_counter()
    train(model, train_images, train_labels)
    model.eval()
    print(f"trained in {perf_counter() - started:.1f} s")

    started = perf_counter()
    compiled = nc.compile(
        model,
        target="cpu",
        calibration=train_images[:256],
        conversion=nc.Conversion(timesteps=arguments.timesteps, code="unary", execution="events"),
    )
    print(f"compiled for {compiled.target} in {perf_counter() - started:.1f} s")

    float_accuracy = compiled.evaluate(test_images, test_labels, level="ann-imported")
    integer_accuracy = compiled.evaluate(test_images, test_labels, level="ann-quantized")
    spiking = compiled.evaluate(test_images, test_labels)
    validation = compiled.validate(test_images[:100])
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    compiled.save(arguments.output)

    print(f"ANN accuracy:        {float_accuracy.accuracy}")
    print(f"quantised accuracy:  {integer_accuracy.accuracy}")
    print(f"SNN accuracy:        {spiking.accuracy}")
    print(f"count mismatches:    {validation.mismatches} on {validation.images} images, every neuron, every stage")
    print(f"spikes per neuron:   {spiking.spikes_per_neuron:.2f} in {spiking.steps} steps")
    print(f"latency per image:   {1e3 * spiking.seconds_per_image:.3f} ms, measured on this machine")
    print(f"provenance:          {spiking.provenance}")
    print(f"artefact:            {arguments.output}  (look: .venv/bin/nc-report {arguments.output})")


if __name__ == "__main__":
    main()
