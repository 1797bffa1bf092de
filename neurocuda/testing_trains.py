"""Random networks of code "train" for property tests: leaks, thresholds, sums, delays of all kinds, cycles.

network = random_train_network(seed=7, real=True)
outputs, counts = network.interpret()
network.apply("convert-snn-to-cpu", "allocate-buffers")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp, TensorType, f32, i32
from xdsl.ir import Attribute, Operation, Region, SSAValue

from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import Dense, element_type, integer, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import set_origin
from neurocuda.testing_spiking import NetworkBuilder, SpikingNetwork

Array = NDArray[Any]

BITS = (3, 12)
"""Bits of decays and of states, where they are integers."""


class TrainBuilder(NetworkBuilder):
    """Appends random layers to the body of a network without an end."""

    def neurons(self) -> SSAValue:
        """A layer on one to three currents with a random neuron model."""
        currents = [self.current()]
        shape = shape_of(currents[0])
        currents += [self.current(shape) for _ in range(self.integer(0, 3))]
        if self.chance(0.2):
            return self.readout(currents)
        zero, many = self.chance(0.4), self.integer(2, 4) if self.chance(0.25) else 1
        decays = self.decays(shape)
        op = snn.IntegrateAndFireOp(
            currents,
            snn.SpikesType.of(0, 1) if many == 1 else snn.GradedType.of(0, many),
            threshold=self.per_neuron(shape, 3, 30),
            initial=self.per_neuron(shape, -9, 10) if self.chance(0.4) else None,
            bias=self.per_neuron(shape, -2, 4) if self.chance(0.4) else None,
            reset="zero" if zero else "subtract",
            reset_value=self.per_neuron(shape, -3, 3) if zero and self.chance(0.5) else None,
            strict=self.chance(0.5),
            spikes_per_step=many,
            refractory=self.integer(1, 3) if self.chance(0.2) else 0,
            lower_bound=self.per_neuron(shape, -20, 1) if self.chance(0.2) else None,
            membrane_decay=decays.get("membrane_decay"),
            current_decay=decays.get("current_decay"),
        )
        set_origin(op, f"neurons.{self.layers}")
        self.layers += 1
        return self.add(self.sized(op))

    def readout(self, currents: Sequence[SSAValue]) -> SSAValue:
        """A membrane that is read at every step."""
        shape = shape_of(currents[0])
        bias = self.per_neuron(shape, -2, 3) if self.chance(0.4) else None
        return self.add(self.sized(snn.AccumulateOp(currents, bias=bias, **self.decays(shape))))

    def sized(self, op: snn.IntegrateAndFireOp | snn.AccumulateOp) -> Operation:
        """With the widths that integers have."""
        if not self.real:
            op.properties["shift"] = integer(self.integer(0, 3))
            op.properties["decay_bits"], op.properties["state_bits"] = map(integer, BITS)
        return op

    def decays(self, shape: Sequence[int]) -> dict[str, Dense]:
        """Leaks: halves and ones, or any eighths where they are integers."""
        if self.real:
            return super().decays(shape)
        names = [name for name in ("membrane_decay", "current_decay") if self.chance(0.5)]
        return {name: self.constant(tuple(shape), 0, 2 ** BITS[0] + 1) for name in names}

    def moved(self) -> SSAValue:
        """Anything without neurons: index maps, poolings, delays, thresholds, sums."""
        if self.chance(0.7):
            return super().moved()
        source = self.current()
        if self.chance(0.5):
            shape = shape_of(source)
            return self.add(snn.AddOp([source, self.current(shape)], f32 if self.real else i32))
        op = snn.ThresholdOp(source, self.per_neuron(shape_of(source), -3, 9), strict=self.chance(0.5))
        set_origin(op, f"neurons.{self.layers}")
        self.layers += 1
        return self.add(op)

    def delay(self, source: SSAValue) -> SSAValue:
        """A random delay, one for all or one for each."""
        if self.chance(0.5):
            return self.add(snn.DelayOp(source, self.integer(1, 5)))
        extra = self.weights.add(self.random.integers(0, 4, shape_of(source)).astype(np.int32), "extra")
        return self.add(snn.DelayOp(source, self.integer(0, 3), extra))

    def pool(self, source: SSAValue) -> SSAValue:
        """A random pooling of one step alone."""
        for _ in range(20):
            found = super().pool(source)
            if not isinstance(found.owner, snn.RunningMaxPool2dOp):
                return found
            found.owner.detach()
        return source

    def close_cycle(self) -> None:
        """A layer hears of a signal further down, some steps later."""
        layers = [op for op in self.block.ops if isinstance(op, snn.IntegrateAndFireOp)]
        layer = layers[self.integer(0, len(layers))]
        sources = [op.result for op in layers if not op.is_before_in_block(layer)]
        source = sources[self.integer(0, len(sources))]
        shape, steps = shape_of(layer.result), self.integer(1, 4)
        late = snn.DelayOp(source, steps)
        flat = snn.ReshapeOp(late.result, (int(np.prod(shape_of(source))),))
        product = snn.LinearOp(flat.result, self.weight(int(np.prod(shape)), shape_of(flat.result)[0]))
        back = snn.ReshapeOp(product.result, shape)
        for op in (late, flat, product, back):
            self.block.insert_op_before(op, layer)
        heard = back.result
        if self.chance(0.5):  # or the current is late, and its synapse stands further down
            flat.operands[0] = source
            last = self.block.last_op
            assert last is not None
            late = snn.DelayOp(back.result, steps)
            heard = late.result
            for op in (flat, product, back):
                op.detach()
                self.block.insert_op_after(op, last)
                last = op
            self.block.insert_op_before(late, layer)
        layer.operands = [*layer.operands, heard]


def random_train_network(seed: int, *, real: bool = False, batch: int = 3) -> SpikingNetwork:
    """A random network, recurrent where the seed says so.

    With `real` it is made of floats that are exact in float32 whatever the order of additions, where cycles are short.
    """
    context = create_context()
    random = np.random.default_rng(seed)
    builder = TrainBuilder(random, weights_of(context), int(random.integers(3, 8 if real else 16)), real)
    shape = (int(random.integers(1, 5)), int(random.integers(3, 8)), int(random.integers(3, 8)))
    outer: Attribute = f32 if real else CountType.of(-8, 7)
    argument = builder.block.insert_arg(TensorType(outer, (DYNAMIC_INDEX, *shape)), 0)
    inner: Attribute = f32 if real else snn.GradedType.of(-8, 7)
    builder.signals = [builder.add(snn.InputOp(argument, inner, "spikes"))]
    for _ in range(builder.integer(3, 7)):
        builder.signals.append(builder.neurons() if builder.chance(0.55) else builder.moved())
    while not any(isinstance(op, snn.IntegrateAndFireOp) for op in builder.block.ops):
        builder.signals.append(builder.neurons())
    for _ in range(builder.integer(0, 3)):
        builder.close_cycle()
    outputs = [builder.readout([builder.current()]), *builder.signals[-2:]]
    builder.block.add_op(snn.OutputOp(outputs))
    x = random.integers(-8, 8, (batch, builder.steps, *shape))
    return SpikingNetwork(context, _module(builder, argument, outputs), [(x / 4).astype(np.float32) if real else x])


def _module(builder: TrainBuilder, argument: SSAValue, outputs: Sequence[SSAValue]) -> ModuleOp:
    types = [TensorType(element_type(output), (DYNAMIC_INDEX, *shape_of(output))) for output in outputs]
    function = func.FuncOp("main", ((argument.type,), types))
    network = snn.NetworkOp(function.body.block.args, Region(builder.block), types, code="train", steps=None)
    function.body.block.add_ops([network, func.ReturnOp(*network.outputs)])
    module = ModuleOp([function])
    module.verify()
    return module
