"""What keeps a table layer from saying the integers that it means: constants without sense, and overflow of 64 bits."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt

from xdsl.dialects.builtin import FloatAttr

from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import Problem
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis, Interval

LIMIT = 2**62
"""Intermediate results below this leave room for what is added to them in 64 bits."""

NARROWER = "Use narrower weights."


def inexact_tables(network: snn.NetworkOp, bounds: BoundsAnalysis) -> Iterator[Problem]:
    """The table layers of a network that could say something else than they mean."""
    for op in network.body.block.ops:
        if isinstance(op, snn.FiringTableOp):
            for why, remedy in _objections(op, bounds.weights, bounds.membranes.get(op)):
                yield Problem(f"`{op.name}`", user_location(op) or origin_of(op) or "", why, remedy)


def _objections(op: snn.FiringTableOp, weights: WeightStore, membrane: Interval | None) -> Iterator[tuple[str, str]]:
    """(why, what to do)."""
    if membrane is None:
        yield "its currents are not integers", "Quantise the whole network."
    elif isinstance(op, snn.LookupOp):
        yield from _of_lookup(op, weights)
    elif isinstance(op, snn.SoftmaxOp):
        yield from _of_softmax(op, weights)
    elif isinstance(op, snn.LayerNormOp):
        yield from _of_layer_norm(op, weights, membrane)


def _of_lookup(op: snn.LookupOp, weights: WeightStore) -> Iterator[tuple[str, str]]:
    threshold = int(weights.array(op.threshold).min())
    if threshold < 1:
        yield f"a threshold is {threshold}, and charges are counted in positive ones only", ""
    if op.table is None:
        return
    (lowest, highest), table = op.range, weights.array(op.table)
    if table.min() < lowest or table.max() > highest:
        yield f"its table holds {table.min()} ... {table.max()}, and it declares {lowest} ... {highest}", ""


def _of_softmax(op: snn.SoftmaxOp, weights: WeightStore) -> Iterator[tuple[str, str]]:
    divisor, table = int(weights.array(op.divisor).min()), weights.array(op.table)
    if divisor < 1:
        yield f"a divisor is {divisor}, and charges are counted in positive ones only", ""
    if table.min() < 0 or table[0] < 1:
        yield "its table holds negative parts, or none for the largest charge of a row", ""
    row, levels = shape_of(op.result)[-1], op.levels.value.data
    if (levels + row) * int(table.max()) >= LIMIT:
        yield f"{levels} levels times {table.max()} leave 62 bits", "Use fewer levels or a smaller table."


def _of_layer_norm(op: snn.LayerNormOp, weights: WeightStore, membrane: Interval) -> Iterator[tuple[str, str]]:
    """Of N charges within a width w, N² times the variance is at most N² w² / 4 (Popoviciu), d at most (N - 1) w."""
    if isinstance(op.epsilon, FloatAttr):
        yield "its epsilon is a float", "Run quantize-weights first."
        return
    row, epsilon = shape_of(op.result)[-1], op.epsilon.value.data
    lowest, highest = membrane.integers
    width = highest - lowest
    if epsilon < 0:
        yield f"epsilon is {epsilon}, and nothing has a negative variance", ""
    if row**3 * width**2 // 4 + epsilon >= LIMIT:
        fits = isqrt(4 * max(0, LIMIT - 1 - epsilon) // row**3)
        why = f"its charges may lie {width:,} apart, and the squares of {row} of them leave 62 bits beyond {fits:,}"
        yield why, NARROWER
    gain = max(abs(int(end)) for end in (weights.array(op.gain).min(), weights.array(op.gain).max()))
    if row * width * gain >= LIMIT:
        fits = (LIMIT - 1) // (row * gain)
        yield f"its charges may lie {width:,} apart, and times the gain they leave 62 bits beyond {fits:,}", NARROWER
