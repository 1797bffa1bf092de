"""Layers of counts are fused without changing any, and then little memory is left to need."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_bytes
from neurocuda.ir.origin import origin_of
from neurocuda.measure.exactness import compare, counts_of
from neurocuda.pipeline import Line, target_stage
from neurocuda.targeting import resolve_target
from neurocuda.testing import RandomNetwork, random_network
from neurocuda.testing_tables import random_table_network

Array = NDArray[Any]

RACE = Path(__file__).parents[2] / "benchmarks" / "race"
QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")
LOWER = ("convert-snn-to-cpu", "fuse-layers", "allocate-buffers")


def counted(network: RandomNetwork) -> dict[str, Array]:
    """What the neurons of a program say, and its outputs."""
    found: dict[str, Array] = {}

    def note(op: Operation, values: Array) -> None:
        found[origin_of(op) or ""] = values

    outputs = network.interpret(network.images, note)
    return found | {f"output {index}": output for index, output in enumerate(outputs)}


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_kept(seed: int) -> None:
    network = random_network(seed, mixed_levels=seed % 3 > 0, extreme=seed % 3 == 2)
    network.apply(*QUANTISE)
    expected = counts_of(network.module, network.weights, [network.images])
    network.apply("convert-ann-to-snn", *LOWER)
    comparison = compare("ann-quantized", "cpu", expected, counted(network))
    assert comparison.exact, str(comparison)
    assert not any(isinstance(op, cpu.FireOp) for op in network.module.walk()), "every layer is fused"


@pytest.mark.parametrize("seed", range(12))
def test_tables_and_products_are_kept(seed: int) -> None:
    network = random_table_network(seed)
    expected, counts = network.interpret()
    network.apply(*LOWER)
    found, said = network.interpret()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    for origin, each in counts.items():
        np.testing.assert_array_equal(said[origin], each, err_msg=origin)


@pytest.mark.parametrize("name", ["resnet18", "resnet20", "vgg11"])
def test_memory_is_one_and_a_half_times_the_two_largest_activations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = raced(name, monkeypatch)
    (program,) = (op for op in module.walk() if isinstance(op, cpu.ProgramOp))
    layers = [op for op in program.walk() if isinstance(op, cpu.CountLayerOp)]
    sizes = sorted(buffer_bytes(op.spikes) for op in layers)
    assert program.uses()["state_bytes"] <= 1.5 * sum(sizes[-2:])


def raced(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleOp:
    """A network of the benchmarks, computed as counts, at level `cpu`."""
    monkeypatch.setattr(sys, "path", [str(RACE), *sys.path])
    before = set(sys.modules)
    architectures, synthetic, writing = (import_module(each) for each in ("architectures", "synthetic", "writing"))
    network = synthetic.collapsed(synthetic.synthetic(architectures.ARCHITECTURES[name], 8, 0.1))
    context, module = writing.written(network)
    for each in set(sys.modules) - before:
        if str(RACE) in str(getattr(sys.modules[each], "__file__", "")):
            del sys.modules[each]
    line = Line.start(context, module)
    line.run(target_stage(*resolve_target("cpu")))
    return line.module
