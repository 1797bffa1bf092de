"""What a raced network is: its layers with their integers, independent of who runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Constant: TypeAlias = NDArray[Any]
"""Integers of a spiking network, floats of the network it came from."""

Images: TypeAlias = NDArray[np.int64]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Conv:
    """A convolution with an (out, in, height, width) weight; padding is top, bottom, left, right."""

    weight: Constant
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Linear:
    """A matrix product with an (out, in) weight."""

    weight: Constant


@dataclass(frozen=True)
class Scale:
    """Every element times its own number: an identity shortcut. The weight broadcasts."""

    weight: Constant


@dataclass(frozen=True)
class SumPool:
    """The sum of every window."""

    kernel: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class Reshape:
    """The same elements under another shape, without a batch axis."""

    shape: Shape


@dataclass(frozen=True)
class Slice:
    """`start:stop:step` along every axis."""

    parts: tuple[slice, ...]


@dataclass(frozen=True)
class Pad:
    """Zeros at the low and the high end of every axis."""

    low: Shape
    high: Shape


@dataclass(frozen=True)
class Neurons:
    """Integrate-and-fire neurons on the sum of what they read, reset by subtraction; constants broadcast."""

    threshold: Constant
    initial: Constant
    bias: Constant


@dataclass(frozen=True)
class Readout:
    """A membrane that never fires: the sum of what it reads over all steps."""

    initial: Constant
    bias: Constant


Layer: TypeAlias = Conv | Linear | Scale | SumPool | Reshape | Slice | Pad | Neurons | Readout
Synapse: TypeAlias = Conv | Linear | Scale


@dataclass(frozen=True)
class Node:
    """A layer, its name, and the names of what it reads; the input is called "x"."""

    name: str
    reads: tuple[str, ...]
    layer: Layer


@dataclass(frozen=True)
class Network:
    """Layers in order; the last one is the readout.

    In `steps` time steps its input is a constant current. `counts`: time is collapsed instead, the input arrives once
    and neurons say clip(floor(v / threshold), 0, steps).
    """

    name: str
    input_shape: Shape
    input_range: tuple[int, int]
    steps: int
    nodes: tuple[Node, ...]
    counts: bool = False

    @property
    def neurons(self) -> Sequence[Node]:
        """The layers of neurons."""
        return [node for node in self.nodes if isinstance(node.layer, Neurons)]
