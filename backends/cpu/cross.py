"""Runs programs where they belong: in this process, or as images for other processors in qemu, in one of their own.

What is built is what `export` writes, by the Makefile that it writes, in a folder that is gone afterwards.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.cpu.emit import emit_files
from neurocuda.backends.cpu.image import processors
from neurocuda.backends.cpu.native import as_input
from neurocuda.backends.cpu.run import CpuProgram
from neurocuda.backends.cpu.run import load as here
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.interface import Interface
from neurocuda.dialects.cpu.level import LEVEL
from neurocuda.dialects.cpu.semantics import buffer_dtype, to_logical
from neurocuda.dialects.host.ops import hosted_operations
from neurocuda.errors import ToolchainError
from neurocuda.ir.backend import Execution, RunOptions
from neurocuda.ir.files import write_all
from neurocuda.ir.patience import patience
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run, execute
from neurocuda.reference.meaning import Array, Meaning

PATIENCE = "NEUROCUDA_QEMU_SECONDS"
"""The environment variable that says how many seconds qemu may take for an image."""

SECONDS = 600.0
"""How long the compiler may take, and qemu for an image, unless the environment says otherwise."""


@dataclass(frozen=True)
class Tools:
    """What builds and runs images for a processor: two commands, the board in qemu, and Debian's packages."""

    compiler: str
    simulator: str
    board: str
    packages: str

    def require(self) -> None:
        """Checks that everything is there.

        Raises:
            ToolchainError: something is missing; names the packages.
        """
        missing = [name for name in ("make", self.compiler, self.simulator) if shutil.which(name) is None]
        if missing:
            how = f"run `make cross`, or on Debian: apt-get install {self.packages}"
            raise ToolchainError(f"{' and '.join(missing)} cannot be found: {how}")

    def provenance(self, modes: Iterable[str]) -> str:
        """ "simulator: qemu-aarch64 7.2.22, counts, aarch64-linux-gnu-gcc 12.2.0 -O2"."""
        simulator = f"{self.simulator} {_version(self.simulator)}{self.board}"
        compiler = f"{self.compiler} {_version(self.compiler)} -O2"
        return f"simulator: {', '.join([simulator, *modes, compiler])}"


TOOLS: Mapping[str, Tools] = {
    "aarch64": Tools(
        "aarch64-linux-gnu-gcc",
        "qemu-aarch64",
        "",
        "make gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user",
    ),
    "cortex-m7": Tools(
        "arm-none-eabi-gcc",
        "qemu-system-arm",
        " (mps2-an500)",
        "make gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm",
    ),
}
"""By processor."""


def load(module: ModuleOp, weights: WeightStore) -> CpuProgram | CrossProgram:
    """The programs of a module, ready to run; images for other processors are built when they are run.

    Raises:
        LevelError: the module is not at level `cpu`.
        ToolchainError: programs for this process cannot be built.
    """
    LEVEL.require(module)
    cross = CrossProgram(module, weights)
    return cross if any(each.processor in processors() for each in cross.programs) else here(module, weights)


@dataclass(frozen=True)
class CrossProgram:
    """A module whose programs run in qemu; what stands beside them is interpreted."""

    module: ModuleOp
    weights: WeightStore

    @cached_property
    def programs(self) -> tuple[Interface, ...]:
        """What is to be known of them."""
        return tuple(Interface(op) for op in self.module.walk() if isinstance(op, cpu.ProgramOp))

    def run(self, inputs: Sequence[Array], options: RunOptions | None = None) -> Execution:
        """Runs a batch, image after image: one (images, *shape) array per argument of `@main`.

        Raises:
            InputError: an array has the wrong shape or type, or values outside the declared range.
            ToolchainError: a tool is missing, fails, or takes too long.
            OptionError: the environment names no number of seconds.
        """
        options = options or RunOptions()
        tools = TOOLS[str(self.programs[0].processor)]
        tools.require()
        batch = _Batch(emit_files(self.module, self.weights), options)
        stand_ins: dict[Operation, Meaning] = {program.op: batch.meaning(program) for program in self.programs}
        started = time.perf_counter()
        with np.errstate(all="ignore"):
            outputs = execute(Run(self.weights, stand_ins=stand_ins), self.module, inputs)
        seconds = time.perf_counter() - started
        steps = sum(inputs[0].shape[1] if each.steps is None else each.steps for each in self.programs)
        hosted = hosted_operations(self.module)
        beside = f"; on the host: {', '.join(hosted)}" if hosted else ""
        modes = sorted({each.op.mode.data for each in self.programs})
        return Execution(tuple(outputs), batch.counts, steps, seconds, tools.provenance(modes) + beside)


