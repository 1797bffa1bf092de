"""The lemma of a neuron: whatever charge it has received, it sends the count of that charge. Every case is tried.

A neuron with a table sends what the table holds for its charge. Neurons that share a row (softmax, layer norm) have no
lemma: what they send is defined by their integer meaning, and compared on images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i32
from xdsl.ir import Attribute, Block, Operation

from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import element_type
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.words import counted
from neurocuda.reference.interpreter import Run

Integers = NDArray[np.int64]

Counting: TypeAlias = snn.IntegrateAndFireOp | snn.LookupOp
"""Neurons that compare their own charge with multiples of a threshold, and nothing else."""

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
    which the membrane does not overflow. A signed neuron may have sent anything when the last charge arrives: it is
    tried from every number of spikes, and has to be at rest T steps later. A neuron with a table speaks once, and all
    cases are the indices of its table and one beyond either end.

    `counterexample` is the first case in which something else than clip(j, 0, T), or its entry, was sent, or empty.
    """

    behaviour: str
    layers: int
    cases: int
    counterexample: str

    def __str__(self) -> str:
        outcome = f"FAILS: {self.counterexample}" if self.counterexample else f"holds in all {self.cases} cases"
        return f"{self.behaviour} ({counted(self.layers, 'layer')}): {outcome}"


def proofs_of(module: ModuleOp, weights: WeightStore) -> tuple[Proof, ...]:
    """The lemma for every behaviour of a neuron that occurs in a spiking network with firing windows."""
    alike: dict[tuple[Attribute | str | None, ...], list[Counting]] = {}
    for op in module.walk():
        if isinstance(op, Counting):
            alike.setdefault(_behaviour(op), []).append(op)
    return tuple(_proof(ops, weights) for ops in alike.values())


def defined_in(module: ModuleOp) -> tuple[str, ...]:
    """The layers whose neurons share a row: what they send has a definition, and no lemma."""
    kinds = [op.name for op in module.walk() if isinstance(op, snn.SoftmaxOp | snn.LayerNormOp)]
    return tuple(
        f"`{kind}` ({counted(kinds.count(kind), 'layer')}): not proved; what it sends is its integer meaning"
        for kind in sorted(set(kinds))
    )


def _behaviour(op: Counting) -> tuple[Attribute | str | None, ...]:
    """What two layers share that behave alike: everything but their own constants and when their window starts."""
    shared = sorted(name for name in op.properties if name not in (*OWN, "fire"))
    window, signed = op.window, isinstance(op, snn.IntegrateAndFireOp) and op.signed.value.data
    return (
        op.name,
        *(op.properties[name] for name in shared),
        element_type(op.result),
        None if window is None or signed else IntegerAttr(window[1] - window[0], 64),
    )


def _proof(ops: Sequence[Counting], weights: WeightStore) -> Proof:
    op = ops[0]
    return _proof_of_table(op, len(ops), weights) if isinstance(op, snn.LookupOp) else _proof_of_counts(op, len(ops))


def _proof_of_table(op: snn.LookupOp, layers: int, weights: WeightStore) -> Proof:
    lowest, highest = op.clip
    table = np.arange(lowest, highest + 1) if op.table is None else weights.array(op.table).astype(np.int64)
    cases, counterexample = 0, ""
    for threshold in THRESHOLDS:
        charges = np.arange((lowest - 1) * threshold, (highest + 2) * threshold, dtype=np.int64)
        sent = _sent(op, threshold, charges, 0, table)
        entries = np.pad(table, 1, mode="edge").repeat(threshold)
        cases += len(charges)
        wrong = np.flatnonzero(sent != entries)
        if len(wrong) and not counterexample:
            counterexample = f"charge {charges[wrong[0]]} at threshold {threshold} sends {sent[wrong[0]]}"
    what = "their charge" if op.table is None else "a table"
    return Proof(f"{what} from {lowest} to {highest}, spoken at once", layers, cases, counterexample)


def _proof_of_counts(op: snn.IntegrateAndFireOp, layers: int) -> Proof:
    assert op.levels is not None
    levels = op.levels.value.data
    before = range(levels + 1) if op.signed.value.data else (0,)
    cases, counterexample = 0, ""
    for threshold in THRESHOLDS:
        charges = np.arange(-threshold, (levels + 2) * threshold, dtype=np.int64)
        for fired in before:
            sent, expected = _sent(op, threshold, charges, fired), np.clip(charges // threshold, 0, levels)
            cases += len(charges)
            wrong = np.flatnonzero(sent != expected)
            if len(wrong) and not counterexample:
                counterexample = f"charge {charges[wrong[0]]} at threshold {threshold} sends {sent[wrong[0]]}"
    return Proof(_described(op), layers, cases, counterexample)


def _described(op: snn.IntegrateAndFireOp) -> str:
    window = op.window
    steps = "at any step" if window is None else f"in {counted(window[1] - window[0], 'step')}"
    assert op.levels is not None
    if op.signed.value.data:
        return f"{op.levels.value.data} levels, signed"
    return f"{op.levels.value.data} levels {steps}, reset {op.reset.data}"


def _sent(op: Counting, threshold: int, charges: Integers, fired: int, table: Integers | None = None) -> Integers:
    """What neurons with these charges have sent in all at the end of their firing window, by the meaning of the op.

    Of each charge, `fired` spikes have been sent before the last of it arrives.
    """
    store = WeightStore()
    alone = _alone(op, store, threshold, len(charges))
    if "table" in op.properties and table is not None:
        alone.properties["table"] = store.add(table, "table")
    run = Run(store)
    start, stop = _last_steps(op)
    sent = np.full(len(charges), fired, np.int64)
    run.state(alone).update(v=-threshold * sent[None], fired=sent[None])
    received = max(0, start - 1)
    for step in range(received, stop):
        run.step = step
        arriving = charges if step == received else np.zeros_like(charges)
        sent = sent + run.evaluate(alone, [arriving[None]])[0][0]
    return sent


def _last_steps(op: Counting) -> tuple[int, int]:
    """The firing window behind the last arrival; a signed neuron's has as many steps as it has levels."""
    start, stop = op.window or (0, 1)
    if isinstance(op, snn.LookupOp):
        return start, stop
    assert op.levels is not None
    return (max(start, stop - op.levels.value.data), stop) if op.signed.value.data else (start, stop)


def _alone(op: Counting, store: WeightStore, threshold: int, neurons: int) -> Operation:
    """The same neurons without their own constants, all with one threshold."""
    block = Block(arg_types=[TensorType(i32, [neurons])])
    properties = {name: value for name, value in op.properties.items() if name not in OWN}
    properties["threshold"] = store.add(np.asarray([threshold], np.int32), "threshold")
    result = TensorType(element_type(op.result), [neurons])
    alone = type(op).create(operands=[block.args[0]], properties=properties, result_types=[result])
    block.add_op(alone)
    return alone
