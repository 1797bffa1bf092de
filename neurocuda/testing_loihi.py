"""Random networks of level `loihi`: all models of neurons, all kinds of synapses, delays, joins and recurrence.

network = random_loihi_network(seed=7)
outputs = network.interpret()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import CURRENT, GRADED, SPIKE
from neurocuda.ir.attributes import Dense, element_type, integer, integers, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass
class RandomLoihiNetwork:
    """A network, its weight store, and inputs (images, steps, ...); it puts out all spikes and all membranes."""

    context: Context
    module: ModuleOp
    inputs: list[NDArray[np.int64]]

    @property
    def weights(self) -> WeightStore:
        """The store that holds the network's constants."""
        return weights_of(self.context)

    def interpret(self) -> list[Array]:
        """Spikes and membranes in turns, for every group (images, steps, ...)."""
        return interpret(self.module, self.weights, self.inputs)


def random_loihi_network(seed: int, *, steps: int = 25, images: int = 1) -> RandomLoihiNetwork:
    """A convolution or none, then layers of one to three synapses, some of them from earlier layers or their own.

    Thresholds are near the currents that arrive, so that neurons are silent, busy and in between. Graded spikes are
    small, or so large that currents wrap and membranes saturate. Only the last layer may say changes, which grow from
    layer to layer.
    """
    context = create_context()
    builder = _Builder(np.random.default_rng(seed), weights_of(context), steps)
    spikes = builder.image() if builder.random.random() < 0.7 else builder.vector()
    earlier = [spikes]
    for _ in range(builder.choose(0, 1, 2)):
        earlier.append(builder.layer(earlier).spikes)
    builder.layer(earlier, last=True)
    body = Region(builder.block)
    read = [value for group in builder.groups for value in (group.spikes, group.membrane)]
    builder.block.add_op(loihi.OutputOp(read))
    results = [TensorType(element_type(value), (steps, *shape_of(value))) for value in read]
    arguments = [argument.type for argument in builder.block.args]
    function = func.FuncOp("main", (arguments, results))
    network = loihi.NetworkOp(function.body.block.args, body, results, steps=steps)
    function.body.block.add_ops([network, func.ReturnOp(*network.results)])
    module = ModuleOp([function])
    module.verify()
    return RandomLoihiNetwork(context, module, [builder.rows(argument, images) for argument in builder.block.args])


