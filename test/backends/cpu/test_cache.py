"""What stands between a program and the cache: folders that cannot be written, full disks, damage, other processors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neurocuda.backends.cpu.llvm.objects import MAGIC, require_processor
from neurocuda.backends.cpu.run import CpuProgram, load_here, load_portable
from neurocuda.errors import NeuroCudaWarning, OptionError, ToolchainError
from neurocuda.passes.cpu.llvm.features import LEVELS, features_named
from neurocuda.testing_spiking import SpikingNetwork
from neurocuda.testing_trains import random_train_network

LOWER = ("convert-snn-to-cpu", "allocate-buffers")
Load = Callable[[SpikingNetwork], CpuProgram]
LOADS: dict[str, Load] = {
    "llvm": lambda network: load_here(network.module, network.weights),
    "the system's compiler": lambda network: load_portable(network.module, network.weights),
}


@pytest.fixture
def network() -> SpikingNetwork:
    network = random_train_network(3)
    network.apply(*LOWER)
    return network


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test alone."""
    monkeypatch.setenv("NEUROCUDA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def require_right(program: CpuProgram, network: SpikingNetwork) -> None:
    for found, expected in zip(program.run(network.inputs).outputs, network.interpret()[0], strict=True):
        np.testing.assert_array_equal(found, expected)


def kept(cache: Path) -> list[Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize("load", LOADS)
def test_what_was_built_is_found_again(network: SpikingNetwork, cache: Path, load: str) -> None:
    require_right(LOADS[load](network), network)
    before = {path: path.stat().st_mtime_ns for path in kept(cache)}
    assert before
    require_right(LOADS[load](network), network)
    assert {path: path.stat().st_mtime_ns for path in kept(cache)} == before


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("place", ["a file", "a file system that takes nothing"])
def test_a_cache_that_cannot_be_written_is_no_obstacle(
    network: SpikingNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: str, place: str
) -> None:
    """Not by permissions, which mean nothing to root."""
    blocked = tmp_path / load
    if place == "a file":
        blocked.write_text("in the way")
    elif Path("/proc/self").exists():
        blocked = Path("/proc/self/neurocuda") / load
    else:
        pytest.skip("there is no /proc")
    monkeypatch.setenv("NEUROCUDA_CACHE", str(blocked))
    with pytest.warns(NeuroCudaWarning, match="set NEUROCUDA_CACHE to use another folder") as told:
        program = LOADS[load](network)
    assert "\n" not in str(told[0].message)
    require_right(program, network)
    if place == "a file":
        assert blocked.read_text() == "in the way"


FULL = """
import resource, signal, sys, warnings
import numpy as np
from neurocuda.backends.cpu.run import load_here
from neurocuda.testing_trains import random_train_network

network = random_train_network(3)
network.apply("convert-snn-to-cpu", "allocate-buffers")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    program = load_here(network.module, network.weights)
for found, expected in zip(program.run(network.inputs).outputs, network.interpret()[0], strict=True):
    np.testing.assert_array_equal(found, expected)
print(*[warning.message for warning in told], sep="\\n")
"""
"""A limit on the size of files answers as a full disk does."""


def test_a_full_disk_is_no_obstacle(cache: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert "compiled code is not kept" in line
    assert not kept(cache), "nothing half-written is left behind"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing left": lambda _: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "one bit": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "one bit of the head": lambda content: content[:30] + bytes([content[30] ^ 1]) + content[31:],
    "more behind it": lambda content: content + b"\0",
    "another format": lambda content: content.replace(b"object 1", b"object 0", 1),
    "no text at all": lambda _: MAGIC + b"\xff\xfe" * 99,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_made_again(network: SpikingNetwork, cache: Path, damage: str) -> None:
    load_here(network.module, network.weights)
    (file,) = kept(cache)
    whole = file.read_bytes()
    file.write_bytes(DAMAGES[damage](whole))
    require_right(load_here(network.module, network.weights), network)
    assert file.read_bytes() == whole


def test_a_folder_in_the_way_of_a_file_is_no_obstacle(network: SpikingNetwork, cache: Path) -> None:
    load_here(network.module, network.weights)
    (file,) = kept(cache)
    file.unlink()
    file.mkdir()
    with pytest.warns(NeuroCudaWarning, match="compiled code is not kept"):
        require_right(load_here(network.module, network.weights), network)
    assert file.is_dir()


def test_code_for_more_than_this_processor_has_is_never_run(network: SpikingNetwork, cache: Path) -> None:
    """A file that says so, whole, in the place where it is looked for: a shared folder, a processor exchanged."""
    from hashlib import sha256

    load_here(network.module, network.weights)
    (file,) = kept(cache)
    whole = file.read_bytes()
    rest = b"avx2 avx999\n" + bytes(1000)
    file.write_bytes(MAGIC + sha256(rest).hexdigest().encode() + b"\n" + rest)
    require_right(load_here(network.module, network.weights), network)
    assert file.read_bytes() == whole


def test_a_processor_that_has_less_is_refused_before_anything_runs(network: SpikingNetwork, cache: Path) -> None:
    with pytest.raises(ToolchainError, match=r"which has avx512bw, .*; this processor, .*, has not: compile on this"):
        require_processor(LEVELS["avx512vnni"], LEVELS["avx2"])
    with pytest.raises(ToolchainError, match="this code is for aarch64, this processor is x86_64"):
        require_processor(LEVELS["neon"], LEVELS["avx2"])
    other = "neon" if features_named("host").architecture == "x86_64" else "avx2"
    with pytest.raises(ToolchainError, match="this code is for"):
        load_here(network.module, network.weights, other)
    with pytest.raises(OptionError, match="features are one of host"):
        load_here(network.module, network.weights, "z80")
    assert not kept(cache)
