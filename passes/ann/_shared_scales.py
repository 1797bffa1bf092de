"""Which channels of which layers must mean the same by one count, because something adds or compares their counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import acts_on_charge, is_layer
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann import _fields as fields
from neurocuda.passes.ann._statistics import broadcast_shape, channel_axis

Field = NDArray[np.float64]
Groups = NDArray[np.int64]


def shared_channels(block: Block, weights: WeightStore) -> Mapping[Operation, Groups]:
    """A group per channel of every layer; channels of one group need one scale.

    A synapse reads a column wherever the column occurs, a matrix product adds up rows of products, and a softmax of
    products compares all of them; activation functions that come from a table have one table.
    """
    analysis = _Analysis(weights)
    for op in block.ops:
        analysis.visit(op)
    return {op: np.array([analysis.group(member) for member in members]) for op, members in analysis.layers.items()}


class _Analysis:
    """Numbers the channels of all layers, carries the numbers with the values, and unites them where they meet."""

    def __init__(self, weights: WeightStore) -> None:
        self.weights = weights
        self.parents: list[int] = []
        self.layers: dict[Operation, range] = {}
        self.numbers: dict[SSAValue, Field] = {}

    def group(self, member: int) -> int:
        """The representative of a channel's group."""
        while self.parents[member] != member:
            member = self.parents[member]
        return member

    def visit(self, op: Operation) -> None:
        """Numbers or carries the channels of one operation's result, and unites what it needs to be equal."""
        if is_layer(op):
            self._number(op)
        elif isinstance(op, LinearBase | Conv2dBase):
            self._unite_along(op.input, 0 if isinstance(op, Conv2dBase) else -1)
        elif isinstance(op, ann.MatmulOp):
            self._product(op)
        elif (
            op.operands
            and op.results
            and all(operand in self.numbers for operand in op.operands)
            and fields.carries(op)
        ):
            numbers = fields.carried(op, self.weights, [self.numbers[operand] for operand in op.operands])
            if numbers is not None:
                self.numbers[op.results[0]] = numbers

    def _number(self, op: Operation) -> None:
        shape = shape_of(op.results[0])
        channels = shape[channel_axis(len(shape))]
        first = len(self.parents)
        self.layers[op] = range(first, first + channels)
        self.parents.extend(self.layers[op])
        if _has_one_unit(op):
            self._unite(self.layers[op])
        numbers = np.arange(first, first + channels, dtype=np.float64)
        self.numbers[op.results[0]] = np.broadcast_to(numbers.reshape(broadcast_shape(len(shape), channels)), shape)

    def _product(self, op: ann.MatmulOp) -> None:
        if _is_compared(op):
            for operand in op.operands:
                if operand in self.numbers:
                    self._unite(self.numbers[operand].ravel())
            return
        for operand, axis in ((op.left, -1), (op.right, -2)):
            if operand in self.numbers:
                rows = np.moveaxis(self.numbers[operand], axis, -1)
                self._unite_rows(rows.reshape(-1, rows.shape[-1]))

    def _unite_along(self, value: SSAValue, axis: int) -> None:
        """What a synapse reads as one column is one along all other axes."""
        if value in self.numbers:
            columns = np.moveaxis(self.numbers[value], axis, 0)
            self._unite_rows(columns.reshape(len(columns), -1))

    def _unite_rows(self, rows: Field) -> None:
        lowest, highest = np.fmin.reduce(rows, axis=1), np.fmax.reduce(rows, axis=1)
        for row in np.unique(rows[lowest != highest], axis=0):
            self._unite(row)

    def _unite(self, members: Iterable[float]) -> None:
        known = sorted({self.group(int(member)) for member in members if not np.isnan(member)})
        for member in known[1:]:
            self.parents[member] = known[0]


def _has_one_unit(op: Operation) -> bool:
    """Whether a layer comes from one table, or its units lie along another axis than its channels."""
    rank = len(shape_of(op.results[0]))
    along_rows = isinstance(op, ann.LayerNormOp) or any(isinstance(each.owner, LinearBase) for each in op.operands)
    if along_rows and not isinstance(op, ann.NeuronOp) and channel_axis(rank) != rank - 1:
        return True
    return acts_on_charge(op) and not isinstance(op, ann.LayerNormOp | ann.LeakyReluOp)


def _is_compared(op: ann.MatmulOp) -> bool:
    """Whether a softmax acts on the product."""
    relays = [use.operation for use in op.result.uses if isinstance(use.operation, ann.RelayOp)]
    return any(isinstance(use.operation, ann.SoftmaxOp) for relay in relays for use in relay.result.uses)
