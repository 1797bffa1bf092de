"""Puts neurons that say what they receive wherever a sum meets something that reads counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.analysis import acts_on_charge, rectifies
from neurocuda.dialects.shared.bases import ConcatBase, Conv2dBase, IndexMapOp, LinearBase, Pool2dOp, SynapseOp
from neurocuda.ir.attributes import dense_shape, shape_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._linear import readers
from neurocuda.passes.ann.outline_host_segments import SPIKING, trailing

PRODUCTS = (ann.MulOp, ann.MatmulOp)
SUMS = (ann.AddOp, ann.SubOp, ann.AffineOp, ann.BatchNormOp)
TERM = 127 * 127
"""The largest product of a count and a weight, both of eight bits and signed."""

READ_COUNTS = (SynapseOp, Pool2dOp, IndexMapOp, ConcatBase, *PRODUCTS)
"""Operations that read what neurons say, and no sums."""


@dataclass(frozen=True)
class InsertRelaysPass(NeuroPass):
    """
    Inserts `ann.relay`, neurons that say their charge, of either sign, where no activation turns a sum into counts.

    That is between two linear operations, behind a sum that several operations read (pre-activation networks,
    transformers), behind products of activations, unless it is a softmax that reads a matrix product, and in front of
    layer norms of long rows of long sums, whose squares fit no integer. An activation function that is no rectifier, a
    layer norm and a softmax get a relay of their own, whose charge they act on. What stands behind the last neuron or
    readout stays as it is. `merge-residual` then gathers what a relay reads.

    Before:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %i = ann.input %x : tensor<2xf32> -> tensor<2xf32>
          %0 = ann.linear %i weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %1 = ann.silu %0 : tensor<2xf32> -> tensor<2xf32>
          %2 = ann.linear %1 weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %3 = ann.mul %2, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %4 = ann.linear %3 weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          func.return %4 : tensor<2xf32>
        }

    After:
        func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
          %i = ann.input %x : tensor<2xf32> -> tensor<2xf32>
          %0 = ann.linear %i weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %1 = ann.relay %0 : (tensor<2xf32>) -> tensor<2xf32>
          %2 = ann.silu %1 : tensor<2xf32> -> tensor<2xf32>
          %3 = ann.linear %2 weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          %4 = ann.relay %3 : (tensor<2xf32>) -> tensor<2xf32>
          %5 = ann.mul %4, %2 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
          %6 = ann.relay %5 : (tensor<2xf32>) -> tensor<2xf32>
          %7 = ann.linear %6 weight(dense<0.5> : tensor<2x2xf32>) : tensor<2xf32> -> tensor<2xf32>
          func.return %7 : tensor<2xf32>
        }
    """

    name = "insert-relays"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        _Inserter(main_function(module).body.block).run()


class _Inserter:
    """Walks a network in order and keeps which values are what neurons say: `said`."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.spiking = set(block.ops) - set(trailing(block, (*SPIKING, ann.ReluOp, ann.ClampOp)))
        self.said: set[SSAValue] = set()

    def run(self) -> None:
        """Inserts relays."""
        for op in list(self.block.ops):
            if op not in self.spiking or not op.results:
                continue
            if acts_on_charge(op) and not _reads_own_relay(op):
                self._relay(op.operands[0], [op], op)
            if self._speaks(op):
                self.said.update(op.results)
            elif self._is_read_as_counts(op):
                reading = [reader for reader in readers(op.results[0]) if reader in self.spiking]
                self.said.add(self._relay(op.results[0], reading, op.next_op))

    def _relay(self, value: SSAValue, reading: list[Operation], before: Operation | None) -> SSAValue:
        """A relay of a value, in front of an operation, that these operations read instead."""
        relay = ann.RelayOp([value])
        relay.location = value.owner.location if isinstance(value.owner, Operation) else relay.location
        assert before is not None
        self.block.insert_op_before(relay, before)
        for op in reading:
            for index, operand in enumerate(op.operands):
                if operand is value:
                    op.operands[index] = relay.result
        return relay.result

    def _speaks(self, op: Operation) -> bool:
        """Whether what an operation computes is what neurons say, or moves that."""
        if isinstance(op, IndexMapOp | ConcatBase | Pool2dOp):
            return all(operand in self.said for operand in op.operands)
        return rectifies(op) or acts_on_charge(op) or isinstance(op, ann.InputOp | ann.RelayOp | ann.NeuronOp)

    def _is_read_as_counts(self, op: Operation) -> bool:
        """Whether a sum or product needs neurons that say it."""
        reading = [reader for reader in readers(op.results[0]) if reader in self.spiking]
        if isinstance(op, PRODUCTS):
            direct = (ann.RelayOp, ann.SoftmaxOp) if isinstance(op, ann.MatmulOp) else ann.RelayOp
            return not all(isinstance(reader, direct) for reader in reading)
        if not isinstance(op, (*SUMS, SynapseOp)):
            return False
        shared = isinstance(op, SUMS) and len(reading) > 1
        return shared or any(isinstance(reader, READ_COUNTS) or is_too_wide(reader) for reader in reading)


def _reads_own_relay(op: Operation) -> bool:
    """Whether a relay that nothing else reads gathers the charge; of a product only a softmax takes it unrounded."""
    relay = op.operands[0].owner
    if not isinstance(relay, ann.RelayOp) or not op.operands[0].has_one_use():
        return False
    if isinstance(op, ann.SoftmaxOp):
        return True
    return not any(isinstance(current.owner, PRODUCTS) for current in relay.currents) and not is_too_wide(op)


def is_too_wide(op: Operation) -> bool:
    """Whether a layer norm cannot square what it reads with fine weights: long rows of sums of many terms.

    Of N charges with k terms each the squares add up to at most N (N k t)², which has to stay below 2^62, t being a
    count of 7 bits times a weight of 7. Most weights of a row are far smaller than the largest: a quarter, say.
    """
    if not isinstance(op, ann.LayerNormOp):
        return False
    source = op.operands[0].owner
    values = source.currents if isinstance(source, ann.RelayOp) else op.operands
    return sum(map(_terms, values)) / 4 * TERM * shape_of(op.input)[-1] ** 1.5 > 2**31


def _terms(value: SSAValue) -> int:
    """How many terms a sum of synapses adds up."""
    op = value.owner
    if isinstance(op, SUMS):
        return sum(map(_terms, op.operands))
    return prod(dense_shape(op.weight)[1:]) if isinstance(op, Conv2dBase | LinearBase) else 1
