"""Random networks of level `loihi` that are a chain of layers with hard reset or sigma-delta neurons, as netx has them.

network = random_sequential_network(seed=7)
outputs = network.interpret()
"""

from __future__ import annotations

from math import prod

import numpy as np
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr, TensorType
from xdsl.ir import Attribute, Block, Region, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import CURRENT, GRADED, SPIKE
from neurocuda.ir.attributes import Dense, element_type, integer, integers, shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.testing_loihi import RandomLoihiNetwork

STEPS = 20


def random_sequential_network(seed: int) -> RandomLoihiNetwork:
    """One to four layers on an image or a vector; it puts out the spikes and membranes of the last layer.

    Convolutions have any groups, stride, padding and dilation; in between an image may be flattened in either order of
    its axes. Neurons reset to zero, with decays, biases and resets in intervals, or say changes.
    """
    context = create_context()
    chain = _Chain(np.random.default_rng(seed), weights_of(context))
    for _ in range(chain.choose(1, 2, 3, 4)):
        chain.layer()
    group = chain.groups[-1]
    block, read = chain.block, [group.spikes, group.membrane]
    block.add_op(loihi.OutputOp(read))
    results = [TensorType(element_type(value), (STEPS, *shape_of(value))) for value in read]
    arguments = [argument.type for argument in block.args]
    function = func.FuncOp("main", (arguments, results))
    network = loihi.NetworkOp(function.body.block.args, Region(block), results, steps=STEPS)
    function.body.block.add_ops([network, func.ReturnOp(*network.results)])
    module = ModuleOp([function])
    module.verify()
    return RandomLoihiNetwork(context, module, [chain.rows()])


