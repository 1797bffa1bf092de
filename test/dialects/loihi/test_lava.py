"""Networks of level `loihi` in Lava itself: every spike and every membrane potential is the interpreter's.

Each is written as a Lava program and that is run, in the environment of `make lava`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects import func
from xdsl.dialects.builtin import FunctionType, ModuleOp, TensorType
from xdsl.ir import Operation

from neurocuda.backends.loihi import BACKEND, processes
from neurocuda.backends.loihi.emit import printed_programs
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.errors import ProblemsError
from neurocuda.ir.attributes import element_type, shape_of
from neurocuda.ir.files import write_all
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret
from neurocuda.testing_conformance import Case, Lowered, conformance_cases, lower
from neurocuda.testing_loihi import RandomLoihiNetwork, random_loihi_network

Array = NDArray[Any]

ROOT = Path(__file__).resolve().parents[3]
LAVA = ROOT / ".venv-lava" / "bin" / "python"
RUNNER = Path(__file__).resolve().parent / "lava" / "run_programs.py"

NETWORKS = 20
"""How many networks one process runs; it takes about 0.7 s for each."""

SLOW = [pytest.param(first, marks=pytest.mark.slow) for first in range(NETWORKS, 16 * NETWORKS, NETWORKS)]


@pytest.mark.skipif(not LAVA.exists(), reason="Lava is not set up: run `make lava`")
@pytest.mark.parametrize("first", [0, *SLOW])
def test_every_spike_and_every_membrane_is_lavas(first: int, tmp_path: Path) -> None:
    networks = [random_loihi_network(seed) for seed in range(first, first + NETWORKS)]
    ours = [[output[0] for output in network.interpret()] for network in networks]
    firing = [spikes.any() for outputs in ours for spikes in outputs[::2]]
    assert sum(firing) > len(firing) / 2, "most groups say something, or little is tested"
    differing = [
        (first + place, name)
        for place, (mine, lavas) in enumerate(zip(ours, in_lava(map(given, networks), tmp_path), strict=True))
        for one, (name, other) in zip([*mine, *mine], lavas.items(), strict=True)
        if not np.array_equal(one, other[0])
    ]
    assert not differing, "(seed, what)"


@pytest.mark.skipif(not LAVA.exists(), reason="Lava is not set up: run `make lava`")
@pytest.mark.parametrize("first", [0, *SLOW])
def test_every_spike_and_every_membrane_of_the_whole_line_is_lavas(first: int, tmp_path: Path) -> None:
    """Networks that come from floats, in all codes: dense, convolutional, residual, pooled. One image each."""
    lowered = [case for case in map(lowered_or_none, whole_line(first)) if case is not None]
    assert len(lowered) > 0.8 * NETWORKS
    networks: list[Given] = []
    ours: list[list[Array]] = []
    for case in lowered:
        module = case.module.clone()
        stimuli = [op for op in module.walk() if isinstance(op, loihi.StimulusOp)]
        show_everything(module)
        seen: dict[Operation, Array] = {}
        outputs = interpret(module, case.weights, [case.images[:1]], seen.__setitem__)
        integers = [seen[op.input.owner] for op in stimuli if isinstance(op.input.owner, Operation)]
        networks.append((case.module, case.weights, integers))
        ours.append([train[0] for train in outputs])
    for case, mine, lavas in zip(lowered, ours, in_lava(networks, tmp_path), strict=True):
        for one, (name, other) in zip(mine, list(lavas.items())[: len(mine)], strict=True):
            np.testing.assert_array_equal(one, other[0], err_msg=f"{case}: {name}")


def whole_line(first: int) -> Sequence[Case]:
    """So many random networks; kinds and codes take turns."""
    return conformance_cases(BACKEND.constraints.codes, NETWORKS, first)


def lowered_or_none(case: Case) -> Lowered | None:
    """A network at level `loihi`; None where the target refuses it."""
    try:
        return lower(BACKEND, case)
    except ProblemsError:
        return None


def show_everything(module: ModuleOp) -> None:
    """Lets `@main` return what every group of its network sends, and every membrane, step by step; nothing else."""
    network = next(op for op in module.walk() if isinstance(op, loihi.NetworkOp))
    end, block = network.body.block.last_op, network.parent
    assert isinstance(end, loihi.OutputOp)
    assert block is not None
    groups = [op for op in network.body.block.ops if isinstance(op, loihi.GroupOp)]
    values = [value for group in groups for value in (group.spikes, group.membrane)]
    network.body.block.erase_op(end)
    network.body.block.add_op(loihi.OutputOp(values))
    steps = network.steps.value.data
    types = [TensorType(element_type(value), (steps, *shape_of(value))) for value in values]
    rest = list(block.ops)[list(block.ops).index(network) :]
    shown = loihi.NetworkOp(list(network.inputs), network.detach_region(0), types, steps=steps)
    block.insert_op_before(shown, network)
    for op in reversed(rest):
        block.erase_op(op)
    block.add_op(func.ReturnOp(*shown.outputs))
    function = block.parent_op()
    assert isinstance(function, func.FuncOp)
    function.properties["function_type"] = FunctionType.from_lists(list(function.function_type.inputs), types)


Given: TypeAlias = "tuple[ModuleOp, WeightStore, Sequence[Array]]"
"""A module with one network, its constants, and the integers that enter it, images first."""


def given(network: RandomLoihiNetwork) -> Given:
    """A random network and its inputs."""
    return network.module, network.weights, network.inputs


def in_lava(networks: Iterable[Given], folder: Path) -> Iterator[Mapping[str, Array]]:
    """What Lava makes of networks: spikes and membranes of every group as they are probed, then what they put out."""
    folders: list[Path] = []
    for module, weights, inputs in networks:
        place = folder / str(len(folders))
        (program,) = printed_programs(module, weights)
        write_all({place / name: content for name, content in program.files.items()})
        np.savez(place / "inputs.npz", **dict(zip(program.border.inputs, inputs, strict=True)))  # pyright: ignore
        folders.append(place)
    environment = {**os.environ, "PYTHONPATH": str(folders[0])}
    done = subprocess.run(
        [LAVA, RUNNER, *(place / "model_lava.py" for place in folders)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    for place in folders:
        with np.load(place / "outputs.npz") as outputs:
            yield outputs


@pytest.mark.skipif(not LAVA.exists(), reason="Lava is not set up: run `make lava`")
@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 48), marks=pytest.mark.slow)])
def test_convolutions_may_be_unfolded(seeds: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are sparse synapses where Lava's `Conv` counts no further."""
    monkeypatch.setattr(processes, "LARGEST", 0)
    networks = [random_loihi_network(seed) for seed in seeds]
    networks = [net for net in networks if any(isinstance(op, loihi.ConvOp) for op in net.module.walk())]
    assert len(networks) > len(seeds) / 2
    for network, lavas in zip(networks, in_lava(map(given, networks), tmp_path), strict=True):
        ours = [output[0] for output in network.interpret()]
        for one, other in zip([*ours, *ours], lavas.values(), strict=True):
            np.testing.assert_array_equal(one, other[0])
