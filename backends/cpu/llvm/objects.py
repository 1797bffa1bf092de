"""Machine code of programs, kept in the user's cache folder by what it was made from."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.backends.cpu.build import cache_folder, tell_unkept
from neurocuda.errors import ToolchainError, WriteError
from neurocuda.ir.files import write_all

if TYPE_CHECKING:
    from neurocuda.dialects.cpu import ops as cpu
    from neurocuda.ir.weights import WeightStore
    from neurocuda.passes.cpu.llvm.features import Features

MAGIC = b"NeuroCUDA object 1\n"
"""How a file begins; then a digest of the rest, what the processor has to have, and the code, on a line each."""


def object_code(program: cpu.ProgramOp, weights: WeightStore, features: Features) -> bytes:
    """The object file of a program, from the cache or made now.

    Any number of processes may do this at the same time. What is damaged, or needs another processor than it says, is
    made again. Where the cache cannot be written the user is told once, and nothing is kept.

    Raises:
        ToolchainError: LLVM does not take the program.
    """
    from neurocuda.backends.cpu.llvm.machine import llvm_text, machine_code
    from neurocuda.passes.convert.convert_cpu_to_llvm import lowered

    file = cache_folder() / "cpu" / f"{program.symbol.data}-{_key(program, features)}.nco"
    kept = _read(file)
    if kept is not None and kept[0] <= features.flags:
        return kept[1]
    with _collecting_later():
        text = llvm_text(lowered([program], weights, features))
    code = machine_code(text, features)
    _keep(file, features.flags, code)
    return code


@contextmanager
def _collecting_later() -> Generator[None]:
    """Keeps Python from looking for garbage among tens of thousands of operations: half of the time that they take."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def require_processor(features: Features, here: Features) -> None:
    """Checks before any of it runs that this processor has what code needs.

    Raises:
        ToolchainError: it has not.
    """
    missing = sorted(features.flags - here.flags)
    if features.architecture != here.architecture:
        raise ToolchainError(f"this code is for {features.architecture}, this processor is {here.architecture}")
    if missing:
        what = f"this code is for {features.description}, which has {', '.join(missing)}"
        raise ToolchainError(f"{what}; this processor, {here.processor}, has not: compile on this machine")


def _read(file: Path) -> tuple[frozenset[str], bytes] | None:
    """(what the processor has to have, the code) of a file as it was written; None where it is not."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    digest, _, rest = content.removeprefix(MAGIC).partition(b"\n")
    if not content.startswith(MAGIC) or digest.decode("ascii", "replace") != _digest(rest):
        return None
    flags, _, code = rest.partition(b"\n")
    return frozenset(flags.decode().split()), code


def _keep(file: Path, flags: frozenset[str], code: bytes) -> None:
    rest = b"\n".join([" ".join(sorted(flags)).encode(), code])
    try:
        write_all({file: b"".join([MAGIC, _digest(rest).encode(), b"\n", rest])})
    except WriteError as reason:
        tell_unkept(str(reason))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _key(program: cpu.ProgramOp, features: Features) -> str:
    """What the code is made from: the text of the program, the processor, and what lowers it."""
    processor = f"{features.architecture} {features.processor} {' '.join(sorted(features.flags))}"
    return _digest("\n".join([str(program), processor, _compiler()]).encode())[:32]


@cache
def _compiler() -> str:
    """All that lowers programs: LLVM, xDSL, and our own files."""
    from importlib.metadata import version

    from neurocuda.backends.cpu.llvm import machine
    from neurocuda.dialects.cpu import interface
    from neurocuda.passes.convert import convert_cpu_to_llvm
    from neurocuda.passes.cpu import llvm

    files = [Path(str(module.__file__)) for module in (machine, interface, convert_cpu_to_llvm)]
    files += sorted(Path(str(llvm.__file__)).parent.glob("*.py"))
    sources = hashlib.sha256(b"\n".join(file.read_bytes() for file in files)).hexdigest()
    return f"{version('llvmlite')} {version('xdsl')} {sources}"
