"""Finds a C compiler, builds shared libraries with it, and keeps them in the user's cache folder by content."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from neurocuda.errors import ToolchainError, WriteError, warn

NAMES = ("cc", "gcc", "clang")
FLAGS = ("-O3", "-std=c11", "-ffp-contract=off", "-fPIC", "-shared")
"""No fast mathematics: floats are rounded as the program says, on every machine alike."""

MISSING = "no C compiler was found: install gcc or clang, or `pip install ziglang`, or set the environment variable CC"
SECONDS = 600
"""How long a compiler may take."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler: the command, and what it calls itself."""

    command: tuple[str, ...]
    version: str

    @property
    def flags(self) -> tuple[str, ...]:
        """What it is called with; the instructions of this machine are used."""
        native = "-march=native" if platform.machine().lower() in ("x86_64", "amd64", "i686") else "-mcpu=native"
        return (*FLAGS, native)

    @property
    def description(self) -> str:
        """For provenance: "gcc 12.2.0, -O3 -march=native"."""
        return f"{self.version}, {self.flags[0]} {self.flags[-1]}"


def find_compiler() -> Compiler:
    """The compiler that the environment variable CC names, or cc, gcc, clang, or the `ziglang` package's.

    Raises:
        ToolchainError: there is none, or CC names one that does not run.
    """
    chosen = os.environ.get("CC", "").strip()
    if chosen:
        command = _words(chosen)
        version = _version(command) if command and shutil.which(command[0]) else None
        if version is None:
            raise ToolchainError(f"CC is '{chosen}', which is no C compiler that runs")
        return Compiler(command, version)
    for name in NAMES:
        path = shutil.which(name)
        version = _version((path,)) if path else None
        if path and version is not None:
            return Compiler((path,), version)
    if find_spec("ziglang") is not None:
        command = (sys.executable, "-m", "ziglang", "cc")
        version = _version(command)
        if version is not None:
            return Compiler(command, version)
    raise ToolchainError(MISSING)


def _words(command: str) -> tuple[str, ...]:
    """The words of a command line; none where a quote is not closed."""
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()


@cache
def _version(command: tuple[str, ...]) -> str | None:
    """The first line in which a compiler introduces itself, shortened: "gcc 12.2.0"; None where it does not run."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, timeout=60, env=_environment(), check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").split("\n")[0].split()
    if done.returncode or not words:
        return None
    number = next((word for word in reversed(words) if word[0].isdigit()), "")
    zig = "ziglang" in command
    name = "zig cc, clang" if zig else "clang" if "clang" in words else "gcc" if _is_gcc(done.stdout) else words[0]
    return f"{name} {number}".strip()


def _is_gcc(output: bytes) -> bool:
    return b"Free Software Foundation" in output


def build(code: str, header: str, name: str, compiler: Compiler | None = None) -> Path:
    """Compiles a C file with its header into a shared library, unless the cache holds it already.

    The key of the cache is everything the result depends on: the text, the flags, the compiler and the processor.
    Any number of processes may build at the same time. What is no longer as it was built is built again. Where the
    cache cannot be written the user is told once, and the library is gone with the process.

    Raises:
        ToolchainError: there is no compiler, or it fails; the first line it complains with is quoted.
        WriteError: the system's folder for temporary files cannot be written either.
    """
    compiler = compiler or find_compiler()
    key = _key(code, header, *compiler.command, compiler.version, *compiler.flags, _processor())
    library = cache_folder() / "cpu" / f"{name}-{key}{_suffix()}"
    if _is_whole(library):
        return library
    try:
        return _build_as(library, code, header, name, compiler)
    except WriteError as reason:
        tell_unkept(str(reason))
    return _build_as(Path(_own_folder().name) / library.name, code, header, name, compiler)


@cache
def tell_unkept(reason: str) -> None:
    """Tells the user, once in a process, that a later one has to compile again."""
    warn(f"compiled code is not kept: {reason}; set NEUROCUDA_CACHE to use another folder")


@cache
def _own_folder() -> TemporaryDirectory[str]:
    """A folder that is gone with the process."""
    return TemporaryDirectory(prefix="neurocuda-")


def _build_as(library: Path, code: str, header: str, name: str, compiler: Compiler) -> Path:
    try:
        library.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=library.parent, prefix=".build-") as folder:
            built = _compile(Path(folder), code, header, name, compiler)
            noted = Path(folder) / "digest"
            noted.write_text(_digest(built), encoding="ascii")
            noted.replace(_note(library))
            built.replace(library)
    except OSError as reason:
        raise WriteError(f"{library.parent}: cannot write: {reason.strerror or reason}") from reason
    return library


def _is_whole(library: Path) -> bool:
    """Whether the cache holds a library as it was built: loading one cut short would end the process."""
    try:
        return _note(library).read_text(encoding="ascii", errors="replace") == _digest(library)
    except OSError:
        return False


def _note(library: Path) -> Path:
    """Where the digest of a library is noted."""
    return library.with_suffix(".sha256")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _compile(folder: Path, code: str, header: str, name: str, compiler: Compiler) -> Path:
    source = folder / f"{name}.c"
    source.write_text(code, encoding="utf-8")
    (folder / f"{name}.h").write_text(header, encoding="utf-8")
    built = folder / f"{name}{_suffix()}"
    command = [*compiler.command, *compiler.flags, source.name, "-o", built.name, "-lm"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=SECONDS, env=_environment(), check=False
        )
    except OSError as reason:
        raise ToolchainError(f"{compiler.version} cannot be run: {reason.strerror or reason}") from reason
    except subprocess.TimeoutExpired:
        raise ToolchainError(f"{compiler.version} took longer than {SECONDS} seconds") from None
    if done.returncode or not built.is_file():
        raise _failure(compiler, done.stderr.decode(errors="replace"), folder)
    return built


def _failure(compiler: Compiler, complaint: str, folder: Path) -> ToolchainError | WriteError:
    """The error for a compiler that failed: a full disk is not its fault."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    if any("No space left on device" in line for line in lines):
        return WriteError(f"{folder.parent}: cannot write: No space left on device")
    first = next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it says nothing")
    return ToolchainError(f"{compiler.version} failed: {first}")


def _key(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode())
        digest.update(part.encode())
    return digest.hexdigest()[:32]


def _suffix() -> str:
    return ".dll" if sys.platform == "win32" else ".so"


def cache_folder() -> Path:
    """Where built files are kept: NEUROCUDA_CACHE, or `neurocuda` in XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get("NEUROCUDA_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurocuda"


@cache
def _processor() -> str:
    """What tells one kind of processor from another: code built for one may not run on the other."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    return "\n".join(sorted({line for line in lines if line.split("\t")[0].strip() in wanted}))


def _environment() -> dict[str, str]:
    """Compilers speak English here; zig keeps its own files beside ours."""
    folder = str(cache_folder() / "zig")
    own = {"LC_ALL": "C", "ZIG_LOCAL_CACHE_DIR": folder, "ZIG_GLOBAL_CACHE_DIR": folder}
    return {**os.environ, **own}
