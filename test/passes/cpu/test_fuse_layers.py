"""Layers of counts are fused without changing any, and then little memory is left to need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from xdsl.ir import Operation

import neurocuda as nc
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_bytes
from neurocuda.ir.origin import origin_of
from neurocuda.measure.exactness import compare, counts_of
from neurocuda.testing import RandomNetwork, random_network
from neurocuda.testing_tables import random_table_network

Array = NDArray[Any]

QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")
LOWER = ("convert-snn-to-cpu", "fuse-layers", "allocate-buffers")


def counted(network: RandomNetwork) -> dict[str, Array]:
    """What the neurons of a program say, and its outputs."""
    found: dict[str, Array] = {}

    def note(op: Operation, values: Array) -> None:
        found[origin_of(op) or ""] = values

    outputs = network.interpret(network.images, note)
    return found | {f"output {index}": output for index, output in enumerate(outputs)}


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_kept(seed: int) -> None:
    network = random_network(seed, mixed_levels=seed % 3 > 0, extreme=seed % 3 == 2)
    network.apply(*QUANTISE)
    expected = counts_of(network.module, network.weights, [network.images])
    network.apply("convert-ann-to-snn", *LOWER)
    comparison = compare("ann-quantized", "cpu", expected, counted(network))
    assert comparison.exact, str(comparison)
    assert not any(isinstance(op, cpu.FireOp) for op in network.module.walk()), "every layer is fused"


@pytest.mark.parametrize("seed", range(12))
def test_tables_and_products_are_kept(seed: int) -> None:
    network = random_table_network(seed)
    expected, counts = network.interpret()
    network.apply(*LOWER)
    found, said = network.interpret()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    for origin, each in counts.items():
        np.testing.assert_array_equal(said[origin], each, err_msg=origin)


class Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inner, outer, 3, stride, 1)
        self.second = nn.Conv2d(outer, outer, 3, 1, 1)
        self.shortcut = nn.Identity() if inner == outer else nn.Conv2d(inner, outer, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


def residual(*widths: int, blocks: int) -> nn.Module:
    """A residual network for small images; memory is in proportion to its widths."""
    layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 3, 1, 1), nn.ReLU()]
    for stage, (inner, outer) in enumerate(pairwise((widths[0], *widths))):
        strides = [2 if stage else 1] + [1] * (blocks - 1)
        layers += [Block(outer if i else inner, outer, stride) for i, stride in enumerate(strides)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 10))


def plain(*widths: int) -> nn.Module:
    """VGG-11 with average poolings."""
    layers: list[nn.Module] = []
    for place, (inner, outer) in enumerate(pairwise((3, *widths))):
        layers += [nn.Conv2d(inner, outer, 3, 1, 1), nn.ReLU()]
        layers += [nn.AvgPool2d(2)] if place in (0, 1, 3, 5, 7) else []
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1], 10))


SHAPES: Mapping[str, Callable[[], nn.Module]] = {
    "ResNet-18": lambda: residual(8, 16, 32, 64, blocks=2),
    "ResNet-20": lambda: residual(4, 8, 16, blocks=3),
    "VGG-11": lambda: plain(8, 16, 32, 32, 64, 64, 64, 64),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHAPES)
def test_memory_is_one_and_a_half_times_the_two_largest_activations(name: str) -> None:
    images = np.random.default_rng(0).random((4, 3, 32, 32), np.float32)
    conversion = nc.Conversion(calibration="max")
    compiled = nc.compile(SHAPES[name]().eval(), target="cpu", calibration=images, conversion=conversion)
    (program,) = (op for op in compiled.level("cpu").walk() if isinstance(op, cpu.ProgramOp))
    layers = [op for op in program.walk() if isinstance(op, cpu.CountLayerOp)]
    assert len(layers) == len(compiled.layers)
    sizes = sorted(buffer_bytes(op.spikes) for op in layers)
    borders = [op for op in program.walk() if isinstance(op, cpu.BufferOp)][:2]
    assert program.uses()["state_bytes"] <= max(1.5 * sum(sizes[-2:]), sum(buffer_bytes(op.result) for op in borders))
