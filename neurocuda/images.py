"""Turns what users hold (tensors, arrays, loaders, dictionaries) into arrays that a network takes, or says why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import InputError

if TYPE_CHECKING:
    import torch

Array: TypeAlias = NDArray[np.generic]
Images: TypeAlias = "torch.Tensor | Array | Mapping[str, torch.Tensor | Array] | Iterable[object]"
"""Images, batch axis first: one tensor or array, one per input name, or batches of them (labels are ignored)."""

MOST_CALIBRATION_IMAGES = 1024
"""Batches are drawn from a loader until there are so many images; more would not change a clip range."""


@runtime_checkable
class _Tensor(Protocol):
    """What a torch tensor offers, without importing torch."""

    def detach(self) -> _Tensor: ...
    def cpu(self) -> _Tensor: ...
    def numpy(self) -> Array: ...


def as_arrays(data: Images, *, most: int | None = None) -> list[Array]:
    """One array per input, batch axis first. A dictionary gives them in its order.

    Raises:
        InputError: there is nothing, or something that is no image.
    """
    if isinstance(data, Mapping):
        return [_array(value) for value in cast("Mapping[str, object]", data).values()]
    if isinstance(data, _Tensor | np.ndarray):
        return [_array(cast(object, data))]
    if isinstance(data, str | bytes):
        raise InputError("expected images, found text; read the file with neurocuda.ir.arrays.read_arrays")
    return _joined(data, most)


def _joined(batches: Iterable[object], most: int | None) -> list[Array]:
    """Batches put together: each a tensor, or a tuple whose first element is one, or a dictionary."""
    columns: list[list[Array]] = []
    count = 0
    for batch in batches:
        row = _inputs_of(batch)
        columns = columns or [[] for _ in row]
        if len(row) != len(columns):
            raise InputError(f"batches have {len(columns)} and {len(row)} inputs")
        for column, array in zip(columns, row, strict=True):
            column.append(array)
        count += len(row[0])
        if most is not None and count >= most:
            break
    if not count:
        raise InputError("there are no images")
    try:
        return [np.concatenate(column)[:most] for column in columns]
    except ValueError as reason:
        raise InputError(f"batches do not fit together: {reason}") from None


def _inputs_of(batch: object) -> list[Array]:
    if isinstance(batch, Mapping):
        return [_array(value) for value in cast("Mapping[str, object]", batch).values()]
    if isinstance(batch, tuple | list):
        items = cast("Sequence[object]", batch)
        if not items:
            raise InputError("a batch is empty")
        return [_array(items[0])]
    return [_array(batch)]


def _array(value: object) -> Array:
    if isinstance(value, _Tensor):
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray):
        raise InputError(f"expected images as a tensor or an array, found {type(value).__name__}")
    array = cast(Array, value)
    if array.ndim < 1 or not len(array):
        raise InputError("there are no images")
    return array


def checked(arrays: Sequence[Array], shapes: Sequence[tuple[int, ...]], *, pixels: bool, what: str) -> list[Array]:
    """The arrays as float32, or as uint8 where pixels are expected.

    `shapes` are those of one image per input, without a batch axis; `what` names the data in messages.

    Raises:
        InputError: the number of inputs, a shape, a type or a value is wrong, or the batches differ in length.
    """
    if len(arrays) != len(shapes):
        raise InputError(f"{what}: the network has {len(shapes)} inputs, {len(arrays)} were given")
    if len({len(array) for array in arrays}) > 1:
        raise InputError(f"{what}: the inputs have different numbers of images, {[len(array) for array in arrays]}")
    return [_checked(array, shape, pixels, what) for array, shape in zip(arrays, shapes, strict=True)]


def _checked(array: Array, shape: tuple[int, ...], pixels: bool, what: str) -> Array:
    if array.shape[1:] != shape:
        raise InputError(f"{what}: expected images of shape {shape}, found {array.shape[1:]}{_hint(array, shape)}")
    if pixels:
        if array.dtype != np.uint8:
            raise InputError(f"{what}: expected uint8 pixels (the network normalises them), found {array.dtype}")
        return array
    if array.dtype.kind != "f":
        remedy = "normalise them, or compile with preprocessing=Normalize(mean, std)"
        raise InputError(f"{what}: expected float images, found {array.dtype}; {remedy}")
    if not np.isfinite(array).all():
        raise InputError(f"{what}: there are NaN or infinite values in image {_first_bad(array)}")
    return array.astype(np.float32, copy=False)


def _hint(array: Array, shape: tuple[int, ...]) -> str:
    if array.shape == shape:
        return " (a batch axis is missing: images[None])"
    last = array.ndim == len(shape) + 1 == 4 and (array.shape[3], *array.shape[1:3]) == shape
    return " (channels come first: images.transpose(0, 3, 1, 2))" if last else ""


def _first_bad(array: Array) -> int:
    return int(np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))[0])
