"""Whether the words of an HDF5 file can be read: its library never comes back from a heap of words that is damaged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_HEAP: Final = re.compile(rb"GCOL\x01\x00\x00\x00")
"""How a collection of words begins: signature and version; its size follows, in 8 bytes, then its words."""

_HEADER: Final = 16
"""Bytes in front of a collection's words, and in front of each of them."""


def has_sound_heaps(path: Path) -> bool:
    """Whether the words in every collection lie behind each other and inside it.

    The library walks from word to word by the sizes that they declare (HDF5 file format 2.0, III.E); with a size of 0
    it stays where it is.
    """
    content = path.read_bytes()
    return all(_is_sound(content, found.start()) for found in _HEAP.finditer(content))


def _is_sound(content: bytes, start: int) -> bool:
    stop = start + _number(content, start + 8, 8)
    position = start + _HEADER
    while position + _HEADER <= stop:
        index, size = _number(content, position, 2), _number(content, position + 8, 8)
        step = size if index == 0 else _HEADER + -8 * (-size // 8)  # what is free counts its own header
        if step < _HEADER or position + step > min(stop, len(content)):
            return False
        position += step
    return True


def _number(content: bytes, start: int, size: int) -> int:
    return int.from_bytes(content[start : start + size], "little")
