"""Images for other processors: every count is the interpreter's, nothing allocates, and what is missing is said."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import neurocuda as nc
from neurocuda.backends.cpu import BACKEND, cross
from neurocuda.backends.cpu.cost import cost
from neurocuda.backends.cpu.cross import TOOLS, CrossProgram, load
from neurocuda.backends.cpu.emit import emit_files, printed_programs
from neurocuda.errors import InputError, OptionError, ToolchainError
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret
from neurocuda.testing_conformance import check_networks, conformance_cases
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_trains import random_train_network

PROCESSORS = sorted(TOOLS)
HEAP = ("malloc", "_malloc_r", "calloc", "realloc", "free", "_free_r", "_sbrk", "sbrk")


@pytest.fixture
def tools() -> Callable[[str], None]:
    """Skips where a processor's tools are not there."""

    def require(processor: str) -> None:
        try:
            TOOLS[processor].require()
        except ToolchainError as reason:
            pytest.skip(str(reason))

    return require


def lowered(network: SpikingNetwork, processor: str) -> CrossProgram:
    network.apply(f'convert-snn-to-cpu{{processor="{processor}"}}', "allocate-buffers")
    program = load(network.module, network.weights)
    assert isinstance(program, CrossProgram)
    return program


@pytest.mark.parametrize("processor", PROCESSORS)
def test_random_networks_keep_every_count(processor: str, tools: Callable[[str], None]) -> None:
    """One network in every code, from floats to counts."""
    tools(processor)
    codes = BACKEND.constraints.codes
    backend = replace(BACKEND, default_chip=processor)
    conformance = check_networks(backend, conformance_cases(codes, len(codes)), least=1, images=2)
    assert sum(conformance.counts.values()) > 1000


