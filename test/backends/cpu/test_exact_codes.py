"""A hundred million counts of compiled programs, all equal to the integer network's. Prints how many were compared."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor, nn
from xdsl.passes import PassPipeline

import neurocuda as nc
from neurocuda.backends.cpu.run import load
from neurocuda.compiled import Compiled
from neurocuda.ir.backend import Program, RunOptions
from neurocuda.measure.exactness import compare, counts_of
from neurocuda.options import EXACT_CODES
from neurocuda.registry import pass_factories
from neurocuda.testing import random_network

Array = NDArray[Any]

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
LOWER = ("convert-snn-to-cpu", "allocate-buffers")
QUANTISE = ("calibrate", "balance-thresholds{timesteps=9}", "quantize-activations{timesteps=9}", "quantize-weights")
AT_ONCE = 25

pytestmark = pytest.mark.slow


def mismatches(program: Program, expected: dict[str, Array], inputs: list[Array]) -> tuple[int, int]:
    """(counts compared, counts that differ) between a program and the integer network."""
    done = program.run(inputs, RunOptions(counts=True, threads=1))
    outputs = {f"output {index}": output for index, output in enumerate(done.outputs)}
    comparison = compare("ann-quantized", "the program", expected, dict(done.counts) | outputs)
    assert not comparison.missing
    return comparison.counts, comparison.mismatches


def test_random_networks(capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve networks in every exact code, with delays on shortcuts in every second one."""
    compared = 0
    for seed in range(100, 112):
        network = random_network(seed, images=1000, mixed_levels=seed % 3 > 0, extreme=seed % 3 == 2)
        network.apply(*QUANTISE)
        expected = counts_of(network.module, network.weights, [network.images])
        network.apply("convert-ann-to-snn")
        counts = network.module
        network.module = counts.clone()
        network.apply("convert-snn-to-cpu", "fuse-layers", "allocate-buffers")
        found, wrong = mismatches(load(network.module, network.weights), expected, [network.images])
        assert wrong == 0, f"network {seed}, as counts"
        compared += found
        for code in EXACT_CODES:
            network.module = counts.clone()
            delays = ("insert-delays",) if seed % 2 else ()
            network.apply(f"encode-{code}", *delays, "verify-schedule", *LOWER)
            found, wrong = mismatches(load(network.module, network.weights), expected, [network.images])
            assert wrong == 0, f"network {seed}, code {code}"
            compared += found
    assert compared > 50_000_000
    with capsys.disabled():
        sys.stdout.write(f"\n0 of {compared:,} counts of random networks differ\n")


@pytest.mark.skipif(not (DATA / "trained.py").is_file(), reason="needs the trained networks in NEUROCUDA_DATA")
@pytest.mark.parametrize(
    ("name", "timesteps", "images"), [("resnet8", 15, 100), ("resnet20", 15, 100), ("plain10", 10, 100)]
)
def test_real_images(name: str, timesteps: int, images: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained networks on CIFAR-10, in every exact code and as counts."""
    compiled, inputs = compiled_network(name, timesteps, images)
    programs = {code: encoded(compiled, code) for code in EXACT_CODES} | {"counts, in no code": compiled.program}
    assert compiled.execution == "counts"
    compared = 0
    for start in range(0, images, AT_ONCE):
        part = [inputs[start : start + AT_ONCE]]
        expected = counts_of(compiled.levels["ann-quantized"], compiled.weights, part)
        for code, program in programs.items():
            found, wrong = mismatches(program, expected, part)
            assert wrong == 0, f"{name}, code {code}, images from {start} on"
            compared += found
    with capsys.disabled():
        sys.stdout.write(f"\n0 of {compared:,} counts of {name} on {images} images of CIFAR-10 differ\n")


def compiled_network(name: str, timesteps: int, images: int) -> tuple[Compiled, NDArray[np.float32]]:
    """A trained network of NEUROCUDA_DATA, calibrated on 256 training images, and test images."""
    train, _, test, _ = cast(Sequence[NDArray[np.uint8]], beside_the_data("datasets").cifar10())
    build = cast(Callable[[], tuple[nn.Module, Callable[[Array], Tensor]]], getattr(beside_the_data("trained"), name))
    model, prepare = build()
    chosen = np.random.default_rng(0).choice(len(train), 256, replace=False)
    conversion = nc.Conversion(timesteps=timesteps)
    compiled = nc.compile(model, target="cpu", calibration=prepare(train[chosen]), conversion=conversion)
    return compiled, prepare(test[:images]).numpy()


def beside_the_data(name: str) -> ModuleType:
    """A reader, loaded by its path."""
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def encoded(compiled: Compiled, code: str) -> Program:
    """The same integer network in another code, compiled."""
    module = compiled.levels["snn-count"].clone()
    steps = f"encode-{code},verify-schedule,{','.join(LOWER)}"
    PassPipeline.parse_spec(pass_factories(), steps).apply(compiled.context, module)
    return load(module, compiled.weights)
