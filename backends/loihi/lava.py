"""Finds Lava, and runs Lava programs, in a process and an environment of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from neurocuda.errors import InputError, ToolchainError
from neurocuda.ir.arrays import read_arrays
from neurocuda.ir.files import write_all
from neurocuda.ir.patience import patience

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Arrays: TypeAlias = Mapping[str, Array]

PYTHON = "NEUROCUDA_LAVA_PYTHON"
"""The environment variable that names a Python which has Lava."""

PATIENCE = "NEUROCUDA_LAVA_SECONDS"
"""The environment variable that says how many seconds Lava may take for an image."""

SECONDS = 1200.0
"""How long Lava may take for an image, unless the environment says otherwise."""

HERE = Path(__file__).resolve().parents[2] / ".venv-lava" / "bin" / "python"
"""The Python that `make lava` sets up in a checkout."""

MISSING = f"Lava, which simulates Loihi 2, is missing: run `make lava`, or name a Python that has it in {PYTHON}"
VERSION = "import sys; from importlib.metadata import version; print(version('lava-nc'), sys.version.split()[0])"
RUNS_ON = "runs on "
GRACE = 5.0
"""Seconds in which processes that are told to end may clean up."""


@dataclass(frozen=True)
class Lava:
    """A Python that has Lava, and the versions of both."""

    python: str
    version: str
    python_version: str


def find_lava() -> Lava:
    """The Lava of the Python that the environment names, or of `make lava`.

    Raises:
        ToolchainError: there is none.
    """
    chosen = os.environ.get(PYTHON, "").strip()
    path = shutil.which(chosen or str(HERE))
    versions = None if path is None else _versions(path)
    if path is not None and versions is not None:
        return Lava(path, *versions)
    raise ToolchainError(f"{PYTHON} is '{chosen}', which is no Python that has Lava" if chosen else MISSING)


def _versions(python: str) -> tuple[str, str] | None:
    """The versions of Lava and of a Python; None where it does not run or has no Lava."""
    try:
        done = subprocess.run(
            [python, "-Es", "-c", VERSION], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").split()
    return (words[0], words[1]) if not done.returncode and len(words) == 2 else None


def run_script(
    lava: Lava,
    files: Mapping[str, bytes],
    script: str,
    inputs: Arrays,
    options: Sequence[str],
    done: Callable[[int], None],
) -> tuple[dict[str, Array], str]:
    """Runs a program that takes and gives .npz files; returns the arrays that it gives, and what it says it runs on.

    `done` is called with the number of images that are done, from this thread.

    Raises:
        InputError: the program refuses its inputs.
        ToolchainError: Lava crashes, or takes too long, and what it has started is ended.
        OptionError: the environment names no number of seconds.
    """
    import numpy as np

    seconds, what = patience(PATIENCE, SECONDS), ""
    with TemporaryDirectory(prefix="neurocuda-lava-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_all({folder / file: content for file, content in files.items()})
        np.savez(folder / "inputs.npz", allow_pickle=False, **inputs)
        command = [lava.python, "-Es", script, "inputs.npz", "outputs.npz", *options]
        for line in _lines(command, folder, script, seconds):
            if line.startswith(RUNS_ON):
                what = line.removeprefix(RUNS_ON)
            elif line.startswith("image "):
                done(int(line.split()[1]))
        try:
            return read_arrays(folder / "outputs.npz"), what
        except InputError as reason:
            raise ToolchainError(f"Lava wrote no outputs that can be read: {reason}") from None


def _lines(command: Sequence[str], folder: Path, script: str, seconds: float) -> Iterator[str]:
    """What a command writes, line by line, while it runs; nothing that it has started is left."""
    heard: SimpleQueue[str | None] = SimpleQueue()
    errors = folder / "errors.txt"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True
        )
        assert process.stdout is not None
        Thread(target=_listen, args=(process.stdout, heard), daemon=True).start()
        try:
            while (line := _next(heard, process, seconds)) is not None:
                yield line
            code = process.wait(GRACE)
        except (Empty, subprocess.TimeoutExpired):
            reason = f"Lava took longer than {seconds:g} seconds for an image and was ended; {PATIENCE} gives it more"
            last = _last_line(errors)
            raise ToolchainError(f"{reason}; last it said: {last}" if last else reason) from None
        finally:
            _end(process)
    if code:
        raise _failure(_last_line(errors), script, code)


def _listen(stream: IO[bytes], heard: SimpleQueue[str | None]) -> None:
    """Hands on lines; None behind the last one."""
    with stream:
        for line in stream:
            heard.put(line.decode(errors="replace").strip())
    heard.put(None)


def _next(heard: SimpleQueue[str | None], process: subprocess.Popen[bytes], seconds: float) -> str | None:
    """The next line; None where there is no more, even if what the process has left behind could still write.

    Raises:
        Empty: none came in time.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return heard.get(timeout=min(1.0, max(0.0, until - time.monotonic())))
        except Empty:
            if process.poll() is not None:
                return None
            if time.monotonic() >= until:
                raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it has started: they are told to, and after a while made to."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, order)
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)


def _last_line(errors: Path) -> str:
    lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _failure(last: str, script: str, code: int) -> InputError | ToolchainError:
    """The error for a program that failed, made of the last line that it wrote."""
    refusal = f"{script}: error: "
    if last.startswith(refusal):
        return InputError(last.removeprefix(refusal))
    return ToolchainError(f"Lava failed: {last or f'it says nothing, and ends with code {code}'}")
