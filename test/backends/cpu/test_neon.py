"""LLVM's code for 64-bit Arm with NEON says what the operations mean: random networks and layers, run in qemu."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp, StringAttr

from neurocuda.backends.cpu import BACKEND
from neurocuda.backends.cpu.llvm.machine import llvm_text, machine_code
from neurocuda.backends.cpu.native import as_input
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.interface import ALIGNMENT, Interface
from neurocuda.dialects.cpu.semantics import buffer_dtype
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.convert.convert_cpu_to_llvm import constants_of, lowered
from neurocuda.passes.cpu.llvm.features import LEVELS, Features
from neurocuda.pipeline import target_stage
from neurocuda.reference.interpreter import interpret
from neurocuda.testing import RandomNetwork, random_network
from neurocuda.testing_layers import random_count_layer
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_trains import random_train_network

Array = NDArray[Any]

COMPILER, SIMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64"
MISSING = [tool for tool in (COMPILER, SIMULATOR) if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} cannot be found: run `make cross`")

NEON = LEVELS["neon"]
PRODUCTS = replace(NEON, flags=NEON.flags | {"dotprod", "i8mm"})
"""With sums of four products of bytes."""
PROCESSORS = pytest.mark.parametrize("features", [NEON, PRODUCTS], ids=["neon", "products"])

QUANTISE = ("calibrate", "balance-thresholds{timesteps=7}", "quantize-activations{timesteps=7}", "quantize-weights")
LOOPS = ("convert-snn-to-cpu", "allocate-buffers")

MAIN = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void SYMBOL_run(void *state, const void *weights, PARAMETERS, void *counts);

static char *filled(const char *name, size_t size) {
    char *memory = aligned_alloc(64, (size + 64) / 64 * 64);
    FILE *file = name ? fopen(name, "rb") : NULL;
    if (name && (!file || fread(memory, 1, size, file) != size)) exit(2);
    return memory;
}

int main(void) {
    void *state = filled(NULL, STATE), *weights = filled("weights", WEIGHTS);
    MEMORY
    for (long image = 0; image < IMAGES; ++image) SYMBOL_run(state, weights, ARGUMENTS, NULL);
    FILE *file = fopen("outputs", "wb");
    GIVEN
    return fclose(file);
}
"""


