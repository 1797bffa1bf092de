"""NeuroBench's figures as we count them, against those of the package `neurobench` itself, on trained networks.

The float networks are the users' own modules; the spiking ones are built as torch modules from level `snn-integer`,
integers in floats, and run step by step. `make neurobench` makes the environment that the package runs in. Where it
counts otherwise than it says, the test says how, and docs/neurobench.md lists it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

import neurocuda as nc
from neurocuda.dialects.host import ops as host
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.measure.neurobench import NeuroBench, Terms
from neurocuda.reference.interpreter import interpret

Array: TypeAlias = NDArray[Any]
Found: TypeAlias = dict[str, Any]
Case: TypeAlias = tuple[NeuroBench, Found, Found]
"""What we count, and what the package says of the spiking and of the float network, by size of batch."""

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-neurobench" / "bin" / "python"
SCRIPT = Path(__file__).parent / "neurobench" / "count.py"
DATA = Path(os.environ.get("NEUROCUDA_DATA", ROOT / "no-data"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.is_file(), reason="no neurobench; make its environment with `make neurobench`"),
    pytest.mark.skipif(not (DATA / "trained.py").is_file(), reason="NEUROCUDA_DATA names no trained networks"),
]

IMAGES = {"resnet8": 16, "plain10": 8}
CONVERSION = nc.Conversion(code="unary", timesteps=4, calibration="mse")
LAYERS = {snn.Conv2dOp: "conv", snn.LinearOp: "linear", snn.DiagonalOp: "diagonal"}
POOLS = {snn.MaxPool2dOp: "max", snn.SumPool2dOp: "sum"}


def shared(name: str) -> ModuleType:
    """A script beside the data."""
    spec = spec_from_file_location(name, DATA / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=IMAGES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    name, folder = request.param, tmp_path_factory.mktemp("neurobench")
    model, prepare = getattr(shared("trained"), name)()
    train, _, test, labels = shared("datasets").cifar10()
    images, truth = prepare(test[: IMAGES[name]]).numpy(), labels[: IMAGES[name]].astype(np.int64)
    compiled = nc.compile(model, target="cpu", calibration=prepare(train[:64]), conversion=CONVERSION)
    np.savez(folder / "float.npz", images=images, labels=truth)
    given = {"images": integers(compiled, images), "labels": truth, **described(compiled)}
    np.savez(folder / "spiking.npz", allow_pickle=False, **given)
    said = counted(folder / "spiking.npz", "spiking"), counted(folder / "float.npz", "float", DATA / "trained.py", name)
    return compiled.neurobench(images, truth), *said


def counted(path: Path, *arguments: object) -> Found:
    command = [PYTHON, SCRIPT, path, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def integers(compiled: nc.Compiled, images: Array) -> Array:
    """The images as the spiking network takes them."""
    seen: list[Array] = []

    def note(op: Operation, values: Array) -> None:
        if isinstance(op, host.QuantizeOp):
            seen.append(values)

    interpret(compiled.level("snn-integer"), compiled.weights, [images], note)
    return seen[0]


def described(compiled: nc.Compiled) -> dict[str, Array]:
    """The operations of the network in order, as JSON, and their constants."""
    network = next(op for op in compiled.level("snn-integer").walk() if isinstance(op, snn.NetworkOp))
    names: dict[SSAValue, str] = {}
    ops = list(operations(network, names))
    text = json.dumps({"steps": network.duration, "ops": ops}).encode()
    constants = {
        f"{names[op.results[0]]}.{name}": compiled.weights.array(op.properties[name])
        for op in network.body.block.ops
        for name in ("weight", "threshold", "initial")
        if op.properties.get(name) is not None
    }
    return {"network.json": np.frombuffer(text, np.uint8), **constants}


def operations(network: snn.NetworkOp, names: dict[SSAValue, str]) -> Iterator[Found]:
    for op in network.body.block.ops:
        if isinstance(op, snn.OutputOp):
            return
        names[op.results[0]] = name = f"layer{len(names)}"
        reads = [] if isinstance(op, snn.InputOp) else [names[operand] for operand in op.operands]
        yield {"name": name, "reads": reads, **of_kind(op)}


def of_kind(op: Operation) -> Found:
    if isinstance(op, snn.Conv2dOp):
        geometry = {"stride": list(values_of(op.stride)), "padding": list(values_of(op.padding))}
        return {"kind": "conv", "groups": op.groups.value.data, **geometry}
    if isinstance(op, snn.LinearOp | snn.DiagonalOp):
        return {"kind": LAYERS[type(op)]}
    if isinstance(op, snn.MaxPool2dOp | snn.SumPool2dOp):
        return {"kind": POOLS[type(op)], "kernel": list(values_of(op.kernel)), "stride": list(values_of(op.stride))}
    if isinstance(op, snn.IntegrateAndFireOp):
        assert op.window is not None
        return {"kind": "neurons", "window": list(op.window)}
    if isinstance(op, snn.ReshapeOp):
        return {"kind": "reshape", "shape": list(shape_of(op.results[0]))}
    assert isinstance(op, snn.InputOp | snn.AccumulateOp)
    return {"kind": "input" if isinstance(op, snn.InputOp) else "readout"}


def at_once(found: Found) -> Found:
    """What the package says where all images are one batch."""
    return max(found.items(), key=lambda pair: int(pair[0].split()[1]))[1]


def pairs(ours: Terms, theirs: Found) -> Iterator[tuple[str, float, float]]:
    yield "Footprint", ours.footprint, theirs["Footprint"]
    yield "ConnectionSparsity", round(ours.connection_sparsity, 4), theirs["ConnectionSparsity"]
    yield "accuracy", ours.accuracy, 100 * theirs["ClassificationAccuracy"]
    yield "ActivationSparsity", ours.activation_sparsity, theirs["ActivationSparsity"]
    operations = theirs["SynapticOperations"]
    yield "Effective_MACs", ours.effective_macs, operations["Effective_MACs"]
    yield "Effective_ACs", ours.effective_acs, operations["Effective_ACs"]
    yield "Dense", ours.dense, operations["Dense"]


def test_every_figure_of_the_spiking_network_is_the_package_s(case: Case) -> None:
    ours, theirs, _ = case
    for name, one, other in pairs(ours.spiking, at_once(theirs)):
        assert one == pytest.approx(other, rel=1e-12), name


def test_every_figure_of_the_float_network_is_the_package_s(case: Case) -> None:
    """It sees `nn.ReLU` and the modules that it is told of, not `F.relu`: resnet8 has no activations there."""
    ours, _, theirs = case
    found = at_once(theirs)
    hidden = found["ActivationSparsity"] == 0.0
    assert hidden == (ours.images == IMAGES["resnet8"])
    for name, one, other in pairs(ours.float, found):
        if name != "ActivationSparsity" or not hidden:
            assert one == pytest.approx(other, rel=1e-5), name


def test_the_sum_of_operations_does_not_depend_on_the_batch(case: Case) -> None:
    """Their split may: an input of -1, 0 and 1 counts as spiking alone, and not in a batch with others."""
    ours, theirs, _ = case
    one, all_ = (found["SynapticOperations"] for found in (theirs["batch 1"], at_once(theirs)))
    macs, acs = ("Effective_MACs", "Effective_ACs")
    assert one["Dense"] == all_["Dense"]
    assert one[macs] + one[acs] == pytest.approx(all_[macs] + all_[acs], rel=1e-12)
    assert one[macs] <= all_[macs]
    assert ours.spiking.effective_macs == pytest.approx(all_[macs], rel=1e-12)
