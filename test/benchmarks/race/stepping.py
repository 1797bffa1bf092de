"""Spiking networks in plain PyTorch: step by step, with time folded into the batch, and as counts.

In float64 they say what everyone has to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from networks import Images, Network, Neurons, Node, Readout
from numpy.typing import NDArray
from torch import Tensor
from torch_layers import Layers

Logits: TypeAlias = NDArray[np.int64]
Step: TypeAlias = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, list[Tensor]]]
"""From the input and all membranes to what the readout receives and the membranes after the step."""

AT_ONCE = 8
"""Images of a reference run that are done together."""


class SpikingNetwork(Layers):
    """A network with its neurons."""

    def __init__(self, network: Network, dtype: torch.dtype = torch.float32) -> None:
        super().__init__(network, dtype)
        self.thresholds: dict[str, Tensor] = {}
        self.initials: dict[str, Tensor] = {}
        for node in network.nodes:
            if isinstance(node.layer, Neurons):
                self.thresholds[node.name] = torch.as_tensor(node.layer.threshold, dtype=dtype)
            if isinstance(node.layer, Neurons | Readout):
                self.initials[node.name] = torch.as_tensor(node.layer.initial, dtype=dtype)
        self.constant = _constant(network)

    def at_rest(self) -> list[Tensor]:
        """The membranes before the first step."""
        return [self.initials[node.name] for node in self.network.neurons]

    def step(self, x: Tensor, membranes: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One step of all layers."""
        after: list[Tensor] = []

        def fire(node: Node, current: Tensor) -> Tensor:
            spikes, membrane = self.fired(node, membranes[len(after)] + current)
            after.append(membrane)
            return spikes

        return self.through(x, fire), after

    def fired(self, node: Node, membrane: Tensor) -> tuple[Tensor, Tensor]:
        """Spikes, and the membrane after them."""
        threshold = self.thresholds[node.name]
        spikes = (membrane >= threshold).to(membrane.dtype)
        return spikes, membrane - spikes * threshold

    def stepped(self, x: Tensor, step: Step | None = None, membranes: Sequence[Tensor] = ()) -> Tensor:
        """All steps, one after the other; `membranes` are those at rest where they must have full shape."""
        step, membranes = self.step if step is None else step, membranes or self.at_rest()
        total = self.initials[self.readout.name]
        for _ in range(self.network.steps):
            received, membranes = step(x, membranes)
            total = total + received
        return total

    def folded(self, x: Tensor) -> Tensor:
        """All steps of a layer before the next layer, as one batch; what follows from the input alone only once."""
        received = self.through(x, self.trains)
        return received.reshape(self.network.steps, len(x), -1).sum(0) + self.initials[self.readout.name]

    def trains(self, node: Node, current: Tensor) -> Tensor:
        """The spikes of a layer, one step behind the other, for currents that come so."""
        steps, membrane = self.network.steps, self.initials[node.name]
        sent: list[Tensor] = []
        alike = self.constant.issuperset(node.reads)
        for received in [current] * steps if alike else current.tensor_split(steps):
            spikes, membrane = self.fired(node, membrane + received)
            sent.append(spikes)
        return torch.cat(sent)

    def counted(self, x: Tensor) -> Tensor:
        """A network of counts."""

        def fire(node: Node, current: Tensor) -> Tensor:
            membrane = current + self.initials[node.name]
            whole = torch.div(membrane, self.thresholds[node.name], rounding_mode="floor")
            return whole.clamp(0, self.network.steps)

        return self.through(x, fire) + self.initials[self.readout.name]


def _constant(network: Network) -> set[str]:
    """What follows from the input alone, without neurons between."""
    found = {"x"}
    for node in network.nodes:
        if found.issuperset(node.reads) and not isinstance(node.layer, Neurons):
            found.add(node.name)
    return found


def expected_logits(network: Network, images: Images) -> Logits:
    """What everyone has to say, in float64, which holds such integers exactly."""
    spiking = SpikingNetwork(network, torch.float64)
    run = spiking.counted if network.counts else spiking.stepped
    with torch.inference_mode():
        parts = np.array_split(images.astype(np.float64), -(-len(images) // AT_ONCE))
        return torch.cat([run(torch.as_tensor(part)) for part in parts]).numpy().astype(np.int64)


def firing_rate(network: Network, images: Images) -> float:
    """Spikes per neuron and step, all layers counting alike, on a few images."""
    spiking, rates = SpikingNetwork(network), list[float]()

    def fire(node: Node, current: Tensor) -> Tensor:
        spikes = spiking.trains(node, current)
        rates.append(float(spikes.mean()))
        return spikes

    with torch.inference_mode():
        spiking.through(torch.as_tensor(images[:AT_ONCE], dtype=torch.float32), fire)
    return sum(rates) / len(rates)
