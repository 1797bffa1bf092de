"""Machine code in the cache: found again, made again where it is damaged, refused where it cannot run."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from neurocuda.backends.cpu.llvm import machine
from neurocuda.backends.cpu.llvm.objects import object_code
from neurocuda.backends.cpu.run import load
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.passes.cpu.llvm.features import LEVELS, Features, features_named

PROGRAM = """
func.func @main(%x: tensor<5xi32>) -> tensor<5xi32> {
  %y = cpu.program "network" steps 1 inputs(%x) {
  ^bb0(%0: memref<5xi32>):
    %1 = cpu.buffer : memref<5xi32>
    cpu.fill %1 value(dense<[1, 2, 3, 4, VALUE]> : tensor<5xi32>) steps [0, 1] : memref<5xi32>
    cpu.add %0 -> %1 steps [0, 1] : memref<5xi32> -> memref<5xi32>
    cpu.output %1 : memref<5xi32>
  } : (tensor<5xi32>) -> (tensor<5xi32>)
  func.return %y : tensor<5xi32>
}
"""
HOST = features_named("host")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cpu"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What LLVM was given."""
    texts: list[str] = []
    real = machine.machine_code

    def noted(text: str, features: Features) -> bytes:
        texts.append(text)
        return real(text, features)

    monkeypatch.setattr(machine, "machine_code", noted)
    return texts


def code(value: int = 5, features: Features = HOST) -> bytes:
    """The object file of a program that writes five numbers."""
    context = create_context()
    module = parse_module(context, PROGRAM.replace("VALUE", str(value)))
    (program,) = (op for op in module.walk() if isinstance(op, cpu.ProgramOp))
    return object_code(program, weights_of(context), features)


def test_what_was_made_is_found_again(cache: Path, made: list[str]) -> None:
    first = code()
    assert code() == first
    assert len(made) == 1
    code(6)
    code(features=LEVELS["baseline"])
    assert len(made) == 3
    assert len(list(cache.iterdir())) == 3, "nothing half-written is left behind"


def test_many_can_compile_at_once(cache: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert len({future.result() for future in [pool.submit(code) for _ in range(8)]}) == 1
    assert len(list(cache.iterdir())) == 1


def test_processes_can_compile_at_once(cache: Path) -> None:
    """Each reads what another one has written, or writes the same."""
    script = f"""
import numpy as np

from neurocuda.backends.cpu.run import load
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
context = create_context()
module = parse_module(context, '''{PROGRAM.replace("VALUE", "5")}''')
print(load(module, weights_of(context)).run([np.zeros((1, 5), np.int32)]).outputs[0].tolist())
"""
    processes = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)]
    assert {process.communicate()[0] for process in processes} == {b"[[1, 2, 3, 4, 5]]\n"}
    assert len(list(cache.iterdir())) == 1


def test_no_compiler_is_needed(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "")
    context = create_context()
    module = parse_module(context, PROGRAM.replace("VALUE", "9"))
    program = load(module, weights_of(context))
    np.testing.assert_array_equal(program.run([np.ones((1, 5), np.int32)]).outputs[0], [[2, 3, 4, 5, 10]])
    assert program.provenance == f"cpu: events, {machine.version()}, {HOST.description}"
    assert cache.is_dir()
