"""Reads an integer network as a spiking one: the same integers, as counts, in a network with a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue

from neurocuda.dialects.ann import ops as ann
from neurocuda.dialects.ann.types import CountType
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.bases import Conv2dBase, LinearBase, SynapseOp
from neurocuda.dialects.shared.tables import TableLayerOp
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import LevelError, Problem
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.origin import inherit, user_location
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from xdsl.dialects.func import FuncOp

SAME: Mapping[type[Operation], type[Operation]] = {
    ann.Conv2dOp: snn.Conv2dOp,
    ann.LinearOp: snn.LinearOp,
    ann.DiagonalOp: snn.DiagonalOp,
    ann.SumPool2dOp: snn.SumPool2dOp,
    ann.MaxPool2dOp: snn.MaxPool2dOp,
    ann.ReshapeOp: snn.ReshapeOp,
    ann.TransposeOp: snn.TransposeOp,
    ann.SliceOp: snn.SliceOp,
    ann.PadOp: snn.PadOp,
    ann.ConcatOp: snn.ConcatOp,
    ann.LookupOp: snn.LookupOp,
    ann.IntegerSoftmaxOp: snn.SoftmaxOp,
    ann.IntegerLayerNormOp: snn.LayerNormOp,
    ann.ProductOp: snn.ProductOp,
    ann.MatrixProductOp: snn.MatrixProductOp,
}
"""Operations that mean the same on counts and on signals."""

FIRING = (ann.StaircaseOp, TableLayerOp)


@dataclass(frozen=True)
class ConvertAnnToSnnPass(NeuroPass):
    """
    Moves everything between the quantised inputs and the dequantised outputs into one `snn.network` of code "count".
    Where host segments stand in between, there is a network on either side.

    A staircase becomes a layer of integrate-and-fire neurons, a readout an accumulator that never fires. The integers
    are the same; `encode-unary` and the other codes then say them in time.

    Before:
        func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
          %n = host.quantize %x step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
                 scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
                 : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
          %0 = ann.linear %n weight(dense<2> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
          %y = host.dequantize %0 scale(dense<0.5> : tensor<1xf64>) : tensor<1xi32> -> tensor<1xf32>
          func.return %y : tensor<1xf32>
        }

    After:
        func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
          %n = host.quantize %x step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
                 scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
                 : tensor<1xf32> -> tensor<1x!ann.count<-8, 7>>
          %0 = snn.network code "count" steps 1 inputs(%n) {
          ^bb0(%1: tensor<1x!ann.count<-8, 7>>):
            %2 = snn.input %1 : tensor<1x!ann.count<-8, 7>> -> tensor<1x!ann.count<-8, 7>>
            %0 = snn.linear %2 weight(dense<2> : tensor<1x1xi8>) : tensor<1x!ann.count<-8, 7>> -> tensor<1xi32>
            %3 = snn.accumulate %0 : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %3 : tensor<1xi32>
          } : (tensor<1x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          %y = host.dequantize %0 scale(dense<0.5> : tensor<1xf64>) : tensor<1xi32> -> tensor<1xf32>
          func.return %y : tensor<1xf32>
        }
    """

    name = "convert-ann-to-snn"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.reference.interpreter import main_function

        function = main_function(module)
        parts = _parts(function.body.block)
        _require_known([op for part in parts for op in part])
        for part in parts:
            _move_into_network(function, part, weights)


def _parts(block: Block) -> list[list[Operation]]:
    """The operations of the network, between host segments."""
    parts: list[list[Operation]] = [[]]
    for op in block.ops:
        if isinstance(op, host.SegmentOp):
            parts.append([])
        elif op.name.startswith("ann."):
            parts[-1].append(op)
    return parts


def _require_known(inner: list[Operation]) -> None:
    known = (*SAME, ann.StaircaseOp)
    problems = [
        Problem(f"`{op.name}`", user_location(op), "it has no spiking form", "Quantise the network first.")
        for op in inner
        if not isinstance(op, known)
    ]
    if problems:
        raise LevelError("only an integer network can be converted (level ann-quantized):", problems)


def _move_into_network(function: FuncOp, inner: list[Operation], weights: WeightStore) -> None:
    if not inner:
        return
    members = set(inner)
    entering = _unique(operand for op in inner for operand in op.operands if operand.owner not in members)
    leaving = _unique(
        result for op in inner for result in op.results if any(use.operation not in members for use in result.uses)
    )
    block = Block(arg_types=[value.type for value in entering])
    values: dict[SSAValue, SSAValue] = {}
    for value, argument in zip(entering, block.args, strict=True):
        entry = snn.InputOp(argument, element_type(argument))
        entry.location = (value.owner if isinstance(value.owner, Operation) else inner[0]).location
        block.add_op(entry)
        values[value] = entry.result
    for op in inner:
        _convert(op, block, values, weights)
    outputs = [_readable(values[value], block, weights) for value in leaving]
    end = snn.OutputOp(outputs)
    end.location = inner[-1].location
    block.add_op(end)
    network = snn.NetworkOp(entering, Region(block), [output.type for output in outputs])
    network.location = inner[0].location
    function.body.block.insert_op_before(network, _first_reader(function.body.block, leaving, members))
    for value, result in zip(leaving, network.outputs, strict=True):
        value.replace_all_uses_with(result)
    for op in reversed(inner):
        function.body.block.erase_op(op)


def _readable(value: SSAValue, block: Block, weights: WeightStore) -> SSAValue:
    """What the network says of a value at its end: counts will pass as spikes, so an accumulator sums them up."""
    if not isinstance(element_type(value), CountType):
        return value
    import numpy as np

    ones = weights.add(np.ones([1] * len(shape_of(value)), np.int8), "one")
    identity = snn.DiagonalOp(value, ones)
    total = snn.AccumulateOp([identity.result])
    block.add_ops([identity, total])
    return total.result


def _first_reader(block: Block, leaving: list[SSAValue], members: set[Operation]) -> Operation:
    """The first operation outside the network that reads a result of it."""
    readers = {use.operation for value in leaving for use in value.uses} - members
    return next(op for op in block.ops if op in readers)


def _unique(values: Iterable[SSAValue]) -> list[SSAValue]:
    return list(dict.fromkeys(values))


def _convert(op: Operation, block: Block, values: dict[SSAValue, SSAValue], weights: WeightStore) -> None:
    operands = [values[operand] for operand in op.operands]
    if isinstance(op, ann.StaircaseOp):
        new: Operation = snn.IntegrateAndFireOp(
            operands,
            element_type(op.result),
            threshold=op.threshold,
            initial=op.initial,
            bias=op.bias,
            scale=op.scale,
            levels=op.levels.value.data,
        )
    else:
        properties = {name: value for name, value in op.properties.items() if name != "bias"}
        new = SAME[type(op)].create(
            operands=operands, properties=properties, result_types=[result.type for result in op.results]
        )
    block.add_op(new)
    result = new.results[0]
    if isinstance(op, SynapseOp) and not any(isinstance(use.operation, FIRING) for use in op.result.uses):
        new.location = op.location
        new = snn.AccumulateOp([result], bias=_membrane_bias(op, weights))
        block.add_op(new)
    inherit(op, new)
    new.results[0].name_hint = op.results[0].name_hint
    values[op.results[0]] = new.results[0]


def _membrane_bias(op: SynapseOp, weights: WeightStore) -> Dense | None:
    """A synapse's bias in the form that broadcasts onto its result."""
    if not isinstance(op, Conv2dBase | LinearBase) or op.bias is None:
        return None
    if isinstance(op, LinearBase):
        return op.bias
    return weights.add(weights.array(op.bias).reshape(-1, 1, 1), "bias")
