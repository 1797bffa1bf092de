"""A network of neuron layers as PyTorch sees it: what gradient descent needs, and no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeAlias, cast

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import ConcatBase, Conv2dBase, LinearBase, SynapseOp
from neurocuda.ir.attributes import Dense, shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._statistics import CLIP, broadcast_shape, levels_of
from neurocuda.reference.interpreter import Run
from neurocuda.reference.meaning import Array


@dataclass(frozen=True)
class Rounding:
    """Layers say whole counts, but for a random share of their values."""

    random: Generator
    dropped: float


class Network:
    """The operations of a block up to the last layer, with their constants.

    `changes` are the parameters: what is added to a constant, in units of its size, so that one learning rate fits all.
    What comes before the first layer is computed as the interpreter does.
    """

    def __init__(self, block: Block, weights: WeightStore, timesteps: int) -> None:
        self.block = block
        self.ops = _up_to_the_last_layer(block)
        self.weights = weights
        self.timesteps = timesteps
        self._trained: dict[Operation, dict[str, _Trained]] = {}
        for op in self.ops:
            if isinstance(op, Conv2dBase | LinearBase):
                start = self.constant(op.weight)
                self._trained[op] = {"weight": _Trained.of(start, start.square().mean().sqrt())}
            elif isinstance(op, ann.NeuronOp):
                self._trained[op] = self._neuron(op)

    def _neuron(self, op: ann.NeuronOp) -> dict[str, _Trained]:
        rank = len(shape_of(op.result))
        clip = self.constant(cast(Dense, op.attributes[CLIP]))
        clip = clip.reshape(broadcast_shape(rank, clip.numel()))
        bias = torch.zeros_like(clip) if op.bias is None else self.constant(op.bias)
        return {"bias": _Trained.of(bias, clip.mean() / 10), CLIP: _Trained.of(clip.log(), torch.ones(()))}

    def constant(self, constant: Dense) -> Tensor:
        """A constant as the operation has it."""
        return torch.as_tensor(self.weights.array(constant).astype(np.float32))

    @property
    def changes(self) -> list[Tensor]:
        """The parameters."""
        return [each.change for constants in self._trained.values() for each in constants.values()]

    def trained(self, op: Operation, name: str) -> Tensor:
        """A constant as it is now."""
        return self._trained[op][name].value

    def said(self, images: Sequence[Array], rounding: Rounding | None = None) -> list[Tensor]:
        """What every neuron layer and every readout says of some images, (batch, *shape) each.

        Without rounding, as in the float network.
        """
        values: dict[SSAValue, Tensor] = {}
        for argument, array in zip(self.block.args, images, strict=True):
            values[argument] = torch.as_tensor(array)
        said: list[Tensor] = []
        for op in self.ops:
            operands = [values[operand] for operand in op.operands]
            if isinstance(op, ann.NeuronOp):
                values[op.result] = _neuron(op, self, operands, rounding)
            elif type(op) in _GRADIENTS:
                values[op.results[0]] = _GRADIENTS[type(op)](op, self, operands)
            else:
                values.update(zip(op.results, self._interpreted(op, operands), strict=True))
            if isinstance(op, ann.NeuronOp) or _reads_out(op):
                said.append(values[op.results[0]])
        return said

    def _interpreted(self, op: Operation, operands: list[Tensor]) -> list[Tensor]:
        results = Run(self.weights).evaluate(op, [operand.numpy() for operand in operands])
        return [torch.as_tensor(result.astype(np.float32)) for result in results]

    def without_gradient(self) -> Operation | None:
        """The first operation behind a layer that cannot be differentiated here, or None."""
        behind = set[SSAValue]()
        for op in self.ops:
            layer = op in self._trained
            if layer or any(operand in behind for operand in op.operands):
                if not layer and type(op) not in _GRADIENTS:
                    return op
                behind.update(op.results)
        return None

    def write(self) -> None:
        """Writes the constants as they are now into the operations."""
        for op, constants in self._trained.items():
            values = {name: each.value.detach().numpy() for name, each in constants.items()}
            if isinstance(op, ann.NeuronOp):
                op.attributes[CLIP] = self.weights.add(np.exp(values.pop(CLIP)).ravel().clip(max=_maximum(op)), "clip")
            for name, value in values.items():
                op.properties[name] = self.weights.add(value, name)


@dataclass(frozen=True)
class _Trained:
    """A constant, and what is added to it in units of a scale."""

    start: Tensor
    scale: Tensor
    change: Tensor

    @staticmethod
    def of(start: Tensor, scale: Tensor) -> _Trained:
        return _Trained(start, scale, torch.zeros_like(start, requires_grad=True))

    @property
    def value(self) -> Tensor:
        return self.start + self.scale * self.change


# One function per operation

Gradient: TypeAlias = Callable[[Operation, Network, list[Tensor]], Tensor]


def _up_to_the_last_layer(block: Block) -> list[Operation]:
    ops = list(block.ops)
    layers = [index for index, op in enumerate(ops) if isinstance(op, Conv2dBase | LinearBase | ann.NeuronOp)]
    return ops[: layers[-1] + 1] if layers else []


def _reads_out(op: Operation) -> bool:
    """Whether a synapse's result is wanted as it is."""
    readers = [use.operation for result in op.results for use in result.uses]
    return isinstance(op, SynapseOp) and not all(isinstance(reader, ann.NeuronOp) for reader in readers)


