"""Fine-tunes the digits network of digits.py for few time steps and shows what that is worth.

    python examples/finetune.py [--timesteps 2 3 4] [--epochs 15] [--checkpoints build/finetune]

For every number of time steps T the network is compiled as trained (training-free) and after fine-tuning, from the same
clip ranges. Accuracies are those of all 450 test images with a 95 % interval, the spiking ones from the CPU target.
Interrupted, it goes on where it was when it is started again with the same --checkpoints.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter

import torch
from digits import digits, network, train
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy
from neurocuda.training import FineTuning, StaircaseNetwork, Step, fine_tune, with_staircases

CALIBRATION_IMAGES = 256


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--timesteps", type=int, nargs="+", default=[2, 3, 4], help="numbers of levels and steps, T")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the 1,347 training images")
    parser.add_argument("--learning-rate", type=float, default=0.02, help="of the first step")
    parser.add_argument("--weight-bits", type=int, default=8, help="weights are rounded to in training")
    parser.add_argument("--free", action="store_true", help="train and run the free-running network, through time")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--checkpoints", type=Path, help="a folder to go on from after an interruption")
    arguments = parser.parse_args()

    torch.set_num_threads(1)  # the network is too small to gain anything from more
    torch.manual_seed(0)
    images, labels, test_images, test_labels = digits()
    model = network()
    train(model, images, labels)
    model.eval()
    options = FineTuning(epochs=arguments.epochs, learning_rate=arguments.learning_rate, through_time=arguments.free)
    batches = DataLoader(TensorDataset(images, labels), batch_size=64, shuffle=True)
    code = "free" if arguments.free else "unary"
    for timesteps in arguments.timesteps:
        start = with_staircases(
            model, images[:CALIBRATION_IMAGES], timesteps=timesteps, weight_bits=arguments.weight_bits
        )
        started = perf_counter()
        with StepBar(f"T = {timesteps}") as bar:
            tuned = fine_tune(
                start,
                batches,
                options,
                teacher=model,
                device=arguments.device,
                checkpoint=checkpoint(arguments.checkpoints, timesteps),
                progress=bar.show,
            )
        seconds = perf_counter() - started
        print(f"T = {timesteps}, code {code}, fine-tuned for {arguments.epochs} epochs in {seconds:.1f} s")
        for what, network_of in (("before", start), ("after", tuned)):
            tell(what, model, network_of, images[:CALIBRATION_IMAGES], test_images, test_labels, code)


def checkpoint(folder: Path | None, timesteps: int) -> Path | None:
    """The file of one run, or None without a folder."""
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"digits-{timesteps}.pt"


def tell(
    what: str,
    model: nn.Module,
    network_of: StaircaseNetwork,
    calibration: Tensor,
    images: Tensor,
    labels: Tensor,
    code: str,
) -> None:
    """Compiles a network and prints its accuracies."""
    compiled = nc.compile(network_of, target="cpu", calibration=calibration, conversion=nc.Conversion(code=code))
    with torch.no_grad():
        correct = int((model(images).argmax(1) == labels).sum())
    quantised = compiled.evaluate(images, labels, level="ann-quantized").accuracy
    spiking = compiled.evaluate(images, labels).accuracy
    print(f"  {what + ':':8} float      {Accuracy(correct, len(labels))}")
    print(f"  {'':8} quantised  {quantised}")
    print(f"  {'':8} SNN        {spiking}")
    if code != "free":
        print(f"  {'':8} {compiled.validate(images[:100]).mismatches} count mismatches on 100 images")


class StepBar:
    """A bar on stderr, where that is a terminal."""

    def __init__(self, what: str) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        self._bar = Progress(
            *columns, console=Console(file=sys.stderr), transient=True, disable=not sys.stderr.isatty()
        )
        self._what = what
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> StepBar:
        self._bar.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._bar.stop()

    def show(self, step: Step) -> None:
        """Moves the bar to a step."""
        done = (step.epoch - 1) * step.steps + step.step
        described = f"{self._what}, epoch {step.epoch} of {step.epochs}, loss {step.loss:.3f}"
        self._bar.update(self._task, description=described, completed=done, total=step.epochs * step.steps)


if __name__ == "__main__":
    main()
