"""nc-translate: PyTorch to IR, IR to C; what is written, and what is refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
import torch

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import load_module
from neurocuda.reference.interpreter import interpret

Tool = Callable[..., Any]


def test_a_program_becomes_ir(here: Path, tool: Tool) -> None:
    done = tool("nc-translate", "--import-torch", "model.pt2", "-o", "net.mlir")
    assert (done.code, done.out, done.err) == (0, "net.mlir\n", "")
    assert "nets.py" in (here / "net.mlir").read_text()
    context = create_context()
    module = load_module(context, here / "net.mlir")
    images = np.load(here / "images.npy")
    expected = torch.export.load(here / "model.pt2").module()(torch.tensor(images[:2])).detach().numpy()
    (found,) = interpret(module, weights_of(context), [images[:2]])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_large_weights_go_beside_it(here: Path, tool: Tool) -> None:
    class Large(torch.nn.Linear):
        pass

    program = torch.export.export(Large(300, 200).eval(), (torch.zeros(2, 300),))
    torch.export.save(program, here / "large.pt2")
    done = tool("nc-translate", "--import-torch", "large.pt2")
    assert done.out == "large.mlir\nlarge.safetensors\n"
    load_module(create_context(), here / "large.mlir")


def test_imported_ir_goes_through_the_passes(here: Path, tool: Tool) -> None:
    del here
    assert tool("nc-translate", "--import-torch", "model.pt2", "-o", "net.mlir", "--input-shape", "3,8,8").code == 0
    assert (
        tool("nc-opt", "net.mlir", "-p", "ann-to-snn,convert-snn-to-cpu,allocate-buffers", "-o", "cpu.mlir").code == 0
    )
    done = tool("nc-translate", "--emit-c", "cpu.mlir", "-o", "c")
    assert (done.code, done.err) == (0, "")
    assert done.out == "c/model.c\nc/model.h\nc/model_weights.c\n"


@pytest.mark.skipif(which("cc") is None, reason="there is no C compiler")
def test_c_of_an_artefact_compiles(here: Path, tool: Tool) -> None:
    done = tool("nc-translate", "--emit-c", "model.nca", "-o", "deep/folder")
    assert (done.code, done.err) == (0, "")
    written = [here / line for line in done.out.splitlines()]
    assert [path.name for path in written] == ["model.c", "model.h", "model_weights.c"]
    for path in written[::2]:
        command = ["cc", "-std=c11", "-Wall", "-Werror", "-c", str(path), "-o", os.devnull]
        subprocess.run(command, check=True)


def test_twice_the_same(here: Path, tool: Tool) -> None:
    for folder in ("one", "two"):
        assert tool("nc-translate", "--emit-c", "model.nca", "-o", folder, "--quiet").out == ""
    for name in ("model.c", "model.h", "model_weights.c"):
        assert (here / "one" / name).read_bytes() == (here / "two" / name).read_bytes()


def test_any_target_has_its_files(here: Path, tool: Tool) -> None:
    done = tool("nc-translate", "--emit", "model.nca", "-o", "any")
    assert done.code == 0
    assert tool("nc-translate", "--emit-c", "model.nca", "-o", "c").code == 0
    files = {path.name: path.read_bytes() for path in (here / "any").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (here / "c").iterdir()}


def test_imported_ir_becomes_a_nir_file(here: Path, tool: Tool) -> None:
    assert tool("nc-translate", "--import-torch", "model.pt2", "-o", "net.mlir", "--input-shape", "3,8,8").code == 0
    assert tool("nc-opt", "net.mlir", "-p", "ann-to-snn,convert-snn-to-nir", "-o", "nir.mlir").code == 0
    done = tool("nc-translate", "--emit-nir", "nir.mlir", "-o", "files")
    assert (done.code, done.out, done.err) == (0, "files/network.nir\n", "")
    assert (here / "files/network.nir").read_bytes().startswith(b"\x89HDF")
    tool("nc-translate", "--emit-nir", "model.nca").refused("model.nca is compiled for cpu")
    tool("nc-translate", "--emit-nir", "net.mlir").refused("level nir")


def test_list(tool: Tool) -> None:
    done = tool("nc-translate", "--list")
    assert done.code == 0
    assert [line.partition(":")[0] for line in done.out.splitlines()] == [
        "import-torch",
        "import-nir",
        "emit",
        "emit-c",
        "emit-nir",
    ]
    assert "--import-nir" in tool("nc-translate", "--help").out


def test_refusals(here: Path, tool: Tool) -> None:
    (here / "file").write_text("")
    (here / "torn.pt2").write_bytes((here / "model.pt2").read_bytes()[:2000])
    (here / "empty.mlir").write_text("func.func @main() {\n  func.return\n}\n")
    before = sorted(here.rglob("*"))
    tool("nc-translate", "--import-nir", "net.nir").refused("net.nir", "no such file")
    tool("nc-translate", "model.pt2").refused("--import-torch", "--emit-c")
    tool("nc-translate", "--import-torch").refused("give a file")
    tool("nc-translate", "--import-torch", "--emit-c", "model.nca").refused("--emit-c", "--import-torch")
    tool("nc-translate", "--import-torch", "nix.pt2").refused("nix.pt2", "No such file")
    tool("nc-translate", "--import-torch", "torn.pt2").refused("torn.pt2")
    tool("nc-translate", "--import-torch", "model.pt2", "-o", "nix/net.mlir").refused("nix/net.mlir")
    tool("nc-translate", "--import-torch", "model.pt2", "-o", "net.safetensors").refused("net.safetensors")
    tool("nc-translate", "--import-torch", "model.pt2", "--input-shape", "3,9,9").refused("(3, 9, 9)")
    tool("nc-translate", "--emit-c", "empty.mlir").refused("empty.mlir", "no program")
    tool("nc-translate", "--emit-c", "images.npy").refused("images.npy")
    tool("nc-translate", "--emit-c", "model.nca", "-o", "file").refused("file", "folder")
    tool("nc-translate", "--emit-c", "model.nca", "-o", "file/folder").refused("file/folder", "Not a directory")
    assert sorted(here.rglob("*")) == before
