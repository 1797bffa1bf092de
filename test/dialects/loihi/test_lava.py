"""Networks of level `loihi` in Lava itself: every spike and every membrane potential is the interpreter's.

Lava has an environment of its own (`make lava`), so networks travel as .npz: arrays, and a JSON text for the rest.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import IRDLOperation

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.ir.attributes import shape_of, values_of
from neurocuda.ir.weights import WeightStore
from neurocuda.testing_loihi import RandomLoihiNetwork, random_loihi_network

Array = NDArray[Any]
TENSORS = DenseIntOrFPElementsAttr | DenseResourceAttr

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
        (first + place, output)
        for place, (mine, lavas) in enumerate(zip(ours, in_lava(networks, tmp_path), strict=True))
        for output, (one, other) in enumerate(zip(mine, lavas, strict=True))
        if not np.array_equal(one, other)
    ]
    assert not differing, "(seed, place of the output)"


def in_lava(networks: Sequence[RandomLoihiNetwork], folder: Path) -> Iterator[list[Array]]:
    """The outputs of networks, for their first image, as Lava simulates them."""
    programs = [folder / f"{place}.npz" for place in range(len(networks))]
    for path, network in zip(programs, networks, strict=True):
        write_program(path, network.module, network.weights, [rows[0] for rows in network.inputs])
    done = subprocess.run([LAVA, RUNNER, *programs], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for path in programs:
        with np.load(path.with_suffix(".out.npz")) as outputs:
            yield [outputs[str(place)] for place in range(len(outputs))]


def write_program(path: Path, module: ModuleOp, weights: WeightStore, inputs: Sequence[Array]) -> None:
    """Writes the one network of a module, with the inputs (steps, ...) of one image."""
    network = next(op for op in module.walk() if isinstance(op, loihi.NetworkOp))
    block = network.body.block
    numbers: dict[SSAValue, int] = {}
    for value in (*block.args, *(result for op in block.ops for result in op.results)):
        numbers[value] = len(numbers)
    arrays = {f"input.{numbers[argument]}": rows for argument, rows in zip(block.args, inputs, strict=True)}
    operations: list[dict[str, object]] = []
    for index, op in enumerate(block.ops):
        if not isinstance(op, IRDLOperation) or isinstance(op, loihi.OutputOp):
            continue
        properties = _properties(op)
        operations.append(_operation(index, op, numbers, properties))
        arrays |= {
            f"{index}.{name}": weights.array(each) for name, each in properties.items() if isinstance(each, TENSORS)
        }
    last = block.last_op
    assert last is not None
    program = {
        "steps": network.steps.value.data,
        "operations": operations,
        "outputs": [numbers[value] for value in last.operands],
    }
    np.savez(path, allow_pickle=False, program=json.dumps(program), **arrays)


def _properties(op: IRDLOperation) -> dict[str, Attribute]:
    """What an operation says, defaults included."""
    found = {name: cast("Attribute | None", getattr(op, name)) for name in op.get_irdl_definition().properties}
    return {name: attribute for name, attribute in found.items() if attribute is not None}


def _operation(
    index: int, op: Operation, numbers: Mapping[SSAValue, int], properties: Mapping[str, Attribute]
) -> dict[str, object]:
    return {
        "index": index,
        "kind": op.name.partition(".")[2],
        "operands": [numbers[operand] for operand in op.operands],
        "results": [numbers[result] for result in op.results],
        "operand_shape": shape_of(op.operands[0]),
        "shape": shape_of(op.results[0]),
        "properties": {name: _plain(each) for name, each in properties.items() if not isinstance(each, TENSORS)},
    }


def _plain(attribute: Attribute) -> object:
    if isinstance(attribute, IntegerAttr):
        return attribute.value.data
    if isinstance(attribute, DenseArrayBase):
        return values_of(attribute)
    assert isinstance(attribute, StringAttr)
    return attribute.data
