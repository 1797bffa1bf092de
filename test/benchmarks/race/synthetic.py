"""Which integers a synthetic network has: random weights, and thresholds at which it fires at a given rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import numpy as np
import torch
from architectures import Layers  # beside this file
from networks import Constant, Conv, Images, Layer, Linear, Network, Neurons, Node, Readout, Reshape, Scale, SumPool
from torch import Tensor
from torch.nn import functional as F
from torch_layers import applied

LARGEST_INPUT = 63
LARGEST_WEIGHT = 127
CALIBRATION_IMAGES = 2
BISECTIONS = 18


def synthetic(architecture: Callable[[Layers], str], steps: int, rate: float, seed: int = 0) -> Network:
    """A network with random int8 weights whose layers send `rate` spikes per neuron and step on average.

    The rate is that of every layer on a few random images; one threshold per layer comes as near to it as it can.
    """
    synthesis = _Synthesis(np.random.default_rng(seed), steps, rate)
    with torch.inference_mode():
        architecture(synthesis)
    name = architecture.__name__
    return Network(name, synthesis.input_shape, (0, LARGEST_INPUT), steps, tuple(synthesis.nodes))


def random_images(shape: tuple[int, ...], count: int, seed: int) -> Images:
    """Smooth images, or vectors that are mostly dark, of integers 0 ... `LARGEST_INPUT`."""
    random = np.random.default_rng(seed)
    if len(shape) == 1:
        values = random.random((count, *shape)) * (random.random((count, *shape)) < 0.2)
    else:
        coarse = torch.as_tensor(random.random((count, shape[0], 8, 8)))
        values = F.interpolate(coarse, size=shape[1:], mode="bilinear", align_corners=False).numpy()
    return np.ascontiguousarray(np.rint(values * LARGEST_INPUT), np.int64)


def collapsed(network: Network) -> Network:
    """The same layers as counts: all of an image's input at once, and the bias of all steps with it.

    The first neurons have the T-th part of their threshold where others have T times their bias, so that weights stay
    int8.
    """
    first = {node.name for node in network.nodes if node.reads == ("x",)}
    nodes = tuple(_collapsed(node, network.steps, first) for node in network.nodes)
    return replace(network, counts=True, nodes=nodes)


def _collapsed(node: Node, steps: int, first: set[str]) -> Node:
    layer = node.layer
    if isinstance(layer, Neurons) and first.issuperset(node.reads):
        return replace(node, layer=replace(layer, threshold=np.maximum(1, layer.threshold // steps)))
    if isinstance(layer, Neurons | Readout):
        return replace(node, layer=replace(layer, bias=layer.bias * steps))
    return node


class _Synthesis:
    """Adds layers and runs them at once on a few images; a value is the name of a layer."""

    def __init__(self, random: np.random.Generator, steps: int, rate: float) -> None:
        self.random = random
        self.steps = steps
        self.rate = rate
        self.nodes: list[Node] = []
        self.input_shape: tuple[int, ...] = ()
        self.trains: dict[str, Tensor] = {}
        """Every value at all steps, (steps * images, *shape); what follows from the input alone only once."""

    def input(self, *shape: int) -> str:
        """The input, on images of its own."""
        self.input_shape = shape
        self.trains["x"] = torch.as_tensor(random_images(shape, CALIBRATION_IMAGES, seed=7), dtype=torch.float32)
        return "x"

    def channels(self, x: str) -> int:
        """The number of channels."""
        return self.trains[x].shape[1]

    def conv(self, x: str, channels: int, kernel: int = 3, stride: int = 1) -> str:
        """A convolution that keeps the size of the image, up to the stride."""
        weight = self._weight(channels, self.channels(x), kernel, kernel)
        half = kernel // 2
        return self._add("conv", (x,), Conv(weight, (stride, stride), (half, half, half, half)))

    def linear(self, x: str, features: int) -> str:
        """A matrix product."""
        return self._add("linear", (x,), Linear(self._weight(features, self.channels(x))))

    def shortcut(self, x: str, beside: str) -> str:
        """An identity as strong as the current beside it, as far as int8 goes."""
        strength = min(LARGEST_WEIGHT, round(float(self.trains[beside].std())))
        return self._add("shortcut", (x,), Scale(np.full((1, 1, 1), strength)))

    def pool(self, x: str, size: int | None = None) -> str:
        """The sums of windows."""
        height, width = self.trains[x].shape[2:]
        window = (size or height, size or width)
        return self._add("pool", (x,), SumPool(window, window))

    def flat(self, x: str) -> str:
        """A vector."""
        return self._add("flat", (x,), Reshape((self.trains[x][0].numel(),)))

    def neurons(self, *currents: str) -> str:
        """Neurons with random biases that fire at the rate."""
        parts = [self._along_time(current) for current in currents]
        received = torch.stack(parts).sum(0)
        bias = self._bias(received)
        received = received + torch.as_tensor(bias, dtype=torch.float32)
        threshold = self._threshold(received)
        name = self._name("neurons")
        layer = Neurons(np.full((1,) * bias.ndim, threshold), np.zeros((1,) * bias.ndim, np.int64), bias)
        self.nodes.append(Node(name, currents, layer))
        self.trains[name] = torch.cat(_spikes(received, threshold))
        return name

    def readout(self, current: str) -> str:
        """The logits."""
        name, bias = self._name("readout"), self._bias(self._along_time(current))
        self.nodes.append(Node(name, (current,), Readout(np.zeros((1,), np.int64), bias)))
        return name

    def _add(self, kind: str, reads: tuple[str, ...], layer: Layer) -> str:
        name = self._name(kind)
        self.nodes.append(Node(name, reads, layer))
        weight = getattr(layer, "weight", None)
        known = None if weight is None else torch.as_tensor(weight, dtype=torch.float32)
        self.trains[name] = applied(layer, self.trains[reads[0]], known)
        return name

    def _name(self, kind: str) -> str:
        return f"{kind}{len(self.nodes)}"

    def _along_time(self, name: str) -> Tensor:
        """(steps, images, *shape)."""
        train = self.trains[name]
        shape = (self.steps, CALIBRATION_IMAGES, *train.shape[1:])
        return train.expand(shape) if len(train) == CALIBRATION_IMAGES else train.reshape(shape)

    def _weight(self, *shape: int) -> Constant:
        """Every output's weights reach the largest one."""
        weight = self.random.normal(size=shape)
        largest = np.abs(weight).max(axis=tuple(range(1, len(shape))), keepdims=True)
        return np.rint(weight / largest * LARGEST_WEIGHT).astype(np.int64)

    def _bias(self, received: Tensor) -> Constant:
        """Half as large as what neurons receive varies."""
        channels, *others = received.shape[2:]
        spread = float(received.mean(0).std())
        return np.rint(self.random.normal(0, spread / 2, (channels, *[1] * len(others)))).astype(np.int64)

    def _threshold(self, received: Tensor) -> int:
        low, high = 1.0, max(2.0, float(received.abs().max()) * self.steps)
        for _ in range(BISECTIONS):
            middle = sqrt(low * high)
            rate = float(torch.stack(_spikes(received, round(middle))).mean())
            low, high = (middle, high) if rate > self.rate else (low, middle)
        return round(sqrt(low * high))


def _spikes(received: Tensor, threshold: int) -> list[Tensor]:
    """The spikes at every step of neurons that start empty."""
    membrane, spikes = torch.zeros_like(received[0]), list[Tensor]()
    for current in received:
        membrane = membrane + current
        spikes.append((membrane >= threshold).to(membrane.dtype))
        membrane = membrane - spikes[-1] * threshold
    return spikes
