"""A CIFAR-10 network at few levels, before and after a short fine-tuning, on the whole test set.

    python test/benchmarks/fine_tuning.py [--timesteps 4] [--epochs 3] [--images 16000] [--free] [--network resnet20]

Data as for `accuracy.py`. 256 training images choose the first clip ranges; then the network is trained on some more of
them, with random crops and flips, and its float self as a teacher. The learning rate is that of `--learning-rates`
which does best, after a short trial of one epoch each, on training images that are held out for this alone. With
--free the free-running network is trained, through time. Accuracies are those of the integer network, int8 weights, on
the CPU target, spike by spike. With --checkpoint an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from accuracy import CALIBRATION_IMAGES, Labels, cifar10, network  # beside this file
from torch import Tensor, nn
from torch.nn import functional as F

import neurocuda as nc
from neurocuda.training import FineTuning, StaircaseNetwork, Step, fine_tune, with_staircases

HELD_OUT = 1000
BATCH = 64
MARGIN = 4
"""Pixels of padding that crops are taken from."""

STEPS_TOLD = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--timesteps", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--images", type=int, default=16_000, help="training images per epoch (default: 16,000)")
    parser.add_argument("--learning-rates", type=float, nargs="+", default=[0.003, 0.01, 0.03])
    parser.add_argument("--trial-images", type=int, default=2000, help="to choose among them (default: 2,000)")
    parser.add_argument("--network", default="resnet20")
    parser.add_argument("--free", action="store_true", help="train and run the free-running network, through time")
    parser.add_argument("--test-images", type=int, default=10_000, help="(default: all 10,000)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--checkpoint", type=Path, help="a file to go on from after an interruption")
    arguments = parser.parse_args()
    x_train, y_train, x_test, y_test = cifar10()
    model, prepare = network(arguments.network)
    random = np.random.default_rng(0)
    calibration = prepare(x_train[random.choice(len(x_train), CALIBRATION_IMAGES, replace=False)])
    held_out, used = np.split(random.permutation(len(x_train)), [HELD_OUT])
    test, truth = prepare(x_test[: arguments.test_images]), y_test[: arguments.test_images]
    images, labels = prepare(x_train[used]), torch.as_tensor(y_train[used])
    code = "free" if arguments.free else "unary"
    start = with_staircases(model, calibration, timesteps=arguments.timesteps)
    tell(f"T = {arguments.timesteps}, code {code}, before:", start, calibration, test, truth, code)
    options = FineTuning(epochs=arguments.epochs, through_time=arguments.free)
    started = perf_counter()
    trial = Trial(
        start, model, Crops(images, labels, arguments.trial_images), prepare(x_train[held_out]), y_train[held_out]
    )
    options = trial.with_best(options, arguments.learning_rates)
    batches = Crops(images, labels, arguments.images)
    tuned = fine_tune(
        start,
        batches,
        options,
        teacher=model,
        device=arguments.device,
        checkpoint=arguments.checkpoint,
        progress=tell_step,
    )
    seconds = perf_counter() - started
    tell(f"T = {arguments.timesteps}, code {code}, after:", tuned, calibration, test, truth, code)
    print(f"fine-tuned on {arguments.epochs} x {arguments.images} images in {seconds:.0f} s, trials included")


@dataclass(frozen=True)
class Trial:
    """One epoch on a few batches, and held-out training images to judge it by."""

    start: StaircaseNetwork
    teacher: nn.Module
    batches: Crops
    images: Tensor
    labels: Labels

    def with_best(self, options: FineTuning, rates: Sequence[float]) -> FineTuning:
        """The options with the learning rate of most right answers; a single one is not tried."""
        if len(rates) == 1:
            return replace(options, learning_rate=rates[0])
        found = {rate: self.share(replace(options, epochs=1, learning_rate=rate)) for rate in rates}
        best = max(rates, key=lambda rate: found[rate])
        told = ", ".join(f"{rate:g}: {100 * share:.1f} %" for rate, share in found.items())
        print(f"learning rate {best:g} ({told} of {len(self.labels)} held-out training images)", flush=True)
        return replace(options, learning_rate=best)

    def share(self, options: FineTuning) -> float:
        """The share of right answers with these options."""
        tuned = fine_tune(self.start, self.batches, options, teacher=self.teacher)
        run = tuned.through_time if options.through_time else tuned
        with torch.inference_mode():
            outputs = torch.cat([run(part) for part in torch.tensor_split(self.images, len(self.images) // BATCH)])
        return float((outputs.argmax(1).numpy() == self.labels).mean())


def tell_step(step: Step) -> None:
    """A line on stderr now and then."""
    if step.step % STEPS_TOLD == 0 or step.step == step.steps:
        sys.stderr.write(f"epoch {step.epoch}, step {step.step} of {step.steps}: loss {step.loss:.4f}\n")


def tell(what: str, tuned: StaircaseNetwork, calibration: Tensor, test: Tensor, labels: Labels, code: str) -> None:
    """Compiles the network and prints its accuracy on the test images."""
    compiled = nc.compile(tuned, target="cpu", calibration=calibration, conversion=nc.Conversion(code=code))
    spiking = compiled.evaluate(test, labels)
    told = "" if code == "free" else f", {compiled.validate(test[:20]).mismatches} count mismatches on 20 images"
    print(f"{what} {spiking.accuracy}{told}", flush=True)


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


if __name__ == "__main__":
    main()
