"""The contract of level `loihi`: constants are ones that the chip holds as they are, so that nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.ir import Operation

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.errors import Problem
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.level import Level, ValueRule
from neurocuda.ir.origin import user_location, written_name
from neurocuda.ir.weights import WeightStore


def _problem(op: Operation, why: str, remedy: str) -> Problem:
    return Problem(f"`{written_name(op)}`", user_location(op), why, remedy)


def weights_fit(op: Operation, weights: WeightStore) -> Iterator[Problem]:
    """C4 of synapses: weights are multiples of their step, within the range of their signs."""
    if not isinstance(op, loihi.WeightsOp):
        return
    values = weights.array(op.weight)
    lowest, highest, step = op.weight_grid
    wrong = values[(values < lowest) | (values > highest) | (values % step != 0)]
    if wrong.size:
        kind = f"{op.sign_mode.data} {op.weight_bits.value.data}-bit weights"
        grid = f"{lowest} ... {highest}" + (f" in steps of {step}" if step > 1 else "")
        why = f"{wrong.size} of its {values.size} weights, {wrong[0]} for one, are not among {kind}: {grid}"
        yield _problem(op, why, "Quantise for this target.")


def pairs_exist(op: Operation, weights: WeightStore) -> Iterator[Problem]:
    """C7 of sparse synapses: sources and targets are neurons, in order, every pair once."""
    import numpy as np

    if not isinstance(op, loihi.SparseOp):
        return
    before, after = shape_of(op.input)[0], shape_of(op.result)[0]
    sources = weights.array(op.sources).astype(np.int64)
    targets = weights.array(op.targets).astype(np.int64)
    if ((sources < 0) | (sources >= before) | (targets < 0) | (targets >= after)).any():
        why = f"it connects neurons outside of its {before} sources and {after} targets"
        yield _problem(op, why, "Count them from 0.")
    elif (np.diff(targets * before + sources) <= 0).any():
        why = "its connections are not in the order of targets, then sources, or one stands twice"
        yield _problem(op, why, "Sort them, and add up the weights of one pair.")


def constants_fit(op: Operation, weights: WeightStore) -> Iterator[Problem]:
    """C4 of groups: per-neuron constants fit into their registers."""
    if not isinstance(op, loihi.GroupOp):
        return
    for name, (constant, lowest, highest) in op.constants().items():
        if constant is None:
            continue
        values = weights.array(constant)
        wrong = values[(values < lowest) | (values > highest)]
        if wrong.size:
            why = f"its {name} leaves {lowest} ... {highest}: {wrong[0]}"
            yield _problem(op, why, "Use fewer time steps or weight bits, so that its numbers are smaller.")


LEVEL = Level(
    "loihi",
    dialects=frozenset({"loihi", "host", "ann"}),
    operations=frozenset({"builtin.module", "func.func", "func.return"}),
    value_rules=(
        ValueRule("weights fit", weights_fit),
        ValueRule("pairs exist", pairs_exist),
        ValueRule("constants fit", constants_fit),
    ),
)
