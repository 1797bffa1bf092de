"""The network that a synthetic spiking network could have come from, in PyTorch: ReLU for neurons, means for sums."""

from __future__ import annotations

from math import prod

import torch
from networks import Conv, Linear, Network, Neurons, Scale, SumPool
from synthetic import LARGEST_INPUT
from torch import Tensor, nn
from torch.nn import functional as F
from torch_layers import moved


class Source(nn.Module):
    """The same layers with the same weights, each layer's scaled so that activations keep their size."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.modules_by_name = nn.ModuleDict()
        for node in network.nodes:
            if isinstance(node.layer, Conv | Linear):
                self.modules_by_name[node.name] = _module(node.layer)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images of the spiking network's integers."""
        values = {"x": x / LARGEST_INPUT}
        for node in self.network.nodes:
            first, *others = (values[name] for name in node.reads)
            for other in others:
                first = first + other
            if isinstance(node.layer, Neurons):
                values[node.name] = F.relu(first)
            elif isinstance(node.layer, SumPool):
                values[node.name] = F.avg_pool2d(first, node.layer.kernel, node.layer.stride)
            elif node.name in self.modules_by_name:
                values[node.name] = self.modules_by_name[node.name](first)
            elif isinstance(node.layer, Scale) or node is self.network.nodes[-1]:
                values[node.name] = first
            else:
                values[node.name] = moved(node.layer, first)
        return values[self.network.nodes[-1].name]


def _module(layer: Conv | Linear) -> nn.Module:
    weight = torch.as_tensor(layer.weight, dtype=torch.float32)
    outputs, inputs, *kernel = weight.shape
    bias = torch.empty(outputs).normal_(0, 0.1, generator=torch.Generator().manual_seed(0))
    made: nn.Linear | nn.Conv2d
    if isinstance(layer, Linear):
        made = nn.Linear(inputs, outputs)
    else:
        assert layer.padding[::2] == layer.padding[1::2]
        size, padding = (kernel[0], kernel[1]), (layer.padding[0], layer.padding[2])
        made = nn.Conv2d(inputs, outputs, size, layer.stride, padding)
    scaled = weight / weight.std() * (2 / (inputs * prod(kernel))) ** 0.5
    made.load_state_dict({"weight": scaled, "bias": bias})
    return made
