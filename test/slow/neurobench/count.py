"""Has the package `neurobench` count what a network costs: run in the environment of `make neurobench`.

    python count.py network.npz float <module of trained networks> <name>   or
    python count.py network.npz spiking

The .npz holds images and labels; of a spiking network, as neurocuda's code "unary" says it, also `network.json`, its
operations in order, and their constants. What NeuroBench finds is written to standard output as JSON.
"""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.manager.static_manager import StaticMetricManager
from neurobench.metrics.static import ConnectionSparsity, Footprint
from neurobench.metrics.workload import ActivationSparsity, ClassificationAccuracy, SynapticOperations
from neurobench.models import NeuroBenchModel
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

STATIC = [Footprint, ConnectionSparsity]
WORKLOAD = [ClassificationAccuracy, ActivationSparsity, SynapticOperations]


class IntegrateAndFire(nn.Module):
    """Neurons that fire inside a window and subtract their threshold."""

    def __init__(self, threshold: Tensor, initial: Tensor, window: tuple[int, int]) -> None:
        super().__init__()
        self.register_buffer("threshold", threshold)
        self.register_buffer("initial", initial)
        self.window = window
        self.step, self.membrane = 0, torch.zeros(())

    def forward(self, current: Tensor) -> Tensor:
        self.membrane = (self.initial if self.step == 0 else self.membrane) + current
        fires = self.window[0] <= self.step < self.window[1]
        spikes = (self.membrane >= self.threshold).to(current) * fires
        self.membrane = self.membrane - self.threshold * spikes
        self.step += 1
        return spikes


class Readout(nn.Module):
    """A sum over time that never fires."""

    def __init__(self, initial: Tensor) -> None:
        super().__init__()
        self.register_buffer("initial", initial)


class Spiking(nn.Module):
    """A network of code "unary", run step by step; every layer at every step."""

    def __init__(self, ops: list[dict], constants: dict[str, np.ndarray], steps: int) -> None:
        super().__init__()
        self.ops, self.steps = ops, steps
        self.layers = nn.ModuleDict({op["name"]: made(op, constants) for op in ops if op["kind"] in MADE})

    def forward(self, images: Tensor) -> Tensor:
        for layer in self.layers.values():
            layer.step = 0
        total = 0
        for step in range(self.steps):
            total = total + self.tick(images if step == 0 else torch.zeros_like(images))
        return total + self.layers[self.ops[-1]["name"]].initial

    def tick(self, image: Tensor) -> Tensor:
        values: dict[str, Tensor] = {}
        for op in self.ops:
            values[op["name"]] = self.sent(op, image, [values[name] for name in op["reads"]])
        return values[self.ops[-1]["name"]]

    def sent(self, op: dict, image: Tensor, read: list[Tensor]) -> Tensor:
        kind = op["kind"]
        if kind == "input":
            return image
        if kind == "readout":
            return read[0]
        if kind == "neurons":
            return self.layers[op["name"]](sum(read))
        if kind == "conv":
            return self.layers[op["name"]](padded(read[0], op["padding"]))
        if kind in MADE:
            return self.layers[op["name"]](read[0])
        if kind == "max":
            return F.max_pool2d(read[0], op["kernel"], op["stride"])
        if kind == "sum":
            return F.avg_pool2d(read[0], op["kernel"], op["stride"], divisor_override=1)
        assert kind == "reshape", kind
        return read[0].reshape(len(read[0]), *op["shape"])


MADE = ("conv", "linear", "diagonal", "neurons", "readout")


def padded(image: Tensor, padding: list[int]) -> Tensor:
    """Zeros where padding differs from side to side; else the convolution adds them, and no operation counts there."""
    top, bottom, left, right = padding
    return image if top == bottom and left == right else F.pad(image, (left, right, top, bottom))


def made(op: dict, constants: dict[str, np.ndarray]) -> nn.Module:
    def constant(name: str) -> Tensor:
        return torch.from_numpy(constants[f"{op['name']}.{name}"]).float()

    if op["kind"] == "readout":
        return Readout(constant("initial"))
    if op["kind"] == "neurons":
        return IntegrateAndFire(constant("threshold"), constant("initial"), tuple(op["window"]))
    weight = constant("weight")
    if op["kind"] == "linear":
        layer: nn.Linear | nn.Conv2d = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    elif op["kind"] == "diagonal":
        weight = weight.reshape(-1, 1, 1, 1)
        layer = nn.Conv2d(len(weight), len(weight), 1, groups=len(weight), bias=False)
    else:
        top, bottom, left, right = op["padding"]
        even = (top, left) if top == bottom and left == right else (0, 0)
        inputs = weight.shape[1] * op["groups"]
        layer = nn.Conv2d(inputs, len(weight), weight.shape[2:], op["stride"], even, groups=op["groups"], bias=False)
    layer.weight.data = weight
    return layer


class Counted(NeuroBenchModel):
    """A module whose neurons and clipped activations NeuroBench looks at, besides nn.ReLU."""

    def __init__(self, net: nn.Module, activations: list[type[nn.Module]]) -> None:
        super().__init__()
        self.net = net
        for kind in activations:
            self.add_activation_module(kind)

    def __call__(self, batch: Tensor) -> Tensor:
        return self.net(batch)

    def __net__(self) -> nn.Module:
        return self.net


def counted(net: nn.Module, activations: list[type[nn.Module]], images: Tensor, labels: Tensor, batch: int) -> dict:
    """The sizes of the network as it is, and what it does in float64: NeuroBench sums operations in the net's type."""
    found = dict(StaticMetricManager(STATIC).run_metrics(Counted(net.float(), activations)))
    loader = DataLoader(TensorDataset(images.double(), labels), batch_size=batch)
    with torch.no_grad():
        model = Counted(net.double(), activations)
        found |= Benchmark(model, loader, [], [lambda scores: scores.argmax(1)], [[], WORKLOAD]).run(quiet=True)
    return found


def main() -> None:
    path, kind = sys.argv[1:3]
    with np.load(path) as file:
        arrays = dict(file)
    images, labels = torch.from_numpy(arrays.pop("images")).float(), torch.from_numpy(arrays.pop("labels"))
    if kind == "float":
        spec = spec_from_file_location("trained", Path(sys.argv[3]))
        trained = module_from_spec(spec)
        spec.loader.exec_module(trained)
        net, activations = getattr(trained, sys.argv[4])()[0], [trained.Clip]
    else:
        said = json.loads(bytes(arrays.pop("network.json")))
        net, activations = Spiking(said["ops"], arrays, said["steps"]), [IntegrateAndFire]
    batches = {f"batch {size}": counted(net, activations, images, labels, size) for size in (len(images), 1)}
    sys.stdout.write(json.dumps(batches) + "\n")


if __name__ == "__main__":
    main()
