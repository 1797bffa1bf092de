"""Trains ResNet-18 or VGG-16 on CIFAR-10, converts it without training (T = 8), and fine-tunes it for T = 4.

    python examples/train_cifar10.py [--network resnet18] [--device cuda] [--checkpoints build/cifar10]
    python examples/train_cifar10.py --small

The recipe: stochastic gradient descent with Nesterov momentum 0.9, weight decay 5e-4, a cosine schedule from 0.1 to 0,
batches of 128, crops with 4 pixels of padding and flips, label smoothing 0.1, mixed precision on a GPU. Every epoch is
written to --checkpoints; a run started again with them goes on. --small runs the same commands from end to end on one
core in minutes: a sixteenth of the width, a few hundred images, a few epochs; its accuracies say nothing about the full
size.

Data: the folder $NEUROCUDA_DATA (default ../shared/data) with a reader `datasets.py`, or with the published
`cifar-10-batches-bin` (the binary version of <https://www.cs.toronto.edu/~kriz/cifar.html>).
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from finetune import StepBar
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy
from neurocuda.training import FineTuning, Step, fine_tune, with_staircases
from neurocuda.training.checkpoint import load_checkpoint, save_checkpoint

DATA = Path(os.environ.get("NEUROCUDA_DATA", "../shared/data"))
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
CALIBRATION_IMAGES, BATCH, MARGIN = 256, 128, 4
VGG16 = (1, 1, "M", 2, 2, "M", 4, 4, 4, "M", 8, 8, 8, "M", 8, 8, 8, "M")
"""Multiples of the width, and max poolings."""


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    width: int
    images: int
    test_images: int
    epochs: int
    fine_tuning_epochs: int


FULL = Scale(width=64, images=50_000, test_images=10_000, epochs=200, fine_tuning_epochs=30)
SMALL = Scale(width=4, images=512, test_images=256, epochs=20, fine_tuning_epochs=10)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--network", choices=("resnet18", "vgg16"), default="resnet18", help="what to train")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="where to train")
    parser.add_argument("--small", action="store_true", help="the same at a small scale, on one core in minutes")
    parser.add_argument("--epochs", type=int, help="passes over the training images instead of the recipe's")
    parser.add_argument("--checkpoints", type=Path, default=Path("build/cifar10"), help="a folder to go on from")
    arguments = parser.parse_args()
    scale = SMALL if arguments.small else FULL
    epochs = arguments.epochs or scale.epochs
    images, labels, test, truth = (part[: scale.images] for part in cifar10())
    test, truth = test[: scale.test_images], truth[: scale.test_images]
    arguments.checkpoints.mkdir(parents=True, exist_ok=True)
    name = f"{arguments.network}-{scale.width}-{epochs}"

    torch.manual_seed(0)
    model = (resnet18 if arguments.network == "resnet18" else vgg16)(scale.width)
    started = perf_counter()
    train(model, Crops(images, labels), epochs, arguments.device, arguments.checkpoints / f"{name}.pt")
    print(f"{arguments.network}, width {scale.width}: {len(images)} images, {epochs} epochs, seed 0, ", end="")
    print(f"{perf_counter() - started:.0f} s on {arguments.device}")

    network = with_staircases(model, images[:CALIBRATION_IMAGES], timesteps=4, weight_bits=8)
    with StepBar("fine-tuning") as bar:
        tuned = fine_tune(
            network,
            Crops(images, labels),
            FineTuning(epochs=scale.fine_tuning_epochs, learning_rate=0.01, weight_decay=5e-4),
            teacher=model,
            device=arguments.device,
            checkpoint=arguments.checkpoints / f"{name}-4.pt",
            progress=bar.show,
        )
    exact = Accuracy(correct(model, test, truth, arguments.device), len(test))
    print(f"float:                       {exact}")
    for what, each, timesteps in (
        ("T = 8, training-free:       ", model, 8),
        ("T = 4, training-free:       ", network, 4),
        ("T = 4, fine-tuned:          ", tuned, 4),
    ):
        compiled = nc.compile(
            each, target="cpu", calibration=images[:CALIBRATION_IMAGES], conversion=nc.Conversion(timesteps=timesteps)
        )
        found = compiled.evaluate(test, truth).accuracy
        mismatches = compiled.validate(test[:10]).mismatches
        gap = 100 * (exact.value - found.value)
        print(f"{what} {found}, {gap:+.2f} points lost, {mismatches} count mismatches on 10 images")


def train(model: nn.Module, batches: Crops, epochs: int, device: str, checkpoint: Path) -> None:
    """The recipe; leaves the model in evaluation mode on the CPU."""
    model.to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    half = torch.device(device).type == "cuda"
    scaler = torch.amp.GradScaler(enabled=half)
    done = load_checkpoint(checkpoint, checkpoint.stem, model, optimizer)
    with StepBar("training") as bar:
        for epoch in range(done, epochs):
            torch.manual_seed(epoch)
            for group in optimizer.param_groups:
                group["lr"] = 0.05 * (1 + math.cos(math.pi * epoch / epochs))
            for step, (images, labels) in enumerate(batches, 1):
                with torch.autocast(torch.device(device).type, enabled=half):
                    loss = F.cross_entropy(model(images.to(device)), labels.to(device), label_smoothing=0.1)
                optimizer.zero_grad()
                scaler.scale(loss).backward()
                scaler.step(optimizer)
                scaler.update()
                bar.show(Step(epoch + 1, epochs, step, len(batches), float(loss.detach())))
            save_checkpoint(checkpoint, checkpoint.stem, epoch + 1, model, optimizer)
    model.cpu().eval()


def correct(model: nn.Module, images: Tensor, labels: Tensor, device: str) -> int:
    """How many images the model classifies correctly."""
    model.to(device)
    with torch.no_grad():
        found = torch.cat([model(part.to(device)).argmax(1).cpu() for part in images.split(BATCH)])
    model.cpu()
    return int((found == labels).sum())


# Networks


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is a 1x1 convolution where the shape changes (He et al. 2015)."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(inputs, channels, 3, stride)
        self.second = convolution(channels, channels, 3)
        same = inputs == channels and stride == 1
        self.shortcut = nn.Identity() if same else convolution(inputs, channels, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
    """A convolution and its batch norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


