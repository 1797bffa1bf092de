"""Trained networks on other processors: every output and count is the interpreter's. Prints what was compared."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import neurocuda as nc
from neurocuda.backends.cpu.cross import TOOLS
from neurocuda.compiled import Compiled
from neurocuda.errors import ToolchainError

Array = NDArray[Any]

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DIGITS = 100
PICTURES = 10

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "trained.py").is_file(), reason="needs the data in NEUROCUDA_DATA"),
]


def compare(compiled: Compiled, images: Tensor) -> str:
    """Runs images in qemu and in the interpreter; says what is equal."""
    expected = compiled.run(images, counts=True, on="reference")
    found = compiled.run(images, counts=True)
    assert found.provenance.startswith("simulator: qemu-")
    np.testing.assert_array_equal(found.outputs, expected.outputs)
    for layer, counts in found.counts.items():
        np.testing.assert_array_equal(counts, expected.counts[layer], err_msg=layer)
    assert found.counts.keys() == expected.counts.keys()
    compared = sum(counts.size for counts in found.counts.values()) + np.size(expected.outputs)
    return f"{len(images)} images, 0 of {compared:,} counts and outputs differ in {found.seconds:.1f} s"


def beside_the_data(name: str, function: str) -> Callable[..., Any]:
    """A function of a reader, loaded by its path."""
    return cast(Callable[..., Any], runpy.run_path(str(DATA / f"{name}.py"))[function])


def require(processor: str) -> None:
    try:
        TOOLS[processor].require()
    except ToolchainError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("execution", "code"), [("counts", "auto"), ("events", "radix"), ("events", "unary")])
def test_resnet8_on_64_bit_arm(execution: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The network of MLPerf Tiny, on CIFAR-10."""
    require("aarch64")
    train, _, test, _ = cast(Sequence[NDArray[np.uint8]], beside_the_data("datasets", "cifar10")())
    model, prepare = cast("tuple[nn.Module, Callable[[Array], Tensor]]", beside_the_data("trained", "resnet8")())
    conversion = nc.Conversion(code=code, timesteps=15, execution=execution)
    compiled = nc.compile(model, target="aarch64", calibration=prepare(train[:256]), conversion=conversion)
    found = compare(compiled, prepare(test[:PICTURES]))
    with capsys.disabled():
        sys.stdout.write(f"\nresnet8, {execution}, code {compiled.code}, aarch64: {found}\n")


@pytest.fixture(scope="module")
def digits() -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A small convolutional network that knows digits, images to calibrate it, and test images with labels."""
    train, labels, test, truth = cast(Sequence[NDArray[np.uint8]], beside_the_data("datasets", "mnist")())
    torch.default_generator.manual_seed(0)
    convolutions = [nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1)]
    model = nn.Sequential(*convolutions, nn.ReLU(), nn.Flatten(), nn.Linear(16 * 49, 10))
    images, known = _scaled(train[:20_000]), torch.tensor(labels[:20_000], dtype=torch.int64)
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for start in range(0, len(images), 50):
        part = slice(start, start + 50)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[part]), known[part]).backward()  # pyright: ignore[reportUnknownMemberType]
        optimizer.step()  # pyright: ignore[reportUnknownMemberType]
    return model.eval(), images[:256], _scaled(test[:DIGITS]), torch.tensor(truth[:DIGITS], dtype=torch.int64)


def _scaled(images: NDArray[np.uint8]) -> Tensor:
    return torch.tensor(images[:, None] / np.float32(255))


@pytest.mark.parametrize(("execution", "code"), [("counts", "auto"), ("events", "unary"), ("events", "free")])
def test_digits_on_a_cortex_m7(
    execution: str,
    code: str,
    digits: tuple[nn.Module, Tensor, Tensor, Tensor],
    capsys: pytest.CaptureFixture[str],
) -> None:
    require("cortex-m7")
    model, calibration, images, truth = digits
    conversion = nc.Conversion(code=code, timesteps=7, execution=execution)
    compiled = nc.compile(model, target="cortex-m7", calibration=calibration, conversion=conversion)
    found = compare(compiled, images)
    accuracy = compiled.evaluate(images, truth).accuracy
    assert accuracy.value > 0.9
    with capsys.disabled():
        sys.stdout.write(f"\ndigits, {execution}, code {compiled.code}, Cortex-M7: {found}; {accuracy}\n")
