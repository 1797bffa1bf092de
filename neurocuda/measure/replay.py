"""Runs a network on what another one sent, so that the error of a layer is told from the error that it was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.host import ops as host
from neurocuda.images import Array
from neurocuda.ir.attributes import element_type
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Observer, Run, main_function

Floats: TypeAlias = NDArray[np.float64]

SENDERS = (ann.InputOp, ann.NeuronOp, host.QuantizeOp, ann.StaircaseOp)
"""What sends something that both a float and an integer network know: inputs and neuron layers."""


def senders_of(module: ModuleOp) -> dict[str, Operation]:
    """Inputs and neuron layers by origin, in order."""
    found = ((origin_of(op), op) for op in main_function(module).body.block.ops if isinstance(op, SENDERS))
    return {origin: op for origin, op in found if origin is not None}


class Replay(Run):
    """A run in which every input and layer says what was `sent` in its name, whatever it computes itself.

    `own` is what each has computed from what those before it sent; `charges` what entered each staircase, in integers.
    """

    def __init__(self, weights: WeightStore, sent: Mapping[str, Array], observer: Observer | None = None) -> None:
        super().__init__(weights, observer)
        self.sent = sent
        self.own: dict[str, Array] = {}
        self.charges: dict[str, Array] = {}

    def evaluate(self, op: Operation, operands: Sequence[Array]) -> tuple[Array, ...]:
        results = super().evaluate(op, operands)
        origin = origin_of(op)
        if not isinstance(op, SENDERS) or origin is None:
            return results
        self.own[origin] = results[0]
        if isinstance(op, ann.StaircaseOp):
            self.charges[origin] = sum(operands, self.tensor(op.bias).astype(np.int64))
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
    neuron: ann.NeuronOp, op: ann.StaircaseOp, weights: WeightStore, floats: tuple[Array, Array], integers: Replay
) -> list[Floats]:
    """A layer's activation from float to what was sent, one cause after the other; see `CAUSES`.

    `floats` are the activations of the float network on its own, and on what was sent.
    """
    origin = origin_of(op) or ""
    threshold, scale = (weights.array(constant).astype(np.float64) for constant in (op.threshold, op.scale))
    low, high = bounds_of(op)
    maximum = None if neuron.maximum is None else neuron.maximum.value.data
    unclipped = np.clip(integers.charges[origin] * (scale / threshold), 0, maximum)
    clipped = np.clip(unclipped, low * scale, high * scale)
    own = integers.own[origin]
    sent = integers.sent.get(origin, own)
    return [*(array.astype(np.float64) for array in floats), unclipped, clipped, own * scale, sent * scale]


def bounds_of(op: host.QuantizeOp | ann.StaircaseOp) -> tuple[int, int]:
    """The lowest and the highest count."""
    element = element_type(op.result)
    assert isinstance(element, ann.CountType)
    return element.bounds
