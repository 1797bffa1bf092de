"""LeNet-5 on MNIST, on stock neurons that reset to zero, by its .net file and Lava's netx: 100 images, every spike."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.backends.loihi import BACKEND
from neurocuda.backends.loihi.run import load_netx
from neurocuda.ir.backend import RunOptions
from neurocuda.training import FineTuning, fine_tune, with_staircases

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("NEUROCUDA_DATA", ROOT / ".." / "shared" / "data")) / "mnist"
TRAINED, IMAGES = 20_000, 100

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="mnist is not in NEUROCUDA_DATA"),
    pytest.mark.skipif(not BACKEND.availability().ready, reason="Lava is not set up: run `make lava`"),
]


def test_a_hundred_digits_by_netx(capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "train_lenet.py"))
    mnist = cast(Callable[[Path, str], tuple[Tensor, Tensor]], example["mnist"])
    images, labels = (values[:TRAINED] for values in mnist(DATA, "train"))
    test, truth = mnist(DATA, "t10k")
    torch.default_generator.manual_seed(0)
    model = cast(Callable[[], nn.Sequential], example["lenet"])()
    cast(Callable[[nn.Module, Tensor, Tensor, int], None], example["train"])(model, images, labels, 2)
    steps = with_staircases(model, images[:256], timesteps=1)
    split = cast(Callable[[Tensor, Tensor], Iterator[tuple[Tensor, Tensor]]], example["batches_of"])
    steps = fine_tune(steps, list(split(images, labels)), FineTuning(epochs=2, learning_rate=0.02), teacher=model)
    conversion = nc.Conversion(timesteps=1, code="latency", threshold_granularity="layer")
    compiled = nc.compile(steps, target="loihi2", calibration=images[:256], conversion=conversion)
    assert compiled.evaluate(test, truth, level="ann-quantized").accuracy.value > 0.9

    expected = compiled.run(test[:IMAGES], counts=True, on="reference")
    netx = load_netx(compiled.level("loihi"), compiled.weights)
    found = netx.run([test[:IMAGES].numpy()], RunOptions(counts=True))
    np.testing.assert_array_equal(found.outputs[0], expected.outputs)
    assert found.counts.keys() == expected.counts.keys()
    for layer, counts in expected.counts.items():
        np.testing.assert_array_equal(found.counts[layer], counts, err_msg=layer)
    right = int((found.outputs[0].argmax(1) == truth[:IMAGES].numpy()).sum())
    with capsys.disabled():
        spikes = sum(int(counts.sum()) for counts in found.counts.values())
        sys.stdout.write(
            f"\nnetx: {spikes:,} spikes of {IMAGES} digits are equal, {right} are right, {found.seconds:.0f} s\n"
        )
