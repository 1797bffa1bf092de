"""Builds programs, loads them and runs batches over threads."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation

from neurocuda.backends.cpu.build import build, find_compiler
from neurocuda.backends.cpu.emit import printed_programs
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.interface import ALIGNMENT, Interface
from neurocuda.dialects.cpu.level import LEVEL
from neurocuda.dialects.cpu.semantics import buffer_dtype, to_logical
from neurocuda.dialects.host.ops import hosted_operations
from neurocuda.errors import InputError, OptionError, ToolchainError
from neurocuda.ir.attributes import fits, written_shape
from neurocuda.ir.backend import Execution, RunOptions, Stream
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run, main_function
from neurocuda.reference.meaning import Array

if TYPE_CHECKING:
    from collections.abc import Iterator

Bytes = NDArray[np.uint8]
Done = Callable[[int], None]
"""Called with the number of images that have just been done."""

CHUNKS = 8
"""Into how many pieces each thread's share of a batch is cut, so that threads end together and progress shows."""


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
    from neurocuda.backends.cpu.llvm.machine import function_address, version
    from neurocuda.backends.cpu.llvm.objects import object_code, require_processor
    from neurocuda.passes.convert.convert_cpu_to_llvm import constants_of
    from neurocuda.passes.cpu.llvm.features import features_named

    features = features_named(processor)
    require_processor(features, features_named("host"))
    natives: dict[Operation, NativeProgram] = {}
    for op in module.walk():
        if isinstance(op, cpu.ProgramOp):
            interface = Interface(op)
            keeper, address = function_address(object_code(op, weights, features), f"{interface.symbol}_run")
            function = ctypes.CFUNCTYPE(None)(address)
            natives[op] = NativeProgram(interface, constants_of(op, weights, features), function, keeper)
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
        natives[printed.op] = NativeProgram(Interface(printed.op), printed.weights, function, opened)
    return CpuProgram(module, weights, natives, _provenance(module, compiler.description))


def _provenance(module: ModuleOp, compiler: str) -> str:
    """ "cpu: events, llvm 22.1, znver5 with AVX-512 VNNI; on the host: ann.softmax"."""
    programs = (op for op in module.walk() if isinstance(op, cpu.ProgramOp))
    modes = {mode.data for op in programs if isinstance(mode := op.properties.get("mode"), StringAttr)}
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
        function = main_function(self.module)
        _check_inputs(inputs, [argument.type for argument in function.body.block.args])
        counts: dict[str, Array] = {}

        def native(op: Operation, run: Run, *operands: Array) -> tuple[Array, ...]:
            del run
            results, counted = self.natives[op].run(operands, options)
            counts.update(counted)
            return results

        run = Run(self.weights, stand_ins=dict.fromkeys(self.natives, native))
        start = time.perf_counter()
        with np.errstate(all="ignore"):
            outputs = run.block(function.body.block, list(inputs))
        seconds = time.perf_counter() - start
        steps = sum(native.steps_of(inputs) for native in self.natives.values())
        return Execution(tuple(outputs), counts, steps, seconds, self.provenance)

    def stream(self) -> Stream:
        """A stream of its own, for networks of spike trains.

        Raises:
            TargetError: the module is more than one program without an end.
        """
        from neurocuda.backends.cpu.stream import open_stream

        return open_stream(self)


