"""The spiking libraries that a user would take instead, each with its own neurons, used as its documentation says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import sinabs.activation
import sinabs.layers
import snntorch
import torch
from networks import Conv, Linear, Network, Node, SumPool
from spikingjelly.activation_based import functional, layer, neuron
from stepping import SpikingNetwork
from torch import Tensor
from torch_layers import scalar


class _Library(SpikingNetwork):
    """A network whose neurons are modules of a library, which keep their potentials from call to call."""

    def __init__(self, network: Network, neurons: Callable[[Node], Any]) -> None:
        super().__init__(network)
        self.modules = {node.name: neurons(node).eval().requires_grad_(False) for node in network.neurons}
        self.fresh = dict(self.initials)
        """The initial potentials of neurons that have not been called since the image began."""

    def begin(self) -> None:
        """Starts with new images."""
        self.fresh = dict(self.initials)

    def rest(self, module: Any, initial: Tensor, current: Tensor) -> None:
        """Sets the potentials of neurons that will receive such a current."""
        raise NotImplementedError

    def fire(self, node: Node, current: Tensor) -> Tensor:
        """What a layer of neurons sends."""
        module = self.modules[node.name]
        if node.name in self.fresh:
            self.rest(module, self.fresh.pop(node.name), current)
        return module(current)


class SpikingJelly(_Library):
    """Multi-step mode: layer by layer on (T, N, ...), in the library's own layers. IFNode fires at the threshold."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, _if_node)
        made = {node.name: self._layer(node) for node in network.nodes}
        self.layers = {name: module for name, module in made.items() if module is not None}

    def __call__(self, x: Tensor) -> Tensor:
        self.begin()
        received = self.through(x.unsqueeze(0).repeat(self.network.steps, *[1] * x.dim()), self.fire)
        return received.sum(0) + self.initials[self.readout.name]

    def rest(self, module: Any, initial: Tensor, current: Tensor) -> None:
        module.reset()
        module.v = initial.expand(current.shape[1:])

    def applied(self, node: Node, x: Tensor) -> Tensor:
        module = self.layers.get(node.name)
        if module is None:
            return functional.seq_to_ann_forward(x, lambda batch: super(SpikingJelly, self).applied(node, batch))
        return module(x) * prod(node.layer.kernel) if isinstance(node.layer, SumPool) else module(x)

    def _layer(self, node: Node) -> torch.nn.Module | None:
        described = node.layer
        if isinstance(described, SumPool):
            return layer.AvgPool2d(described.kernel, described.stride, step_mode="m")
        if not isinstance(described, Conv | Linear):
            return None
        outputs, inputs, *kernel = described.weight.shape
        if isinstance(described, Linear):
            made = layer.Linear(inputs, outputs, step_mode="m")
        elif described.padding[::2] == described.padding[1::2]:
            made = layer.Conv2d(inputs, outputs, kernel, described.stride, described.padding[::2], step_mode="m")
        else:
            return None
        bias = self.biases.get(node.name)
        made.weight.data = self.weights[node.name]
        made.bias = None if bias is None else torch.nn.Parameter(bias)
        return made.requires_grad_(False).eval()


def _if_node(node: Node) -> neuron.IFNode:
    threshold = scalar(node.layer.threshold)
    if threshold is None:
        raise ValueError(f"{node.name}: SpikingJelly's IFNode has one threshold for a layer")
    return neuron.IFNode(v_threshold=threshold, v_reset=None, step_mode="m")


class SnnTorch(_Library):
    """Step by step, as in its tutorials.

    It fires above the threshold. One that is smaller by less than 1 / T has neurons fire at the same steps as a whole
    one that is reached: what k of them sum up to lies less than 1 below the whole number, for all k up to T.
    """

    def __init__(self, network: Network) -> None:
        margin = 2.0 ** -network.steps.bit_length()
        super().__init__(network, lambda node: _leaky(torch.as_tensor(node.layer.threshold - margin).float()))

    def __call__(self, x: Tensor) -> Tensor:
        self.begin()
        total = self.initials[self.readout.name]
        for _ in range(self.network.steps):
            total = total + self.through(x, self.fire)
        return total

    def rest(self, module: Any, initial: Tensor, current: Tensor) -> None:
        module.mem = initial.expand(current.shape)


def _leaky(threshold: Tensor) -> snntorch.Leaky:
    return snntorch.Leaky(beta=1.0, threshold=threshold, reset_mechanism="subtract", init_hidden=True)


class Sinabs(_Library):
    """Layer by layer on (N * T, ...), batch first. SingleSpike fires at the threshold."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, lambda node: _iaf(node, network.steps))

    def __call__(self, x: Tensor) -> Tensor:
        self.begin()
        received = self.through(x.repeat_interleave(self.network.steps, 0), self.fire)
        summed = received.reshape(len(x), self.network.steps, -1).sum(1)
        return summed + self.initials[self.readout.name]

    def rest(self, module: Any, initial: Tensor, current: Tensor) -> None:
        module.v_mem = initial.expand(len(current) // self.network.steps, *current.shape[1:])


def _iaf(node: Node, steps: int) -> sinabs.layers.IAFSqueeze:
    return sinabs.layers.IAFSqueeze(
        num_timesteps=steps,
        spike_threshold=torch.as_tensor(node.layer.threshold).float(),
        spike_fn=sinabs.activation.SingleSpike,
        reset_fn=sinabs.activation.MembraneSubtract(),
    )


LIBRARIES: Mapping[str, Callable[[Network], Callable[[Tensor], Tensor]]] = {
    "SpikingJelly": SpikingJelly,
    "snnTorch": SnnTorch,
    "sinabs": Sinabs,
}
