"""Who races: ours, the spiking libraries, plain PyTorch, and the source network; and whether they answer right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from itertools import cycle
from typing import Any, TypeAlias

import numpy as np
import torch
from networks import Network
from numpy.typing import NDArray
from ours import DIRECT, MODES, called, called_directly
from reading import NotInTheRace
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

IMAGES_IN_TURN = 16
"""So many images at least are run one behind the other, none twice in a row where a batch has fewer."""

CLOSE = 1e-3
"""How far floats of the source network may lie apart, as a share of the largest logit."""

ALIKE = 0.9
"""How well int8 logits have to correlate with those in floats."""


@dataclass(frozen=True)
class Contestant:
    """One call per batch of images. `fault` says what is wrong with what a batch of this number gave, or nothing."""

    calls: Sequence[Callable[[], Any]]
    fault: Callable[[Any, int], str]

    def faults(self) -> str:
        """What is wrong with what it says of all batches."""
        return next((fault for i, call in enumerate(self.calls) if (fault := self.fault(call(), i))), "")

    def in_turn(self) -> Callable[[], Any]:
        """A call that takes the next batch every time, so that no branch is known beforehand."""
        following = cycle(self.calls)
        return lambda: next(following)()


@dataclass(frozen=True)
class Stable:
    """Makes contestants for one workload, batch and number of threads."""

    workload: Workload
    batch: int
    threads: int

    @property
    def batches(self) -> list[slice]:
        """The images that take turns."""
        count = max(1, IMAGES_IN_TURN // self.batch)
        return [slice(number * self.batch, (number + 1) * self.batch) for number in range(count)]

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
        expected = self._expected(side)
        calls = [way(side.program, side.given[images], self.threads) for images in self.batches]
        return Contestant(calls, lambda outputs, i: differing(side.whole(outputs), expected[self.batches[i]]))

    def _spiking(self, name: str, side: Side) -> Contestant:
        if side.network is None:
            raise NotInTheRace(side.why)
        expected = self._expected(side)
        batches = [torch.as_tensor(side.integers[images], dtype=torch.float32) for images in self.batches]
        run = _spiking(name, side.network, batches[0])
        calls = [partial(run, batch) for batch in batches]
        return Contestant(calls, lambda outputs, i: differing(outputs.numpy(), expected[self.batches[i]]))

    def _source(self, name: str) -> Contestant:
        source, batches = self.workload.source, [self.workload.images[images] for images in self.batches]
        with torch.inference_mode():
            expected = [source(torch.as_tensor(batch)).numpy() for batch in batches]
        if name == "source in PyTorch":
            calls = [partial(source, torch.as_tensor(batch)) for batch in batches]
            return Contestant(calls, lambda outputs, i: far(outputs.numpy(), expected[i]))
        from ann_onnx import exported, quantized, session

        file, compare = exported(source, batches[0]), far
        if name.endswith("int8"):
            file, compare = quantized(file, self.workload.calibration, self.batch), unlike
        run = session(file, self.threads)
        return Contestant([partial(run, batch) for batch in batches], lambda outputs, i: compare(outputs, expected[i]))

    def _expected(self, side: Side) -> Logits:
        return _expected(side, self.batches[-1].stop)


@lru_cache(maxsize=4)
def _expected(side: Side, images: int) -> Logits:
    return side.expected(images)


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
