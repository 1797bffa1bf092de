"""Reads arrays from files."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of an `.npz` (or the one of an `.npy`) file, by name. Nothing in the file is executed.

    Raises:
        InputError: the file is missing, corrupt, or holds Python objects.
    """
    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {path.stem: loaded}
        with loaded as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as reason:
        raise InputError(f"{path}: cannot read arrays: {str(reason).splitlines()[0]}") from None
