"""Reads the .npz files of a program, and says in one line what is wrong with them."""

import hashlib
import tokenize
import zipfile
import zlib

import numpy as np

BROKEN = (
    *(EOFError, KeyError, MemoryError, NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy raises for a file that is missing or damaged."""


class Refused(Exception):
    """Something is wrong with files or options; the text is one line."""


def read_arrays(path):
    """The arrays of a file by name."""
    try:
        with open(path, "rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise ValueError("it holds one array, without a name")
            return {name: loaded[name] for name in loaded.files}
    except BROKEN as why:
        reason = getattr(why, "strerror", None) or str(why).partition("\n")[0] or type(why).__name__
        raise Refused(f"{path}: cannot be read: {reason}") from None


def read_weights(path, digest):
    """The constants of the network, as they were written; for a .net file, which others read, its path."""
    try:
        content = path.read_bytes()
    except OSError as why:
        raise Refused(f"{path}: cannot be read: {why.strerror}") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Refused(f"{path}: is damaged, or holds the weights of another network")
    if path.suffix == ".net":
        return str(path)
    return {name: array.astype(np.int32) for name, array in read_arrays(path).items()}


def read_inputs(path, shapes):
    """The inputs by name: integers (images, *shape), as many images of each."""
    arrays = read_arrays(path)
    if set(arrays) != set(shapes):
        raise Refused(f"{path}: expected {listed(shapes)}; found {listed(arrays) or 'nothing'}")
    for name, array in arrays.items():
        if not array.ndim or array.shape[1:] != shapes[name]:
            raise Refused(f"{path}: {name}: expected images of shape {shapes[name]}, found {array.shape[1:]}")
        if array.dtype.kind not in "biu":
            raise Refused(f"{path}: {name}: expected integers, found {array.dtype}")
    numbers = {len(array) for array in arrays.values()}
    if len(numbers) > 1:
        raise Refused(f"{path}: the inputs hold {listed(numbers)} images")
    return arrays


def write_arrays(path, arrays):
    """Writes a file."""
    try:
        with open(path, "wb") as stream:
            np.savez(stream, **arrays)
    except OSError as why:
        raise Refused(f"{path}: cannot be written: {why.strerror}") from None


def listed(words):
    """Some words in a row."""
    return ", ".join(map(str, words))