class _Chain:
    """Appends layers to a block, each of which hears the one before."""

    def __init__(self, random: np.random.Generator, weights: WeightStore) -> None:
        self.random = random
        self.weights = weights
        self.groups: list[loihi.GroupOp] = []
        self.says_changes = bool(random.random() < 0.35)
        self.spike_exp = self.choose(0, 3, 6)
        self.interval = self.choose(0, 0, 1, 3) if not self.says_changes else 0
        self.offset = self.choose(0, 1, 2)
        self.image = bool(random.random() < 0.7)
        shape = (self.choose(5, 7), self.choose(4, 6), self.choose(1, 2, 4)) if self.image else (self.choose(3, 9),)
        element = GRADED if self.says_changes or random.random() < 0.4 else SPIKE
        self.block = Block(arg_types=[TensorType(element, (self.choose(1, STEPS), *shape))])
        source = loihi.SourceOp(operands=[self.block.args[0]], result_types=[TensorType(element, shape)])
        self.block.add_op(source)
        self.spikes: SSAValue = source.result

    def choose(self, *values: int) -> int:
        """One of some integers."""
        return int(self.random.choice(values))

    def rows(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """What the source sends, for one image."""
        argument = self.block.args[0]
        shape = (1, *shape_of(argument))
        busy = self.random.random(shape) < 0.4
        return busy * (self.random.integers(-30, 31, shape) if element_type(argument) == GRADED else 1)

    def layer(self) -> None:
        """A convolution where there is an image, or a dense layer; and its neurons."""
        convolves = len(shape_of(self.spikes)) == 3 and self.random.random() < 0.7
        current = self.convolution() if convolves else self.dense()
        self.group(current)

    def weight(self, shape: tuple[int, ...]) -> tuple[Dense, str]:
        """Weights and their sign mode; some of them are positive, which netx wants of dense layers."""
        mode = str(self.random.choice(["mixed", "mixed", "excitatory"]))
        most = self.choose(2, 30, 255)
        values = self.random.integers(0, most + 1, shape)
        if mode == "mixed":
            values = values * self.random.choice([-1, 1], shape) // 2 * 2
        values.flat[0] = 2 * self.choose(1, 127) if mode == "mixed" else most
        return self.weights.add(values.astype(np.int32), "weight"), mode

    def properties(self, shape: tuple[int, ...]) -> dict[str, Attribute]:
        """What all synapses have."""
        weight, mode = self.weight(shape)
        graded = element_type(self.spikes) == GRADED
        bits = {"message_bits": integer(16 if self.groups else self.choose(8, 16, 24))} if graded else {}
        return {"weight": weight, "sign_mode": StringAttr(mode), **bits}

    def convolution(self) -> SSAValue:
        """A convolution of any geometry that fits."""
        width, height, channels = shape_of(self.spikes)
        groups = self.choose(1, channels)
        kernel = (min(self.choose(1, 2, 3), width), min(self.choose(1, 3), height))
        properties: dict[str, Attribute] = {
            **self.properties((groups * self.choose(1, 2), *kernel, channels // groups)),
            "stride": integers((self.choose(1, 2), self.choose(1, 2))),
            "padding": integers((self.choose(0, 1), self.choose(0, 1, 2))),
            "dilation": integers((1, 1) if min(width, height) < 4 else (self.choose(1, 2), self.choose(1, 2))),
            "groups": integer(groups),
        }
        if min(width, height) < 4 or kernel[0] * 2 > width or kernel[1] * 2 > height:
            properties |= {"dilation": integers((1, 1)), "padding": integers((1, 1))}
        return self.synapse(loihi.ConvOp, properties)

    def dense(self) -> SSAValue:
        """A dense layer, behind a port that flattens where there is an image."""
        if len(shape_of(self.spikes)) == 3:
            if self.random.random() < 0.6:
                self.move(loihi.TransposeOp(self.spikes, (2, 1, 0)))
            self.move(loihi.ReshapeOp(self.spikes, (prod(shape_of(self.spikes)),)))
        (before,) = shape_of(self.spikes)
        properties = self.properties((self.choose(2, 5, 8), before))
        if self.random.random() < 0.2:
            properties["delay"] = integer(self.choose(1, 3))
        return self.synapse(loihi.DenseOp, properties)

    def move(self, op: loihi.ReshapeOp | loihi.TransposeOp) -> None:
        """Puts a port behind the last spikes."""
        self.block.add_op(op)
        self.spikes = op.result

    def synapse(self, kind: type[loihi.WeightsOp], properties: dict[str, Attribute]) -> SSAValue:
        """Appends a synapse of the inferred shape."""
        anything = [TensorType(CURRENT, (1,))]
        inferred = kind.build(operands=[self.spikes], properties=properties, result_types=anything).inferred_shape()
        op = kind.build(operands=[self.spikes], properties=properties, result_types=[TensorType(CURRENT, inferred)])
        self.block.add_op(op)
        return op.result

    def group(self, current: SSAValue) -> None:
        """Appends neurons whose thresholds are near what arrives."""
        op, shape = current.owner, shape_of(current)
        assert isinstance(op, loihi.WeightsOp)
        reach = np.abs(self.weights.array(op.weight)).sum() / shape[-1] ** 0.5
        reach *= 0.3 * (6 if element_type(self.spikes) == GRADED else 1)
        threshold = int(np.clip(reach * self.random.uniform(0.05, 0.5), 1, 2**17 - 1))
        kind, properties = (
            (loihi.SigmaDeltaOp, self.changes(shape))
            if self.says_changes
            else (loihi.LifOp, self.lif(shape, threshold))
        )
        results = [TensorType(kind.SENDS, shape), TensorType(CURRENT, shape)]
        group = kind.build(operands=[[current]], properties=properties, result_types=results)
        self.block.add_op(group)
        self.groups.append(group)
        self.spikes = group.spikes

    def bias(self, shape: tuple[int, ...], most: int) -> dict[str, Attribute]:
        """A bias of every channel, of every neuron, the same for all, or none."""
        kinds: list[tuple[int, ...]] = [shape[-1:], (1,) * (len(shape) - 1) + shape[-1:], shape, (1,)]
        if self.random.random() < 0.3:
            return {}
        chosen = kinds[self.choose(0, 1, 2, 3)]
        name = "bias" if self.says_changes else "bias_mant"
        return {name: self.weights.add(self.random.integers(-most, most + 1, chosen).astype(np.int32), "bias")}

    def lif(self, shape: tuple[int, ...], threshold: int) -> dict[str, Attribute]:
        """Parameters of neurons with a hard reset, one step behind those of the layer before."""
        reset = {"reset_interval": integer(self.interval), "reset_offset": integer(self.offset + len(self.groups))}
        return {
            "du": integer(self.choose(4095, 4095, 1024, 0, -1)),
            "dv": integer(self.choose(0, 0, 163, 4095)),
            "vth": integer(threshold),
            "bias_exp": integer(6),
            **self.bias(shape, min(50, threshold)),
            **(reset if self.interval else {}),
        }

    def changes(self, shape: tuple[int, ...]) -> dict[str, Attribute]:
        """Parameters of neurons that say changes."""
        return {
            "vth": integer(self.choose(0, 1, 5)),
            "spike_exp": integer(self.spike_exp),
            "state_exp": integer(6),
            **self.bias(shape, 50),
        }