class NativeProgram:
    """One program as machine code."""

    def __init__(self, interface: Interface, constants: bytes, function: ctypes._CFuncPtr, keeper: object) -> None:  # pyright: ignore[reportPrivateUsage]
        self.interface = interface
        self._weights = aligned(len(constants))
        self._weights[: len(constants)] = np.frombuffer(constants, np.uint8)
        self._keeper = keeper  # the function is gone with it
        self._function = function
        self._function.restype = None
        arrays = 1 + len(interface.inputs) + len(interface.outputs)
        clock = [ctypes.c_int32] * 2 if interface.steps is None else []
        self._function.argtypes = [ctypes.c_void_p] * 2 + clock + [ctypes.c_void_p] * arrays

    def steps_of(self, inputs: Sequence[Array]) -> int:
        """For how many steps it runs on a batch: without an end of its own, as many as the inputs have."""
        return inputs[0].shape[1] if self.interface.steps is None else self.interface.steps

    def bound(self, state: Bytes, arrays: Sequence[Array]) -> Callable[[int, int], None]:
        """What runs a program without an end in this memory, which it keeps, given the first step and their number."""
        memory, weights, *pointers = (
            array.ctypes.data_as(ctypes.c_void_p) for array in (state, self._weights, *arrays)
        )

        def call(first: int, steps: int) -> None:
            self._function(memory, weights, first, steps, *pointers, None)

        return call

    def run(self, inputs: Sequence[Array], options: RunOptions) -> tuple[tuple[Array, ...], dict[str, Array]]:
        """(outputs, spike counts by layer) of a batch."""
        batch = len(inputs[0])
        time = (self.steps_of(inputs),) if self.interface.steps is None else ()
        arrays = [as_input(array, spec.element) for array, spec in zip(inputs, self.interface.inputs, strict=True)]
        outputs = [np.empty((batch, *time, *spec.shape), buffer_dtype(spec.element)) for spec in self.interface.outputs]
        counts = self._new_counts(batch) if options.counts else None
        threads = min(options.threads or os.cpu_count() or 1, max(1, batch))
        done = _Progress(options, batch)
        if threads == 1:
            for piece in _pieces(batch, threads):
                done(self._run_images(piece, arrays, outputs, counts))
        else:
            with ThreadPoolExecutor(threads) as pool:
                waiting: list[Future[int]] = [
                    pool.submit(self._run_images, piece, arrays, outputs, counts) for piece in _pieces(batch, threads)
                ]
                for future in as_completed(waiting):
                    done(future.result())
        return tuple(outputs), {} if counts is None else self._split(counts)

    def _run_images(
        self, images: range, inputs: Sequence[Array], outputs: Sequence[Array], counts: Array | None
    ) -> int:
        """Runs images one after the other with a state of their own; the interpreter lock is free meanwhile."""
        state = aligned(self.interface.state_bytes)
        clock = (0, self.steps_of(inputs)) if self.interface.steps is None else ()
        for image in images:
            arrays = [array[image] for array in (*inputs, *outputs)]
            pointers = [array.ctypes.data for array in arrays]
            counters = None if counts is None else counts[image].ctypes.data
            self._function(state.ctypes.data, self._weights.ctypes.data, *clock, *pointers, counters)
        return len(images)

    def _new_counts(self, batch: int) -> Array:
        return np.zeros((batch, self.interface.count_total), buffer_dtype(self.interface.count_type))

    def _split(self, counts: Array) -> dict[str, Array]:
        """Counters by layer, in the user's order of axes."""
        split: dict[str, Array] = {}
        for layer in self.interface.layers:
            part = counts[:, layer.offset : layer.offset + prod(layer.shape)]
            split[layer.origin] = to_logical(part.reshape(len(counts), *layer.shape), layer.layout)
        return split


def _opened(library: Path) -> ctypes.CDLL | None:
    """The library, or None where this system cannot load it."""
    try:
        return ctypes.CDLL(str(library))
    except OSError:
        return None


class _Progress:
    """Adds up finished images."""

    def __init__(self, options: RunOptions, batch: int) -> None:
        self._report = options.progress
        self._batch = batch
        self._done = 0

    def __call__(self, images: int) -> None:
        self._done += images
        if self._report is not None:
            self._report(self._done, self._batch)


def _pieces(batch: int, threads: int) -> Iterator[range]:
    size = max(1, -(-batch // (threads * CHUNKS)))
    return (range(begin, min(begin + size, batch)) for begin in range(0, batch, size))


def aligned(size: int) -> Bytes:
    """Memory of at least one byte, aligned as programs need it."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


# Inputs


def _check_inputs(inputs: Sequence[Array], types: Sequence[object]) -> None:
    from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType

    if len(inputs) != len(types):
        raise InputError(f"the network has {len(types)} inputs, {len(inputs)} were given")
    for index, (array, expected) in enumerate(zip(inputs, types, strict=True)):
        assert isinstance(expected, TensorType)
        shape = expected.get_shape()
        if not fits(array.shape[1:], shape):
            raise InputError(f"input {index}: expected images of shape {written_shape(shape)}, found {array.shape[1:]}")
        if len(array) != len(inputs[0]):
            raise InputError(f"input {index}: {len(array)} images, but input 0 has {len(inputs[0])}")
        if shape[:1] == (DYNAMIC_INDEX,) and array.shape[1] != inputs[0].shape[1]:
            raise InputError(f"input {index}: {array.shape[1]} time steps, but input 0 has {inputs[0].shape[1]}")


def as_input(array: Array, element: object) -> Array:
    """The array in the program's type and where it can be read; integers have to fit.

    Raises:
        InputError: they do not.
    """
    from xdsl.ir import Attribute

    assert isinstance(element, Attribute)
    dtype = buffer_dtype(element)
    if dtype.kind != "f" and array.dtype != dtype and array.size:
        if array.dtype.kind not in "biu":
            raise InputError(f"expected integers, found {array.dtype}")
        limits = np.iinfo(dtype.name)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise InputError(f"values from {array.min()} to {array.max()} do not fit into {dtype.name}")
    return np.require(array, dtype, ["C", "A"])
