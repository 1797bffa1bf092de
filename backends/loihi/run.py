"""Runs networks in Lava's simulator; the host's part beside them is interpreted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.loihi.emit import PrintedProgram, printed_programs
from neurocuda.backends.loihi.lava import Lava, find_lava, run_script
from neurocuda.dialects.host.ops import hosted_operations
from neurocuda.errors import ToolchainError
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.backend import Availability, Execution, RunOptions
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run, execute
from neurocuda.reference.meaning import Array, Meaning


def availability() -> Availability:
    """Whether Lava is there."""
    try:
        lava = find_lava()
    except ToolchainError as reason:
        return Availability(False, str(reason))
    return Availability(True, f"lava-nc {lava.version}, on Python {lava.python_version}")


def load(module: ModuleOp, weights: WeightStore) -> LoihiProgram:
    """A program that looks for Lava when it is run.

    Raises:
        LevelError: the module is not at level `loihi`, or a constant does not fit into its register.
    """
    return LoihiProgram(module, weights, tuple(printed_programs(module, weights)))


@dataclass(frozen=True)
class LoihiProgram:
    """A module whose networks run in Lava."""

    module: ModuleOp
    weights: WeightStore
    programs: tuple[PrintedProgram, ...]

    def run(self, inputs: Sequence[Array], options: RunOptions | None = None) -> Execution:
        """Runs a batch, image after image: one (images, *shape) array per argument of `@main`.

        Counts are what the spikes of every layer say.

        Raises:
            InputError: an array has the wrong shape, or a source would send what is no spike.
            ToolchainError: Lava is missing, crashes, or takes too long.
        """
        calls = _Calls(find_lava(), options or RunOptions())
        stand_ins: dict[Operation, Meaning] = {program.border.op: calls.of(program) for program in self.programs}
        started = time.perf_counter()
        outputs = execute(Run(self.weights, stand_ins=stand_ins), self.module, inputs)
        seconds = time.perf_counter() - started
        hosted = hosted_operations(self.module)
        beside = f"; on the host: {', '.join(hosted)}" if hosted else ""
        steps = sum(program.border.op.steps.value.data for program in self.programs)
        return Execution(tuple(outputs), calls.counts, steps, seconds, f"{calls.ran_on}{beside}")


class _Calls:
    """What networks gave in one run."""

    def __init__(self, lava: Lava, options: RunOptions) -> None:
        self.lava = lava
        self.options = options
        self.counts: dict[str, Array] = {}
        self.ran_on = f"simulator: lava-nc {lava.version} Loihi2SimCfg(fixed_pt)"

    def of(self, program: PrintedProgram) -> Meaning:
        """A stand-in for the meaning of a network: (images, rows, *shape) in, (images, steps, *shape) out."""

        def run(op: Operation, run: Run, *rows: Array) -> tuple[Array, ...]:
            del op, run
            images = len(rows[0]) if rows else 1
            heard = self._run(program, rows, images) if images else _nothing(program)
            if self.options.counts:
                self._count(program, heard)
            names = {read.result: name for name, read in program.border.outputs.items()}
            return tuple(heard[names[place]] for place in range(len(program.border.op.outputs)))

        return run

    def _count(self, program: PrintedProgram, heard: Mapping[str, Array]) -> None:
        """Adds what groups said, those of one origin together, with the user's order of axes."""
        for name, group in program.border.groups.items():
            origin, said = origin_of(group), heard[f"{name}.count"]
            if origin is not None:
                said = said.transpose(0, *reversed(range(1, said.ndim)))
                self.counts[origin] = self.counts[origin] + said if origin in self.counts else said

    def _run(self, program: PrintedProgram, rows: Sequence[Array], images: int) -> Mapping[str, Array]:
        def done(image: int) -> None:
            if self.options.progress is not None:
                self.options.progress(image, images)

        inputs = dict(zip(program.border.inputs, rows, strict=True))
        asked = ["--trains", *(["--counts"] if self.options.counts else [])]
        heard, self.ran_on = run_script(self.lava, program.files, program.script, inputs, asked, done)
        return heard


def _nothing(program: PrintedProgram) -> Mapping[str, Array]:
    """What a program gives for no images."""
    border = program.border
    outputs = {name: shape_of(border.op.outputs[read.result]) for name, read in border.outputs.items()}
    counts = {f"{name}.count": shape_of(group.spikes) for name, group in border.groups.items()}
    return {name: np.zeros((0, *shape), np.int32) for name, shape in (outputs | counts).items()}
