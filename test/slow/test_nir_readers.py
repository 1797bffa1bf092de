"""What other frameworks compute from a .nir file, against our interpreter set to what they do.

Five topologies, average and sum pooling, with and without ties at the threshold; IF nodes (r = 1, dt = 1 s) and LIF
nodes that do not leak (dt = 1e-4 s). Where a framework imports a graph correctly, every spike is equal; where it does
not, the test says so, and docs/nir.md lists it. `make nir-readers` makes the environment that they run in.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.frontend.nir.importer import import_nir
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret

Array = NDArray[Any]
nir: Any = import_module("nir")

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-nir-readers" / "bin" / "python"
SCRIPT = Path(__file__).parent / "nir_readers" / "readers.py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.is_file(), reason="no environment of readers; make one with `make nir-readers`"),
]

TOPOLOGIES = ("plain", "skip", "sum", "branch", "long")
"""A chain; a skip straight into the sum before a neuron; a sum of spikes behind it; a convolution on the other branch;
a skip over two layers, from the input, through a convolution."""

STEPS = 16
SHAPE = (2, 8, 8)
CHANNELS = 4
GRID = 1 / 8
"""Weights and inputs are multiples of it, so that float32 sums are exact in any order."""

ENDLESS = 1e30
"""A time constant, in seconds, so long that nothing leaks: 1 - dt / tau is 1, in float64 too."""

ALL = 2**31 - 1
"""Spikes in one step: as many as there are."""


@dataclass(frozen=True)
class Case:
    """One graph."""

    topology: str
    pooling: str
    ties: bool
    neuron: str = "IF"

    def __str__(self) -> str:
        return f"{self.topology}-{self.pooling}-{'ties' if self.ties else 'no ties'}-{self.neuron}"

    @property
    def dt(self) -> float:
        """Seconds per step."""
        return 1.0 if self.neuron == "IF" else 1e-4


CASES = [
    Case(topology, pooling, ties, neuron)
    for topology in TOPOLOGIES
    for pooling in ("average", "sum")
    for ties in (True, False)
    for neuron in ("IF", "LIF")
]


@dataclass(frozen=True)
class Reader:
    """What a framework does with the neurons of a file, and which graphs it gets wrong.

    `bounded`: a membrane potential does not fall below minus the threshold. `wrong` are names of topologies, poolings
    and neurons.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    bounded: bool = False
    wrong: tuple[str, ...] = ()

    def imports(self, case: Case) -> bool:
        """Whether it reads a graph as it is meant."""
        return not {case.topology, case.pooling, case.neuron} & set(self.wrong)


