"""The C text: clean under warnings and sanitisers, the same every time, free of anything a model could smuggle in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.cpu import BACKEND
from neurocuda.backends.cpu.constants import Constants
from neurocuda.backends.cpu.emit import emit_files, printed_programs
from neurocuda.dialects.cpu.semantics import buffer_dtype
from neurocuda.errors import LevelError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.meaning import Array
from neurocuda.testing_conformance import conformance_cases, lower
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_tables import random_table_network
from neurocuda.testing_trains import random_train_network

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion")

SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

KINDS = ("integers", "floats", "tables", "trains", "counts", "events")
"""Of networks: neurons of integers and of floats, tables, trains without an end; and from floats to whole layers."""

CHIP = "aarch64"
"""Its programs come with a main function, which any machine can run."""

PIPELINE = tuple(step.replace("$chip", CHIP) for step in BACKEND.pipeline)


@dataclass(frozen=True)
class Sample:
    """A module at level `cpu`, its constants, and inputs."""

    module: ModuleOp
    weights: WeightStore
    inputs: list[Array]

    def write_to(self, folder: Path) -> None:
        """The C, and inputs.bin."""
        for name, content in emit_files(self.module, self.weights).items():
            (folder / name).write_bytes(content)
        (folder / "inputs.bin").write_bytes(self.content)

    @property
    def content(self) -> bytes:
        """What the main function reads: image after image, of a network without an end the number of steps first."""
        (program,) = printed_programs(self.module, self.weights)
        array = self.inputs[0].astype(buffer_dtype(program.inputs[0].element))
        if program.steps is not None:
            return array.tobytes()
        return b"".join(np.int32(len(image)).tobytes() + image.tobytes() for image in array)

    @property
    def outputs(self) -> bytes:
        """What it writes."""
        (program,) = printed_programs(self.module, self.weights)
        arrays = interpret(self.module, self.weights, self.inputs)
        axes = 1 if program.steps is not None else 2
        rows = [array.reshape(*array.shape[:axes], -1) for array in arrays]
        records = [np.ascontiguousarray(row).view(np.uint8) for row in rows]
        return np.concatenate(records, axis=-1).tobytes()


def samples(kind: str, seeds: Sequence[int]) -> Iterator[Sample]:
    """Random networks of a kind."""
    if kind in ("counts", "events"):
        backend = replace(BACKEND, default_chip=CHIP)
        for seed in seeds:
            (case,) = conformance_cases(("unary", "free") if kind == "events" else ("unary",), 1, seed, kind)
            found = lower(backend, case)
            yield Sample(found.module, found.weights, [found.images])
        return
    for seed in seeds:
        network = network_of(kind, seed)
        network.apply(*PIPELINE)
        yield Sample(network.module, network.weights, network.inputs)


def network_of(kind: str, seed: int) -> SpikingNetwork:
    if kind == "trains":
        return random_train_network(seed)
    if kind != "tables":
        return random_spiking_network(seed, batch=2, real=kind == "floats")
    network = random_table_network(seed, batch=2)
    network.apply("encode-graded")
    return network


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_warnings(tmp_path: Path, compiler: str, kind: str) -> None:
    for sample in samples(kind, range(2)):
        sample.write_to(tmp_path)
        for name in ("model.c", "model_weights.c", "model_main.c"):
            command = [compiler, *WARNINGS, "-O1", "-c", name, "-o", "built.o"]
            subprocess.run(command, cwd=tmp_path, check=True)


def test_a_header_is_cpp_too(tmp_path: Path) -> None:
    """Applications in C++ include it."""
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    next(samples("integers", [1])).write_to(tmp_path)
    (tmp_path / "main.cpp").write_text('#include "model.h"\nconst void *of() { return &model_weights; }\n')
    command = [compiler, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "main.cpp"]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_sanitizers_find_nothing_and_results_stay(tmp_path: Path, compiler: str, kind: str) -> None:
    require_sanitizers(tmp_path, compiler)
    command = [
        compiler,
        *WARNINGS,
        *SANITIZERS,
        "model_main.c",
        "model.c",
        "model_weights.c",
        "io.c",
        "-o",
        "main",
        "-lm",
    ]
    for sample in samples(kind, (1, 5, 8)):
        sample.write_to(tmp_path)
        subprocess.run(command, cwd=tmp_path, check=True)
        subprocess.run(["./main"], cwd=tmp_path, check=True)
        assert (tmp_path / "outputs.bin").read_bytes() == sample.outputs
    subprocess.run([*command, "-DCOUNTS"], cwd=tmp_path, check=True)
    subprocess.run(["./main"], cwd=tmp_path, check=True)


def require_sanitizers(folder: Path, compiler: str) -> None:
    """Distributions put the sanitisers' library into a package of its own."""
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    command = [compiler, *SANITIZERS, "empty.c", "-o", "empty"]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
        pytest.skip(f"{compiler} has no sanitisers (Debian: libclang-rt-dev)")


