"""Images and labels from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurocuda.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.generic]

LABELS = ("labels", "label", "targets", "target", "y")
"""What arrays of class numbers are called in files that hold images too."""


def read_images(path: Path) -> dict[str, Array]:
    """The arrays of an `.npz` or `.npy` file by name; labels beside images are left out.

    Raises:
        InputError: the file is missing, corrupt, or holds no array.
    """
    from neurocuda.ir.arrays import read_arrays

    arrays = read_arrays(path)
    if not arrays:
        raise InputError(f"{path}: there are no images")
    images = {name: array for name, array in arrays.items() if name not in LABELS}
    return images or arrays


def of_inputs(arrays: dict[str, Array], names: Sequence[str]) -> dict[str, Array]:
    """The arrays that a network's inputs are called after, where a file holds more."""
    return {name: arrays[name] for name in names} if set(names) < set(arrays) else arrays


def read_labels(path: Path) -> Array:
    """The class numbers in a file: its only array, or the one with a usual name.

    Raises:
        InputError: the file is missing, corrupt, or several arrays could be meant.
    """
    from neurocuda.ir.arrays import read_arrays

    arrays = read_arrays(path)
    name = next((name for name in LABELS if name in arrays), None)
    if name is not None:
        return arrays[name]
    if len(arrays) != 1:
        there = ", ".join(arrays) or "none"
        raise InputError(f"{path}: expected one array of labels, or one called 'labels'; there are {there}")
    return next(iter(arrays.values()))
