"""Writes .nir files, right and wrong ones, and runs what is read from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import h5py
import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.frontend.nir.importer import import_nir
from neurocuda.ir.context import create_context, weights_of
from neurocuda.options import NirOptions
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.meaning import Array

Nodes: TypeAlias = Mapping[str, tuple[str, Mapping[str, object]]]
"""Name to type and parameters; of a nested graph, its `nodes` and `edges`."""

Edges: TypeAlias = Sequence[tuple[str, str]]
Write: TypeAlias = Callable[[Nodes, Edges], Path]
Run: TypeAlias = Callable[..., list[Array]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a graph as package nir 1.0.8 does."""

    def written(nodes: Nodes, edges: Edges) -> Path:
        path = tmp_path / "network.nir"
        with h5py.File(path, "w") as file:
            file.create_dataset("version", data="1.0.8")
            _write_graph(file.create_group("node"), nodes, edges)
        return path

    return written


def _write_graph(group: h5py.Group, nodes: Nodes, edges: Edges) -> None:
    group.create_dataset("type", data="NIRGraph")
    group.create_dataset("edges", data=np.array([[a.encode(), b.encode()] for a, b in edges], "S").reshape(-1, 2))
    listed = group.create_group("nodes")
    for name, (kind, parameters) in nodes.items():
        node = listed.create_group(name)
        if kind == "NIRGraph":
            _write_graph(node, cast(Nodes, parameters["nodes"]), cast(Edges, parameters["edges"]))
            continue
        node.create_dataset("type", data=kind)
        for parameter, value in parameters.items():
            node.create_dataset(parameter, data=value)


@pytest.fixture
def imported(write: Write) -> Callable[..., ModuleOp]:
    """The module of a graph."""

    def module(nodes: Nodes, edges: Edges, options: NirOptions | None = None) -> ModuleOp:
        module = import_nir(write(nodes, edges), options or NirOptions(), create_context())
        module.verify()
        return module

    return module


@pytest.fixture
def run(write: Write) -> Run:
    """What every output of a graph says at every step, from inputs without a batch axis."""

    def outputs(nodes: Nodes, edges: Edges, *inputs: object, options: NirOptions | None = None) -> list[Array]:
        context = create_context()
        module = import_nir(write(nodes, edges), options or NirOptions(), context)
        module.verify()
        trains = [np.asarray(train, np.float32)[None] for train in inputs]
        return [output[0] for output in interpret(module, weights_of(context), trains)]

    return outputs
