"""ResNet-20 on CIFAR-10 at few levels, before and after a short fine-tuning, on the whole test set.

    python test/benchmarks/fine_tuning.py [--timesteps 4] [--epochs 3] [--images 16000] [--device cpu]

Data: the folder NEUROCUDA_DATA (default ../shared/data beside the checkout) with readers `datasets.py` and
`trained.py`. 256 training images choose the first clip ranges; then the network is trained on some more of them, with
random crops and flips, and its float self as a teacher. Accuracies are those of the integer network, int8 weights, on
the CPU target, spike by spike. With --checkpoint an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from types import ModuleType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.training import FineTuning, StaircaseNetwork, Step, fine_tune, with_staircases

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
CALIBRATION_IMAGES = 256
BATCH = 64
MARGIN = 4
"""Pixels of padding that crops are taken from."""

STEPS_TOLD = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--timesteps", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=16_000, help="training images per epoch (default: 16,000)")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--checkpoint", type=Path, help="a file to go on from after an interruption")
    arguments = parser.parse_args()
    if not (DATA / "trained.py").is_file():
        sys.exit(f"no data in {DATA}: set NEUROCUDA_DATA to a folder with datasets.py and trained.py")
    x_train, y_train, x_test, y_test = module("datasets").cifar10()
    model, prepare = module("trained").resnet20()
    chosen = np.random.default_rng(0).choice(len(x_train), CALIBRATION_IMAGES, replace=False)
    calibration, test = prepare(x_train[chosen]), prepare(x_test)
    network = with_staircases(model, calibration, timesteps=arguments.timesteps)
    tell(f"T = {arguments.timesteps}, before:", network, calibration, test, y_test)
    batches = Crops(prepare(x_train), torch.as_tensor(y_train.astype(np.int64)), arguments.images)
    options = FineTuning(epochs=arguments.epochs, learning_rate=arguments.learning_rate)
    started = perf_counter()
    tuned = fine_tune(
        network,
        batches,
        options,
        teacher=model,
        device=arguments.device,
        checkpoint=arguments.checkpoint,
        progress=tell_step,
    )
    tell(f"T = {arguments.timesteps}, after:", tuned, calibration, test, y_test)
    print(f"fine-tuned on {arguments.epochs} x {arguments.images} images in {perf_counter() - started:.0f} s")


def tell_step(step: Step) -> None:
    """A line on stderr now and then."""
    if step.step % STEPS_TOLD == 0 or step.step == step.steps:
        sys.stderr.write(f"epoch {step.epoch}, step {step.step} of {step.steps}: loss {step.loss:.4f}\n")


def tell(what: str, network: StaircaseNetwork, calibration: Tensor, test: Tensor, labels: NDArray[np.uint8]) -> None:
    """Compiles the network and prints its accuracy on all test images."""
    compiled = nc.compile(network, target="cpu", calibration=calibration)
    spiking = compiled.evaluate(test, labels)
    mismatches = compiled.validate(test[:20]).mismatches
    print(f"{what} {spiking.accuracy}, {mismatches} count mismatches on 20 images", flush=True)


class Crops:
    """Batches of randomly chosen images, each batch cropped at random and each image perhaps mirrored."""

    def __init__(self, images: Tensor, labels: Tensor, count: int) -> None:
        self._images = images
        self._labels = labels
        self._count = min(count, len(images))

    def __len__(self) -> int:
        return -(-self._count // BATCH)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        chosen = torch.randperm(len(self._images))[: self._count]
        for start in range(0, self._count, BATCH):
            batch = chosen[start : start + BATCH]
            wide = F.pad(self._images[batch], [MARGIN] * 4)
            top, left = (int(torch.randint(0, 2 * MARGIN + 1, ())) for _ in range(2))
            images = wide[:, :, top : top + 32, left : left + 32]
            mirrored = torch.rand(len(batch), 1, 1, 1) < 0.5
            yield torch.where(mirrored, images.flip(3), images), self._labels[batch]


def module(name: str) -> ModuleType:
    """A reader beside the data, loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


if __name__ == "__main__":
    main()