class _Builder:
    """Appends random groups and synapses to a block."""

    def __init__(self, random: np.random.Generator, weights: WeightStore, steps: int) -> None:
        self.random = random
        self.weights = weights
        self.steps = steps
        self.block = Block()
        self.groups: list[loihi.GroupOp] = []

    def add(self, op: Operation) -> SSAValue:
        """Appends an operation; returns its first result."""
        self.block.add_op(op)
        return op.results[0]

    def choose(self, *values: int) -> int:
        """One of some integers."""
        return int(self.random.choice(values))

    def rows(self, argument: SSAValue, images: int) -> NDArray[np.int64]:
        """What a source sends, three in ten neurons at every step; some so much that currents wrap."""
        shape = (images, *shape_of(argument))
        busy = self.random.random(shape) < 0.3
        most = self.choose(20, 2000)
        return busy * (self.random.integers(-most, most + 1, shape) if element_type(argument) == GRADED else 1)

    # Layers

    def source(self, shape: Shape) -> SSAValue:
        """A source of plain or graded spikes, for all steps or some."""
        element = GRADED if self.random.random() < 0.3 else SPIKE
        rows = self.choose(self.steps, self.steps // 2)
        argument = self.block.insert_arg(TensorType(element, (rows, *shape)), len(self.block.args))
        return self.add(loihi.SourceOp(operands=[argument], result_types=[TensorType(element, shape)]))

    def vector(self) -> SSAValue:
        """A source of a few spikes."""
        return self.source((self.choose(3, 8, 12),))

    def image(self) -> SSAValue:
        """A source of an image and a layer that convolves it, as a vector, transposed or not."""
        image = self.source((self.choose(4, 5, 6), self.choose(4, 5), self.choose(1, 2, 4)))
        spikes = self.group([self.conv(image)]).spikes
        if self.random.random() < 0.5:
            spikes = self.add(loihi.TransposeOp(spikes, (2, 1, 0)))
        return self.add(loihi.ReshapeOp(spikes, (prod(shape_of(spikes)),)))

    def layer(self, earlier: Sequence[SSAValue], *, last: bool = False) -> loihi.GroupOp:
        """A group that hears the layer before, perhaps an earlier one, and perhaps itself."""
        neurons = self.choose(2, 4, 9)
        currents = [self.synapse(earlier[-1], neurons)]
        if self.random.random() < 0.5:
            currents.append(self.synapse(earlier[self.choose(*range(len(earlier)))], neurons))
        group = self.group(currents, last=last)
        if element_type(group.spikes) == SPIKE and self.random.random() < 0.3:
            self.hear_itself(group)
        return group

    def hear_itself(self, group: loihi.GroupOp) -> None:
        """One more synapse of a group, from its own spikes; it stands before the group."""
        current = self.synapse(group.spikes, shape_of(group.spikes)[0])
        synapse = current.owner
        assert isinstance(synapse, Operation)
        synapse.detach()
        self.block.insert_op_before(synapse, group)
        group.operands = [*group.operands, current]

    # Synapses

    def weight(self, shape: Shape, sign_mode: str, bits: int) -> Dense:
        """Weights that the chip can hold, none of them zero."""
        step = 2 ** (8 - bits + (sign_mode == "mixed"))
        sizes = self.random.integers(1, 256 // step, shape) * step
        signs = self.random.choice([-1, 1], shape) if sign_mode == "mixed" else 1 if sign_mode == "excitatory" else -1
        return self.weights.add((sizes * signs).astype(np.int32), "weight")

    def weights_for(self, spikes: SSAValue, shape: Shape) -> dict[str, Attribute]:
        """The properties that all synapses have."""
        sign_mode = str(self.random.choice(["mixed", "mixed", "mixed", "excitatory", "inhibitory"]))
        bits = self.choose(8, 8, 6, 3)
        message = {"message_bits": integer(16)} if element_type(spikes) == GRADED else {}
        weight = self.weight(shape, sign_mode, bits)
        return {"weight": weight, "sign_mode": StringAttr(sign_mode), "weight_bits": integer(bits), **message}

    def synapse(self, spikes: SSAValue, neurons: int) -> SSAValue:
        """A dense or a sparse synapse, perhaps with an exponent and a delay."""
        before = shape_of(spikes)[0]
        pairs = np.flatnonzero(self.random.random(neurons * before) < 0.4)
        sparse = len(pairs) > 0 and self.random.random() < 0.5
        properties = self.weights_for(spikes, (len(pairs),) if sparse else (neurons, before))
        properties |= {"weight_exp": integer(self.choose(0, 0, 1, -2)), "delay": integer(self.choose(0, 0, 1, 3))}
        kind = TensorType(CURRENT, (neurons,))
        if not sparse:
            return self.add(loihi.DenseOp.build(operands=[spikes], properties=properties, result_types=[kind]))
        properties["targets"] = self.weights.add((pairs // before).astype(np.int32), "targets")
        properties["sources"] = self.weights.add((pairs % before).astype(np.int32), "sources")
        return self.add(loihi.SparseOp.build(operands=[spikes], properties=properties, result_types=[kind]))

    def conv(self, image: SSAValue) -> SSAValue:
        """A convolution of any geometry that fits."""
        width, height, channels = shape_of(image)
        groups = self.choose(1, channels)
        kernel = (self.choose(1, 2, 3), self.choose(1, 3))
        properties: dict[str, Attribute] = {
            **self.weights_for(image, (groups * self.choose(1, 2), *kernel, channels // groups)),
            "stride": integers((self.choose(1, 2), self.choose(1, 2))),
            "padding": integers((self.choose(0, 1), self.choose(0, 1, 2))),
            "dilation": integers((self.choose(1, (width - 1) // 2), self.choose(1, (height - 1) // 2))),
            "groups": integer(groups),
        }
        kind = TensorType(CURRENT, (1, 1, 1))
        inferred = loihi.ConvOp.build(operands=[image], properties=properties, result_types=[kind]).inferred_shape()
        kind = TensorType(CURRENT, inferred)
        return self.add(loihi.ConvOp.build(operands=[image], properties=properties, result_types=[kind]))

    # Groups

    def reach(self, currents: Sequence[SSAValue]) -> float:
        """About how large the currents of a group are."""
        reach = 0.0
        for current in currents:
            op = current.owner
            assert isinstance(op, loihi.WeightsOp)
            magnitudes = np.abs(self.weights.array(op.weight).astype(np.float64))
            message = 10 if element_type(op.input) == GRADED else 1
            exponent = op.weight_exp.value.data if isinstance(op, loihi.DelayedOp) else 0
            reach += magnitudes.sum() / prod(shape_of(current)) ** 0.5 * message * 2.0**exponent * 0.2
        return reach

    def field(self, shape: Shape, lowest: int, highest: int) -> Dense:
        """A constant of every neuron, or of every last axis."""
        shape = shape if self.random.random() < 0.5 else shape[-1:]
        return self.weights.add(self.random.integers(lowest, highest + 1, shape).astype(np.int32), "constant")

    def group(self, currents: Sequence[SSAValue], *, last: bool = False) -> loihi.GroupOp:
        """Neurons of any model."""
        shape = shape_of(currents[0])
        threshold = int(np.clip(self.reach(currents) * self.random.uniform(0.05, 0.6), 1, 2**17 - 1))
        model = self.choose(0, 1, 2, 3)
        kind: type[loihi.GroupOp] = loihi.LifOp
        properties = self.lif(shape, threshold)
        if model == 0:
            kind, properties = loihi.IntegrateAndFireOp, self.integrate_and_fire(shape, threshold)
        if model == 1 and last:
            kind, properties = loihi.SigmaDeltaOp, self.sigma_delta(shape, threshold)
        results = [TensorType(kind.SENDS, shape), TensorType(CURRENT, shape)]
        group = kind.build(operands=[currents], properties=properties, result_types=results)
        self.block.add_op(group)
        self.groups.append(group)
        return group

    def lif(self, shape: Shape, threshold: int) -> dict[str, Attribute]:
        """Parameters of leaky neurons; du = -1, a current that lasts, is among them, and neurons without a memory."""
        interval = self.choose(0, 0, 0, 1, 5)
        resets = {"reset_interval": integer(interval), "reset_offset": integer(self.choose(0, 2))} if interval else {}
        return {
            **resets,
            "du": integer(self.choose(4095, 4095, 1024, 0, -1)),
            "dv": integer(self.choose(0, 0, 163, 4095)),
            "vth": integer(threshold),
            "bias_mant": self.field(shape, -50, 50),
            "bias_exp": integer(self.choose(0, 6)),
            "initial": self.field(shape, -64 * threshold, 64 * threshold),
        }

    def integrate_and_fire(self, shape: Shape, threshold: int) -> dict[str, Attribute]:
        """Parameters of neurons with a soft reset, gated or not."""
        start = self.choose(0, 2, 5)
        window = {"fire": integers((start, self.choose(start + 1, self.steps)))} if start else {}
        return {
            "threshold": self.field(shape, threshold, 2 * threshold),
            "bias": self.field(shape, -20, 20),
            "initial": self.field(shape, -threshold, threshold),
            **window,
        }

    def sigma_delta(self, shape: Shape, threshold: int) -> dict[str, Attribute]:
        """Parameters of neurons that say changes."""
        return {
            "vth": integer(threshold),
            "bias": self.field(shape, -50, 50),
            "activation": StringAttr(str(self.random.choice(["relu", "unit"]))),
            "spike_exp": integer(self.choose(0, 2)),
            "state_exp": integer(self.choose(0, 3)),
        }
