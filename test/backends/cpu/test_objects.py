"""Machine code in the cache: found again, made again where it is damaged, refused where it cannot run."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurocuda.backends.cpu.llvm import machine, objects
from neurocuda.backends.cpu.llvm.objects import object_code, require_processor
from neurocuda.backends.cpu.run import load, load_here
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.errors import NeuroCudaWarning, OptionError, ToolchainError
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


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "foreign"])
def test_what_is_damaged_is_made_again(cache: Path, made: list[str], damage: str) -> None:
    first = code()
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    changed = {"cut": whole[:-9], "changed": whole[:-1] + bytes([whole[-1] ^ 1]), "empty": b"", "foreign": b"\xff" * 99}
    file.write_bytes(changed[damage])
    assert code() == first
    assert len(made) == 2
    assert file.read_bytes() == whole


def test_code_for_another_processor_is_made_again(cache: Path, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that came here by chance, under the name of ours, and needs what this processor has not."""
    code()
    (file,) = cache.iterdir()
    objects._keep(file, frozenset({"avx1024"}), b"code")  # pyright: ignore[reportPrivateUsage]
    code()
    assert len(made) == 2
    assert b"avx1024" not in file.read_bytes()


def test_what_this_processor_has_not_is_refused_before_it_runs() -> None:
    more = replace(HOST, flags=HOST.flags | {"avx1024"})
    with pytest.raises(ToolchainError, match="which has avx1024; this processor, .*, has not: compile on this machine"):
        require_processor(more, HOST)
    other = LEVELS["baseline" if HOST.neon else "neon"]
    with pytest.raises(ToolchainError, match=f"this code is for {other.architecture}, this processor is"):
        require_processor(other, HOST)
    require_processor(LEVELS["neon" if HOST.neon else "baseline"], HOST)


def test_an_unknown_processor_is_told() -> None:
    context = create_context()
    module = parse_module(context, PROGRAM.replace("VALUE", "5"))
    with pytest.raises(OptionError, match="features are one of host, baseline, avx2, avx512vnni, neon, not 'mmx'"):
        load_here(module, weights_of(context), "mmx")


def test_without_a_cache_the_user_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "file"))
    with pytest.warns(NeuroCudaWarning, match=r"compiled code is not kept: .*; set NEUROCUDA_CACHE to use another"):
        first = code()
    assert code() == first
    assert len(made) == 2


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
    assert program.provenance == f"cpu: {machine.version()}, {HOST.description}"
    assert cache.is_dir()