EXTREMES = {
    "int8": [-128, 127, 0],
    "int32": [-(2**31), 2**31 - 1],
    "int64": [-(2**63), 2**63 - 1],
    "float32": [1e-45, -3.4028234663852886e38, -np.inf],
    "float64": [5e-324, 0.1],
}


@pytest.mark.skipif(not COMPILERS, reason="needs a compiler")
def test_weights_are_what_they_are_at_the_ends_of_their_types(tmp_path: Path) -> None:
    """The struct in C, written out byte by byte, is the one that is passed to programs in this process."""
    weights = WeightStore()
    constants = Constants(weights, "model")
    for number, (kind, values) in enumerate(EXTREMES.items()):
        constants.member(weights.add(np.array(values, kind)), "weight", f"no. {number}")
    (tmp_path / "model.h").write_text(
        "\n".join(["#include <stdalign.h>", "#include <stdint.h>", *constants.declaration])
    )
    (tmp_path / "weights.c").write_text(constants.definition)
    write = "fwrite(&model_weights, 1, sizeof model_weights, stdout);"
    check = f'#include "model.h"\n#include <stdio.h>\nint main(void) {{\n    {write}\n    return 0;\n}}\n'
    (tmp_path / "main.c").write_text(check)
    subprocess.run([COMPILERS[0], *WARNINGS, "weights.c", "main.c", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout == constants.content


def test_the_same_network_gives_the_same_files() -> None:
    files: list[dict[str, bytes]] = []
    for _ in range(2):
        network = random_spiking_network(3)
        network.apply("convert-snn-to-cpu", "allocate-buffers")
        files.append(dict(emit_files(network.module, network.weights)))
    assert files[0] == files[1]
    assert files[0].keys() == {"model.c", "model.h", "model_weights.c"}


EVIL = r"*/ system(\22rm\22); /* %s \\ ??/ \0A#include <evil.h>"
NAMED = f"""
func.func @main(%x: tensor<2xi8>) -> tensor<2x!snn.spikes<0, 4>> {{
  %y = snn.network code "free" steps 4 inputs(%x) {{
  ^bb0(%i: tensor<2xi8>):
    %0 = snn.input %i : tensor<2xi8> -> tensor<2xi8>
    %1 = snn.diagonal %0 weight(dense<2> : tensor<2xi8>) : tensor<2xi8> -> tensor<2xi32>
    %2 = snn.integrate_and_fire %1 threshold(dense<3> : tensor<2xi32>) {{nc.origin = "{EVIL}"}}
      : (tensor<2xi32>) -> tensor<2x!snn.spikes<0, 4>>
    snn.output %2 : tensor<2x!snn.spikes<0, 4>>
  }} : (tensor<2xi8>) -> (tensor<2x!snn.spikes<0, 4>>)
  func.return %y : tensor<2x!snn.spikes<0, 4>>
}}
"""


def test_names_from_the_model_stay_in_comments() -> None:
    context = create_context()
    network = SpikingNetwork(context, parse_module(context, NAMED), [])
    network.apply("convert-snn-to-cpu", "allocate-buffers")
    printed = printed_programs(network.module, weights_of(context))[0]
    for text in (printed.code, printed.header):
        assert "evil" in text, "the layer's name is there for people"
        assert 'system("' not in text
        assert "??" not in text
        assert all("evil" not in line for line in without_comments(text).splitlines())


def without_comments(text: str) -> str:
    import re

    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def test_a_program_without_places_is_refused() -> None:
    network = random_spiking_network(1)
    network.apply("convert-snn-to-cpu")
    with pytest.raises(LevelError, match=r"it has no place in memory\. Run allocate-buffers."):
        emit_files(network.module, network.weights)