@pytest.mark.parametrize("real", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("processor", PROCESSORS)
def test_trains_are_run_step_by_step(processor: str, real: bool, tools: Callable[[str], None]) -> None:
    """The floats are quarters and halves, so that their sums are exact."""
    tools(processor)
    network = random_train_network(3, real=real)
    outputs, counts = network.interpret()
    execution = lowered(network, processor).run(network.inputs, RunOptions(counts=True))
    for one, other in zip(execution.outputs, outputs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert execution.counts.keys() == counts.keys()
    for name, count in counts.items():
        np.testing.assert_array_equal(execution.counts[name], count, err_msg=name)
    assert execution.steps == network.inputs[0].shape[1]
    none = load(network.module, network.weights).run([array[:, :0] for array in network.inputs])
    assert [output.size for output in none.outputs] == [0] * len(outputs)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_results_say_what_ran(processor: str, tools: Callable[[str], None]) -> None:
    """A simulator is called one, and its time is no latency."""
    tools(processor)
    network = random_spiking_network(4, batch=3)
    program, seen = lowered(network, processor), list[tuple[int, int]]()
    execution = program.run(network.inputs, RunOptions(progress=lambda done, whole: seen.append((done, whole))))
    assert not execution.counts, "counts are only kept when asked for"
    assert execution.provenance.startswith(f"simulator: {TOOLS[processor].simulator} ")
    assert TOOLS[processor].compiler in execution.provenance
    assert seen[-1] == (3, 3)
    readings = cost(network.module, network.weights, BACKEND.chip(processor), execution)
    assert "latency" not in {reading.name for reading in readings}
    assert program.run([array[:0] for array in network.inputs]).outputs[0].shape[0] == 0


def test_an_image_for_a_cortex_m7_has_no_heap(tmp_path: Path, tools: Callable[[str], None]) -> None:
    """Code, weights and start-up in flash, the state and the stack in RAM, and nothing that allocates."""
    tools("cortex-m7")
    network = random_spiking_network(4, batch=1)
    program = lowered(network, "cortex-m7")
    write_out(tmp_path, network)
    subprocess.run(["make", "-s"], cwd=tmp_path, check=True)
    linked = (tmp_path / "model.map").read_text().partition("Linker script and memory map")[2]
    assert ".text.model_run" in linked
    names = said(tmp_path, "arm-none-eabi-nm", "--format=just-symbols", "model.elf").split()
    assert "model_run" in names
    assert not set(HEAP) & set(names)
    assert not any(f" {name}\n" in linked for name in HEAP)
    text, data, bss = map(int, said(tmp_path, "arm-none-eabi-size", "model.elf").splitlines()[1].split()[:3])
    assert text > len(printed_programs(network.module, network.weights)[0].weights)
    assert data == 0
    state = program.programs[0].state_bytes
    assert state < bss - 32 * 1024 < state + 8 * 1024


@pytest.mark.parametrize("processor", PROCESSORS)
def test_an_image_without_inputs_fails(processor: str, tmp_path: Path, tools: Callable[[str], None]) -> None:
    """What cannot be read ends with an exit status."""
    tools(processor)
    network = random_spiking_network(4, batch=1)
    lowered(network, processor)
    write_out(tmp_path, network)
    assert subprocess.run(["make", "-s", "run"], cwd=tmp_path, capture_output=True, check=False).returncode
    (tmp_path / "inputs.bin").write_bytes(network.inputs[0].astype(np.int8).tobytes()[:-1])
    assert subprocess.run(["make", "-s", "run"], cwd=tmp_path, capture_output=True, check=False).returncode
    (tmp_path / "inputs.bin").write_bytes(network.inputs[0].astype(np.int8).tobytes())
    subprocess.run(["make", "-s", "run"], cwd=tmp_path, check=True)
    assert (tmp_path / "outputs.bin").stat().st_size > 0


def write_out(folder: Path, network: SpikingNetwork) -> None:
    for name, content in emit_files(network.module, network.weights).items():
        (folder / name).write_bytes(content)


def said(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, check=True, text=True).stdout


TWO = """
func.func @main(%x: tensor<2xi8>) -> tensor<2xi32> {
  %a = cpu.program "model" for "PROCESSOR" steps 1 inputs(%x) {
  ^bb0(%0: memref<2xi8>):
    %1 = cpu.buffer : memref<2xi32>
    cpu.fill %1 steps [0, 1] : memref<2xi32>
    cpu.diagonal %0 -> %1 weight(dense<[3, -4]> : tensor<2xi8>) steps [0, 1] : memref<2xi8> -> memref<2xi32>
    cpu.output %1 : memref<2xi32>
  } : (tensor<2xi8>) -> (tensor<2xi32>)
  %b = cpu.program "model_1" for "PROCESSOR" steps 2 inputs(%a) {
  ^bb0(%0: memref<2xi32>):
    %1 = cpu.buffer : memref<2xi32>
    cpu.fill %1 value(dense<[1, 100000]> : tensor<2xi32>) steps [0, 1] : memref<2xi32>
    cpu.add %0 -> %1 steps [1, 2] : memref<2xi32> -> memref<2xi32>
    cpu.output %1 : memref<2xi32>
  } : (tensor<2xi32>) -> (tensor<2xi32>)
  func.return %b : tensor<2xi32>
}
"""


@pytest.mark.parametrize("processor", PROCESSORS)
def test_two_programs_are_two_images(processor: str, tools: Callable[[str], None]) -> None:
    tools(processor)
    context = create_context()
    module = parse_module(context, TWO.replace("PROCESSOR", processor))
    images = np.array([[1, 2], [-128, 127], [0, 0]], np.int8)
    (expected,) = interpret(module, weights_of(context), [images])
    execution = load(module, weights_of(context)).run([images])
    np.testing.assert_array_equal(execution.outputs[0], expected)
    assert execution.steps == 3


# Bad input


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network can be compiled and exported without the tools; running it needs them."""
    model, images = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).eval(), torch.randn(64, 4)
    monkeypatch.setenv("PATH", "")
    compiled = nc.compile(model, target="cortex-m7", calibration=images)
    with pytest.raises(ToolchainError, match="run `make cross`, or on Debian: apt-get install make gcc-arm") as caught:
        compiled.run(images)
    assert "arm-none-eabi-gcc and qemu-system-arm cannot be found" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_simulator_that_hangs_is_ended(
    processor: str, monkeypatch: pytest.MonkeyPatch, tools: Callable[[str], None]
) -> None:
    tools(processor)
    network = random_spiking_network(4, batch=2)
    program = lowered(network, processor)
    monkeypatch.setenv("NEUROCUDA_QEMU_SECONDS", "1e-3")
    with pytest.raises(ToolchainError, match=r"took longer than 0\.002 seconds and was ended; NEUROCUDA_QEMU_SECONDS"):
        program.run(network.inputs)
    monkeypatch.setenv("NEUROCUDA_QEMU_SECONDS", "soon")
    with pytest.raises(OptionError, match="NEUROCUDA_QEMU_SECONDS is 'soon'; expected a positive number of seconds"):
        program.run(network.inputs)


def test_a_compiler_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tools: Callable[[str], None]) -> None:
    tools("aarch64")
    network = random_spiking_network(4, batch=1)
    program = lowered(network, "aarch64")
    monkeypatch.setattr(cross, "emit_files", lambda *_: {**emit_files(*_), "model.c": b"int model_run = nothing;\n"})  # pyright: ignore
    with pytest.raises(ToolchainError, match=r"`make model\.elf` failed: .*error: .*nothing") as caught:
        program.run(network.inputs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 3), np.int8), r"shape"),
        (np.full((3, 2), 256), "values from 256 to 256 do not fit into int8"),
        (np.zeros((3, 2), np.float32), "expected integers, found float32"),
    ],
)
def test_wrong_inputs_are_refused(images: np.ndarray, message: str, tools: Callable[[str], None]) -> None:
    tools("aarch64")
    context = create_context()
    module = parse_module(context, TWO.replace("PROCESSOR", "aarch64"))
    with pytest.raises(InputError, match=message):
        load(module, weights_of(context)).run([images])


def test_other_processors_run_in_this_process() -> None:
    for processor in ("host", "c11"):
        network = random_spiking_network(4, batch=1)
        network.apply(f'convert-snn-to-cpu{{processor="{processor}"}}', "allocate-buffers")
        assert not isinstance(load(network.module, network.weights), CrossProgram)
        assert not any(name.endswith("_main.c") for name in emit_files(network.module, network.weights))


def test_every_chip_that_needs_an_image_has_tools_and_a_makefile() -> None:
    from neurocuda.backends.cpu.image import processors

    assert processors() == set(TOOLS)
    assert set(TOOLS) <= set(BACKEND.chips)
    for tools in TOOLS.values():
        assert shutil.which("make") is None or "make" in tools.packages
