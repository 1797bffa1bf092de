"""Prints the text of a program around the processes of its network: what it says of its inputs, outputs and groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from xdsl.ir import Operation

from neurocuda.backends.loihi.processes import MEMBRANES, part_of
from neurocuda.backends.loihi.python_text import INDENT, Names, call, dictionary, indented, keywords
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import GRADED
from neurocuda.ir.attributes import element_type, shape_of, values_of
from neurocuda.ir.origin import origin_of

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
    "Network": "lava_program.netx_light",
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


@dataclass(frozen=True)
class Body:
    """The lines of a function `build(rows, w)`, the names of other modules in them, and the processes that it returns.

    `processes` has an expression for each that may be listened to, by name.
    """

    lines: Sequence[str]
    used: frozenset[str]
    processes: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file that lies beside a script."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Read:
    """An output of a program: which result of the network it is read of, and how; None for the train itself."""

    result: int
    readout: loihi.ReadoutOp | None


class Border:
    """What a program takes and gives.

    Attributes:
        op: the network.
        names: what its processes are called.
        inputs: what its operands are called, in order.
        outputs: its outputs by name; every result of the network is read by at least one.
        groups: its groups by name.
    """

    def __init__(self, op: loihi.NetworkOp, names: Mapping[Operation, str], inputs: Sequence[str]) -> None:
        self.op = op
        self.names = names
        self.inputs = inputs
        self.outputs = dict(_outputs_of(op))
        self.groups = {name: op for op, name in names.items() if isinstance(op, loihi.GroupOp)}

    @property
    def heard(self) -> list[str]:
        """The processes that may be listened to: groups, and what else is put out."""
        read = {self._part(read)[0].partition(".")[0] for read in self.outputs.values()}
        return [name for name in self.names.values() if name in read or name in self.groups]

    def script(self, about: str, body: Body, weights: File) -> bytes:
        """A program; `about` is its docstring."""
        file = keywords(weights=f'"{weights.name}"', digest=f'"{sha256(weights.content).hexdigest()}"')
        used = {*body.used, "Group", "Output", "Program", "main", *(["Input"] if self.inputs else [])}
        lines = [
            f'"""{about}"""',
            "",
            "from lava_program import dataclass_defaults  # noqa: F401, I001  before Lava",
            *_imports(used),
            "",
            f"STEPS = {self.op.steps.value.data}",
            *dictionary("INPUTS = ", {name: self._input(place) for place, name in enumerate(self.inputs)}),
            *dictionary("OUTPUTS = ", {name: self._output(read) for name, read in self.outputs.items()}),
            *dictionary("GROUPS = ", {name: _group(op) for name, op in self.groups.items()}),
            *("", "", "def build(rows, w):"),
            f'{INDENT}"""The processes by name, for what the sources send and the weights of the network."""',
            *indented(body.lines),
            "",
            *indented(dictionary("return ", body.processes, level=1)),
            *("", ""),
            *call("PROGRAM = Program", ["build", "STEPS", "INPUTS", "OUTPUTS", "GROUPS", *file]),
            *("", 'if __name__ == "__main__":', f"{INDENT}main(PROGRAM, __file__)", ""),
        ]
        return "\n".join(lines).encode()

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
        """`Output("fc.v", read="last", divisor=4, skip=0)`."""
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
        return part_of(last.operands[read.result], self.names)


def inputs_of(op: loihi.NetworkOp) -> Sequence[str]:
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


def _imports(used: set[str]) -> Iterator[str]:
    for module in sorted({MODULES[name] for name in used}):
        yield f"from {module} import {', '.join(sorted(name for name in used if MODULES[name] == module))}"


def _group(op: loihi.GroupOp) -> str:
    """`Group("v", until=12)`."""
    worth, since = op.worth.value.data, op.since.value.data
    said = keywords(worth=worth if worth != 1 else None, since=since or None, until=op.until and op.until.value.data)
    arguments = ", ".join([f'"{MEMBRANES[type(op)]}"', *said])
    return f"Group({arguments})"
