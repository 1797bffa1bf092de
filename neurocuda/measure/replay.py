"""Runs a network on what another one sent, so that the error of a layer is told from the error that it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import acts_on_charge
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.tables import TableLayerOp
from neurocuda.images import Array
from neurocuda.ir.attributes import element_type
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Observer, Run, main_function

Floats: TypeAlias = NDArray[np.float64]

SENDERS = (ann.InputOp, ann.NeuronOp, ann.RelayOp, host.QuantizeOp, ann.StaircaseOp, TableLayerOp)
"""What sends something that both a float and an integer network know: inputs and neuron layers."""

Layer: TypeAlias = ann.StaircaseOp | TableLayerOp
"""A layer of neurons in integers."""


def sends(op: Operation) -> bool:
    """Whether an operation is an input or a layer of neurons; activation functions say what their relay does not."""
    return isinstance(op, SENDERS) or acts_on_charge(op)


def senders_of(module: ModuleOp) -> dict[str, Operation]:
    """Inputs and neuron layers by origin, in order."""
    found = ((origin_of(op), op) for op in main_function(module).body.block.ops if sends(op))
    return {origin: op for origin, op in found if origin is not None}


class Replay(Run):
    """A run in which every input and layer says what was `sent` in its name, whatever it computes itself.

    `own` is what each has computed from what those before it sent; `charges` what entered each layer whose counts are
    multiples of its threshold, in integers.
    """

    def __init__(self, weights: WeightStore, sent: Mapping[str, Array], observer: Observer | None = None) -> None:
        super().__init__(weights, observer)
        self.sent = sent
        self.own: dict[str, Array] = {}
        self.charges: dict[str, Array] = {}

    def evaluate(self, op: Operation, operands: Sequence[Array]) -> tuple[Array, ...]:
        results = super().evaluate(op, operands)
        origin = origin_of(op)
        if not sends(op) or origin is None:
            return results
        self.own[origin] = results[0]
        if isinstance(op, ann.StaircaseOp):
            self.charges[origin] = sum(operands, self.tensor(op.bias).astype(np.int64))
        elif isinstance(op, ann.LookupOp) and op.table is None and op.initial is not None:
            start = self.tensor(op.initial).astype(np.int64) - self.tensor(op.threshold) // 2
            self.charges[origin] = sum(operands, start)
        return (self.sent.get(origin, results[0]),)


def tail(module: ModuleOp, run: Run, inputs: Sequence[Array], known: Mapping[SSAValue, Array]) -> list[Array]:
    """The outputs of a network of which some values are known; only what follows from them is computed."""
    block = main_function(module).body.block
    last = block.last_op
    assert last is not None
    values: dict[SSAValue, Array] = {**dict(zip(block.args, inputs, strict=True)), **known}
    wanted, needed = set(last.operands), list[Operation]()
    for op in reversed(block.ops):
        if any(result in wanted and result not in known for result in op.results):
            needed.append(op)
            wanted.update(op.operands)
    with np.errstate(all="ignore"):
        for op in reversed(needed):
            values.update(zip(op.results, run.evaluate(op, [values[operand] for operand in op.operands]), strict=True))
    return [values[operand] for operand in last.operands]


def stages_of_input(op: host.QuantizeOp, weights: WeightStore, exact: Array, counts: Array) -> list[Floats]:
    """An input on its way into integers: exact, cut at the ends of its range, rounded; see `CAUSES`."""
    scale, offset = (weights.array(constant).astype(np.float64) for constant in (op.scale, op.offset))
    low, high = bounds_of(op)
    wide = exact.astype(np.float64)
    rounded = counts * scale + offset
    return [wide, wide, wide, np.clip(wide, low * scale + offset, high * scale + offset), rounded, rounded]


def stages_of_layer(
    neuron: Operation, op: Layer, weights: WeightStore, floats: tuple[Array, Array], integers: Replay
) -> list[Floats]:
    """A layer's activation from float to what was sent, one cause after the other; see `CAUSES`.

    `floats` are the activations of the float network on its own, and on what was sent. What comes from a table, a
    softmax or a layer norm is rounded as a whole.
    """
    origin = origin_of(op) or ""
    assert op.scale is not None
    scale = weights.array(op.scale).astype(np.float64)
    exact, given = (array.astype(np.float64) for array in floats)
    own = integers.own[origin]
    said = [own * scale, integers.sent.get(origin, own) * scale]
    if origin not in integers.charges:
        return [exact, given, given, given, *said]
    assert isinstance(op, ann.StaircaseOp | ann.LookupOp)
    low, high = bounds_of(op)
    maximum = neuron.maximum.value.data if isinstance(neuron, ann.NeuronOp) and neuron.maximum is not None else None
    lowest = 0 if isinstance(neuron, ann.NeuronOp) else None
    real = integers.charges[origin] * (scale / weights.array(op.threshold).astype(np.float64))
    unclipped = real if lowest is None and maximum is None else np.clip(real, lowest, maximum)
    return [exact, given, unclipped, np.clip(unclipped, low * scale, high * scale), *said]


def bounds_of(op: host.QuantizeOp | Layer) -> tuple[int, int]:
    """The lowest and the highest count."""
    element = element_type(op.result)
    assert isinstance(element, ann.CountType)
    return element.bounds
