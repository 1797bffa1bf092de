"""Reads and writes safetensors files with nothing but the standard library.

The header is checked against the size of the file before anything is made from it, and the data are mapped, not read.
Format: 8 bytes of little-endian header length, a JSON header, then the tensors' bytes without gaps.
Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

from neurocuda.errors import WeightsError

DTYPE_SIZES: Mapping[str, int] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "I16": 2,
    "I32": 4,
    "I64": 8,
    "F32": 4,
    "F64": 8,
}
"""Bytes per element of the dtypes we use, by their names in the file."""

_HEADER_LIMIT = 100_000_000
"""Bytes; the limit that the safetensors library sets as well."""


@dataclass(frozen=True)
class SideTensor:
    """One tensor: its dtype as the file spells it, its shape, and its little-endian bytes."""

    dtype: str
    shape: tuple[int, ...]
    buffer: memoryview


def write_side_file(stream: BinaryIO, tensors: Mapping[str, SideTensor]) -> None:
    """Writes tensors, the widest elements first so that all are aligned, then by name: the same tensors give the same
    bytes."""
    ordered = sorted(tensors.items(), key=lambda item: (-DTYPE_SIZES[item[1].dtype], item[0]))
    header: dict[str, object] = {}
    offset = 0
    for name, tensor in ordered:
        end = offset + tensor.buffer.nbytes
        header[name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    stream.write(struct.pack("<Q", len(text)) + text)
    for _, tensor in ordered:
        stream.write(tensor.buffer)


def map_side_file(path: Path) -> dict[str, SideTensor]:
    """The tensors of a file, mapped into memory.

    Raises:
        WeightsError: the file is missing, truncated or malformed.
    """
    try:
        with path.open("rb") as stream:
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as reason:  # ValueError: an empty file cannot be mapped
        detail = reason.strerror if isinstance(reason, OSError) else "the file is empty"
        raise WeightsError(f"{path}: cannot read weights: {detail}") from reason
    return read_side_file(memoryview(mapped), str(path))


def read_side_file(content: memoryview, name: str) -> dict[str, SideTensor]:
    """The tensors of a file's content, as views; `name` is for messages.

    Raises:
        WeightsError: the content is truncated or malformed.
    """
    try:
        return _read(content)
    except _Malformed as reason:
        raise WeightsError(f"{name}: not a usable safetensors file: {reason}") from None


class _Malformed(Exception):
    """What is wrong, in a few words."""


def _read(content: memoryview) -> dict[str, SideTensor]:
    if content.nbytes < 8:
        raise _Malformed("it is truncated")
    length = int.from_bytes(content[:8], "little")
    if length > min(_HEADER_LIMIT, content.nbytes - 8):
        raise _Malformed(f"its header of {length} bytes does not fit, it is truncated or not safetensors")
    header = _header(bytes(content[8 : 8 + length]))
    data = content[8 + length :]
    entries = {name: _entry(name, value, data) for name, value in header.items() if name != "__metadata__"}
    position = 0
    for name, (start, end, _) in sorted(entries.items(), key=lambda item: item[1][:2]):
        if start != position:
            raise _Malformed(f"tensor '{name}' overlaps another or leaves a gap")
        position = end
    if position != data.nbytes:
        raise _Malformed(f"its tensors end at byte {position} of {data.nbytes}")
    return {name: tensor for name, (_, _, tensor) in entries.items()}


def _header(text: bytes) -> dict[str, object]:
    try:
        header: object = json.loads(text.decode())
    except (ValueError, RecursionError):
        raise _Malformed("its header is not JSON") from None
    if not isinstance(header, dict):
        raise _Malformed("its header is not a JSON object")
    return cast(dict[str, object], header)


def _entry(name: str, value: object, data: memoryview) -> tuple[int, int, SideTensor]:
    fields = cast(dict[str, object], value) if isinstance(value, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), _sizes(fields.get("shape")), _sizes(fields.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        raise _Malformed(f"tensor '{name}' has a malformed description")
    if dtype not in DTYPE_SIZES:
        raise _Malformed(f"tensor '{name}' has dtype {dtype}, expected one of {', '.join(DTYPE_SIZES)}")
    start, end = offsets
    if not start <= end <= data.nbytes:
        raise _Malformed(f"tensor '{name}' lies outside the file, it is truncated")
    if end - start != prod(shape) * DTYPE_SIZES[dtype]:
        raise _Malformed(f"tensor '{name}' has {end - start} bytes, which is not shape {list(shape)} of {dtype}")
    return start, end, SideTensor(dtype, shape, data[start:end])


def _sizes(value: object) -> tuple[int, ...] | None:
    """A list of integers that are not negative, or None."""
    if not isinstance(value, list):
        return None
    items = cast(list[object], value)
    sizes = tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool) and item >= 0)
    return sizes if len(sizes) == len(items) else None