def on_arm(
    module: ModuleOp, weights: WeightStore, inputs: Sequence[Array], features: Features, folder: Path
) -> list[Array]:
    """The outputs of the one program of a module."""
    (program,) = (op for op in module.walk() if isinstance(op, cpu.ProgramOp))
    interface, images = Interface(program), len(inputs[0])
    time = [] if interface.steps is not None else [inputs[0].shape[1]]
    given = [as_input(each, buffer_dtype(spec.element)) for each, spec in zip(inputs, interface.inputs, strict=True)]
    outputs = [np.zeros((images, *time, *spec.shape), buffer_dtype(spec.element)) for spec in interface.outputs]
    constants = constants_of(program, weights, features)
    for name, content in {
        "weights": constants,
        "model.o": machine_code(llvm_text(lowered([program], weights, features)), features),
        **{f"input{index}": each.tobytes() for index, each in enumerate(given)},
    }.items():
        (folder / name).write_bytes(content)
    (folder / "main.c").write_text(_main(interface, given, outputs, len(constants), time))
    for command in ([COMPILER, "-static", "main.c", "model.o", "-o", "main", "-lm"], [SIMULATOR, "./main"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{command[0]}: {done.returncode} {done.stderr}"
    written = (folder / "outputs").read_bytes()
    borders = np.cumsum([0, *(each.nbytes for each in outputs)])
    return [
        np.frombuffer(written[start : start + each.nbytes], each.dtype).reshape(each.shape)
        for start, each in zip(borders[:-1], outputs, strict=True)
    ]


def _main(
    interface: Interface, inputs: Sequence[Array], outputs: Sequence[Array], weights: int, time: list[int]
) -> str:
    """A main function that reads all inputs, runs image after image, and writes all outputs."""
    read = {f"input{index}": each for index, each in enumerate(inputs)}
    written = {f"output{index}": each for index, each in enumerate(outputs)}
    memory = [f'char *{name} = filled("{name}", {each.nbytes});' for name, each in read.items()]
    memory += [f"char *{name} = filled(NULL, {each.nbytes});" for name, each in written.items()]
    places = [f"{n} + image * {prod(each.shape[1:]) * each.itemsize}" for n, each in (read | written).items()]
    parts = {
        "PARAMETERS": ", ".join([*(["int32_t first", "int32_t steps"] if time else []), *["void *"] * len(places)]),
        "STATE": str(max(ALIGNMENT, interface.state_bytes)),
        "WEIGHTS": str(weights),
        "MEMORY": " ".join(memory),
        "IMAGES": str(len(inputs[0])),
        "ARGUMENTS": ", ".join([*(["0", str(time[0])] if time else []), *places]),
        "GIVEN": " ".join(f"fwrite({name}, 1, {each.nbytes}, file);" for name, each in written.items()),
        "SYMBOL": interface.symbol,
    }
    text = MAIN
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def require_equal(found: Sequence[Array], expected: Sequence[Array]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("real", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("seed", range(6))
def test_loop_nests(seed: int, real: bool, tmp_path: Path) -> None:
    network = random_spiking_network(seed, real=real)
    expected = network.interpret()[0]
    network.apply(*LOOPS)
    require_equal(on_arm(network.module, network.weights, network.inputs, NEON, tmp_path), expected)


@pytest.mark.parametrize("seed", range(5))
def test_programs_without_an_end(seed: int, tmp_path: Path) -> None:
    network: SpikingNetwork = random_train_network(seed)
    expected = network.interpret()[0]
    network.apply(*target_stage(BACKEND, BACKEND.default_chip).passes)
    require_equal(on_arm(network.module, network.weights, network.inputs, NEON, tmp_path), expected)


@PROCESSORS
@pytest.mark.parametrize("kernel", [None, "gather", "dense"])
@pytest.mark.parametrize(("seed", "code"), [(0, "free"), (9, "unary"), (10, "free"), (11, "unary")])
def test_networks_of_spikes(seed: int, code: str, kernel: str | None, features: Features, tmp_path: Path) -> None:
    """Seeds whose networks have whole layers of spikes; whichever kernel is asked for."""
    network = random_network(seed)
    network.apply(*QUANTISE, "convert-ann-to-snn", f"encode-{code}", "convert-snn-to-cpu", "make-layer-major")
    expected = interpret(network.module, network.weights, [network.images])
    layers = [op for op in network.module.walk() if isinstance(op, cpu.SpikeLayerOp)]
    assert layers
    for layer in layers:
        layer.properties.pop("kernel", None)
        if kernel is not None:
            layer.properties["kernel"] = StringAttr(kernel)
    network.apply("reserve-scratch", "allocate-buffers")
    _require_said(network, expected, features, tmp_path)


@PROCESSORS
@pytest.mark.parametrize("seed", range(4))
def test_networks_of_counts(seed: int, features: Features, tmp_path: Path) -> None:
    network = random_network(seed)
    network.apply(*QUANTISE, "convert-ann-to-snn")
    expected = interpret(network.module, network.weights, [network.images])
    network.apply(*target_stage(BACKEND, BACKEND.default_chip).passes)
    assert any(isinstance(op, cpu.CountLayerOp) for op in network.module.walk())
    _require_said(network, expected, features, tmp_path)


def _require_said(network: RandomNetwork, expected: list[Array], features: Features, folder: Path) -> None:
    require_equal(on_arm(network.module, network.weights, [network.images], features, folder), expected)


@PROCESSORS
@pytest.mark.parametrize("seed", range(8))
def test_layers_of_counts(seed: int, features: Features, tmp_path: Path) -> None:
    layer = random_count_layer(seed)
    expected = layer.interpret()
    RandomNetwork(layer.context, layer.module, layer.inputs[0]).apply("allocate-buffers")
    require_equal(on_arm(layer.module, layer.weights, layer.inputs, features, tmp_path), expected)
