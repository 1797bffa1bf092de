"""Turns programs of the `cpu` dialect into functions of xDSL's `llvm` dialect."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import DictionaryAttr, ModuleOp, UnitAttr
from xdsl.ir import Attribute, Block, Region, SSAValue

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
    number of steps, the caller's arrays, and the counters, which may be null. `<symbol>_share` takes the same as an
    array, and does one thread's share of it. Loop nests that differ in their weights and steps alone share a function.
    `features` names the processor: "host", "baseline", "avx2", "avx512vnni", "neon".

    Before:
        func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
          %y = cpu.program "network" steps 1 inputs(%x) {
          ^bb0(%0: memref<4xi8>):
            %1 = cpu.buffer : memref<4xi8>
            cpu.add %0 -> %1 steps [0, 1] : memref<4xi8> -> memref<4xi8>
            cpu.output %1 : memref<4xi8>
          } : (tensor<4xi8>) -> (tensor<4xi8>)
          func.return %y : tensor<4xi8>
        }

    Options: features="baseline"
    After:
        ...
        llvm.func internal @add_0(%source: !llvm.ptr {...}, %membrane: !llvm.ptr {...}, %step: i64, %passed: i64, ...
          %13 = llvm.load %12 {alignment = 1 : i64} : !llvm.ptr -> i8
          ...
          %15 = llvm.load %14 {alignment = 1 : i64} : !llvm.ptr -> i8
          %16 = llvm.add %15, %13 : i8
        ...
        llvm.func @network_share(%arguments: !llvm.ptr, %thread...: i64, %threads...: i64, %team: !llvm.ptr) {
          ...
          llvm.call @add_0(...)
          llvm.call @neurocuda_barrier(%team, %threads...)
          ...
        llvm.func @network_run(%state: !llvm.ptr, %weights: !llvm.ptr, %input: !llvm.ptr, %output: !llvm.ptr, ...
          llvm.call @network_share(...)
        ...
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
    """The functions of loop nests, then `<symbol>_share` and `<symbol>_run` of every program."""
    nests = _Nests(features)
    clocks = [_Clock(program, nests, _laid_out(program, weights, features)) for program in programs]
    runs = [function for clock in clocks for function in clock.functions()]
    return [_barrier(), *nests.functions, *runs]


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


class _Clock:
    """The functions of a program: one calls the loop nests that are due at every step, for one of several threads.

    `<symbol>_share(arguments, thread, threads, team)` takes what the C function takes as an array of 64-bit numbers;
    `<symbol>_run` is the C function, one thread.
    """

    def __init__(self, program: cpu.ProgramOp, nests: _Nests, constants: ConstantPool) -> None:
        from neurocuda.passes.cpu.llvm.builder import Builder, i64, ptr

        self.program = program
        self.nests = nests
        self.constants = constants
        self.counted = counted_layers(program)
        self.counter = count_type(program)
        self.arrays = [*program.body.block.args, *outputs_of(program)]
        self.clock = ["first", "steps"] if program.steps is None else []
        body = Region(Block(arg_types=[ptr, i64, i64, ptr]))
        self.b: Builder = Builder(body)
        arguments, self.thread, self.threads, self.team = named(body, ("arguments", "thread", "threads", "team"))
        self.body = body
        kinds = [ptr, ptr, *([i64] * len(self.clock)), *([ptr] * len(self.arrays)), ptr]
        loaded = [self.b.load(kind, self.b.at(arguments, 8 * at), align=8) for at, kind in enumerate(kinds)]
        state, self.weights, *rest = loaded
        self.span, self.counts = rest[: len(self.clock)], rest[-1]
        self.pointers: dict[SSAValue, SSAValue] = dict(zip(self.arrays, rest[len(self.clock) :], strict=False))
        for op in program.body.block.ops:
            if isinstance(op, cpu.BufferOp) and op.offset is not None:
                self.pointers[op.result] = self.b.at(state, op.offset.value.data)

    def functions(self) -> list[llvm.FuncOp]:
        """`<symbol>_share` and `<symbol>_run`."""
        return [self._share(), self._run()]

    def _share(self) -> llvm.FuncOp:
        counting = self.b.compare("ne", self.b.address(self.counts), 0)
        if self.counted:
            size = sum(prod(layer.shape) for layer in self.counted.values()) * element_bytes(self.counter)
            with self.b.when(counting):
                with self._alone():
                    self.b.clear_bytes(self.counts, size)
                self._meet()
        if self.program.steps is None:
            self._endless(counting)
        else:
            self._ending(self.program.steps.value.data, counting)
        self.b.finish()
        return external_function(f"{self.program.symbol.data}_share", self.body)

    def _run(self) -> llvm.FuncOp:
        """Packs its arguments, for a single thread."""
        from neurocuda.passes.cpu.llvm.builder import Builder, i32, i64, ptr

        inputs = [f"input_{index}" for index in range(len(self.program.inputs))]
        outputs = [f"output_{index}" for index in range(len(self.program.outputs))]
        names = ["state", "weights", *self.clock, *inputs, *outputs, "counts"]
        body = Region(Block(arg_types=[i32 if name in self.clock else ptr for name in names]))
        b = Builder(body)
        arguments = b.scratch(8 * len(names), 8)
        for index, value in enumerate(named(body, names)):
            wide = b.extend(value, i64) if value.type == i32 else value
            b.store(wide, b.at(arguments, 8 * index), align=8)
        b.call(f"{self.program.symbol.data}_share", arguments, b.place(0), b.place(1), b.null())
        b.finish()
        return external_function(f"{self.program.symbol.data}_run", body)

    # The clock

    def _ending(self, steps: int, counting: SSAValue) -> None:
        """All steps of a program that has an end."""
        if steps == 1:
            self._due(loops_of(self.program), steps, self.b.place(0), counting)
            return
        with self.b.loop(0, steps) as turn:
            self._due(loops_of(self.program), steps, turn.index, counting)

    def _endless(self, counting: SSAValue) -> None:
        """The next steps of a program without an end; the first of all sets the state."""
        loops = loops_of(self.program)
        first, steps = self.span
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

    def _due(self, loops: Sequence[cpu.LoopOp], steps: int, step: SSAValue, counting: SSAValue) -> None:
        """The loop nests, those in a row with one window under one condition."""
        for window, group in groupby(loops, key=lambda op: op.window):
            condition = _within(self.b, step, window, steps)
            if condition is None:
                self._calls(list(group), step, counting)
                continue
            with self.b.when(condition):
                self._calls(list(group), step, counting)

    # Calls: what threads share, they do together; what they do not, the first one does, and all wait for each other

    def _calls(self, loops: Sequence[cpu.LoopOp], step: SSAValue, counting: SSAValue) -> None:
        from neurocuda.passes.cpu.llvm.kernels import lowering_of

        for shared, group in groupby(loops, key=lambda op: lowering_of(op).splits):
            if not shared:
                each = list(group)
                with self._alone():
                    for op in each:
                        self._call(op, step, self.b.place(0), self.b.place(1))
                self._meet()
                self._count(each, counting)
                continue
            for op in group:
                self._call(op, step, self.thread, self.threads)
                self._meet()
                self._count([op], counting)

    def _alone(self) -> AbstractContextManager[object]:
        """What the first thread does."""
        return self.b.when(self.b.compare("eq", self.thread, 0))

    def _meet(self) -> None:
        """All threads wait for each other."""
        self.b.call("neurocuda_barrier", self.team, self.threads)

    def _call(self, op: cpu.LoopOp, step: SSAValue, *threads: SSAValue) -> None:
        from neurocuda.passes.cpu.llvm.kernels import offset_of, tensors_of

        buffers = [self.pointers[value] for value in op.operands]
        offsets = (offset_of(self.constants, op, name, self.nests.features) for name in tensors_of(op))
        tensors = [self.b.at(self.weights, offset) for offset in offsets]
        passed = self.b.sum_of(step, -op.window[0])
        self.b.call(self.nests.name_of(op), *buffers, *tensors, step, passed, *threads)

    def _count(self, loops: Sequence[cpu.LoopOp], counting: SSAValue) -> None:
        """Adds what neurons have just said to their counters."""
        counted = [op for op in loops if op in self.counted]
        if not counted:
            return
        with self.b.when(counting):
            with self._alone():
                for op in counted:
                    assert isinstance(op, cpu.NeuronsOp)
                    counts = self.b.at(self.counts, self.counted[op].offset * element_bytes(self.counter))
                    tally, *sizes = self._tally(op)
                    self.b.call(tally, counts, self.pointers[op.spikes], *map(self.b.place, sizes))
            self._meet()

    def _tally(self, op: cpu.NeuronsOp) -> tuple[str, *tuple[int, ...]]:
        """The function that adds what neurons say to their counters, and the numbers that it takes."""
        if isinstance(op, cpu.SpikeLayerOp | cpu.CurrentLayerOp):
            *positions, channels = op.neurons
            return self.nests.tally_of_trains(self.counter), prod(positions), op.timesteps, channels
        return self.nests.tally_of(self.counter, buffer_element(op.spikes)), prod(op.neurons)


def named(body: Region, names: Sequence[str]) -> list[SSAValue]:
    """The parameters of a function, with names."""
    for argument, name in zip(body.block.args, names, strict=True):
        argument.name_hint = name
    return list(body.block.args)


def external_function(name: str, body: Region) -> llvm.FuncOp:
    """A function that others call."""
    from xdsl.dialects import llvm

    kinds = [argument.type for argument in body.blocks[0].args]
    return llvm.FuncOp(name, llvm.LLVMFunctionType(kinds), linkage=llvm.LinkageAttr("external"), body=body)


def _barrier() -> llvm.FuncOp:
    """The declaration of what threads wait for each other with."""
    from xdsl.dialects import llvm

    from neurocuda.passes.cpu.llvm.builder import i64, ptr

    return llvm.FuncOp("neurocuda_barrier", llvm.LLVMFunctionType([ptr, i64]), linkage=llvm.LinkageAttr("external"))


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
