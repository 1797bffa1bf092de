"""Carries a scale and a shift down to the linear operations that read it, where they become part of the weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.shared.bases import Pool2dOp, SynapseOp
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.origin import set_origin
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._fields import applied, carried, carries, charge, columns, squeezed
from neurocuda.passes.ann._linear import add_f32, bias_field, float_synapse, readers, with_charge

Field = NDArray[np.float64]


@dataclass
class Absorption:
    """How `source` can stand in for `scale source + shift` at one reader: what changes on the way down."""

    reader: Operation
    value: SSAValue
    passed: list[Operation] = field(default_factory=list[Operation])
    absorbed: list[tuple[SynapseOp, Field, Field]] = field(default_factory=list[tuple[SynapseOp, Field, Field]])
    scaled: list[tuple[Operation, int, Field]] = field(default_factory=list[tuple[Operation, int, Field]])

    def apply(self, source: SSAValue, weights: WeightStore, rewriter: PatternRewriter) -> None:
        """Rewrites the reader and what follows it. Values on the way change, so they lose their origins."""
        for op in self.passed:
            set_origin(op, None)
        if self.reader in self.passed:
            self._switch(self.reader, source)
            rewriter.handle_operation_modification(self.reader)
        for op, index, scale in self.scaled:
            self._scale(op, index, scale, weights, rewriter)
        for synapse, weight, constant in self.absorbed:
            new = with_charge(synapse, weights, weight, constant)
            if synapse is self.reader:
                self._switch(new[0], source)
            rewriter.replace(synapse, new)

    def _scale(self, op: Operation, index: int, scale: Field, weights: WeightStore, rewriter: PatternRewriter) -> None:
        """Puts a synapse of its own in front of what cannot take the scale."""
        synapse = ann.DiagonalOp(op.operands[index], add_f32(weights, squeezed(scale), "scale"))
        synapse.location = op.location if isinstance(self.value.owner, Block) else self.value.owner.location
        rewriter.insert(synapse, InsertPoint.before(op))
        op.operands[index] = synapse.result

    def _switch(self, op: Operation, source: SSAValue) -> None:
        op.operands = [source if operand is self.value else operand for operand in op.operands]


def absorption(
    reader: Operation, value: SSAValue, scale: Field, shift: Field, weights: WeightStore, *, scalable: bool = False
) -> Absorption | None:
    """How a reader of `value`, which is scale times some source plus shift, can read the source; None where it cannot.

    Index maps and poolings pass scales on. Everything that the reader leads to must end in linear operations; with
    `scalable` and no shift, whatever else it leads to gets the scale as a synapse of its own, where some of it ends in
    a linear operation.
    """
    plan = Absorption(reader, value)
    shape = shape_of(value)
    fields = {value: (np.broadcast_to(scale, shape), np.broadcast_to(shift, shape))}
    for op in _downstream(reader):
        if not any(operand in fields for operand in op.operands):
            continue
        arriving = [fields.get(operand, _neutral(operand)) for operand in op.operands]
        synapse = float_synapse(op.results[0]) if op.results else None
        leaving = None if synapse is not None else _carry(op, arriving, weights)
        if synapse is not None and _absorb(synapse, *arriving[0], weights, plan):
            continue
        if leaving is not None:
            fields[op.results[0]] = leaving
            plan.passed.append(op)
        elif not scalable or synapse is not None or op is reader:
            return None
        else:
            plan.scaled += [(op, i, fields[each][0]) for i, each in enumerate(op.operands) if each in fields]
    return plan if plan.absorbed or not plan.scaled else None


def _neutral(value: SSAValue) -> tuple[Field, Field]:
    shape = shape_of(value)
    return np.broadcast_to(1.0, shape), np.broadcast_to(0.0, shape)


def _downstream(reader: Operation) -> Iterable[Operation]:
    """The reader and what follows it up to the first linear operations, in program order."""
    found = {reader}
    open_ends = [reader]
    while open_ends:
        op = open_ends.pop()
        if isinstance(op, SynapseOp):
            continue
        new = {after for result in op.results for after in readers(result)} - found
        found |= new
        open_ends.extend(new)
    block = reader.parent
    return [op for op in (block.ops if block is not None else ()) if op in found]


def _absorb(op: SynapseOp, scale: Field, shift: Field, weights: WeightStore, plan: Absorption) -> bool:
    weight = weights.array(op.weight).astype(np.float64)
    scaled = columns(op, weight, scale)
    if scaled is None:
        return False
    constant = bias_field(op, weights)
    if shift.any():
        constant = constant + charge(op, weight, shift)
    plan.absorbed.append((op, scaled, constant))
    return True


def _carry(op: Operation, arriving: Sequence[tuple[Field, Field]], weights: WeightStore) -> tuple[Field, Field] | None:
    """Scale and shift of the result of an index map or pooling, or None where it has none."""
    if len(op.results) != 1 or not carries(op):
        return None
    scales, shifts = [scale for scale, _ in arriving], [shift for _, shift in arriving]
    if isinstance(op, ann.MaxPool2dOp) and any(np.nanmin(scale) <= 0 for scale in scales):
        return None
    linear = isinstance(op, Pool2dOp) and not isinstance(op, ann.MaxPool2dOp)
    scale = carried(op, weights, scales)
    shift = applied(op, weights, shifts) if linear else carried(op, weights, shifts)
    # Padding is zero, whatever is shifted.
    return None if scale is None or shift is None else (scale, np.nan_to_num(shift))
