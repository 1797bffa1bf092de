"""Trains a small network on N-MNIST recordings, compiles it and compares its spikes with its counts on every recording.

    python examples/train_nmnist.py [DATA] [--timesteps 15] [--epochs 30] [--output build/nmnist.nca]

DATA is a folder as published (`Train/` and `Test/`, in each ten folders 0 ... 9 of .bin files, 60,000 and 10,000
recordings), or an .npz file with the arrays `train_xyp` (events, 3: column, row, polarity), `train_t_us`
(microseconds), `train_off` (where each recording starts, one more at the end), `train_y` (labels), and the same with
`test_`. By default $NEUROCUDA_DATA/events/nmnist_small.npz: the first 1,000 training and 100 test recordings.

A recording becomes one image of 2 polarities x 3 time bins of equal length as channels, 34 x 34 pixels, each the
number of its events up to 7: the network sees counts, its input is not a spike train. The seed is fixed; one core and
the small set take a minute.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy

SIZE, BINS, MOST_EVENTS = 34, 3, 7
CALIBRATION_IMAGES, BATCH, MARGIN = 256, 50, 2
DATA = Path(os.environ.get("NEUROCUDA_DATA", "../shared/data"), "events", "nmnist_small.npz")


@dataclass(frozen=True)
class Recording:
    """The events of one recording: columns, rows, polarities (0 or 1), times in microseconds, ascending; the digit."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    polarity: NDArray[np.int64]
    time: NDArray[np.int64]
    label: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="an .npz file or a folder of .bin files")
    parser.add_argument("--timesteps", type=int, default=15, help="T, the number of levels")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training recordings")
    parser.add_argument("--output", type=Path, default=Path("build/nmnist.nca"), help="where the artefact goes")
    arguments = parser.parse_args()
    if not arguments.data.exists():
        sys.exit(f"{arguments.data} does not exist; see --help for what is read")
    read = from_folder if arguments.data.is_dir() else from_file
    (images, labels), (test, truth) = (frames(read, arguments.data, split) for split in ("train", "test"))

    torch.manual_seed(0)
    model = network()
    started = perf_counter()
    train(model, images, labels, arguments.epochs)
    print(f"trained on {len(images)} recordings for {arguments.epochs} epochs in {perf_counter() - started:.0f} s")

    conversion = nc.Conversion(timesteps=arguments.timesteps)
    compiled = nc.compile(model, target="cpu", calibration=images[:CALIBRATION_IMAGES], conversion=conversion)
    with torch.no_grad():
        correct = sum(int((model(part).argmax(1) == true).sum()) for part, true in batches(test, truth))
    print(f"float:      {Accuracy(correct, len(test))}")
    print(f"quantised:  {compiled.evaluate(test, truth, level='ann-quantized').accuracy}")
    print(f"SNN:        {compiled.evaluate(test, truth)}")
    validation = compiled.validate(test)
    counts = sum(comparison.counts for comparison in validation.exact)
    print(f"{validation.mismatches} of {counts:,d} counts differ between stages, on {validation.images} recordings")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    compiled.save(arguments.output)
    print(f"artefact:   {arguments.output}")


def network() -> nn.Module:
    """Three convolutions and a classifier for (6, 34, 34)."""
    return nn.Sequential(
        *layer(2 * BINS, 16, 5, stride=2),
        *layer(16, 32, 3),
        nn.MaxPool2d(2),
        *layer(32, 32, 3),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 2 * 2, 10),
    )


def layer(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Convolution, batch norm, rectifier."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def train(model: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    """Adam with a cosine schedule; every recording is moved by up to two pixels."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    console = Console(file=sys.stderr)
    for _ in track(range(epochs), "training", console=console, transient=True, disable=not sys.stderr.isatty()):
        order = torch.randperm(len(images))
        for part, true in batches(images[order], labels[order]):
            wide = F.pad(part, [MARGIN] * 4)
            top, left = torch.randint(0, 2 * MARGIN + 1, (2,)).tolist()
            optimizer.zero_grad()
            F.cross_entropy(model(wide[:, :, top : top + SIZE, left : left + SIZE]), true).backward()
            optimizer.step()
        schedule.step()
    model.eval()


def batches(images: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Images and labels, some at a time."""
    yield from zip(images.split(BATCH), labels.split(BATCH), strict=True)


# Recordings


Reader = Callable[[Path, str], Iterator[Recording]]


def frames(read: Reader, path: Path, split: str) -> tuple[Tensor, Tensor]:
    """(images, labels) of a split, "train" or "test"."""
    found = [(frame(recording), recording.label) for recording in read(path, split)]
    if not found:
        sys.exit(f"{path}: there are no {split} recordings")
    images, labels = zip(*found, strict=True)
    return torch.from_numpy(np.stack(images)).float(), torch.tensor(labels)


def frame(recording: Recording) -> NDArray[np.uint8]:
    """How many events every pixel had in every time bin and polarity, at most 7: (6, 34, 34)."""
    counts = np.zeros((2 * BINS, SIZE, SIZE), np.int64)
    duration = int(recording.time[-1]) + 1
    channel = recording.polarity * BINS + recording.time * BINS // duration
    np.add.at(counts, (channel, recording.y, recording.x), 1)
    return np.minimum(counts, MOST_EVENTS).astype(np.uint8)


def from_file(path: Path, split: str) -> Iterator[Recording]:
    """The recordings of an .npz file."""
    with np.load(path) as arrays:
        offsets, events, times, labels = (arrays[f"{split}_{name}"] for name in ("off", "xyp", "t_us", "y"))
    for start, stop, label in zip(offsets[:-1], offsets[1:], labels, strict=True):
        x, y, polarity = events[start:stop].astype(np.int64).T
        time = times[start:stop].astype(np.int64)
        yield Recording(x, y, polarity, time - time[0], int(label))


def from_folder(path: Path, split: str) -> Iterator[Recording]:
    """The recordings of `Train/<digit>/*.bin`; an event is x and y of 8 bits, polarity of 1, time of 23."""
    for file in sorted((path / split.capitalize()).glob("[0-9]/*.bin")):
        octets = np.fromfile(file, np.uint8).reshape(-1, 5).astype(np.int64)
        time = (octets[:, 2] & 127) << 16 | octets[:, 3] << 8 | octets[:, 4]
        yield Recording(octets[:, 0], octets[:, 1], octets[:, 2] >> 7, time - time[0], int(file.parent.name))


if __name__ == "__main__":
    main()