SINABS = {"reset": "subtract", "comparison": "non-strict", "spikes_per_step": ALL}
READERS = (
    Reader("nirtorch"),
    Reader("snntorch", wrong=("IF",)),
    Reader("norse", wrong=("LIF", "average", "branch", "long")),
    Reader("sinabs", SINABS, bounded=True, wrong=("average", "branch", "long")),
    Reader("spikingjelly", {"comparison": "non-strict"}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_our_interpreter_does_what_the_reader_does(reader: Reader, case: Case, tmp_path: Path) -> None:
    file = tmp_path / "graph.nir"
    nir.write(file, graph(case))
    x = inputs()
    found, told = peer(reader.name, file, x, tmp_path)
    expected = ours(file, x, nc.NirOptions(dt=case.dt, **reader.options, **_bound(reader, case)))
    if reader.imports(case):
        assert found is not None, told
        np.testing.assert_array_equal(found, expected)
        assert expected.sum() > 20
    else:
        assert found is None or found.shape != expected.shape or (found != expected).any(), "it reads this now: say so"


@pytest.mark.parametrize("peer_name", ["snntorch", "norse", "sinabs", "spikingjelly"])
def test_the_examples_find_no_spike_that_differs(peer_name: str) -> None:
    command = [PYTHON, ROOT / "examples" / f"from_{peer_name}.py"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = re.search(r": (\d+) spikes, (\d+) differ$", done.stdout.strip().splitlines()[-1])
    assert said is not None, done.stdout
    assert int(said[1]) > 300
    assert int(said[2]) == 0


def _bound(reader: Reader, case: Case) -> dict[str, float]:
    """IF nodes of sinabs stop at minus their threshold, which all layers here share; LIF nodes do not."""
    return {"lower_bound": -threshold(case)} if reader.bounded and case.neuron == "IF" else {}


def peer(reader: str, file: Path, x: Array, folder: Path) -> tuple[Array | None, str]:
    """What a framework's network sends at every step; or None, and what it raised."""
    np.savez(folder / "x.npz", x=x)
    command = [PYTHON, SCRIPT, reader, file, folder / "x.npz", folder / "y.npz"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return None, done.stderr[-2000:]
    return np.load(folder / "y.npz")["y"], ""


def ours(file: Path, x: Array, options: nc.NirOptions) -> Array:
    """What our interpreter makes of a file: (time, *shape)."""
    context = create_context()
    module = import_nir(file, options, context)
    return interpret(module, weights_of(context), [x[None]])[0][0]


# The graphs


def inputs(seed: int = 0) -> Array:
    """(time, channels, height, width) of spikes."""
    return (np.random.default_rng(seed).random((STEPS, *SHAPE)) < 0.4).astype(np.float32)


def threshold(case: Case) -> float:
    """On the grid, or between its points."""
    return 1.0 if case.ties else 1.0 - GRID / 64


def graph(case: Case) -> Any:
    """One of the graphs."""
    build = _Builder(np.random.default_rng(0), case)
    nodes: dict[str, Any] = {
        "input": nir.Input(np.array(SHAPE)),
        "conv1": build.conv(SHAPE[0], 3),
        "if1": build.fires((CHANNELS, *SHAPE[1:])),
        "conv2": build.conv(CHANNELS, 3),
        "if2": build.fires((CHANNELS, *SHAPE[1:])),
    }
    edges = [("input", "conv1"), ("conv1", "if1"), ("if1", "conv2"), ("conv2", "if2")]
    if case.topology == "branch":
        nodes["conv3"] = build.conv(CHANNELS, 1)
    if case.topology == "long":
        nodes |= {"conv3": build.conv(CHANNELS, 3), "if3": build.fires((CHANNELS, *SHAPE[1:]))}
        nodes["conv4"] = build.conv(SHAPE[0], 1)
    edges += {
        "plain": [("if2", "pool")],
        "skip": [("if1", "if2"), ("if2", "pool")],
        "sum": [("if2", "pool"), ("if1", "pool")],
        "branch": [("if1", "conv3"), ("conv3", "if2"), ("if2", "pool")],
        "long": [("if2", "conv3"), ("conv3", "if3"), ("input", "conv4"), ("conv4", "if3"), ("if3", "pool")],
    }[case.topology]
    nodes |= {"pool": build.pool(), "flat": build.flat(), "fc": build.affine(), "out": build.fires((6,))}
    nodes["output"] = nir.Output(np.array([6]))
    edges += [("pool", "flat"), ("flat", "fc"), ("fc", "out"), ("out", "output")]
    return nir.NIRGraph(nodes=nodes, edges=edges)


class _Builder:
    """Nodes with random dyadic weights."""

    def __init__(self, random: np.random.Generator, case: Case) -> None:
        self.random = random
        self.case = case

    def weight(self, shape: Sequence[int], grid: float = GRID) -> Array:
        """Multiples of the grid."""
        return (self.random.integers(-3, 5, shape) * grid).astype(np.float32)

    def conv(self, channels: int, kernel: int) -> Any:
        """A convolution that keeps height and width."""
        weight, zeros = self.weight((CHANNELS, channels, kernel, kernel)), np.zeros(CHANNELS, np.float32)
        return nir.Conv2d(SHAPE[1:], weight, (1, 1), (kernel // 2, kernel // 2), (1, 1), 1, zeros)

    def fires(self, shape: Sequence[int]) -> Any:
        """A layer of neurons that do not leak."""
        level = np.full(shape, threshold(self.case), np.float32)
        ones, zeros = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        if self.case.neuron == "IF":
            return nir.IF(r=ones, v_threshold=level, v_reset=zeros)
        tau, r = np.full(shape, ENDLESS), np.full(shape, ENDLESS / self.case.dt)
        return nir.LIF(tau=tau, r=r, v_leak=zeros, v_threshold=level, v_reset=zeros)

    def pool(self) -> Any:
        """Windows of 2 x 2."""
        two, none = np.array([2, 2]), np.array([0, 0])
        kind = nir.AvgPool2d if self.case.pooling == "average" else nir.SumPool2d
        return kind(kernel_size=two, stride=two, padding=none)

    def flat(self) -> Any:
        """All axes as one."""
        return nir.Flatten(np.array([CHANNELS, SHAPE[1] // 2, SHAPE[2] // 2]), start_dim=0, end_dim=-1)

    def affine(self) -> Any:
        """The last layer; the divisor of a sum pooling is in its weights."""
        size = CHANNELS * SHAPE[1] * SHAPE[2] // 4
        grid = GRID / 4 if self.case.pooling == "sum" else GRID
        return nir.Affine(self.weight((6, size), grid), np.zeros(6, np.float32))
