"""Random networks of table layers and products of counts, for property tests of code "graded" and of targets.

network = random_table_network(seed=7)
outputs, counts = network.interpret()
network.apply("encode-graded", "convert-snn-to-cpu", "allocate-buffers")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Block, Operation, Region, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import set_origin
from neurocuda.ir.weights import WeightStore
from neurocuda.testing_spiking import SpikingNetwork


@dataclass
class _Builder:
    """Appends random layers to the body of a network; `signals` are counts that any of them may read."""

    random: np.random.Generator
    weights: WeightStore
    block: Block = field(default_factory=Block)
    signals: list[SSAValue] = field(default_factory=list)
    layers: int = 0

    def integer(self, low: int, high: int) -> int:
        """low <= result < high."""
        return int(self.random.integers(low, high))

    def chance(self, odds: float) -> bool:
        """True with the given probability."""
        return bool(self.random.random() < odds)

    def add(self, op: Operation) -> SSAValue:
        """Appends an operation."""
        self.block.add_op(op)
        return op.results[0]

    def layer(self, op: Operation) -> SSAValue:
        """Appends a layer of neurons and names it."""
        set_origin(op, f"neurons.{self.layers}")
        self.layers += 1
        return self.add(op)

    def constant(self, shape: Sequence[int], low: int, high: int, kind: str = "i4") -> Dense:
        """Random integers from low to high - 1."""
        return self.weights.add(self.random.integers(low, high, shape).astype(kind), "c")

    def along(self, shape: Sequence[int], low: int, high: int) -> Dense:
        """One number, one per element of a row, one per row, or one per neuron."""
        choices = [(1,), shape[-1:], (*shape[:-1], 1), tuple(shape)]
        return self.constant(choices[self.integer(0, 4)], low, high)

    def signal(self, *ranks: int) -> SSAValue:
        """One of the signals, of one of some ranks where any is given."""
        fitting = [signal for signal in self.signals if not ranks or len(shape_of(signal)) in ranks]
        return fitting[self.integer(0, len(fitting))]

    # Currents

    def linear(self, source: SSAValue, outputs: int) -> SSAValue:
        """A matrix product with random weights."""
        return self.add(snn.LinearOp(source, self.constant((outputs, shape_of(source)[-1]), -9, 10, "i1")))

    def diagonal(self, source: SSAValue) -> SSAValue:
        """Every element times its own random weight."""
        return self.add(snn.DiagonalOp(source, self.along(shape_of(source), -5, 6)))

    def currents(self) -> list[SSAValue]:
        """One or two currents of one shape."""
        source = self.signal()
        wide = self.linear(source, self.integer(1, 6)) if self.chance(0.3) else None
        first = wide or (self.diagonal(source) if self.chance(0.5) else self.gate(source))
        alike = [signal for signal in self.signals if shape_of(signal) == shape_of(first)]
        return [first, *(self.diagonal(alike[-1]) for _ in range(self.integer(0, 2)) if alike)]

    def gate(self, source: SSAValue) -> SSAValue:
        """A product with a signal of the same shape, or with one column, row or element of it."""
        shape = shape_of(source)
        other = next((s for s in reversed(self.signals) if shape_of(s) == shape), source)
        stops = [size if self.chance(0.6) else 1 for size in shape]
        part = self.add(snn.SliceOp(other, [0] * len(shape), stops, [1] * len(shape)))
        if self.chance(0.3) and stops[0] == 1 and len(shape) > 1:
            part = self.add(snn.ReshapeOp(part, stops[1:]))
        return self.add(snn.ProductOp(*((source, part) if self.chance(0.5) else (part, source))))

    # Layers

    def lookup(self, currents: Sequence[SSAValue] | None = None) -> SSAValue:
        """Neurons that say a table of any numbers, or their charge in units of a threshold."""
        currents = currents or self.currents()
        low = self.integer(-40, 20)
        high = low + self.integer(0, 50)
        table, bounds = None, (low, high)
        if self.chance(0.6):
            most = (3, 128, 400)[self.integer(0, 3)]
            table, bounds = self.constant((high - low + 1,), -most, most, "i2"), (-most, most)
        return self.layer(
            snn.LookupOp(
                currents,
                CountType.of(*bounds),
                threshold=self.along(shape_of(currents[0]), 1, (2, 40)[self.integer(0, 2)]),
                initial=self.along(shape_of(currents[0]), -50, 50) if self.chance(0.5) else None,
                clip=(low, high),
                table=table,
            )
        )

    def staircase(self) -> SSAValue:
        """Plain neurons beside all others."""
        currents = self.currents()
        levels = self.integer(1, 20)
        threshold, bias = (self.along(shape_of(currents[0]), *ends) for ends in ((1, 30), (-9, 9)))
        op = snn.IntegrateAndFireOp(
            currents, CountType.of(0, levels), threshold=threshold, bias=bias, initial=None, levels=levels
        )
        return self.layer(op)

    def softmax(self, currents: Sequence[SSAValue] | None = None) -> SSAValue:
        """Shares of rows: from steep, where one takes all, to flat; parts may be zero."""
        currents = currents or self.currents()
        shape, levels = shape_of(currents[0]), (1, 15, 255, 3000)[self.integer(0, 4)]
        parts = np.sort(self.random.integers(0, 2 ** self.integer(1, 20), self.integer(1, 40)))[::-1]
        parts = np.where(np.arange(len(parts)) == 0, np.maximum(parts, 1), parts)
        rows = [(1,), *([(*shape[:-1], 1)] if len(shape) > 1 else [])]
        return self.layer(
            snn.SoftmaxOp(
                currents,
                CountType.of(0, levels),
                divisor=self.constant(rows[self.integer(0, len(rows))], 1, (2, 300)[self.integer(0, 2)]),
                table=self.weights.add(parts.astype(np.int32), "t"),
                levels=levels,
                initial=self.along(shape, -50, 50) if self.chance(0.3) else None,
            )
        )

    def layer_norm(self) -> SSAValue:
        """Normed rows; epsilon may be zero and rows constant."""
        currents = self.currents()
        columns, most = shape_of(currents[0])[-1], (2, 127)[self.integer(0, 2)]
        gain, shift = (self.constant(((1,), (columns,))[self.integer(0, 2)], -reach, reach) for reach in (20000, 2000))
        epsilon = (0, 1, 5000)[self.integer(0, 3)]
        bounds = CountType.of(-most, most - 1)
        return self.layer(snn.LayerNormOp(currents, bounds, gain=gain, shift=shift, epsilon=epsilon))

    def attention(self) -> SSAValue:
        """Heads of queries, keys and values over tokens, perhaps in several windows."""
        tokens = self.signal(2, 3)
        heads, width = self.integer(1, 4), self.integer(1, 5)
        query, key, value = (self.heads(tokens, heads, width) for _ in range(3))
        turned = self.add(snn.TransposeOp(key, _swapped(key, -2)))
        scores = self.softmax([self.add(snn.MatrixProductOp(query, turned))])
        mixed = self.lookup([self.add(snn.MatrixProductOp(scores, value))])
        back = self.add(snn.TransposeOp(mixed, _swapped(mixed, -3)))
        self.signals += [scores, mixed]
        return self.add(snn.ReshapeOp(back, (*shape_of(tokens)[:-1], heads * width)))

    def heads(self, tokens: SSAValue, heads: int, width: int) -> SSAValue:
        """(..., tokens, features) to (..., heads, tokens, width)."""
        said = self.lookup([self.linear(tokens, heads * width)])
        split = self.add(snn.ReshapeOp(said, (*shape_of(tokens)[:-1], heads, width)))
        return self.add(snn.TransposeOp(split, _swapped(split, -3)))

    # Index maps

    def moved(self) -> SSAValue:
        """A transposition, a slice, padding, a join, or another axis ahead."""
        source = self.signal()
        shape = shape_of(source)
        kinds: list[Callable[[], Operation]] = [
            lambda: snn.TransposeOp(source, [int(axis) for axis in self.random.permutation(len(shape))]),
            lambda: snn.SliceOp(source, [0] * len(shape), [self.integer(1, n + 1) for n in shape], [1] * len(shape)),
            lambda: snn.PadOp(source, *([self.integer(0, 2) for _ in shape] for _ in range(2))),
            lambda: snn.ReshapeOp(source, (1, *shape) if len(shape) < 4 else (shape[0] * shape[1], *shape[2:])),
            lambda: self.joined(source),
            lambda: self.joined(source),
        ]
        if len(shape) == 3:
            kinds += [lambda: self.pooled(source)] * 3
        return self.add(kinds[self.integer(0, len(kinds))]())

    def joined(self, source: SSAValue) -> Operation:
        """The signal beside another that fits: layers that speak at different steps."""
        fitting = [signal for signal in self.signals if shape_of(signal)[1:] == shape_of(source)[1:]]
        other = fitting[self.integer(0, len(fitting))]
        bounds = [element.bounds for s in (source, other) if isinstance(element := element_type(s), CountType)]
        return snn.ConcatOp([source, other], 0, CountType.of(min(b for b, _ in bounds), max(b for _, b in bounds)))

    def crossed(self) -> SSAValue:
        """Maxima across what is joined of layers that speak at different steps, where there are images."""
        if all(len(shape_of(signal)) != 3 for signal in self.signals):
            return self.lookup()
        joined = self.add(self.joined(self.signal(3)))
        return self.add(self.pooled(self.add(snn.TransposeOp(joined, _swapped(joined, -3)))))

    def pooled(self, source: SSAValue) -> Operation:
        """The maximum over pairs."""
        kernel = [min(2, size) for size in shape_of(source)[1:]]
        pad = self.integer(0, 2) if min(kernel) == 2 else 0
        return snn.MaxPool2dOp(source, kernel, stride=kernel, padding=(pad, 0, pad, 0), element=element_type(source))


def _swapped(value: SSAValue, axis: int) -> list[int]:
    """The permutation that swaps an axis, counted from the end, with the one behind it."""
    axes = list(range(len(shape_of(value))))
    axes[axis], axes[axis + 1] = axes[axis + 1], axes[axis]
    return axes


def random_table_network(seed: int, *, layers: int = 5, batch: int = 4) -> SpikingNetwork:
    """A network of code "count" over tokens, with attention, norms, gates, joins and poolings at random.

    The first two images have equal tokens, and all elements equal.
    """
    context = create_context()
    random = np.random.default_rng(seed)
    builder = _Builder(random, weights_of(context))
    shape = [builder.integer(1, 6) for _ in range(builder.integer(2, 4))]
    argument = builder.block.insert_arg(TensorType(CountType.of(-8, 7), shape), 0)
    builder.signals = [builder.add(snn.InputOp(argument, CountType.of(-8, 7)))]
    kinds = [builder.lookup, builder.softmax, builder.layer_norm, builder.attention, builder.staircase]
    kinds += [builder.moved, builder.crossed]
    for _ in range(layers):
        builder.signals.append(kinds[builder.integer(0, len(kinds))]())
    readouts = [builder.currents(), *([builder.diagonal(signal)] for signal in builder.signals[-2:])]
    outputs = [builder.add(snn.AccumulateOp(currents)) for currents in readouts]
    builder.block.add_op(snn.OutputOp(outputs))
    images = random.integers(-8, 8, (batch, *shape))
    images[0], images[1:2] = images[0, :1], -3
    return SpikingNetwork(context, _module(builder.block, argument, outputs), [images])


def _module(block: Block, argument: SSAValue, outputs: Sequence[SSAValue]) -> ModuleOp:
    types = [output.type for output in outputs]
    function = func.FuncOp("main", ((argument.type,), types))
    network = snn.NetworkOp(function.body.block.args, Region(block), types)
    function.body.block.add_ops([network, func.ReturnOp(*network.outputs)])
    module = ModuleOp([function])
    module.verify()
    return module
