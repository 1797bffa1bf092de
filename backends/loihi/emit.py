"""Writes a network as a Lava program: readable Python, its constants, and what both need beside Lava.

    model_lava.py       the processes of the network, a paragraph each; its inputs and outputs
    weights.npz         its constants
    lava_program/       the command line: reads integers, runs Lava for every image, writes integers
    loihi_processes/    processes that Lava has not; a folder of their own, as Lava imports what lies beside a process

Walks and prints: the same module gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.loihi.processes import MEMBRANES, Processes, part_of
from neurocuda.backends.loihi.python_text import INDENT, Names, call, dictionary, indented, keywords
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.level import LEVEL
from neurocuda.dialects.loihi.types import GRADED
from neurocuda.ir.attributes import element_type, shape_of, values_of
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

BESIDE = Path(__file__).resolve().parent / "templates"
"""What goes with every program as it is."""

MODULES: Mapping[str, str] = {
    "ActivationMode": "lava.proc.sdn.process",
    "Conv": "lava.proc.conv.process",
    "DelayDense": "lava.proc.dense.process",
    "DelaySparse": "lava.proc.sparse.process",
    "Dense": "lava.proc.dense.process",
    "Group": "lava_program.description",
    "Input": "lava_program.description",
    "IntegrateAndFire": "loihi_processes.integrate_and_fire",
    "LIF": "lava.proc.lif.process",
    "LIFReset": "lava.proc.lif.process",
    "Output": "lava_program.description",
    "Program": "lava_program.description",
    "RingBuffer": "lava.proc.io.source",
    "SigmaDelta": "lava.proc.sdn.process",
    "SignMode": "lava.utils.weightutils",
    "Sparse": "lava.proc.sparse.process",
    "connections": "lava_program.description",
    "main": "lava_program.command",
    "per_neuron": "lava_program.description",
    "pulses": "lava_program.description",
}
"""Where a program finds what it uses."""


def emit_files(module: ModuleOp, weights: WeightStore) -> Mapping[str, bytes]:
    """The files of every network of the module; several are numbered.

    Raises:
        LevelError: the module is not at level `loihi`, or a constant does not fit into its register.
    """
    programs = printed_programs(module, weights)
    return {name: content for program in programs for name, content in program.files.items()}


def printed_programs(module: ModuleOp, weights: WeightStore) -> list[PrintedProgram]:
    """Every network of the module, in order.

    Raises:
        LevelError: the module is not at level `loihi`, or a constant does not fit into its register.
    """
    LEVEL.require(module, weights)
    networks = [op for op in module.walk() if isinstance(op, loihi.NetworkOp)]
    return [PrintedProgram(op, weights, f"_{place}" if place else "") for place, op in enumerate(networks)]


@dataclass(frozen=True)
class Read:
    """An output of a program: which result of the network it is read of, and how; None for the train itself."""

    result: int
    readout: loihi.ReadoutOp | None


class PrintedProgram:
    """A network as a program, and what a caller has to know of it.

    Attributes:
        op: the network.
        script: the file to run.
        inputs: what it calls the network's operands, in order.
        outputs: its outputs by name; every result of the network is read by at least one.
        counted: the origin of every group that stands for a layer, by the group's name.
    """

    def __init__(self, op: loihi.NetworkOp, weights: WeightStore, suffix: str = "") -> None:
        self.op = op
        self.script = f"model_lava{suffix}.py"
        self.inputs = _inputs_of(op)
        self.outputs = dict(_outputs_of(op))
        self._weights_file = f"weights{suffix}.npz"
        self._processes = Processes(op, weights, dict(zip(op.body.block.args, self.inputs, strict=True)))
        names = self._processes.names
        self._groups = {names[group]: group for group in op.body.block.ops if isinstance(group, loihi.GroupOp)}
        origins = {name: origin_of(group) for name, group in self._groups.items()}
        self.counted = {name: origin for name, origin in origins.items() if origin is not None}

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of every group, by name."""
        return {name: shape_of(group.spikes) for name, group in self._groups.items()}

    @property
    def files(self) -> Mapping[str, bytes]:
        """Everything that it takes to run it, by name."""
        own = {self.script: self.code.encode(), self._weights_file: self.weights}
        return own | {path.relative_to(BESIDE).as_posix(): path.read_bytes() for path in sorted(BESIDE.rglob("*.py"))}

    @cached_property
    def weights(self) -> bytes:
        """The constants, an .npz file."""
        import numpy as np

        stream = BytesIO()
        constants = {key: _narrowed(array) for key, array in self._processes.constants.items()}
        np.savez(stream, allow_pickle=False, **constants)
        return stream.getvalue()

    # Text

    @cached_property
    def code(self) -> str:
        """The program."""
        names = list(self._heard())
        files = keywords(weights=f'"{self._weights_file}"', digest=f'"{sha256(self.weights).hexdigest()}"')
        lines = [
            *self._head(),
            "",
            f"STEPS = {self.op.steps.value.data}",
            *dictionary("INPUTS = ", {name: self._input(place) for place, name in enumerate(self.inputs)}),
            *dictionary("OUTPUTS = ", {name: self._output(read) for name, read in self.outputs.items()}),
            *dictionary("GROUPS = ", {name: _group(op) for name, op in self._groups.items()}),
            "",
            "",
            "def build(rows, w):",
            f'{INDENT}"""The processes by name, for what the sources send and the weights of the network."""',
            *indented(self._processes.lines),
            "",
            *indented(dictionary("return ", dict(zip(names, names, strict=True)), level=1)),
            "",
            "",
            *call("PROGRAM = Program", ["build", "STEPS", "INPUTS", "OUTPUTS", "GROUPS", *files]),
            "",
            'if __name__ == "__main__":',
            f"{INDENT}main(PROGRAM, __file__)",
        ]
        return "\n".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        """What the program is, and what it uses."""
        from neurocuda import __version__

        yield f'"""A spiking network for Loihi 2 as a Lava program, written by NeuroCUDA {__version__}.'
        yield ""
        yield f"    python {self.script} inputs.npz outputs.npz"
        yield ""
        yield "--help says what goes in, what comes out, and what else can be asked for. It needs Lava alone: lava-nc"
        yield "0.10.0, on Python 3.10 to 3.12. As in Lava, images are (width, height, channels), kernels are flipped,"
        yield "and a spike of one step is a current at the next."
        yield '"""'
        yield ""
        yield "from lava_program import dataclass_defaults  # noqa: F401, I001  before Lava"
        used = {*self._processes.used, "Group", "Output", "Program", "main", *(["Input"] if self.inputs else [])}
        for module in sorted({MODULES[name] for name in used}):
            yield f"from {module} import {', '.join(sorted(name for name in used if MODULES[name] == module))}"

    def _heard(self) -> Iterator[str]:
        """The processes that may be listened to: groups, and what else is put out."""
        heard = {self._part(read)[0].partition(".")[0] for read in self.outputs.values()} | set(self._groups)
        return (name for name in self._processes.names.values() if name in heard)

    def _input(self, place: int) -> str:
        """`Input((3, 32, 32), graded=True, factors=(1,))`."""
        rows = self.op.inputs[place]
        said = rows.owner if isinstance(rows.owner, loihi.StimulusOp) else None
        shape = shape_of(rows if said is None else said.input)
        factors = None if said is None or said.factors is None else values_of(said.factors)
        own = keywords(graded=element_type(rows) == GRADED, factors=factors, lava_axes=True if said is None else None)
        arguments = ", ".join([str(shape), *own])
        return f"Input({arguments})"

    def _output(self, read: Read) -> str:
        """`Output("fc.v", read="last", divisor=4)`."""
        part, moves = self._part(read)
        moved = keywords(moved=f"lambda train: train{moves}" if moves else None)
        if read.readout is None:
            own = keywords(lava_axes=True)
        else:
            divisor, skip = read.readout.divisor.value.data, read.readout.skip.value.data
            own = keywords(read=f'"{read.readout.read.data}"', divisor=divisor, skip=skip)
        arguments = ", ".join([f'"{part}"', *own, *moved])
        return f"Output({arguments})"

    def _part(self, read: Read) -> tuple[str, str]:
        last = self.op.body.block.last_op
        assert last is not None
        return part_of(last.operands[read.result], self._processes.names)


