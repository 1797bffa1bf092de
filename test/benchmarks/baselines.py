"""Calibrations side by side: how a free-running network and the exact codes fare with each, at several T.

    python test/benchmarks/baselines.py [--images 500] [--timesteps 8,32] [--network resnet20] [--trained-on 2000]

Data as for `accuracy.py`. Every method sees the same 256 training images without labels; code "free" runs all layers
at once and takes T steps. Exact codes all answer the same, here said in the quickest, "graded"; "unary" takes T steps
per layer. QCFS (Bu et al. 2022) is trained: one epoch on so many labelled training images with a clip range per layer,
where its authors train for 300 epochs on all. One row per method, one column per code and T, top-1 in per cent on the
first `--images` test images, all run on the CPU target.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping

import numpy as np
import torch
from accuracy import CALIBRATION_IMAGES, Labels, accuracy_of, cifar10, network
from fine_tuning import Crops
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.measure.accuracy import Accuracy
from neurocuda.training import FineTuning, fine_tune, with_staircases

METHODS: Mapping[str, Mapping[str, object]] = {
    "max norm, v0 = 0": {"calibration": "max", "initial": 0.0},
    "99.9 percentile, v0 = 0": {"calibration": "percentile", "initial": 0.0},
    "99.9 percentile, v0 = half": {"calibration": "percentile"},
    "local threshold balancing": {"calibration": "local"},
    "least square thresholds": {"calibration": "mse"},
    "light calibration": {"calibration": "light"},
    "advanced calibration": {"calibration": "advanced"},
}

CODES: Mapping[str, str] = {"free": "free", "exact": "graded"}
"""Columns and the code that is run for them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=500, help="test images (default: %(default)s)")
    parser.add_argument("--timesteps", default="8,32", help="T, separated by commas (default: %(default)s)")
    parser.add_argument("--network", default="resnet20")
    parser.add_argument("--trained-on", type=int, default=2000, help="images that QCFS sees (default: %(default)s)")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", nc.NeuroCudaWarning)
    x_train, y_train, x_test, y_test = cifar10()
    chosen = np.random.default_rng(0).choice(len(x_train), CALIBRATION_IMAGES, replace=False)
    model, prepare = network(arguments.network)
    calibration, inputs, truth = (
        prepare(x_train[chosen]),
        prepare(x_test[: arguments.images]),
        y_test[: arguments.images],
    )
    timesteps = [int(number) for number in arguments.timesteps.split(",")]
    exact = accuracy_of(model, inputs, truth)
    half = 50 * float(np.diff(Accuracy(round(exact * len(truth)), len(truth)).interval)[0])
    print(f"{arguments.network}: float {100 * exact:.2f} % of n = {len(truth)}, 95 % interval about +-{half:.1f}")
    print(f"{'':28}" + "".join(f"{code:>7}{number:>3}" for code in CODES for number in timesteps))
    for method, options in METHODS.items():
        every = dict.fromkeys(timesteps, model)
        tell(method, every, calibration, inputs, truth, options)
    batches = Crops(prepare(x_train), torch.as_tensor(y_train), arguments.trained_on)
    trained = {number: qcfs(model, calibration, batches, number) for number in timesteps}
    tell(f"QCFS, {arguments.trained_on} images", trained, calibration, inputs, truth, {})


def qcfs(model: nn.Module, calibration: Tensor, batches: Crops, timesteps: int) -> nn.Module:
    """The network trained with staircases, one clip range per layer, without a teacher."""
    start = with_staircases(model, calibration, timesteps=timesteps, per_channel=False)
    return fine_tune(start, batches, FineTuning(epochs=1))


def tell(
    method: str,
    models: Mapping[int, nn.Module],
    calibration: Tensor,
    inputs: Tensor,
    truth: Labels,
    options: Mapping[str, object],
) -> None:
    """Prints one row, cell by cell: the accuracy of the converted network for each code and T."""
    print(f"{method:28}", end="", flush=True)
    for code in CODES.values():
        for timesteps, model in models.items():
            conversion = nc.Conversion(code=code, timesteps=timesteps, **options)  # pyright: ignore[reportArgumentType]
            compiled = nc.compile(model, target="cpu", calibration=calibration, conversion=conversion)
            print(f"{100 * compiled.evaluate(inputs, truth).accuracy.value:10.2f}", end="", flush=True)
    print(flush=True)


if __name__ == "__main__":
    main()
