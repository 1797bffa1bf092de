"""Writes a network as a Lava program: readable Python, its constants, and what both need beside Lava.

    model_lava.py       the processes of the network, a paragraph each; its inputs and outputs
    weights.npz         its constants
    lava_program/       the command line: reads integers, runs Lava for every image, writes integers
    loihi_processes/    processes that Lava has not; a folder of their own, as Lava imports what lies beside a process
    network.net         the network once more, for Lava's netx, where that can say it
    model_netx.py       runs it, just like model_lava.py

Walks and prints: the same module gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.loihi.netx import Inexpressible, Net, net_file, net_of
from neurocuda.backends.loihi.processes import Processes, port_of
from neurocuda.backends.loihi.python_text import call, keywords
from neurocuda.backends.loihi.script import Body, Border, File, inputs_of
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.level import LEVEL
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

BESIDE = Path(__file__).resolve().parent / "templates"
"""What goes with every program as it is."""


ABOUT = """A spiking network for Loihi 2 as a Lava program, written by NeuroCUDA.

    python {script} inputs.npz outputs.npz

--help says what goes in, what comes out, and what else can be asked for. It needs Lava alone: lava-nc 0.10.0 on Python
3.10 to 3.12. As in Lava, images are (width, height, channels), kernels are flipped, and a spike of one step is a
current at the next.
"""

NETX_ABOUT = """A spiking network for Loihi 2 by way of Lava's netx, which reads {file}; written by NeuroCUDA.

    python {script} inputs.npz outputs.npz

--help says what goes in, what comes out, and what else can be asked for. It needs lava-nc 0.10.0, lava-dl 0.6.0 without
anything that asks for, and h5py. Other programs load the file as `build` does: the options of `Network` belong to it.
"""


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


class PrintedProgram:
    """A network as a program, and what a caller has to know of it.

    Attributes:
        script: the file to run.
        border: what it takes and gives.
    """

    def __init__(self, op: loihi.NetworkOp, weights: WeightStore, suffix: str = "") -> None:
        self.script = f"model_lava{suffix}.py"
        inputs = inputs_of(op)
        self._weights = weights
        self._suffix = suffix
        self._processes = Processes(op, weights, dict(zip(op.body.block.args, inputs, strict=True)))
        self.border = Border(op, self._processes.names, inputs)

    @cached_property
    def files(self) -> Mapping[str, bytes]:
        """Everything that it takes to run it, by name."""
        weights = File(f"weights{self._suffix}.npz", _npz(self._processes.constants))
        body = Body(
            self._processes.lines,
            frozenset(self._processes.used),
            {name: name for name in self.border.heard},
        )
        beside = {path.relative_to(BESIDE).as_posix(): path.read_bytes() for path in sorted(BESIDE.rglob("*.py"))}
        own = {
            self.script: self.border.script(ABOUT.format(script=self.script), body, weights),
            weights.name: weights.content,
        }
        return own | self._netx_files() | beside

    def _netx_files(self) -> dict[str, bytes]:
        """The same for netx; nothing where that cannot say the network."""
        try:
            net = net_of(self.border.op, self._weights)
        except Inexpressible:
            return {}
        script = f"model_netx{self._suffix}.py"
        file = File(f"network{self._suffix}.net", net_file(net, self._weights))
        return {
            script: self.border.script(NETX_ABOUT.format(script=script, file=file.name), self._netx_body(net), file),
            file.name: file.content,
        }

    def _netx_body(self, net: Net) -> Body:
        names = self.border.names
        lines = [
            f'{names[net.source]} = RingBuffer(data=rows["{self.border.inputs[0]}"])',
            *call("net = Network", ["w", *keywords(**net.options)], level=1),
            f"{port_of(net.layers[0].synapse.input, names)}.connect(net.inp)",
        ]
        processes = {names[layer.group]: f"net.layers[{place}].neuron" for place, layer in enumerate(net.layers)}
        return Body(lines, frozenset({"Network", "RingBuffer"}), processes)


def _npz(arrays: Mapping[str, Array]) -> bytes:
    """An .npz file of integers, in the narrowest type that holds them."""
    import numpy as np

    stream = BytesIO()
    np.savez(stream, allow_pickle=False, **{name: _narrowed(array) for name, array in arrays.items()})
    return stream.getvalue()


def _narrowed(array: Array) -> Array:
    import numpy as np

    kinds = (kind for kind in (np.int8, np.int16, np.int32) if (array.astype(kind) == array).all())
    return array.astype(next(kinds))
