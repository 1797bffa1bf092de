"""Whole layers of neurons as C functions: all that reaches a neuron is summed up before it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod
from typing import cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr

from neurocuda.backends.cpu.c_text import braces, c_type, indented, literal, loop, sum_of
from neurocuda.backends.cpu.loops import Nest, Parameter, constant, print_nest, prints, reads, windows, writes
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.dialects.cpu.layers import Synapse
from neurocuda.ir.attributes import Dense, dense_shape, dense_type, values_of

__all__ = ["print_nest"]

BLOCK = 256
"""So many membranes, at most, lie on the stack at a time."""


@prints(cpu.CountLayerOp)
def count_layer(op: cpu.CountLayerOp) -> Nest:
    """One pass over the positions: a block of channels is charged on the stack, then every neuron says its count."""
    layer = _Layer(op)
    start = [layer.value(name, each) for name, each in (("initial", op.initial), ("bias", op.bias)) if each is not None]
    threshold, levels = layer.value("threshold", op.threshold), op.levels.value.data
    charges = [line for index, synapse in enumerate(op.connections()) for line in layer.charge(synapse, index)]
    say = [
        layer.neuron,
        f"const int32_t barrier = {threshold};",
        "const int32_t fits = charge[j] < barrier ? 0 : charge[j] / barrier;",
        f"counts[{layer.at}] = ({c_type(buffer_element(op.spikes))})(fits < {levels} ? fits : {levels});",
    ]
    body = [
        f"int32_t charge[{layer.block}];",
        *loop("j", layer.block, [layer.neuron, f"charge[j] = {' + '.join(start)};"] if start else ["charge[j] = 0;"]),
        *charges,
        *loop("j", layer.block, say),
    ]
    sources = [reads(f"source{index}", source) for index, source in enumerate(op.sources)]
    pointers = (*sources, writes("counts", op.spikes), *layer.pointers)
    return Nest("count_layer", pointers, tuple(layer.loops(body)))


class _Layer:
    """The positions and blocks of channels of a layer: neuron j of a block is channel c of position p.

    `neuron` declares c, `at` is the neuron's place in memory.
    """

    def __init__(self, op: cpu.LayerOp) -> None:
        *self.positions, self.channels = op.neurons
        outer = [dense_shape(each.weight)[-1] for each in op.connections() if each.how.kind.data == "conv2d"]
        together = gcd(self.channels, *outer)
        self.block = max(size for size in range(1, min(together, BLOCK) + 1) if together % size == 0)
        self.first = sum_of(("b", self.block if self.block < self.channels else 0))
        self.neuron = "const int32_t c = j;" if self.first == "0" else f"const int32_t c = {self.first} + j;"
        self.at = f"{self.channels} * p + c" if prod(self.positions) > 1 else "c"
        self.pointers: list[Parameter] = []

    def value(self, name: str, attribute: Dense) -> str:
        """A constant that broadcasts from the last axis, at a neuron; a single number is spelled out."""
        size = prod(dense_shape(attribute))
        if size == 1 and isinstance(attribute, DenseIntOrFPElementsAttr):
            return literal(cast("float", attribute.get_values()[0]), dense_type(attribute).element_type)
        self.pointers.append(constant(name, attribute))
        return f"{name}[{0 if size == 1 else 'c' if size == self.channels else self.at}]"

    def loops(self, body: Sequence[str]) -> list[str]:
        """The loops around what is done for one block of channels at one position."""
        if self.block < self.channels:
            body = loop("b", self.channels // self.block, body)
        if len(self.positions) != 2:
            return loop("p", prod(self.positions), body) if prod(self.positions) > 1 else list(body)
        height, width = self.positions
        place = [f"const int32_t p = {width} * y + x;"] if height * width > 1 else []
        return loop("y", height, loop("x", width, [*place, *body]))

    def charge(self, synapse: Synapse, index: int) -> list[str]:
        """Adds what a synapse brings to the block of membranes, in a scope of its own."""
        kind, source, weight = synapse.how.kind.data, f"source{index}", f"weight{index}"
        if kind == "diagonal":
            value = self.value(weight, synapse.weight)
            return loop("j", self.block, [self.neuron, f"charge[j] += (int32_t){source}[{self.at}] * {value};"])
        self.pointers.append(constant(weight, synapse.weight))
        lines = {"linear": self._linear, "conv2d": self._conv2d, "depthwise_conv2d": self._depthwise}[kind](
            synapse, source, weight
        )
        return ["{", *indented(lines), "}"]

    def _linear(self, synapse: Synapse, source: str, weight: str) -> list[str]:
        inner, outer = dense_shape(synapse.weight)
        taps = weight if self.first == "0" else f"{weight} + {self.first}"
        return self._rows(synapse, source, taps, inner, outer)

    def _conv2d(self, synapse: Synapse, source: str, weight: str) -> list[str]:
        groups, rows, columns, inner, outer = dense_shape(synapse.weight)
        kernel, group, place = "ky", "", self.first
        if groups > 1:
            kernel, group = f"({rows} * g + ky)", f" + {inner} * g"
            place = f"({self.first}) % {outer}"
        taps = f"{weight} + {inner * outer} * ({columns} * {kernel} + kx)" + ("" if place == "0" else f" + {place}")
        body = self._rows(synapse, _pixel(synapse, source) + group, taps, inner, outer)
        lines = _windowed(synapse, self.positions, (rows, columns), body)
        return [f"const int32_t g = ({self.first}) / {outer};", *lines] if groups > 1 else lines

    def _depthwise(self, synapse: Synapse, source: str, weight: str) -> list[str]:
        rows, columns, channels = dense_shape(synapse.weight)
        body = [
            f"const {c_type(buffer_element(synapse.source))} *pixel = {_pixel(synapse, source)};",
            f"const {c_type(dense_type(synapse.weight).element_type)} *taps = "
            f"{weight} + {channels} * ({columns} * ky + kx);",
            *loop("j", self.block, [self.neuron, "charge[j] += (int32_t)pixel[c] * taps[c];"]),
        ]
        return _windowed(synapse, self.positions, (rows, columns), body)

    def _rows(self, synapse: Synapse, pixel: str, taps: str, inner: int, outer: int) -> list[str]:
        """Adds a row of weights, times the count, for every element of a stretch of the source that is not zero."""
        add = loop("j", self.block, [f"charge[j] += value * taps[{sum_of(('i', outer), ('j', 1))}];"])
        return [
            f"const {c_type(buffer_element(synapse.source))} *pixel = {pixel};",
            f"const {c_type(dense_type(synapse.weight).element_type)} *taps = {taps};",
            *loop("i", inner, ["const int32_t value = pixel[i];", *braces("if (value != 0)", add)]),
        ]


def _pixel(synapse: Synapse, source: str) -> str:
    """Where the channels of a tap begin; of a pool, of one of its pixels."""
    _, width, channels = buffer_shape(synapse.source)
    down, across = values_of(synapse.how.pool)
    row = "row" if down == 1 else f"({down} * row + py)"
    column = "column" if across == 1 else f"{across} * column + px"
    return f"{source} + {channels} * ({width} * {row} + {column})"


def _windowed(synapse: Synapse, result: Sequence[int], kernel: Sequence[int], body: Sequence[str]) -> list[str]:
    """Loops over the taps of a neuron, and over the pixels that are summed up for each."""
    down, across = values_of(synapse.how.pool)
    height, width, _ = buffer_shape(synapse.source)
    vertical, horizontal = windows((height // down, width // across), result, kernel, synapse.how)
    for name, count in (("px", across), ("py", down)):
        body = loop(name, count, body) if count > 1 else body
    return vertical.taps("y", "ky", "row", horizontal.taps("x", "kx", "column", body))