class _Batch:
    """One run of a module: the files of its images, and what its neurons counted."""

    def __init__(self, files: Mapping[str, bytes], options: RunOptions) -> None:
        self.files = files
        self.options = options
        self.counts: dict[str, Array] = {}

    def meaning(self, program: Interface) -> Meaning:
        """A stand-in for the meaning of a program."""

        def run(op: Operation, run: Run, *arrays: Array) -> tuple[Array, ...]:
            del op, run
            record = _Record(program, counts=self.options.counts)
            types = [buffer_dtype(spec.element) for spec in program.inputs]
            given = [as_input(array, dtype) for array, dtype in zip(arrays, types, strict=True)]
            images = len(given[0])
            steps = 1 if program.steps is not None else given[0].shape[1]
            content = self._ran(program, record.packed(given, steps), images) if images * steps else b""
            if self.options.progress is not None:
                self.options.progress(images, images)
            found = record.unpacked(content, images, steps)
            if self.options.counts:
                self._count(program, found.pop().sum(axis=1))
            time = () if program.steps is not None else (steps,)
            specs = zip(found, program.outputs, strict=True)
            return tuple(array.reshape(images, *time, *spec.shape) for array, spec in specs)

        return run

    def _count(self, program: Interface, counts: Array) -> None:
        """Notes counters by layer, in the user's order of axes."""
        for layer in program.layers:
            part = counts[:, layer.offset : layer.offset + prod(layer.shape)]
            self.counts[layer.origin] = to_logical(part.reshape(len(counts), *layer.shape), layer.layout)

    def _ran(self, program: Interface, inputs: bytes, images: int) -> bytes:
        """What an image writes."""
        counting = ["COUNTS=1"] if self.options.counts else []
        seconds = patience(PATIENCE, SECONDS)
        with TemporaryDirectory(prefix="neurocuda-cross-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            write_all({folder / file: content for file, content in (*self.files.items(), ("inputs.bin", inputs))})
            _make(f"{program.symbol}.elf", counting, folder, SECONDS)
            _make(f"run-{program.symbol}", counting, folder, seconds * images)
            return (folder / "outputs.bin").read_bytes()


@dataclass(frozen=True)
class _Record:
    """How a program's main function reads and writes an image, or one of its steps: arrays one behind the other."""

    program: Interface
    counts: bool

    def packed(self, inputs: Sequence[Array], steps: int) -> bytes:
        """The content of inputs.bin; programs without an end are told how many steps there are."""
        images = len(inputs[0])
        sizes = [prod(spec.shape) for spec in self.program.inputs]
        parts = [array.reshape(images * steps, size) for array, size in zip(inputs, sizes, strict=True)]
        rows = np.concatenate([part.view(np.uint8) for part in parts], axis=1)
        if self.program.steps is not None:
            return rows.tobytes()
        head = np.full((images, 1), steps, "<i4").view(np.uint8)
        return np.concatenate([head, rows.reshape(images, steps * rows.shape[1])], axis=1).tobytes()

    def unpacked(self, content: bytes, images: int, steps: int) -> list[Array]:
        """(images, steps, elements) of every output, and of the counters behind them, from the content of outputs.bin.

        Raises:
            ToolchainError: the content has another size.
        """
        program = self.program
        given = [(buffer_dtype(spec.element), prod(spec.shape)) for spec in program.outputs]
        given += [(buffer_dtype(program.count_type), program.count_total)] if self.counts else []
        sizes = [kind.itemsize * elements for kind, elements in given]
        if len(content) != images * steps * sum(sizes):
            raise ToolchainError(f"the image wrote {len(content)} bytes, not {images * steps * sum(sizes)}")
        rows = np.frombuffer(content, np.uint8).reshape(images, steps, sum(sizes))
        parts = np.split(rows, np.cumsum(sizes)[:-1], axis=2)
        return [np.ascontiguousarray(part).view(kind) for part, (kind, _) in zip(parts, given, strict=True)]


def _make(goal: str, options: Sequence[str], folder: Path, seconds: float) -> None:
    """Runs `make`; nothing that it has started is left.

    Raises:
        ToolchainError: it fails, or takes too long; the first complaint is quoted.
    """
    command = ["make", "-s", goal, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | {"LC_ALL": "C"}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            _, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            more = f"; {PATIENCE} gives it more" if goal.startswith("run-") else ""
            raise ToolchainError(f"`make {goal}` took longer than {seconds:g} seconds and was ended{more}") from None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        raise ToolchainError(f"`make {goal}` failed: {_first(complaint.decode(errors='replace'))}")


def _first(complaint: str) -> str:
    """The line of a complaint that says what is wrong."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    telling = (line for line in lines if re.search(r"error|overflowed|Error \d", line))
    return next(telling, lines[0] if lines else "it says nothing")


def _version(command: str) -> str:
    """The number with points in how a command introduces itself, not that of its package in brackets."""
    done = subprocess.run([command, "--version"], capture_output=True, timeout=60, check=False)
    said = re.sub(r"\(.*?\)", "", done.stdout.decode(errors="replace").partition("\n")[0])
    found = re.search(r"\d+(\.\d+)+", said)
    return found.group() if found is not None else "of unknown version"
