"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from neurocuda.errors import WriteError

_STREAMS = tuple(map(Path, ("/dev", "/dev/fd", "/proc/self/fd")))
"""Folders of devices and of what a process has open."""


def is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe or something that is open already: nothing can lie beside it."""
    return path.parent in _STREAMS or (path.exists() and not path.is_file() and not path.is_dir())


def require_place(path: Path) -> None:
    """Checks where a file is to go, before what goes there takes time.

    Raises:
        WriteError: the folder is missing, or the path is a folder itself.
    """
    if path.is_dir():
        raise WriteError(f"{path}: cannot write: is a directory")
    if not path.parent.is_dir():
        raise WriteError(f"{path}: cannot write: there is no folder {path.parent}")


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """A binary stream whose content becomes the file `path` when the block ends; after an error nothing has changed.

    A device or pipe is written directly. Links are followed and file modes kept.

    Raises:
        WriteError: the file cannot be written, e.g. because the disk is full.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise WriteError(f"{path}: cannot write: is a directory")
    direct = is_stream(path)
    place = path if direct else target.with_name(f".{target.name}.{uuid4().hex[:12]}.part")
    try:
        with place.open("wb" if direct else "xb") as stream:
            yield stream
        if not direct:
            _keep_mode(target, place)
            place.replace(target)
    except OSError as reason:
        raise WriteError(f"{path}: cannot write: {reason.strerror or reason}") from reason
    finally:
        if not direct:
            with suppress(OSError):  # where nothing can be removed, nothing was made; what went wrong is told already
                place.unlink(missing_ok=True)


def write_all(files: Mapping[Path, bytes]) -> None:
    """Writes files, and the folders that they need, or none of them.

    Raises:
        WriteError: one cannot be written, e.g. because the disk is full.
    """
    new = {folder for path in files for folder in path.parents if not folder.exists()}
    try:
        with ExitStack() as stack:
            for path, content in files.items():
                _make_folder(path.parent)
                stack.enter_context(replacing(path)).write(content)
    except WriteError:
        for folder in sorted(new, key=lambda folder: len(folder.parts), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        raise


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise WriteError(f"{folder}: cannot write: {reason.strerror or reason}") from reason


def _keep_mode(old: Path, new: Path) -> None:
    if old.exists():
        new.chmod(old.stat().st_mode & 0o7777)