def resnet18(width: int) -> nn.Module:
    """ResNet-18 with a 3x3 stem, as usual for images of 32x32."""
    stem = [convolution(3, width, 3), nn.ReLU()]
    blocks: list[nn.Module] = []
    inputs = width
    for stage in range(4):
        for number in range(2):
            outputs = width << stage
            blocks.append(Block(inputs, outputs, 2 if stage and not number else 1))
            inputs = outputs
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def vgg16(width: int) -> nn.Module:
    """VGG-16 with batch norms and one linear layer."""
    layers: list[nn.Module] = []
    inputs = 3
    for entry in VGG16:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [convolution(inputs, entry * width, 3), nn.ReLU()]
        inputs = entry * width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, 10))


# Data and progress


class Crops:
    """Batches in random order; every image cropped and perhaps mirrored."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self._images = images
        self._labels = labels

    def __len__(self) -> int:
        return -(-len(self._images) // BATCH)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in torch.randperm(len(self._images)).split(BATCH):
            wide = F.pad(self._images[chosen], [MARGIN] * 4)
            rows, columns = (torch.randint(0, 2 * MARGIN + 1, (len(chosen), 1)) + torch.arange(32) for _ in range(2))
            columns = torch.where(torch.rand(len(chosen), 1) < 0.5, columns.flip(1), columns)
            image = torch.arange(len(chosen))[:, None, None]
            yield (
                wide[image, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2).contiguous(),
                self._labels[chosen],
            )


def cifar10() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training images and labels, test images and labels; images are normalised floats (batch, 3, 32, 32)."""
    if (DATA / "datasets.py").is_file():
        spec = importlib.util.spec_from_file_location("datasets", DATA / "datasets.py")
        assert spec is not None
        assert spec.loader is not None
        reader = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(reader)
        images, labels, test, truth = reader.cifar10()
        return normalised(images), numbers(labels), normalised(test), numbers(truth)
    folder = DATA / "cifar-10-batches-bin"
    if not folder.is_dir():
        sys.exit(f"no CIFAR-10 in {DATA}: set NEUROCUDA_DATA to a folder with datasets.py or cifar-10-batches-bin")
    train_files = [folder / f"data_batch_{number}.bin" for number in range(1, 6)]
    (images, labels), (test, truth) = binary(*train_files), binary(folder / "test_batch.bin")
    return normalised(images), numbers(labels), normalised(test), numbers(truth)


def binary(*files: Path) -> tuple[np.ndarray, np.ndarray]:
    """(images, labels) of files of records: a label, then 3 x 32 x 32 pixels."""
    records = np.concatenate([np.fromfile(file, np.uint8) for file in files]).reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0]


def normalised(images: np.ndarray) -> Tensor:
    """uint8 (batch, 32, 32, 3) as floats of mean zero."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    return (torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255 - mean) / std


def numbers(labels: np.ndarray) -> Tensor:
    """Class numbers."""
    return torch.from_numpy(labels.astype(np.int64))


if __name__ == "__main__":
    main()
