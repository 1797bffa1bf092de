"""What is run: networks with images, said over time steps and as counts, and the network that they came from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from architectures import ARCHITECTURES  # beside this file
from networks import Images, Network
from numpy.typing import NDArray
from ours import MODES, built
from reading import NotInTheRace, TrainedNetwork
from source import Source
from stepping import Logits, expected_logits
from synthetic import collapsed, random_images, synthetic
from torch import nn

import neurocuda as nc
from neurocuda.ir.backend import Program

DATA = Path(os.environ.get("NEUROCUDA_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
CALIBRATION_IMAGES = 256
MOST_IMAGES = 32
TRAINED = ("resnet20", "resnet8", "plain10") if (DATA / "trained.py").is_file() else ()
Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Side:
    """One mode: what ours makes of a network, what it is given, and what it has to answer.

    `network` is what libraries build; None where they have no such layers, `why`. `whole` gives the integers behind
    outputs of ours.
    """

    program: Program
    given: Array
    integers: Images
    whole: Callable[[Array], Logits]
    network: Network | None
    why: str = ""
    interpreted: Callable[[Array], Logits] | None = None

    def expected(self, batch: int) -> Logits:
        """The logits of the first images."""
        if self.network is not None:
            return expected_logits(self.network, self.integers[:batch])
        assert self.interpreted is not None
        return self.interpreted(self.given[:batch])


@dataclass(frozen=True)
class Workload:
    """A network in its modes, and its source with the images that it takes. `missing` says why a mode is not there."""

    sides: Mapping[str, Side]
    missing: Mapping[str, str]
    source: nn.Module
    images: NDArray[np.float32]
    calibration: NDArray[np.float32]


def synthetic_workload(name: str, steps: int, rate: float, target: str) -> Workload:
    """A synthetic network at a firing rate, on random images."""
    network = synthetic(ARCHITECTURES[name], steps, rate)
    images = random_images(network.input_shape, MOST_IMAGES, seed=1)
    calibration = random_images(network.input_shape, CALIBRATION_IMAGES, seed=2).astype(np.float32)

    def side(mode: str) -> Side:
        said = network if mode == "events" else collapsed(network)
        return Side(built(said, target), images.astype(np.int8), images, _as_integers, said)

    return Workload(*_sides(side), Source(network), images.astype(np.float32), calibration)


def _as_integers(outputs: Array) -> Logits:
    return outputs.astype(np.int64)


def trained_workload(name: str, steps: int, target: str) -> Workload:
    """A trained CIFAR-10 network on test images, calibrated on training images.

    It has one threshold per layer, since the libraries know nothing finer. Mode "counts" is the integer network
    itself, mode "events" the free-running one.
    """
    model, prepare = getattr(_module("trained"), name)()
    training, _, test, _ = _cifar10()
    calibration, images = (
        np.ascontiguousarray(prepare(part).numpy()) for part in (training[:CALIBRATION_IMAGES], test[:MOST_IMAGES])
    )

    def side(mode: str) -> Side:
        conversion = _conversion(mode, steps)
        compiled = nc.compile(model, target=target, calibration=calibration, conversion=conversion)
        found = TrainedNetwork(compiled, "snn-count" if mode == "counts" else "snn-integer")
        integers = found.integers(images)
        try:
            network, why = found.network(name), ""
        except NotInTheRace as reason:
            network, why = None, str(reason)
        return Side(compiled.program, images, integers, found.whole, network, why, found.interpreted)

    return Workload(*_sides(side), model, images, calibration)


def _conversion(mode: str, steps: int) -> nc.Conversion:
    """
    Raises:
        OptionError: this version does not have the mode.
    """
    known = {field.name for field in fields(nc.Conversion)}
    if mode == "counts" and "execution" not in known:
        raise nc.OptionError("this version has no counts")
    said: dict[str, Any] = {"execution": mode} if "execution" in known else {}
    code = "free" if mode == "events" else "auto"
    return nc.Conversion(timesteps=steps, threshold_granularity="layer", calibration="mse", code=code, **said)


def _sides(side: Callable[[str], Side]) -> tuple[dict[str, Side], dict[str, str]]:
    """Every mode that there is, and why others are not."""
    sides, missing = dict[str, Side](), dict[str, str]()
    for mode in MODES:
        try:
            sides[mode] = side(mode)
        except nc.NeuroCudaError as reason:
            missing[mode] = " ".join(str(reason).split())
    return sides, missing


@cache
def _module(name: str) -> ModuleType:
    """A reader beside the data."""
    spec = spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _cifar10() -> tuple[Array, ...]:
    return _module("datasets").cifar10()
