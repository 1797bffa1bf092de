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
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import neurocuda as nc

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

    def meaning(self, dt: float, threshold: float) -> nc.NirOptions:
        """What our importer is told, for neurons of one threshold."""
        return nc.NirOptions(dt=dt, lower_bound=-threshold if self.bounded else None, **self.options)


SINABS = {"reset": "subtract", "comparison": "non-strict", "spikes_per_step": ALL}
READERS = (
    Reader("nirtorch"),
    Reader("snntorch", wrong=("IF",)),
    Reader("norse", wrong=("LIF", "average", "branch", "long")),
    Reader("sinabs", SINABS, bounded=True, wrong=("LIF", "average", "branch", "long")),
    Reader("spikingjelly", {"comparison": "non-strict"}),
)


@pytest.fixture(name="graphs", scope="module")
def fixture_graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the file of every case, and its input."""
    folder = tmp_path_factory.mktemp("graphs")
    for case in CASES:
        nir.write(folder / f"{case}.nir", graph(case))
        np.savez(folder / f"{case}.npz", x=inputs())
    return folder


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_our_interpreter_does_what_the_reader_does(reader: Reader, graphs: Path) -> None:
    """Every spike of every graph that it imports as it is meant; and it imports no others."""
    run_peer(reader.name, graphs)
    said: dict[str, str] = {}
    for case in CASES:
        found, told = answer(reader.name, graphs / f"{case}.nir")
        expected = ours(graphs / f"{case}.nir", inputs(), reader.meaning(case.dt, threshold(case)))
        assert expected.sum() > 20
        equal = found is not None and np.array_equal(found, expected)
        if equal != reader.imports(case):
            said[str(case)] = told or ("reads it now" if equal else "computes something else")
    assert not said


def run_peer(reader: str, folder: Path) -> None:
    """Runs every file of a folder in a framework."""
    command = [PYTHON, SCRIPT, reader, folder]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def answer(reader: str, file: Path) -> tuple[Array | None, str]:
    """What a framework's network sent at every step; or None, and what it raised."""
    found = np.load(file.with_name(f"{file.stem}.{reader}.npz"))
    return (found["y"], "") if "y" in found else (None, str(found["error"]))


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


def ours(file: Path, x: Array, options: nc.NirOptions) -> Array:
    """What our interpreter makes of a file: (time, *shape)."""
    return np.asarray(nc.import_model(file, nir=options).interpret(x[None]))[0]


# Our own files


class Residual(nn.Module):
    """A convolution and a skip straight into the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2, self.linear = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(36, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.conv1(x))
        y = torch.relu(self.conv2(y) + y)
        return self.linear(nn.functional.avg_pool2d(y, 2).flatten(1))


class Plain(nn.Module):
    """One layer of neurons."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(2, 4, 3), nn.Linear(36, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(nn.functional.avg_pool2d(torch.relu(self.conv(x)), 2).flatten(1))


def exported(model: nn.Module, target: str, folder: Path, code: str, **options: Any) -> tuple[Path, Array]:
    """The file of a compiled network, and what one image becomes as its input: whole numbers at every step."""
    images = torch.randn(64, *SHAPE, generator=torch.Generator().manual_seed(0))
    conversion = nc.Conversion(code=code, timesteps=4, calibration="mse", **options)
    compiled = nc.compile(model.eval(), target=target, calibration=images, conversion=conversion)
    (file,) = compiled.export(folder)
    steps = compiled.run(images[:1]).steps
    once = np.random.default_rng(0).integers(-100, 100, SHAPE).astype(np.float32)
    x = np.zeros((steps, *SHAPE), np.float32)
    x[: steps if code == "free" else 1] = once
    return file, x


@pytest.mark.parametrize("code", ["unary", "free"])
def test_the_exact_file_is_the_same_network_to_nirtorch(code: str, tmp_path: Path) -> None:
    """Resets by subtraction, firing windows and initial values, in what nirtorch runs once it knows four primitives."""
    torch.default_generator.manual_seed(0)
    file, x = exported(Residual(), "nir:exact", tmp_path, code)
    np.savez(file.with_suffix(".npz"), x=x)
    run_peer("nirtorch", tmp_path)
    found, told = answer("nirtorch", file)
    assert found is not None, told
    expected = ours(file, x, nc.NirOptions())
    np.testing.assert_array_equal(found, expected)
    assert np.abs(expected[-1]).sum() > 0


@pytest.mark.parametrize("model", [Plain, Residual])
@pytest.mark.parametrize("reader", [reader for reader in READERS if reader.name != "snntorch"], ids=lambda r: r.name)
def test_the_compatible_file_is_read(reader: Reader, model: type[nn.Module], tmp_path: Path) -> None:
    if "branch" in reader.wrong and model is Residual:
        pytest.skip("a skip whose weight is not 1 is a convolution on the other branch")
    torch.default_generator.manual_seed(0)
    options = {"initial": 0.0, "threshold_granularity": "layer"}
    with pytest.warns(nc.NeuroCudaWarning, match="subtract"):
        file, x = exported(model(), "nir:compatible", tmp_path, "free", **options)
    np.savez(file.with_suffix(".npz"), x=x)
    run_peer(reader.name, tmp_path)
    found, told = answer(reader.name, file)
    assert found is not None, told
    np.testing.assert_array_equal(found, ours(file, x, reader.meaning(1.0, levels_of(file)[0])))


def levels_of(file: Path) -> list[float]:
    """The threshold of every layer of IF nodes, which its neurons share."""
    levels = [np.unique(node.v_threshold) for node in nir.read(file).nodes.values() if isinstance(node, nir.IF)]
    return [float(level) for (level,) in levels]


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
