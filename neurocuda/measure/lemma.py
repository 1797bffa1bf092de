"""The lemma of a neuron: whatever charge it has received, it sends the count of that charge. Every case is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i32
from xdsl.ir import Attribute, Block, Operation

from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import element_type
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run

Integers = NDArray[np.int64]

THRESHOLDS = (1, 2, 7)
"""Thresholds tried; with 1 there is one case per class, the others check that only the class matters."""

OWN = ("threshold", "initial", "bias", "scale")
"""What differs from neuron to neuron; the rest is how the neuron behaves."""


@dataclass(frozen=True)
class Proof:
    """The lemma for all neurons that behave alike.

    Inside its firing window a neuron compares its membrane with multiples of the threshold θ only, and changes it by
    such multiples or for good. With v = jθ + r, 0 <= r < θ, everything it does therefore depends on j alone, below
    zero and above T levels on nothing; so j = -1 ... T + 1 are all cases there are, for every width of a register in
    which the membrane does not overflow.

    `counterexample` is the first case in which something else than clip(j, 0, T) was sent, or empty.
    """

    behaviour: str
    layers: int
    cases: int
    counterexample: str

    def __str__(self) -> str:
        layers = "1 layer" if self.layers == 1 else f"{self.layers} layers"
        outcome = f"FAILS: {self.counterexample}" if self.counterexample else f"holds in all {self.cases} cases"
        return f"{self.behaviour} ({layers}): {outcome}"


def proofs_of(module: ModuleOp) -> tuple[Proof, ...]:
    """The lemma for every behaviour of a neuron that occurs in a spiking network with firing windows."""
    alike: dict[tuple[Attribute | None, ...], list[snn.IntegrateAndFireOp]] = {}
    for op in module.walk():
        if isinstance(op, snn.IntegrateAndFireOp):
            alike.setdefault(_behaviour(op), []).append(op)
    return tuple(_proof(ops) for ops in alike.values())


def _behaviour(op: snn.IntegrateAndFireOp) -> tuple[Attribute | None, ...]:
    """What two layers share that behave alike: everything but their own constants and when their window starts."""
    shared = sorted(name for name in op.properties if name not in (*OWN, "fire"))
    window = op.window
    return (
        *(op.properties[name] for name in shared),
        element_type(op.result),
        None if window is None else IntegerAttr(window[1] - window[0], 64),
    )


def _proof(ops: Sequence[snn.IntegrateAndFireOp]) -> Proof:
    op = ops[0]
    assert op.levels is not None
    levels = op.levels.value.data
    cases, counterexample = 0, ""
    for threshold in THRESHOLDS:
        charges = np.arange(-threshold, (levels + 2) * threshold, dtype=np.int64)
        sent, expected = _sent(op, threshold, charges), np.clip(charges // threshold, 0, levels)
        cases += len(charges)
        wrong = np.flatnonzero(sent != expected)
        if len(wrong) and not counterexample:
            counterexample = f"charge {charges[wrong[0]]} at threshold {threshold} sends {sent[wrong[0]]}"
    return Proof(_described(op), len(ops), cases, counterexample)


def _described(op: snn.IntegrateAndFireOp) -> str:
    window = op.window
    steps = "at any step" if window is None else f"in {window[1] - window[0]} steps"
    assert op.levels is not None
    return f"{op.levels.value.data} levels {steps}, reset {op.reset.data}"


def _sent(op: snn.IntegrateAndFireOp, threshold: int, charges: Integers) -> Integers:
    """What neurons with these charges at the start of their firing window send in all, by the meaning of the op."""
    store = WeightStore()
    alone = _alone(op, store, threshold, len(charges))
    run = Run(store)
    start, stop = op.window or (0, 1)
    total = np.zeros(len(charges), np.int64)
    received = max(0, start - 1)
    for step in range(received, stop):
        run.step = step
        arriving = charges if step == received else np.zeros_like(charges)
        total += run.evaluate(alone, [arriving[None]])[0][0]
    return total


def _alone(op: snn.IntegrateAndFireOp, store: WeightStore, threshold: int, neurons: int) -> Operation:
    """The same neurons without their own constants, all with one threshold."""
    block = Block(arg_types=[TensorType(i32, [neurons])])
    properties = {name: value for name, value in op.properties.items() if name not in OWN}
    properties["threshold"] = store.add(np.asarray([threshold], np.int32), "threshold")
    result = TensorType(element_type(op.result), [neurons])
    alone = snn.IntegrateAndFireOp.create(operands=[block.args[0]], properties=properties, result_types=[result])
    block.add_op(alone)
    return alone
