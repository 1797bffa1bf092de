"""Finding compilers, and the cache of what they built."""

from __future__ import annotations

import ctypes
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from neurocuda.backends.cpu import build as building
from neurocuda.backends.cpu.build import Compiler, build, cache_folder, find_compiler
from neurocuda.backends.cpu.run import availability
from neurocuda.errors import NeuroCudaWarning, ToolchainError, WriteError

CODE = '#include "one.h"\nint one(void) { return 1; }\n'
HEADER = "int one(void);\n"


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that notes every build in a file beside it."""
    real = " ".join(find_compiler().command)
    script = tmp_path / "cc"
    script.write_text(f'#!/bin/sh\n[ "$1" = --version ] || echo built >> "{tmp_path}/log"\nexec {real} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("CC", str(script))
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "log"


def builds(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_what_was_built_is_found_again(counting: Path) -> None:
    first = build(CODE, HEADER, "one")
    assert build(CODE, HEADER, "one") == first
    assert builds(counting) == 1
    assert build(CODE + "\n", HEADER, "one") != first
    assert build(CODE, HEADER + "\n", "one") != first
    assert builds(counting) == 3
    leftovers = [path.name for path in first.parent.iterdir() if path.suffix not in (first.suffix, ".sha256")]
    assert not leftovers


@pytest.mark.parametrize("damage", ["cut", "changed", "no note"])
def test_what_is_damaged_is_built_again(counting: Path, damage: str) -> None:
    library = build(CODE, HEADER, "one")
    whole = library.read_bytes()
    if damage == "cut":
        library.write_bytes(whole[: len(whole) // 2])
    elif damage == "changed":
        library.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    else:
        library.with_suffix(".sha256").unlink()
    assert build(CODE, HEADER, "one") == library
    assert builds(counting) == 2
    assert ctypes.CDLL(str(library)).one() == 1


@pytest.mark.usefixtures("counting")
def test_many_can_build_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(build, CODE, HEADER, "one") for _ in range(8)]
    built = [future.result() for future in waiting]
    assert len(set(built)) == 1
    assert built[0].is_file()


def test_the_compiler_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path))
    compiler = find_compiler()
    other = Compiler(compiler.command, f"{compiler.version}.1")
    assert build(CODE, HEADER, "one", compiler) != build(CODE, HEADER, "one", other)


def no_package(name: str) -> None:
    """What `find_spec` says where nothing is installed."""
    del name


def test_no_compiler_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(building, "find_spec", no_package)
    with pytest.raises(ToolchainError, match="install gcc or clang, or `pip install ziglang`") as caught:
        find_compiler()
    assert "\n" not in str(caught.value)
    assert availability().ready, "LLVM is there"
    assert "ziglang" in availability().detail


@pytest.mark.parametrize("command", ["no-such-compiler -m64", "cc '"])
def test_a_wrong_cc_is_named(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("CC", command)
    with pytest.raises(ToolchainError, match=f"CC is '{command}', which is no C compiler that runs"):
        find_compiler()


def test_a_failing_compiler_is_quoted_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path))
    with pytest.raises(ToolchainError, match=r"failed: .*error: ") as caught:
        build("int one(void) { return nothing; }\n", HEADER, "one")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cpu").iterdir()), "nothing is left behind"


def test_a_disk_that_is_full_everywhere_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler whose output does not fit the disk complains as compilers do."""
    script = tmp_path / "cc"
    script.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo "cc 1.0"; exit 0; }\n'
        'echo "x.s: fatal error: error writing to x.s: No space left on device" >&2\nexit 1\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("CC", str(script))
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "cache"))
    told = pytest.warns(NeuroCudaWarning, match="compiled code is not kept: .*: No space left on device")
    with told, pytest.raises(WriteError, match="No space left on device"):
        build(CODE, HEADER, "one")


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NEUROCUDA_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "neurocuda"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "neurocuda"


@pytest.mark.skipif(find_spec("ziglang") is None, reason="the package ziglang is not installed")
@pytest.mark.slow
def test_zig_builds_where_there_is_no_other_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from neurocuda.backends.cpu.run import load_portable
    from neurocuda.ir.backend import RunOptions
    from neurocuda.testing_spiking import random_spiking_network

    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "cache"))
    assert find_compiler().command == (sys.executable, "-m", "ziglang", "cc")
    for seed in range(3):
        network = random_spiking_network(seed)
        outputs, counts = network.interpret()
        network.apply("convert-snn-to-cpu", "allocate-buffers")
        execution = load_portable(network.module, network.weights).run(network.inputs, RunOptions(counts=True))
        assert execution.provenance.startswith("cpu: events, zig cc, clang ")
        for one, other in zip(execution.outputs, outputs, strict=True):
            np.testing.assert_array_equal(one, other)
        for origin, found in execution.counts.items():
            np.testing.assert_array_equal(found, counts[origin])
