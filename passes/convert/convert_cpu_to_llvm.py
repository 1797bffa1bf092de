"""Turns programs of the `cpu` dialect into functions of xDSL's `llvm` dialect."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import DictionaryAttr, ModuleOp, UnitAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape, element_bytes, is_unsigned
from neurocuda.dialects.cpu.interface import ConstantPool, count_type, counted_layers, loops_of, outputs_of
from neurocuda.ir.attributes import FOREVER
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from xdsl.dialects import llvm

    from neurocuda.passes.cpu.llvm.builder import Builder
    from neurocuda.passes.cpu.llvm.features import Features


@dataclass(frozen=True)
class ConvertCpuToLlvmPass(NeuroPass):
    """
    Lowers every `cpu.program` to a function `<symbol>_run` of the `llvm` dialect, and its loop nests to functions that
    it calls. What stands beside the programs is left out: it runs on the host.

    The function takes what the C function takes: the state, the constants, without an end also the first step and the
    number of steps, the caller's arrays, and the counters, which may be null. Loop nests that differ in their weights
    and steps alone share a function. `features` names the processor: "host", "baseline", "avx2", "avx512vnni", "neon".

    Before:
        func.func @main() -> tensor<4xi32> {
          %y = cpu.program "network" steps 1 inputs() {
            %0 = cpu.buffer : memref<4xi32>
            cpu.fill %0 steps [0, 1] : memref<4xi32>
            cpu.output %0 : memref<4xi32>
          } : () -> (tensor<4xi32>)
          func.return %y : tensor<4xi32>
        }

    After:
        TODO
    """

    name = "convert-cpu-to-llvm"
    promise = Equal()

    features: str = "host"

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.cpu.llvm.features import features_named

        programs = [op for op in module.walk() if isinstance(op, cpu.ProgramOp)]
        functions = lowered(programs, weights, features_named(self.features))
        block = module.body.block
        for op in reversed(list(block.ops)):
            block.erase_op(op, safe_erase=False)
        block.add_ops(functions)


def lowered(programs: list[cpu.ProgramOp], weights: WeightStore, features: Features) -> list[llvm.FuncOp]:
    """The functions of loop nests, then one `<symbol>_run` per program."""
    nests = _Nests(features)
    runs = [_Run(program, nests, _laid_out(program, weights, features)).function() for program in programs]
    return [*nests.functions, *runs]


def constants_of(program: cpu.ProgramOp, weights: WeightStore, features: Features) -> bytes:
    """The constants of a program as its function reads them."""
    return _laid_out(program, weights, features).content


def _laid_out(program: cpu.ProgramOp, weights: WeightStore, features: Features) -> ConstantPool:
    """Where every constant stands; in the order of the text, whatever is called first."""
    from neurocuda.passes.cpu.llvm.kernels import offset_of, tensors_of

    pool = ConstantPool(weights)
    for op in loops_of(program):
        for name in tensors_of(op):
            offset_of(pool, op, name, features)
    return pool


class _Nests:
    """The functions of loop nests; those of one signature share one."""

    def __init__(self, features: Features) -> None:
        self.functions: list[llvm.FuncOp] = []
        self.features = features
        self._names: dict[object, str] = {}
        self._taken: dict[str, int] = {}

    def name_of(self, op: cpu.LoopOp) -> str:
        """The function of a loop nest, built where there is none yet."""
        from neurocuda.passes.cpu.llvm.kernels import build_function, signature

        key = signature(op)
        if key not in self._names:
            self._names[key] = self._new_name(op.name.removeprefix("cpu."))
            self.functions.append(build_function(self._names[key], op, self.features))
        return self._names[key]

    def tally_of(self, counter: Attribute, spikes: Attribute) -> str:
        """The function that adds spikes to counters."""
        key = (counter, spikes)
        if key not in self._names:
            self._names[key] = self._new_name("tally")
            self.functions.append(_tally(self._names[key], counter, spikes))
        return self._names[key]

    def tally_of_trains(self, counter: Attribute) -> str:
        """The function that adds the spikes of a train to counters."""
        from neurocuda.passes.cpu.llvm.events_tally import tally_train

        key = (counter, "train")
        if key not in self._names:
            self._names[key] = self._new_name("tally_train")
            self.functions.append(tally_train(self._names[key], counter))
        return self._names[key]

    def _new_name(self, kind: str) -> str:
        number = self._taken.get(kind, 0)
        self._taken[kind] = number + 1
        return f"{kind}_{number}"


def _tally(name: str, counter: Attribute, spikes: Attribute) -> llvm.FuncOp:
    """counts[i] <- counts[i] + spikes[i]."""
    from neurocuda.passes.cpu.llvm.builder import Builder, i64, ptr
    from neurocuda.passes.cpu.llvm.kernels import internal_function
    from neurocuda.passes.cpu.llvm.numbers import stored

    body = Region(Block(arg_types=[ptr, ptr, i64]))
    b = Builder(body)
    counts, source, size = body.block.args
    to, kind = stored(counter), stored(spikes)
    with b.loop(0, size) as turn:
        place = b.at(counts, turn.index, to)
        spike = b.resize(b.load(kind, b.at(source, turn.index, kind)), to, signed=not is_unsigned(spikes))
        b.store(b.add(b.load(to, place), spike), place)
    b.finish()
    facts = DictionaryAttr({"llvm.noalias": UnitAttr(), "llvm.nocapture": UnitAttr()})
    return internal_function(name, body, [facts, facts, DictionaryAttr({})])


class _Run:
    """The clock of a program: at every step it calls the loop nests that are due."""

    def __init__(self, program: cpu.ProgramOp, nests: _Nests, constants: ConstantPool) -> None:
        from neurocuda.passes.cpu.llvm.builder import Builder, i32, ptr

        self.program = program
        self.nests = nests
        self.constants = constants
        self.counted = counted_layers(program)
        self.counter = count_type(program)
        arrays = [*program.body.block.args, *outputs_of(program)]
        clock = [i32, i32] if program.steps is None else []
        self.body = Region(Block(arg_types=[ptr, ptr, *clock, *([ptr] * len(arrays)), ptr]))
        self.b: Builder = Builder(self.body)
        state, self.weights, *rest = self.body.block.args
        self.clock = rest[: len(clock)]
        self.counts = rest[-1]
        self.arrays = arrays
        self.pointers: dict[SSAValue, SSAValue] = dict(zip(arrays, rest[len(clock) :], strict=False))
        for op in program.body.block.ops:
            if isinstance(op, cpu.BufferOp) and op.offset is not None:
                self.pointers[op.result] = self.b.at(state, op.offset.value.data)

    def function(self) -> llvm.FuncOp:
        """The function `<symbol>_run`."""
        from xdsl.dialects import llvm

        counting = self.b.compare("ne", self.b.address(self.counts), 0)
        if self.counted:
            size = sum(prod(layer.shape) for layer in self.counted.values()) * element_bytes(self.counter)
            with self.b.when(counting):
                self.b.clear_bytes(self.counts, size)
        if self.program.steps is None:
            self._endless(counting)
        else:
            with self.b.loop(0, self.program.steps.value.data) as turn:
                self._due(loops_of(self.program), self.program.steps.value.data, turn.index, counting)
        self.b.finish()
        kinds = [argument.type for argument in self.body.blocks[0].args]
        name = f"{self.program.symbol.data}_run"
        return llvm.FuncOp(name, llvm.LLVMFunctionType(kinds), linkage=llvm.LinkageAttr("external"), body=self.body)

    def _endless(self, counting: SSAValue) -> None:
        """The next steps of a program without an end; the first of all sets the state."""
        from neurocuda.passes.cpu.llvm.builder import i64

        loops = loops_of(self.program)
        first, steps = (self.b.extend(value, i64) for value in self.clock)
        begin = [op for op in loops if op.window != (0, FOREVER)]
        if begin:
            with self.b.when(self.b.compare("eq", first, 0)):
                self._calls(begin, first, counting)
        pointers = [self.pointers[value] for value in self.arrays]
        always = [op for op in loops if op.window == (0, FOREVER)]
        with self.b.loop(first, self.b.add(first, steps), carried=pointers) as turn:
            self.pointers |= dict(zip(self.arrays, turn.values, strict=True))
            self._calls(always, turn.index, counting)
            sizes = (prod(buffer_shape(value)) * element_bytes(buffer_element(value)) for value in self.arrays)
            turn.next(*(self.b.at(each, size) for each, size in zip(turn.values, sizes, strict=True)))

    def _due(self, loops: list[cpu.LoopOp], steps: int, step: SSAValue, counting: SSAValue) -> None:
        """The loop nests, those in a row with one window under one condition."""
        for window, group in groupby(loops, key=lambda op: op.window):
            condition = _within(self.b, step, window, steps)
            if condition is None:
                self._calls(list(group), step, counting)
                continue
            with self.b.when(condition):
                self._calls(list(group), step, counting)

    def _calls(self, loops: list[cpu.LoopOp], step: SSAValue, counting: SSAValue) -> None:
        for op in loops:
            self._call(op, step)
            if op in self.counted:
                self._count(op, counting)

    def _call(self, op: cpu.LoopOp, step: SSAValue) -> None:
        from neurocuda.passes.cpu.llvm.kernels import offset_of, tensors_of

        buffers = [self.pointers[value] for value in op.operands]
        offsets = (offset_of(self.constants, op, name, self.nests.features) for name in tensors_of(op))
        tensors = [self.b.at(self.weights, offset) for offset in offsets]
        numbers = [step, self.b.sum_of(step, -op.window[0]), self.b.place(0), self.b.place(1)]
        self.b.call(self.nests.name_of(op), *buffers, *tensors, *numbers)

    def _count(self, op: Operation, counting: SSAValue) -> None:
        assert isinstance(op, cpu.NeuronsOp)
        layer = self.counted[op]
        if isinstance(op, cpu.SpikeLayerOp | cpu.CurrentLayerOp):
            self._count_train(op, layer.offset, counting)
            return
        tally = self.nests.tally_of(self.counter, buffer_element(op.spikes))
        with self.b.when(counting):
            counts = self.b.at(self.counts, layer.offset * element_bytes(self.counter))
            self.b.call(tally, counts, self.pointers[op.spikes], self.b.place(prod(layer.shape)))

    def _count_train(self, op: cpu.SpikeLayerOp | cpu.CurrentLayerOp, offset: int, counting: SSAValue) -> None:
        *positions, channels = op.neurons
        sizes = (self.b.place(size) for size in (prod(positions), op.timesteps, channels))
        tally = self.nests.tally_of_trains(self.counter)
        with self.b.when(counting):
            counts = self.b.at(self.counts, offset * element_bytes(self.counter))
            self.b.call(tally, counts, self.pointers[op.spikes], *sizes)


def _within(b: Builder, step: SSAValue, window: tuple[int, int], steps: int) -> SSAValue | None:
    """Whether a step lies in a window; None where every one does."""
    start, stop = window
    if stop == start + 1:
        return None if steps == 1 else b.compare("eq", step, start)
    begun = b.compare("sge", step, start) if start else None
    going = b.compare("slt", step, stop) if stop < steps else None
    if begun is None or going is None:
        return begun or going
    return b.both(begun, going)
