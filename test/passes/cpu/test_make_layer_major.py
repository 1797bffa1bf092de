"""Layer after layer is step after step: outputs, and the count of every neuron, bit for bit, interpreted and as C."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation

from neurocuda.backends.cpu.emit import emit_files
from neurocuda.backends.cpu.run import load_here, load_portable
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.origin import origin_of
from neurocuda.passes.cpu.make_layer_major import IN_THE_WAY
from neurocuda.reference.interpreter import interpret
from neurocuda.testing import RandomNetwork, random_network
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network

Array = NDArray[Any]
QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")
SEEDS = range(8)
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-O1")


def stepped(seed: int, code: str) -> RandomNetwork:
    """A random network as a program that runs step after step."""
    network = random_network(seed)
    network.apply(*QUANTISE, "convert-ann-to-snn", f"encode-{code}", "convert-snn-to-cpu")
    return network


def said(network: RandomNetwork | SpikingNetwork, inputs: list[Array]) -> tuple[list[Array], Mapping[str, Array]]:
    """(outputs, values by origin)."""
    values: dict[str, Array] = {}

    def observe(op: Operation, value: Array) -> None:
        origin = origin_of(op)
        if origin is not None:
            values[origin] = np.asarray(value)

    return interpret(network.module, network.weights, inputs, observe), values


def program_of(module: ModuleOp) -> cpu.ProgramOp:
    """The one program."""
    return next(op for op in module.walk() if isinstance(op, cpu.ProgramOp))


def require_equal(found: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    """The same values for the same origins."""
    assert found.keys() == expected.keys()
    for origin, value in expected.items():
        np.testing.assert_array_equal(found[origin], value, err_msg=origin)


@pytest.mark.parametrize("code", ["free", "unary"])
@pytest.mark.parametrize("seed", SEEDS)
def test_any_network_is_kept(seed: int, code: str) -> None:
    network = stepped(seed, code)
    expected, counts = said(network, [network.images])
    network.apply("make-layer-major")
    outputs, found = said(network, [network.images])
    require_equal(found, counts)
    for one, other in zip(outputs, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    network.apply("choose-kernels", "allocate-buffers")
    for program in (load_here(network.module, network.weights), load_portable(network.module, network.weights)):
        execution = program.run([network.images], RunOptions(counts=True, threads=1))
        np.testing.assert_array_equal(execution.outputs[0], expected[0])
        require_equal(execution.counts, {origin: counts[origin] for origin in execution.counts})


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_c_has_no_warnings(tmp_path: Path, compiler: str) -> None:
    for seed in range(4):
        network = stepped(seed, "free")
        network.apply("make-layer-major", "allocate-buffers")
        for name, content in emit_files(network.module, network.weights).items():
            (tmp_path / name).write_bytes(content)
        subprocess.run([compiler, *WARNINGS, "-c", "model.c", "-o", "model.o"], cwd=tmp_path, check=True)


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds most networks fit, with every kind of layer, and neurons fire."""
    seen: set[str] = set()
    spikes = 0
    for seed in SEEDS:
        network = stepped(seed, "free")
        network.apply("make-layer-major")
        program = program_of(network.module)
        if program.covers is None:
            continue
        for op in program.body.block.ops:
            seen.add(op.name)
            if isinstance(op, cpu.SpikeLayerOp):
                seen.update(synapse.kind.data for synapse in op.synapses.data)
        spikes += sum(int(value.sum()) for value in said(network, [network.images])[1].values())
    assert {"cpu.current_layer", "cpu.spike_layer", "cpu.max_pool_train", "cpu.count_train"} <= seen
    assert {"conv2d", "diagonal", "depthwise_conv2d"} <= seen
    assert spikes > 1000


@pytest.mark.parametrize("seed", range(20))
def test_what_does_not_fit_stays_and_says_why(seed: int) -> None:
    """Networks with limits, leaks, delays and windows of their own keep their steps, and mean what they meant."""
    network = random_spiking_network(seed)
    network.apply("convert-snn-to-cpu")
    expected, _ = said(network, network.inputs)
    network.apply("make-layer-major")
    program = program_of(network.module)
    for one, other in zip(said(network, network.inputs)[0], expected, strict=True):
        np.testing.assert_array_equal(one, other)
    reason = program.attributes.get(IN_THE_WAY)
    assert (reason is None) == (program.covers is not None)
    assert reason is None or (isinstance(reason, StringAttr) and reason.data.startswith("`cpu."))
