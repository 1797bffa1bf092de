"""Calibrations side by side: how a free-running and a gated network fare with each, at several T.

    python test/benchmarks/baselines.py [--images 1000] [--timesteps 4,8,16,32] [--network resnet20]

Data as for `accuracy.py`. Every method sees the same 256 training images without labels; code "free" runs all layers
at once and takes T steps, "unary" waits for whole counts and takes T steps per layer. One row per method, one column
per code and T, top-1 in per cent on the first `--images` test images. QCFS needs training and is not among them.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping

import numpy as np
from accuracy import CALIBRATION_IMAGES, accuracy_of, cifar10, network
from numpy.typing import NDArray
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy

METHODS: Mapping[str, Mapping[str, object]] = {
    "max norm, v0 = 0": {"calibration": "max", "initial": 0.0},
    "99.9 percentile, v0 = 0": {"calibration": "percentile", "initial": 0.0},
    "99.9 percentile, v0 = half": {"calibration": "percentile"},
    "local threshold balancing": {"calibration": "local"},
    "least square thresholds": {"calibration": "mse"},
    "light calibration": {"calibration": "light"},
    "advanced calibration": {"calibration": "advanced"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=1000, help="test images (default: %(default)s)")
    parser.add_argument("--timesteps", default="4,8,16,32", help="T, separated by commas (default: %(default)s)")
    parser.add_argument("--network", default="resnet20")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", nc.NeuroCudaWarning)
    train, test, labels = cifar10()
    chosen = np.random.default_rng(0).choice(len(train), CALIBRATION_IMAGES, replace=False)
    model, prepare = network(arguments.network)
    inputs, truth = prepare(test[: arguments.images]), labels[: arguments.images]
    timesteps = [int(number) for number in arguments.timesteps.split(",")]
    exact = accuracy_of(model, inputs, truth)
    half = 50 * float(np.diff(Accuracy(round(exact * len(truth)), len(truth)).interval)[0])
    print(f"{arguments.network}: float {100 * exact:.2f} % of n = {len(truth)}, 95 % interval about +-{half:.1f}")
    print(f"{'':28}" + "".join(f"{code:>7}{number:>3}" for code in ("free", "unary") for number in timesteps))
    for method, options in METHODS.items():
        print(f"{method:28}", end="", flush=True)
        for code in ("free", "unary"):
            for number in timesteps:
                found = measured(model, prepare(train[chosen]), inputs, truth, {**options, "code": code}, number)
                print(f"{100 * found:10.2f}", end="", flush=True)
        print()


def measured(
    model: nn.Module,
    calibration: Tensor,
    inputs: Tensor,
    truth: NDArray[np.int64],
    options: Mapping[str, object],
    timesteps: int,
) -> float:
    """The accuracy of the converted network on the CPU target."""
    conversion = nc.Conversion(timesteps=timesteps, **options)  # pyright: ignore[reportArgumentType]
    compiled = nc.compile(model, target="cpu", calibration=calibration, conversion=conversion)
    return compiled.evaluate(inputs, truth).accuracy.value


if __name__ == "__main__":
    main()
