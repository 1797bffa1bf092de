"""The C text: clean under warnings and sanitisers, the same every time, free of anything a model could smuggle in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from neurocuda.backends.cpu.constants import Constants
from neurocuda.backends.cpu.emit import PrintedProgram, emit_files, printed_programs
from neurocuda.errors import LevelError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_tables import random_table_network

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion")

SANITIZERS = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

HARNESS = """
#include "model.h"
#include <stdio.h>
#include <stdlib.h>

static void *filled(const char *path, size_t size) {
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64 + 64);
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (path && (!file || fread(memory, 1, size, file) != size)) exit(2);
    if (file) fclose(file);
    return memory;
}

int main(void) {
    void *state = filled(NULL, MODEL_STATE_BYTES);
    int8_t *input = filled("input", INPUT);
    FILE *file = fopen("outputs", "wb");
    OUTPUTS
    fclose(file);
    free(state), free(input);
    return 0;
}
"""


def lowered(seed: int, *, tables: bool = False, real: bool = False) -> tuple[SpikingNetwork, PrintedProgram]:
    network = random_spiking_network(seed, batch=1, real=real)
    if tables:
        network = random_table_network(seed, batch=1)
        network.apply("encode-graded")
    network.apply("convert-snn-to-cpu", "allocate-buffers")
    return network, printed_programs(network.module, network.weights)[0]


def write_out(folder: Path, network: SpikingNetwork) -> None:
    for name, content in emit_files(network.module, network.weights).items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("kind", ["integers", "floats", "tables"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_warnings(tmp_path: Path, compiler: str, kind: str) -> None:
    for seed in range(5):
        network, _ = lowered(seed, tables=kind == "tables", real=kind == "floats")
        write_out(tmp_path, network)
        for name in ("model", "model_weights"):
            command = [compiler, *WARNINGS, "-O1", "-c", f"{name}.c", "-o", f"{name}.o"]
            subprocess.run(command, cwd=tmp_path, check=True)


def test_a_header_is_cpp_too(tmp_path: Path) -> None:
    """Applications in C++ include it."""
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    network, _ = lowered(1)
    write_out(tmp_path, network)
    (tmp_path / "main.cpp").write_text('#include "model.h"\nconst void *of() { return &model_weights; }\n')
    command = [compiler, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "main.cpp"]
    subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize("tables", [False, True], ids=["neurons", "tables"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_sanitizers_find_nothing_and_results_stay(tmp_path: Path, compiler: str, tables: bool) -> None:
    require_sanitizers(tmp_path, compiler)
    for seed in (1, 5, 8, 11):
        network, printed = lowered(seed, tables=tables)
        write_out(tmp_path, network)
        (tmp_path / "input").write_bytes(network.inputs[0].astype(np.int8).tobytes())
        (tmp_path / "main.c").write_text(harness(printed))
        files = ["main.c", "model.c", "model_weights.c", "-o", "main", "-lm"]
        subprocess.run([compiler, *WARNINGS[:-1], *SANITIZERS, *files], cwd=tmp_path, check=True)
        subprocess.run(["./main"], cwd=tmp_path, check=True)
        expected = b"".join(output.tobytes() for output in network.interpret()[0])
        assert (tmp_path / "outputs").read_bytes() == expected


def require_sanitizers(folder: Path, compiler: str) -> None:
    """Distributions put the sanitisers' library into a package of its own."""
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    done = subprocess.run(
        [compiler, *SANITIZERS, "empty.c", "-o", "empty"], cwd=folder, capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"{compiler} has no sanitisers (Debian: libclang-rt-dev)")


def harness(printed: PrintedProgram) -> str:
    """A main function that runs one image and writes all outputs into one file."""
    from neurocuda.backends.cpu.c_text import c_type

    sizes = [int(np.prod(array.shape)) for array in printed.outputs]
    kinds = [c_type(array.element) for array in printed.outputs]
    sized = enumerate(zip(kinds, sizes, strict=True))
    lines = [f"{kind} *o{i} = filled(NULL, sizeof(*o{i}) * {size});" for i, (kind, size) in sized]
    names = ", ".join(f"o{i}" for i in range(len(sizes)))
    lines.append("model_count *counts = filled(NULL, sizeof(model_count) * (MODEL_COUNTS + 1));")
    lines.append(f"model_run(state, &model_weights, input, {names}, counts);")
    lines.append(f"model_run(state, &model_weights, input, {names}, NULL);")
    lines += [f"fwrite(o{i}, sizeof(*o{i}), {size}, file); free(o{i});" for i, size in enumerate(sizes)]
    lines.append("free(counts);")
    size = int(np.prod(printed.inputs[0].shape))
    return HARNESS.replace("INPUT)", f"{size})").replace("OUTPUTS\n", "\n    ".join(lines) + "\n")


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
        network, _ = lowered(3)
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
