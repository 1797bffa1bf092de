"""Trained networks on CIFAR-10: placed on one chip, equal to the integer network, and equal in Lava."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.backends.loihi import BACKEND
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.errors import CapacityError
from neurocuda.measure.exactness import counts_of

Array = NDArray[Any]

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
NAMES = ("resnet8", "plain10")
IMAGES = 1000
AT_ONCE = 50

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "trained.py").is_file(), reason="needs the trained networks in NEUROCUDA_DATA"),
]


def beside_the_data(name: str) -> ModuleType:
    """A reader, loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def network(name: str, code: str, timesteps: int = 4) -> tuple[nc.Compiled, NDArray[np.float32]]:
    """A trained network, calibrated on 256 training images, and test images."""
    train, _, test, _ = cast(Sequence[NDArray[np.uint8]], beside_the_data("datasets").cifar10())
    build = cast(Callable[[], tuple[nn.Module, Callable[[Array], Tensor]]], getattr(beside_the_data("trained"), name))
    model, prepare = build()
    chosen = np.random.default_rng(0).choice(len(train), 256, replace=False)
    conversion = nc.Conversion(timesteps=timesteps, code=code)
    compiled = nc.compile(model, target="loihi2", calibration=prepare(train[chosen]), conversion=conversion)
    return compiled, prepare(test[:IMAGES]).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_a_network_lies_on_one_chip(name: str) -> None:
    compiled, _ = network(name, "unary")
    groups = [op for op in compiled.level("loihi").walk() if isinstance(op, loihi.GroupOp)]
    places = {place for group in groups for place in group.places}
    assert {chip for chip, _ in places} == {0}
    assert len(places) <= 128


def test_what_does_not_fit_is_refused_with_the_shortage() -> None:
    """Every neuron of the last layer would hear more axons than a core has."""
    wide = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 32 * 32, 10)).eval()
    images = np.random.default_rng(0).normal(size=(64, 3, 32, 32)).astype(np.float32)
    with pytest.raises(CapacityError, match=r"3 \(.*in_axons is 16384, and a core has 4096"):
        nc.compile(wide, target="loihi2", calibration=images, conversion=nc.Conversion(timesteps=4, calibration="mse"))


@pytest.mark.parametrize("code", ["unary", "latency"])
@pytest.mark.parametrize("name", NAMES)
def test_counts_are_the_integer_networks(name: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On a thousand test images, so that the accuracy is the integer network's."""
    compiled, images = network(name, code)
    compared = differing = 0
    for start in range(0, IMAGES, AT_ONCE):
        part = images[start : start + AT_ONCE]
        expected = counts_of(compiled.level("ann-quantized"), compiled.weights, [part])
        found = compiled.run(part, counts=True, on="reference")
        for layer, counts in found.counts.items():
            compared += counts.size
            differing += int((counts != expected[layer]).sum())
        np.testing.assert_array_equal(found.scores, expected["output 0"])
    assert differing == 0
    assert compared >= IMAGES * compiled.neurons
    with capsys.disabled():
        sys.stdout.write(f"\n0 of {compared:,} counts of {name} in code {code} differ on {IMAGES} images of CIFAR-10\n")


@pytest.mark.skipif(not BACKEND.availability().ready, reason="Lava is not set up: run `make lava`")
@pytest.mark.parametrize(("name", "code"), [("resnet8", "unary"), ("plain10", "unary"), ("resnet8", "latency")])
def test_whole_images_in_lava(name: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    compiled, images = network(name, code)
    expected = compiled.run(images[:3], counts=True, on="reference")
    found = compiled.run(images[:3], counts=True)
    assert found.provenance == "simulator: lava-nc 0.10.0 Loihi2SimCfg(fixed_pt)"
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.counts.keys() == expected.counts.keys()
    for layer, counts in expected.counts.items():
        np.testing.assert_array_equal(found.counts[layer], counts, err_msg=layer)
    with capsys.disabled():
        spikes = sum(int(counts.sum()) for counts in found.counts.values())
        sys.stdout.write(
            f"\n{name}, code {code}: {spikes:,} spikes of 3 images are equal in Lava, {found.seconds:.0f} s\n"
        )