def _group(op: loihi.GroupOp) -> str:
    """`Group("v", until=12)`."""
    worth, since = op.worth.value.data, op.since.value.data
    said = keywords(worth=worth if worth != 1 else None, since=since or None, until=op.until and op.until.value.data)
    arguments = ", ".join([f'"{MEMBRANES[type(op)]}"', *said])
    return f"Group({arguments})"


def _inputs_of(op: loihi.NetworkOp) -> Sequence[str]:
    """Names for the operands: those of the user's inputs where they are known."""
    names = Names()
    origins = [origin_of(rows.owner) if isinstance(rows.owner, loihi.StimulusOp) else None for rows in op.inputs]
    return [names.take(origin or "", "input") for origin in origins]


def _outputs_of(op: loihi.NetworkOp) -> Iterator[tuple[str, Read]]:
    """Every readout of a result, or where there is none the train."""
    names = Names()
    for place, train in enumerate(op.outputs):
        readouts = [use.operation for use in train.uses if isinstance(use.operation, loihi.ReadoutOp)]
        for readout in readouts:
            yield names.take(origin_of(readout) or "", "output"), Read(place, readout)
        if not readouts:
            yield names.take("", "output"), Read(place, None)


def _narrowed(array: Array) -> Array:
    """An array in the narrowest integers that hold it."""
    import numpy as np

    kinds = (kind for kind in (np.int8, np.int16, np.int32) if (array.astype(kind) == array).all())
    return array.astype(next(kinds))
