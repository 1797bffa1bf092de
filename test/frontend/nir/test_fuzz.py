"""Files that something has damaged: a network or one of our errors, never anything else, and never for long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import h5py
import numpy as np
import pytest

from neurocuda.errors import NeuroCudaError
from neurocuda.frontend.nir.importer import import_nir
from neurocuda.ir.context import create_context
from neurocuda.options import NirOptions

Write: TypeAlias = Callable[..., Path]

LONGEST = 20.0
"""Seconds that a file may take; milliseconds are usual."""


@pytest.fixture
def whole(write: Write) -> bytes:
    """A file with every kind of parameter."""
    two = np.ones(2)
    cuba = {
        "tau_mem": two,
        "tau_syn": two,
        "r": two,
        "v_leak": two,
        "v_threshold": two,
        "v_reset": 0 * two,
        "w_in": two,
    }
    one = np.ones(2, int)
    convolution = {"stride": one, "dilation": one, "groups": 1, "padding": "same", "input_shape": np.array([4, 2])}
    inner = {
        "input": ("Input", {"shape": np.array([2])}),
        "li": ("LI", {"tau": two, "r": two, "v_leak": two}),
        "output": ("Output", {"shape": np.array([2])}),
    }
    nodes = {
        "input": ("Input", {"shape": np.array([1, 4, 2])}),
        "conv": ("Conv2d", {"weight": np.ones((1, 1, 3, 2)), "bias": np.zeros(1), **convolution}),
        "pool": ("SumPool2d", {"kernel_size": np.array([4, 1]), "stride": one, "padding": 0 * one}),
        "flat": ("Flatten", {"start_dim": 0, "end_dim": -1, "input_type": np.array([1, 1, 2])}),
        "lif": ("CubaLIF", cuba),
        "back": ("Delay", {"delay": two}),
        "inner": ("NIRGraph", {"nodes": inner, "edges": [("input", "li"), ("li", "output")]}),
        "fc": ("Affine", {"weight": np.ones((2, 2)), "bias": two}),
        "output": ("Output", {"shape": np.array([2])}),
    }
    chain = ["input", "conv", "pool", "flat", "lif", "inner", "fc", "output"]
    edges = [*pairwise(chain), ("lif", "back"), ("back", "lif")]
    path = write(nodes, edges)
    import_nir(path, NirOptions(dt=0.5), create_context()).verify()
    return path.read_bytes()


def try_to_import(path: Path, what: object) -> bool:
    """Whether a file is imported; fails where it ends otherwise than in a network or a typed error of plain lines."""
    started = time.monotonic()
    message = ""
    try:
        import_nir(path, NirOptions(dt=0.5), create_context()).verify()
    except NeuroCudaError as refusal:
        message = str(refusal)
    assert all(line.isprintable() and len(line) < 1000 for line in message.splitlines()), what
    assert time.monotonic() - started < LONGEST, what
    return not message


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bits(tmp_path: Path, whole: bytes, seed: int) -> None:
    chance, path = random.Random(seed), tmp_path / "damaged.nir"
    for attempt in range(60):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 1, 4, 16, 64])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content[: chance.choice([None, None, None, chance.randrange(len(content))])])
        try_to_import(path, (seed, attempt))


@pytest.mark.parametrize("size", [0, 1, 2**62, 2**64 - 1])
def test_a_heap_of_words_that_leads_the_library_astray(tmp_path: Path, whole: bytes, size: int) -> None:
    """The library would read a word of size 0 for ever."""
    path, content = tmp_path / "damaged.nir", bytearray(whole)
    first = whole.index(b"GCOL\x01") + 16
    content[first : first + 2] = bytes(2)
    content[first + 8 : first + 16] = size.to_bytes(8, "little")
    path.write_bytes(content)
    assert not try_to_import(path, size)


REPLACEMENTS: tuple[object, ...] = (
    "word", b"\xff\xfe", "", "a\x1b\nb" * 99, 0, -1, 2**62, 1.5, -0.0, np.nan, 1e300, 5e-324, 1j, True,
    np.zeros(0), np.zeros((0, 3)), np.ones(1), np.ones((2, 2)), np.ones((1,) * 30), np.array([2**62, 2]),
    np.full(2, 2**63, np.uint64), np.array([b"a", b"b"]), np.zeros(2, [("a", int)]), h5py.Empty("f"),
    np.full(2, -np.inf), np.arange(5), np.full((2, 2), -1, np.int8),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_changed_members(tmp_path: Path, whole: bytes, seed: int) -> None:
    """Arrays removed, replaced, moved and linked."""
    chance, path = random.Random(seed), tmp_path / "changed.nir"
    for attempt in range(60):
        path.write_bytes(whole)
        with h5py.File(path, "r+") as file:
            for _ in range(chance.choice([1, 1, 2, 5])):
                members = sorted(members_of(file)) or ["node"]
                with suppress(KeyError, OSError, RuntimeError, ValueError):  # what HDF5 does not do
                    _change(chance, file, chance.choice(members), chance.choice(members))
        try_to_import(path, (seed, attempt))


def members_of(group: h5py.Group, prefix: str = "") -> list[str]:
    """Paths of groups and arrays that are no links."""
    found: list[str] = []
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        found.append(prefix + name)
        member = group[name]
        if isinstance(member, h5py.Group) and prefix.count("/") < 8:
            found += members_of(member, f"{prefix}{name}/")
    return found


def _change(chance: random.Random, file: h5py.File, place: str, other: str) -> None:
    how = chance.randrange(5)
    content = file[other]
    if how != 3:
        del file[place]
    if how == 1:
        file.create_dataset(place, data=chance.choice(REPLACEMENTS))
    if how == 2:
        file[place] = content
    if how == 3 and other not in place and place not in other:
        file[f"{other}_"] = file[place]
    if how == 4:
        file[place] = h5py.SoftLink(f"/{other}")
