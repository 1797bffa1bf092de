"""Reads arrays from files."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurocuda.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of an `.npz` (or the one of an `.npy`) file, by name. Nothing in the file is executed.

    Raises:
        InputError: the file is missing, corrupt, or holds Python objects.
    """
    import numpy as np

    try:
        with path.open("rb") as stream:  # NumPy leaves damaged files open
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {path.stem: loaded}
            return {name: loaded[name] for name in loaded.files}
    except _FAILURES as reason:
        raise InputError(f"{path}: cannot read arrays: {_described(reason)}") from None


_FAILURES = (
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise for files that are missing, damaged, or claim to be larger than memory."""


def _described(reason: BaseException) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    if isinstance(reason, ValueError) and "allow_pickle" in str(reason):
        return "it holds Python objects, or is no file of arrays"
    return str(reason).strip().partition("\n")[0] or type(reason).__name__
