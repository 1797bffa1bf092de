"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from neurocuda.errors import WriteError


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
    direct = target.exists() and not target.is_file()
    place = target if direct else target.with_name(f".{target.name}.{uuid4().hex[:12]}.part")
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
            place.unlink(missing_ok=True)


def _keep_mode(old: Path, new: Path) -> None:
    if old.exists():
        new.chmod(old.stat().st_mode & 0o7777)
