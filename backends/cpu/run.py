"""Makes the programs of a module ready to run, and runs batches through it."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.cpu.build import build, find_compiler
from neurocuda.backends.cpu.emit import printed_programs
from neurocuda.backends.cpu.native import Code, NativeProgram
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.interface import Interface
from neurocuda.dialects.cpu.level import LEVEL
from neurocuda.dialects.host.ops import hosted_operations
from neurocuda.errors import InputError, OptionError, ToolchainError
from neurocuda.ir.attributes import fits, tensor_type, written_shape
from neurocuda.ir.backend import Availability, Execution, RunOptions, Stream
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run, main_function
from neurocuda.reference.meaning import Array


def availability() -> Availability:
    """LLVM is always there; whether there is a C compiler, too, for chips that need one."""
    from neurocuda.backends.cpu.llvm.machine import version
    from neurocuda.passes.cpu.llvm.features import features_named

    here = f"{version()}, {features_named('host').description}"
    try:
        return Availability(True, f"{here}; C by {find_compiler().version}")
    except ToolchainError as reason:
        return Availability(True, f"{here}; for C, {reason}")


def load(module: ModuleOp, weights: WeightStore) -> CpuProgram:
    """Makes every program of the module ready to run here, from the cache where it can be.

    Raises:
        LevelError: the module is not at level `cpu`.
        ToolchainError: programs are for the system's compiler, and there is none, or it fails.
    """
    LEVEL.require(module)
    interfaces = [Interface(op) for op in module.walk() if isinstance(op, cpu.ProgramOp)]
    if any(each.processor == "c11" for each in interfaces):
        return load_portable(module, weights)
    return load_here(module, weights)


def load_here(module: ModuleOp, weights: WeightStore, processor: str = "host") -> CpuProgram:
    """The programs of a module at level `cpu` as code that LLVM makes for a processor, which may have less than this
    one: "host", "avx2", "baseline", ...

    Raises:
        OptionError: there is no such processor.
        ToolchainError: this processor has less.
    """
    from neurocuda.backends.cpu.llvm.machine import function_addresses, version
    from neurocuda.backends.cpu.llvm.objects import object_code, require_processor
    from neurocuda.passes.convert.convert_cpu_to_llvm import constants_of
    from neurocuda.passes.cpu.llvm.features import features_named

    features = features_named(processor)
    require_processor(features, features_named("host"))
    natives: dict[Operation, NativeProgram] = {}
    for op in module.walk():
        if isinstance(op, cpu.ProgramOp):
            interface = Interface(op)
            names = [f"{interface.symbol}_{name}" for name in ("run", "share")]
            keeper, (run, share) = function_addresses(object_code(op, weights, features), names)
            constants = constants_of(op, weights, features)
            natives[op] = NativeProgram(interface, Code(constants, ctypes.CFUNCTYPE(None)(run), keeper, share))
    return CpuProgram(module, weights, natives, _provenance(module, f"{version()}, {features.description}"))


def load_portable(module: ModuleOp, weights: WeightStore) -> CpuProgram:
    """The programs of a module as C, built by the system's compiler.

    Raises:
        LevelError: the module is not at level `cpu`.
        ToolchainError: there is no C compiler, or it fails.
    """
    compiler = find_compiler()
    natives: dict[Operation, NativeProgram] = {}
    for printed in printed_programs(module, weights):
        library = build(printed.code, printed.header, printed.symbol, compiler)
        opened = _opened(library)
        if opened is None:
            raise ToolchainError(f"{compiler.version} built a library that cannot be loaded: {library}")
        function = getattr(opened, f"{printed.symbol}_run")
        natives[printed.op] = NativeProgram(Interface(printed.op), Code(printed.weights, function, opened))
    return CpuProgram(module, weights, natives, _provenance(module, compiler.description))


def _provenance(module: ModuleOp, compiler: str) -> str:
    """ "cpu: events, llvm 22.1, znver5 with AVX-512 VNNI; on the host: ann.softmax"."""
    programs = (op for op in module.walk() if isinstance(op, cpu.ProgramOp))
    modes = {op.mode.data for op in programs}
    hosted = hosted_operations(module)
    beside = f"; on the host: {', '.join(hosted)}" if hosted else ""
    return f"cpu: {', '.join([*sorted(modes), compiler])}{beside}"


@dataclass(frozen=True)
class CpuProgram:
    """A module whose `cpu.program` operations run as machine code; what stands beside them is interpreted."""

    module: ModuleOp
    weights: WeightStore
    natives: dict[Operation, NativeProgram]
    provenance: str

    def run(self, inputs: Sequence[Array], options: RunOptions | None = None) -> Execution:
        """Runs a batch: one (images, *shape) array per argument of `@main`.

        Raises:
            InputError: an array has the wrong shape or type, or values outside the declared range.
            OptionError: the number of threads is not positive.
        """
        options = options or RunOptions()
        if options.threads is not None and options.threads < 1:
            raise OptionError(f"threads must be at least 1, not {options.threads}")
        _check_inputs(inputs, self._shapes)
        start = time.perf_counter()
        if self._alone is not None:
            outputs, counts = self._alone.run(inputs, options)
        else:
            outputs, counts = self._beside_the_host(inputs, options)
        seconds = time.perf_counter() - start
        steps = sum(native.steps_of(inputs) for native in self.natives.values())
        return Execution(outputs, counts, steps, seconds, self.provenance)

    @cached_property
    def _shapes(self) -> list[tuple[int, ...]]:
        """What is to be given."""
        return [tensor_type(argument).get_shape() for argument in main_function(self.module).body.block.args]

    @cached_property
    def _alone(self) -> NativeProgram | None:
        """The program that is all of the module, where there is nothing for the host to do."""
        block = main_function(self.module).body.block
        last = block.last_op
        for op, native in self.natives.items():
            if last is not None and list(op.operands) == list(block.args) and list(last.operands) == list(op.results):
                return native
        return None

    def _beside_the_host(
        self, inputs: Sequence[Array], options: RunOptions
    ) -> tuple[tuple[Array, ...], dict[str, Array]]:
        """(outputs, counts), with the interpreter between programs."""
        counts: dict[str, Array] = {}

        def native(op: Operation, run: Run, *operands: Array) -> tuple[Array, ...]:
            del run
            results, counted = self.natives[op].run(operands, options)
            counts.update(counted)
            return results

        run = Run(self.weights, stand_ins=dict.fromkeys(self.natives, native))
        with np.errstate(all="ignore"):
            return tuple(run.block(main_function(self.module).body.block, list(inputs))), counts

    def stream(self) -> Stream:
        """A stream of its own, for networks of spike trains.

        Raises:
            TargetError: the module is more than one program without an end.
        """
        from neurocuda.backends.cpu.stream import open_stream

        return open_stream(self)


def _opened(library: Path) -> ctypes.CDLL | None:
    """The library, or None where this system cannot load it."""
    try:
        return ctypes.CDLL(str(library))
    except OSError:
        return None


def _check_inputs(inputs: Sequence[Array], shapes: Sequence[tuple[int, ...]]) -> None:
    if len(inputs) != len(shapes):
        raise InputError(f"the network has {len(shapes)} inputs, {len(inputs)} were given")
    for index, (array, shape) in enumerate(zip(inputs, shapes, strict=True)):
        if not fits(array.shape[1:], shape):
            raise InputError(f"input {index}: expected images of shape {written_shape(shape)}, found {array.shape[1:]}")
        if len(array) != len(inputs[0]):
            raise InputError(f"input {index}: {len(array)} images, but input 0 has {len(inputs[0])}")
        if shape[:1] == (DYNAMIC_INDEX,) and array.shape[1] != inputs[0].shape[1]:
            raise InputError(f"input {index}: {array.shape[1]} time steps, but input 0 has {inputs[0].shape[1]}")
