"""Small graphs on which readers of NIR differ: 5 topologies, two poolings, with and without ties at the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nir
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

TOPOLOGIES = ("plain", "skip", "sum", "branch", "long")
"""A chain; a skip straight into the sum before a neuron; a sum of spikes behind it; a convolution on the other branch;
a skip over two layers, from the input, through a convolution."""

POOLINGS = ("average", "sum")
NEURONS = ("IF", "LIF")
STEPS = 16
SHAPE = (2, 8, 8)
CHANNELS = 4
GRID = 1 / 8
"""Weights and inputs are multiples of it, so that float32 sums are exact in any order."""

ENDLESS = 1e30
"""A time constant, in seconds, so long that nothing leaks: 1 - dt / tau is 1, in float64 too."""

DT = 1e-4


def inputs(seed: int = 0) -> Array:
    """(time, channels, height, width) of spikes."""
    return (np.random.default_rng(seed).random((STEPS, *SHAPE)) < 0.4).astype(np.float32)


def graph(topology: str, pooling: str, *, ties: bool, neuron: str = "IF", seed: int = 0) -> nir.NIRGraph:
    """One of the graphs. Without ties all thresholds lie between multiples of the grid."""
    build = _Builder(np.random.default_rng(seed), ties, neuron)
    nodes: dict[str, nir.NIRNode] = {
        "input": nir.Input(np.array(SHAPE)),
        "conv1": build.conv(SHAPE[0], 3),
        "if1": build.fires(1),
        "conv2": build.conv(CHANNELS, 3),
        "if2": build.fires(1),
    }
    edges = [("input", "conv1"), ("conv1", "if1"), ("if1", "conv2"), ("conv2", "if2")]
    last = "if2"
    if topology == "skip":
        edges.append(("if1", "if2"))
    if topology == "branch":
        nodes["conv3"] = build.conv(CHANNELS, 1)
        edges += [("if1", "conv3"), ("conv3", "if2")]
    if topology == "long":
        nodes |= {"conv3": build.conv(CHANNELS, 3), "if3": build.fires(1), "conv4": build.conv(SHAPE[0], 1)}
        edges += [("if2", "conv3"), ("conv3", "if3"), ("input", "conv4"), ("conv4", "if3")]
        last = "if3"
    nodes |= {
        "pool": build.pool(pooling),
        "flat": build.flat(),
        "fc": build.affine(pooling),
        "out": build.fires(2, (6,)),
    }
    edges += [(last, "pool"), ("pool", "flat"), ("flat", "fc"), ("fc", "out"), ("out", "output")]
    if topology == "sum":
        edges.append(("if1", "pool"))
    nodes["output"] = nir.Output(np.array([6]))
    return nir.NIRGraph(nodes=nodes, edges=edges)


class _Builder:
    """Nodes with random dyadic weights."""

    def __init__(self, random: np.random.Generator, ties: bool, neuron: str) -> None:
        self.random = random
        self.ties = ties
        self.neuron = neuron

    def weight(self, shape: Sequence[int], grid: float = GRID) -> Array:
        """Multiples of the grid."""
        return (self.random.integers(-3, 5, shape) * grid).astype(np.float32)

    def conv(self, channels: int, kernel: int) -> nir.Conv2d:
        """A convolution that keeps height and width."""
        weight, zeros = self.weight((CHANNELS, channels, kernel, kernel)), np.zeros(CHANNELS, np.float32)
        return nir.Conv2d(SHAPE[1:], weight, (1, 1), (kernel // 2,) * 2, (1, 1), 1, zeros)

    def fires(self, threshold: float, shape: Sequence[int] = (CHANNELS, *SHAPE[1:])) -> nir.NIRNode:
        """A layer of neurons that do not leak."""
        level = np.full(shape, threshold if self.ties else threshold - GRID / 64, np.float32)
        ones, zeros = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        if self.neuron == "IF":
            return nir.IF(r=ones, v_threshold=level, v_reset=zeros)
        tau, r = np.full(shape, ENDLESS), np.full(shape, ENDLESS / DT)
        return nir.LIF(tau=tau, r=r, v_leak=zeros, v_threshold=level, v_reset=zeros)

    def pool(self, kind: str) -> nir.NIRNode:
        """Windows of 2 x 2."""
        two, none = np.array([2, 2]), np.array([0, 0])
        return (nir.AvgPool2d if kind == "average" else nir.SumPool2d)(kernel_size=two, stride=two, padding=none)

    def flat(self) -> nir.Flatten:
        """All axes as one."""
        return nir.Flatten(np.array([CHANNELS, SHAPE[1] // 2, SHAPE[2] // 2]), start_dim=0, end_dim=-1)

    def affine(self, pooling: str) -> nir.Affine:
        """The last layer; the divisor of a sum pooling is in its weights."""
        size = CHANNELS * SHAPE[1] * SHAPE[2] // 4
        return nir.Affine(self.weight((6, size), GRID / 4 if pooling == "sum" else GRID), np.zeros(6, np.float32))
