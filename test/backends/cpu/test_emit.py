"""The C text: clean under warnings and sanitisers, the same every time, free of anything a model could smuggle in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from neurocuda.backends.cpu.emit import PrintedProgram, embedded_weights, emit_files, printed_programs
from neurocuda.errors import LevelError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_tables import random_table_network

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror")

HARNESS = """
#include "network.h"
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
    void *state = filled(NULL, NETWORK_STATE_BYTES);
    void *weights = filled("network.weights", NETWORK_WEIGHT_BYTES);
    int8_t *input = filled("input", INPUT);
    FILE *file = fopen("outputs", "wb");
    OUTPUTS
    fclose(file);
    free(state), free(weights), free(input);
    return 0;
}
"""


def lowered(seed: int, *, tables: bool = False) -> tuple[SpikingNetwork, PrintedProgram]:
    network = random_spiking_network(seed, batch=1)
    if tables:
        network = random_table_network(seed, batch=1)
        network.apply("encode-graded")
    network.apply("convert-snn-to-cpu", "allocate-buffers")
    return network, printed_programs(network.module, network.weights)[0]


def write_out(folder: Path, printed: PrintedProgram) -> None:
    (folder / "network.c").write_text(printed.code)
    (folder / "network.h").write_text(printed.header)
    (folder / "network.weights").write_bytes(printed.weights)


@pytest.mark.parametrize("tables", [False, True], ids=["neurons", "tables"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_warnings(tmp_path: Path, compiler: str, tables: bool) -> None:
    for seed in range(5):
        _, printed = lowered(seed, tables=tables)
        write_out(tmp_path, printed)
        command = [compiler, *WARNINGS, "-O1", "-c", "network.c", "-o", "network.o"]
        subprocess.run(command, cwd=tmp_path, check=True)


@pytest.mark.parametrize("tables", [False, True], ids=["neurons", "tables"])
@pytest.mark.skipif(not COMPILERS, reason="sanitisers need gcc or clang")
def test_sanitizers_find_nothing_and_results_stay(tmp_path: Path, tables: bool) -> None:
    for seed in (1, 5, 8, 11):
        network, printed = lowered(seed, tables=tables)
        write_out(tmp_path, printed)
        (tmp_path / "input").write_bytes(network.inputs[0].astype(np.int8).tobytes())
        (tmp_path / "main.c").write_text(harness(printed))
        command = [COMPILERS[0], *WARNINGS, "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        subprocess.run([*command, "main.c", "network.c", "-o", "main", "-lm"], cwd=tmp_path, check=True)
        subprocess.run(["./main"], cwd=tmp_path, check=True)
        expected = b"".join(output.tobytes() for output in network.interpret()[0])
        assert (tmp_path / "outputs").read_bytes() == expected


def harness(printed: PrintedProgram) -> str:
    """A main function that runs one image and writes all outputs into one file."""
    from neurocuda.backends.cpu.c_text import c_type

    sizes = [int(np.prod(array.shape)) for array in printed.outputs]
    kinds = [c_type(array.element) for array in printed.outputs]
    sized = enumerate(zip(kinds, sizes, strict=True))
    lines = [f"{kind} *o{i} = filled(NULL, sizeof(*o{i}) * {size});" for i, (kind, size) in sized]
    names = ", ".join(f"o{i}" for i in range(len(sizes)))
    lines.append("network_count *counts = filled(NULL, sizeof(network_count) * (NETWORK_COUNTS + 1));")
    lines.append(f"network_run(state, weights, input, {names}, counts);")
    lines.append(f"network_run(state, weights, input, {names}, NULL);")
    lines += [f"fwrite(o{i}, sizeof(*o{i}), {size}, file); free(o{i});" for i, size in enumerate(sizes)]
    lines.append("free(counts);")
    size = int(np.prod(printed.inputs[0].shape))
    return HARNESS.replace("INPUT)", f"{size})").replace("OUTPUTS\n", "\n    ".join(lines) + "\n")


@pytest.mark.skipif(not COMPILERS, reason="needs a compiler")
def test_weights_can_be_embedded(tmp_path: Path) -> None:
    content = bytes(range(256)) * 3 + b"\x07"
    (tmp_path / "weights.c").write_text(embedded_weights("network", content))
    check = (
        "#include <stdint.h>\n#include <stdio.h>\nextern const uint8_t network_weights[];\nint main(void) {\n"
        f"    fwrite(network_weights, 1, {len(content)}, stdout);\n    return (uintptr_t)network_weights % 64;\n}}\n"
    )
    (tmp_path / "main.c").write_text(check)
    subprocess.run([COMPILERS[0], *WARNINGS, "weights.c", "main.c", "-o", "main"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "main"], capture_output=True, check=True).stdout == content


def test_the_same_network_gives_the_same_files() -> None:
    files: list[dict[str, bytes]] = []
    for _ in range(2):
        network, _ = lowered(3)
        files.append(dict(emit_files(network.module, network.weights)))
    assert files[0] == files[1]
    assert files[0].keys() == {"network.c", "network.h", "network.weights"}


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