def _conv2d(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.Conv2dOp)
    top, bottom, left, right = values_of(op.padding)
    padded = F.pad(operands[0], (left, right, top, bottom)) if top != bottom or left != right else operands[0]
    return F.conv2d(
        padded,
        network.trained(op, "weight"),
        None if op.bias is None else network.constant(op.bias),
        values_of(op.stride),
        (top, left) if padded is operands[0] else 0,
        values_of(op.dilation),
        op.groups.value.data,
    )


def _linear(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.LinearOp)
    return F.linear(operands[0], network.trained(op, "weight"), None if op.bias is None else network.constant(op.bias))


def _diagonal(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, SynapseOp)
    return operands[0] * network.constant(op.weight)


def _neuron(op: ann.NeuronOp, network: Network, operands: list[Tensor], rounding: Rounding | None) -> Tensor:
    charge = sum(operands[1:], operands[0]) + network.trained(op, "bias")
    if rounding is None:
        return charge.clamp(0, _maximum(op))
    levels = levels_of(op, network.timesteps)
    unit = network.trained(op, CLIP).exp().clamp(max=_maximum(op)) / levels
    counts = (charge / unit).clamp(0, levels)
    dropped = torch.rand(counts.shape, generator=rounding.random) < rounding.dropped
    return torch.where(dropped, counts, counts + (counts.round() - counts).detach()) * unit


def _maximum(op: ann.NeuronOp) -> float:
    return inf if op.maximum is None else op.maximum.value.data


def _sum_pool2d(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.SumPool2dOp)
    top, bottom, left, right = values_of(op.padding)
    padded = F.pad(operands[0], (left, right, top, bottom))
    return F.avg_pool2d(padded, values_of(op.kernel), values_of(op.stride), divisor_override=1)


def _max_pool2d(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.MaxPool2dOp)
    top, bottom, left, right = values_of(op.padding)
    padded = F.pad(operands[0], (left, right, top, bottom), value=-torch.inf)
    return F.max_pool2d(padded, values_of(op.kernel), values_of(op.stride), 0, values_of(op.dilation))


def _reshape(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    return operands[0].reshape(-1, *shape_of(op.results[0]))


def _transpose(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.TransposeOp)
    return operands[0].permute(0, *(axis + 1 for axis in values_of(op.permutation)))


def _slice(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.SliceOp)
    bounds = zip(values_of(op.starts), values_of(op.stops), values_of(op.steps), strict=True)
    return operands[0][:, *(slice(*each) for each in bounds)]


def _pad(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ann.PadOp)
    ends = zip(reversed(values_of(op.low)), reversed(values_of(op.high)), strict=True)
    return F.pad(operands[0], [end for pair in ends for end in pair])


def _concat(op: Operation, network: Network, operands: list[Tensor]) -> Tensor:
    assert isinstance(op, ConcatBase)
    return torch.cat(operands, op.axis.value.data + 1)


_GRADIENTS: dict[type[Operation], Gradient] = {
    ann.ConcatOp: _concat,
    ann.Conv2dOp: _conv2d,
    ann.DiagonalOp: _diagonal,
    ann.LinearOp: _linear,
    ann.MaxPool2dOp: _max_pool2d,
    ann.PadOp: _pad,
    ann.ReshapeOp: _reshape,
    ann.SliceOp: _slice,
    ann.SumPool2dOp: _sum_pool2d,
    ann.TransposeOp: _transpose,
}
