"""Who races: ours, the spiking libraries, plain PyTorch, and the source network; and whether they answer right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from typing import Any, TypeAlias

import numpy as np
import torch
from networks import Network
from numpy.typing import NDArray
from ours import DIRECT, MODES, called, called_directly
from stepping import Logits, SpikingNetwork
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from workloads import Side, Workload

Array: TypeAlias = NDArray[Any]

LIBRARIES = ("SpikingJelly", "snnTorch", "sinabs")
TORCH = ("PyTorch steps", "PyTorch folded", "PyTorch steps, compiled", "PyTorch folded, compiled")
SOURCES = ("source in PyTorch", "source in onnxruntime", "source in onnxruntime, int8")
PEERS = (*LIBRARIES, *TORCH, *SOURCES)
SLOW_TO_BUILD = ("PyTorch steps, compiled", "PyTorch folded, compiled")
PACKAGES = ("torch", "spikingjelly", "snntorch", "sinabs", "onnxruntime", "numpy", "neurocuda")

CLOSE = 1e-3
"""How far floats of the source network may lie apart, as a share of the largest logit."""

ALIKE = 0.9
"""How well int8 logits have to correlate with those in floats."""


@dataclass(frozen=True)
class Contestant:
    """A call on a batch. `fault` says what is wrong with what it returns, or nothing."""

    call: Callable[[], Any]
    fault: Callable[[Any], str]


@dataclass(frozen=True)
class Stable:
    """Makes contestants for one workload, batch and number of threads."""

    workload: Workload
    batch: int
    threads: int

    def makers(self, peers: tuple[str, ...]) -> Mapping[str, Callable[[], Contestant]]:
        """By name, ours first; making one can fail with what its library raises."""
        found: dict[str, Callable[[], Contestant]] = {}
        for mode in MODES:
            if mode in self.workload.sides:
                found[mode] = partial(self._ours, self.workload.sides[mode], called)
                found[mode + DIRECT] = partial(self._ours, self.workload.sides[mode], called_directly)
        events = self.workload.sides.get("events")
        for name in peers:
            if name in SOURCES:
                found[name] = partial(self._source, name)
            elif events is not None:
                found[name] = partial(self._spiking, name, events)
        return found

    def _ours(self, side: Side, way: Callable[..., Callable[[], Array]]) -> Contestant:
        expected = _expected(side, self.batch)
        call = way(side.program, side.given[: self.batch], self.threads)
        return Contestant(call, lambda outputs: differing(side.whole(outputs), expected))

    def _spiking(self, name: str, side: Side) -> Contestant:
        if side.network is None:
            raise ValueError(side.why)
        expected = _expected(side, self.batch)
        images = torch.as_tensor(side.integers[: self.batch], dtype=torch.float32)
        run = _spiking(name, side.network, images)
        return Contestant(partial(run, images), lambda outputs: differing(outputs.numpy(), expected))

    def _source(self, name: str) -> Contestant:
        images = self.workload.images[: self.batch]
        with torch.inference_mode():
            expected = self.workload.source(torch.as_tensor(images)).numpy()
        if name == "source in PyTorch":
            call = partial(self.workload.source, torch.as_tensor(images))
            return Contestant(call, lambda outputs: far(outputs.numpy(), expected))
        from ann_onnx import exported, quantized, session

        file = exported(self.workload.source, images)
        if not name.endswith("int8"):
            return Contestant(partial(session(file, self.threads), images), lambda outputs: far(outputs, expected))
        small = quantized(file, self.workload.calibration, self.batch)
        return Contestant(partial(session(small, self.threads), images), lambda outputs: unlike(outputs, expected))


@lru_cache(maxsize=4)
def _expected(side: Side, batch: int) -> Logits:
    return side.expected(batch)


def _spiking(name: str, network: Network, images: Tensor) -> Callable[[Tensor], Tensor]:
    if name in LIBRARIES:
        import frameworks

        return frameworks.LIBRARIES[name](network)
    spiking = SpikingNetwork(network)
    if name == "PyTorch steps":
        return spiking.stepped
    if name == "PyTorch folded":
        return spiking.folded
    if name == "PyTorch folded, compiled":
        return _compiled(spiking.folded, images)
    _, membranes = spiking.step(images, spiking.at_rest())
    shaped = [rest.expand_as(membrane).clone() for rest, membrane in zip(spiking.at_rest(), membranes, strict=True)]
    return partial(spiking.stepped, step=_compiled(spiking.step, images, shaped), membranes=shaped)


def _compiled(run: Callable[..., Any], *examples: Any) -> Callable[..., Any]:
    """What torch.compile makes of it; of its bare operations, so that nothing of ours is checked at every call."""
    traced = make_fx(lambda *arguments: run(*arguments))(*examples)  # its own wrapper counts `self` as an argument
    return torch.compile(traced, dynamic=False, fullgraph=True)  # pyright: ignore[reportUnknownMemberType]


def differing(found: Array, expected: Logits) -> str:
    """Integers have to be equal."""
    wrong = int((found != expected).sum())
    return f"{wrong} of {expected.size} logits differ" if wrong else ""


def far(found: Array, expected: Array) -> str:
    """Floats have to be close."""
    apart = float(np.abs(found - expected).max() / np.abs(expected).max())
    return f"logits differ by {apart:.1g} of the largest" if apart > CLOSE else ""


def unlike(found: Array, expected: Array) -> str:
    """Quantised logits have to go with those in floats."""
    correlation = float(np.corrcoef(found.ravel(), expected.ravel())[0, 1])
    return f"logits correlate by only {correlation:.2f}" if correlation < ALIKE else ""


def versions() -> dict[str, str]:
    """What is installed."""
    return {name: version(name) for name in PACKAGES}
