"""What the layers of a network are in PyTorch, for any number of images or steps at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TypeAlias

import torch
from networks import Constant, Conv, Layer, Linear, Network, Neurons, Node, Pad, Readout, Reshape, Scale, Slice, SumPool
from torch import Tensor
from torch.nn import functional as F

Fire: TypeAlias = Callable[[Node, Tensor], Tensor]
"""From a layer of neurons and what it receives to what it sends."""


class Layers:
    """The constants of a network as tensors, and its layers on (batch, *shape) tensors.

    A bias of one number per channel goes with the convolution or matrix product that the neurons read, as in the
    networks that users write; any other is added where the currents meet.
    """

    def __init__(self, network: Network, dtype: torch.dtype = torch.float32) -> None:
        self.network = network
        self.weights = {
            node.name: torch.as_tensor(node.layer.weight, dtype=dtype)
            for node in network.nodes
            if isinstance(node.layer, Conv | Linear | Scale)
        }
        self.biases = {name: torch.as_tensor(bias, dtype=dtype) for name, bias in _biases(network).items()}
        self.last_readers = {name: node.name for node in network.nodes for name in node.reads}

    @property
    def readout(self) -> Node:
        """The last layer."""
        return self.network.nodes[-1]

    def through(self, x: Tensor, fire: Fire) -> Tensor:
        """What the readout receives when x goes through all layers. Values are freed behind their last reader."""
        values = {"x": x}
        for node in self.network.nodes[:-1]:
            if isinstance(node.layer, Neurons):
                values[node.name] = fire(node, self._current(node, values))
            else:
                values[node.name] = self.applied(node, values[node.reads[0]])
            for name in {*node.reads}:
                if self.last_readers[name] == node.name:
                    del values[name]
        return self._current(self.readout, values)

    def applied(self, node: Node, x: Tensor) -> Tensor:
        """A layer without state."""
        return applied(node.layer, x, self.weights.get(node.name), self.biases.get(node.name))

    def _current(self, node: Node, values: Mapping[str, Tensor]) -> Tensor:
        first, *others = (values[name] for name in node.reads)
        for other in others:
            first = first + other
        bias = self.biases.get(node.name)
        return first if bias is None else first + bias


def _biases(network: Network) -> dict[str, Constant]:
    """By the name of a synapse the bias that it has, or by the name of neurons the bias that no synapse can have."""
    by_name = {node.name: node.layer for node in network.nodes}
    found: dict[str, Constant] = {}
    for node in network.nodes:
        if not isinstance(node.layer, Neurons | Readout) or not node.layer.bias.any():
            continue
        bias = node.layer.bias
        able = [name for name in node.reads if bias.size == len(bias) == _outputs(by_name[name])]
        if able:
            found[able[0]] = bias.reshape(-1)
        else:
            found[node.name] = bias
    return found


def _outputs(layer: Layer) -> int | None:
    """The number of biases that a synapse can have."""
    return len(layer.weight) if isinstance(layer, Conv | Linear) else None


def applied(layer: Layer, x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """A layer without state on a (batch, *shape) tensor."""
    if isinstance(layer, SumPool):
        return F.avg_pool2d(x, layer.kernel, layer.stride) * prod(layer.kernel)
    if not isinstance(layer, Conv | Linear | Scale):
        return moved(layer, x)
    assert weight is not None
    if isinstance(layer, Linear):
        return F.linear(x, weight, bias)
    if isinstance(layer, Scale):
        return x * weight
    top, bottom, left, right = layer.padding
    if (top, left) == (bottom, right):
        return F.conv2d(x, weight, bias, layer.stride, (top, left))
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, layer.stride)


def moved(layer: Layer, x: Tensor) -> Tensor:
    """A layer that only moves elements."""
    if isinstance(layer, Reshape):
        return x.reshape(len(x), *layer.shape)
    if isinstance(layer, Slice):
        return x[(slice(None), *layer.parts)]
    assert isinstance(layer, Pad)
    pairs = list(zip(layer.low, layer.high, strict=True))
    return F.pad(x, [end for pair in reversed(pairs) for end in pair])


def scalar(constant: Constant) -> float | None:
    """The number that a constant repeats, if it does."""
    first = constant.reshape(-1)[0]
    return float(first) if (constant == first).all() else None
