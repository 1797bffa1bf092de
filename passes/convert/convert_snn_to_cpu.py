"""Turns spiking networks into programs of buffers and loop nests for a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import MemRefType, ModuleOp, f64
from xdsl.ir import Attribute, Operation, Region, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import Problem, UnsupportedModelError
from neurocuda.ir.attributes import FOREVER, Dense, element_type, integer, shape_of
from neurocuda.ir.origin import inherit
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from neurocuda.passes.cpu.lowering.builder import Builder, Place
    from neurocuda.passes.cpu.lowering.grids import Shape


@dataclass(frozen=True)
class ConvertSnnToCpuPass(NeuroPass):
    """
    Lowers every `snn.network` to a `cpu.program`: buffers with element types, and loop nests with the steps at which
    they run.

    Images lie channels last, so that the inner loop of a synapse runs over contiguous output channels. Synapses add
    straight onto membranes; index maps become copies; what follows from a constant input is computed once; a layer
    outside its window costs nothing. The quantising of inputs and dequantising of outputs move into the program.
    Membranes are proven to fit 32 bits for every input; a network for which that fails is refused. A network of code
    "count" becomes a program of one step, whose neurons send their whole counts, layer after layer.

    Integers are equal; floats are summed in another order. `processor` is the chip that the programs are for.

    Before:
        func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %y = snn.network code "free" steps 3 inputs(%x) {
          ^bb0(%i: tensor<2x!ann.count<-8, 7>>):
            %p = snn.input %i : tensor<2x!ann.count<-8, 7>> -> tensor<2x!snn.graded<-8, 7>>
            %c = snn.linear %p weight(dense<[[1, 2]]> : tensor<1x2xi8>) : tensor<2x!snn.graded<-8, 7>> -> tensor<1xi32>
            %a = snn.accumulate %c : (tensor<1xi32>) -> tensor<1xi32>
            snn.output %a : tensor<1xi32>
          } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }

    After:
        func.func @main(%x: tensor<2x!ann.count<-8, 7>>) -> tensor<1xi32> {
          %y = cpu.program "model" steps 3 inputs(%x) {
          ^bb0(%0: memref<2xi8>):
            %1 = cpu.buffer range [-24, 21] : memref<1xi32>
            cpu.fill %1 steps [0, 1] : memref<1xi32>
            cpu.linear %0 -> %1 weight(dense<[[1], [2]]> : tensor<2x1xi8>) steps [0, 1] : memref<2xi8> -> memref<1xi32>
            %2 = cpu.buffer : memref<1xi32>
            cpu.copy %1 -> %2 sizes [1] from 0 [1] to 0 [1] steps [2, 3] : memref<1xi32> -> memref<1xi32>
            cpu.output %2 : memref<1xi32>
          } : (tensor<2x!ann.count<-8, 7>>) -> (tensor<1xi32>)
          func.return %y : tensor<1xi32>
        }
    """

    name = "convert-snn-to-cpu"
    promise = Equal(rtol=1e-5)

    processor: str | None = None

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
        problems: list[Problem] = []
        for index, network in enumerate(networks):
            symbol = f"model_{index}" if index else "model"
            problems += _Conversion(network, weights, symbol, self.processor).run()
        if problems:
            raise UnsupportedModelError("the network cannot be lowered to the CPU:", problems)


class _Conversion:
    """One network becoming one program."""

    def __init__(self, network: snn.NetworkOp, weights: WeightStore, symbol: str, processor: str | None) -> None:
        from neurocuda.passes.cpu.lowering.builder import Builder

        self.network = network
        self.symbol = symbol
        self.processor = processor
        self.steps = FOREVER if network.steps is None else network.duration
        self.builder: Builder = Builder(weights, self.steps)

    def run(self) -> list[Problem]:
        """Replaces the network; returns what stands in the way instead, leaving the module as it was."""
        from neurocuda.passes.cpu.lowering.network import NetworkLowering

        operands = [self._outer_input(operand) for operand in self.network.inputs]
        arguments: dict[SSAValue, Place] = {
            argument: self._argument(operand, outer)
            for argument, operand, outer in zip(
                self.network.body.block.args, self.network.inputs, operands, strict=True
            )
        }
        places = NetworkLowering(self.network, self.builder.weights, self.builder).run(arguments)
        readers = [self._reader(result) for result in self.network.outputs]
        outputs = [self._output(*each) for each in zip(places, self.network.outputs, readers, strict=True)]
        if self.builder.problems:
            return self.builder.problems
        end = cpu.OutputOp(outputs)
        end.location = self.network.location
        self.builder.block.add_op(end)
        self._replace(operands, readers)
        return []

    # Inputs: the user's own arrays, quantised inside where the network quantises them

    def _outer_input(self, operand: SSAValue) -> SSAValue:
        return operand.owner.input if isinstance(operand.owner, host.QuantizeOp) else operand

    def _argument(self, operand: SSAValue, outer: SSAValue) -> Place:
        from neurocuda.passes.cpu.lowering.builder import plain_place
        from neurocuda.passes.snn.analysis.activity import Activity

        element, shape = self._argument_element(outer), self._frame(outer)
        buffer = self.builder.block.insert_arg(MemRefType(element, shape), len(self.builder.block.args))
        place = plain_place(shape, buffer, Activity(0, 1 if self._ends else FOREVER))
        return self._quantized(place, operand.owner) if isinstance(operand.owner, host.QuantizeOp) else place

    @property
    def _ends(self) -> bool:
        """Whether the network has a last step."""
        return self.network.steps is not None

    def _frame(self, value: SSAValue) -> Shape:
        """The shape of one step's part of an operand or result: without an end, their first axis is time."""
        return shape_of(value) if self._ends else shape_of(value)[1:]

    def _argument_element(self, outer: SSAValue) -> Attribute:
        from neurocuda.passes.cpu.lowering.builder import integer_element

        element = element_type(outer)
        return integer_element(*element.bounds) if isinstance(element, RangeType) else element

    def _quantized(self, place: Place, op: host.QuantizeOp) -> Place:
        """Quantised with channels last; the activity is that of the raw input, step 0."""
        from neurocuda.passes.cpu.lowering.builder import Place, integer_element
        from neurocuda.passes.cpu.lowering.grids import memory_shape, natural

        builder = self.builder
        place = builder.in_layout(place, natural(len(place.shape)), op)
        element = element_type(op.result)
        assert isinstance(element, RangeType)
        lowest, highest = element.bounds
        buffer = builder.buffer(integer_element(lowest, highest), memory_shape(place.shape, place.layout), op)
        properties: dict[str, Attribute | None] = {
            "step": self._constant(op.step, place, "step", op),
            "shift": self._constant(op.shift, place, "shift", op),
            "lowest": integer(lowest),
            "highest": integer(highest),
        }
        builder.nest(cpu.QuantizeOp, [place.buffer, buffer], place.due, op, properties)
        return Place(buffer, place.shape, place.layout, place.activity)

    def _constant(self, constant: Dense, place: Place, name: str, op: Operation) -> Dense:
        return self.builder.constant(constant, place.shape, place.layout, f64, name, op)

    # Outputs: dequantised inside where nothing else reads the integers

    def _reader(self, result: SSAValue) -> host.DequantizeOp | None:
        uses = list(result.uses)
        reader = uses[0].operation if len(uses) == 1 else None
        return reader if isinstance(reader, host.DequantizeOp) else None

    def _output(self, place: Place, result: SSAValue, reader: host.DequantizeOp | None) -> SSAValue:
        from neurocuda.passes.cpu.lowering.builder import plain_place
        from neurocuda.passes.cpu.lowering.grids import Grid, memory_shape, row_major, same_memory
        from neurocuda.passes.snn.analysis.activity import Activity

        last = (self.steps - 1, self.steps) if self._ends else (0, FOREVER)
        like = reader or self.network
        if reader is not None:
            place = self._dequantized(place, reader, last)
            if memory_shape(place.shape, place.layout) == place.shape and same_memory(
                place.shape, place.layout, row_major(len(place.shape))
            ):
                return place.buffer
        shape = self._frame(result)
        target = plain_place(shape, self.builder.buffer(place.element, shape, like), Activity(*last))
        self.builder.move(place, target, Grid.identity(place.shape), like, steps=last)
        return target.buffer

    def _dequantized(self, place: Place, reader: host.DequantizeOp, last: tuple[int, int]) -> Place:
        from neurocuda.passes.cpu.lowering.builder import Place
        from neurocuda.passes.cpu.lowering.grids import memory_shape

        element = element_type(reader.result)
        buffer = self.builder.buffer(element, memory_shape(place.shape, place.layout), reader)
        properties: dict[str, Attribute | None] = {
            "scale": self._constant(reader.scale, place, "scale", reader),
            "offset": None if reader.offset is None else self._constant(reader.offset, place, "offset", reader),
        }
        self.builder.nest(cpu.DequantizeOp, [place.buffer, buffer], last, reader, properties)
        return Place(buffer, place.shape, place.layout, place.activity)

    # The program in the network's stead

    def _replace(self, operands: list[SSAValue], readers: list[host.DequantizeOp | None]) -> None:
        network, block = self.network, self.network.parent
        assert block is not None
        results = [
            reader.result if reader is not None else result
            for reader, result in zip(readers, network.outputs, strict=True)
        ]
        program = cpu.ProgramOp(
            operands,
            Region(self.builder.block),
            [result.type for result in results],
            symbol=self.symbol,
            processor=self.processor,
            mode=cpu.COUNTS if network.code.data == "count" else cpu.EVENTS,
            steps=self.steps if self._ends else None,
        )
        inherit(next((reader for reader in readers[:1] if reader is not None), network), program)
        block.insert_op_before(program, network)
        for result, output in zip(results, program.outputs, strict=True):
            output.name_hint = result.name_hint
            result.replace_all_uses_with(output)
        owners = {operand.owner for operand in network.inputs}
        for op in [*(reader for reader in readers if reader is not None), network]:
            block.erase_op(op)
        for op in owners:
            if isinstance(op, host.QuantizeOp) and not list(op.result.uses):
                block.erase_op(op)
