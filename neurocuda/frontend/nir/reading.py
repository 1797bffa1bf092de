"""From an HDF5 file to a graph: everything that the file declares is checked before an array is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import ModelError, Problem, ToolchainError, UnsupportedModelError
from neurocuda.frontend.nir.graph import Edge, Graph, Node, Parameter, shown
from neurocuda.frontend.nir.heaps import has_sound_heaps

if TYPE_CHECKING:
    import h5py

MOST_BYTES = 2**32
"""A file may declare any shape in a few bytes; so many are read."""

SMALL = 2**20
DENSEST = 1100
"""Bytes of an array that need no proof; larger ones take a byte of the file for so many: no compression makes more."""

MOST_NODES = 100_000
MOST_EDGES = 1_000_000
DEEPEST = 16
LONGEST_NAME = 256
WORDS = frozenset({"type", "padding"})
"""What may be said in words."""

NEURON = ("r", "v_threshold")
LEAKY = ("tau", "r", "v_leak")
CUBA = ("tau_syn", "tau_mem", "r", "v_leak")
CONVOLUTION = ("weight", "stride", "padding", "dilation", "groups", "bias")
POOLING = ("kernel_size", "stride", "padding")

PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Affine": (("weight", "bias"), ()),
    "AvgPool2d": (POOLING, ()),
    "Conv1d": (CONVOLUTION, ("input_shape",)),
    "Conv2d": (CONVOLUTION, ("input_shape",)),
    "CubaLI": (CUBA, ("w_in",)),
    "CubaLIF": ((*CUBA, "v_threshold"), ("v_reset", "w_in")),
    "Delay": (("delay",), ()),
    "Flatten": (("start_dim", "end_dim"), ("input_type",)),
    "I": (("r",), ()),
    "IF": (NEURON, ("v_reset",)),
    "Input": (("shape",), ()),
    "LI": (LEAKY, ()),
    "LIF": ((*LEAKY, "v_threshold"), ("v_reset",)),
    "Linear": (("weight",), ()),
    "Output": (("shape",), ()),
    "Scale": (("scale",), ()),
    "SumPool2d": (POOLING, ()),
    "Threshold": (("threshold",), ()),
}
"""Per type of node of NIR 1.0.8: the parameters that it must and may have."""


def read_graph(path: Path) -> Graph:
    """The graph in a NIR file.

    Raises:
        ModelError: it is no NIR file, or damaged.
        UnsupportedModelError: lists every node that is unknown, lacks a parameter or holds an impossible one.
        ToolchainError: the package h5py, which reads HDF5, is missing.
    """
    try:
        import h5py
    except ImportError:
        raise ToolchainError("reading .nir files needs the package h5py: pip install 'neurocuda[nir]'") from None
    if not path.is_file():
        raise ModelError(f"'{path}': there is no such file")
    if path.stat().st_size > MOST_BYTES:
        raise ModelError(f"'{path}' is larger than 4 GiB, more than is read")
    try:
        if not has_sound_heaps(path):
            raise ModelError(f"'{path}' is no readable NIR file: the words in it are damaged")
        with h5py.File(path, "r") as file:
            return _Reader(path, problems=[]).network(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"'{path}' is no readable NIR file: {reason}") from None


@dataclass
class _Reader:
    """One file being read, and what is wrong with it."""

    path: Path
    problems: list[Problem]
    declared: int = 0
    nodes: int = 0

    def network(self, file: h5py.File) -> Graph:
        import h5py

        root = _member(file, "node")
        if not isinstance(root, h5py.Group) or "nodes" not in root:
            raise ModelError(f"'{self.path}' holds no NIR graph: there is no group /node/nodes")
        graph = self._graph(root, "", 0)
        if self.problems:
            raise UnsupportedModelError(f"'{self.path}' cannot be read as NIR 1.0:", self.problems)
        return graph

    def _graph(self, group: h5py.Group, prefix: str, depth: int) -> Graph:
        import h5py

        if depth > DEEPEST:
            raise ModelError(f"'{self.path}': graphs are nested more than {DEEPEST} deep")
        listed = _member(group, "nodes")
        if not isinstance(listed, h5py.Group):
            raise ModelError(f"'{self.path}': graph '{shown(prefix) or '/node'}' has no group of nodes")
        nodes: dict[str, Node] = {}
        for name in listed:
            found = self._node(listed, name, prefix, depth)
            if found is not None:
                nodes[name] = found
        return Graph(nodes, self._edges(group, set(listed), prefix))

    def _node(self, listed: h5py.Group, name: str, prefix: str, depth: int) -> Node | None:
        import h5py

        full = prefix + name
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ModelError(f"'{self.path}': there are more than {MOST_NODES:,} nodes")
        if not _is_name(name):
            return self._refuse(full, "a name is at most 256 printable characters without '/', and not '..'")
        group = _member(listed, name)
        if not isinstance(group, h5py.Group) or not isinstance(_member(group, "type"), h5py.Dataset):
            return self._refuse(full, "it has no type")
        kind = self._value(group, "type", full)
        if isinstance(kind, str) and kind == "NIRGraph":
            return Node(name, kind, {}, self._graph(group, f"{full}.", depth + 1))
        if not isinstance(kind, str) or kind not in PARAMETERS:
            return self._refuse(full, f"its type {shown(kind)} is none of {', '.join((*PARAMETERS, 'NIRGraph'))}")
        required, optional = PARAMETERS[kind]
        missing = [parameter for parameter in required if parameter not in group]
        if missing:
            return self._refuse(full, f"type {kind} needs {', '.join(missing)}; the file may be of another version")
        present = [parameter for parameter in (*required, *optional) if parameter in group]
        values = {parameter: self._value(group, parameter, full) for parameter in present}
        known = {parameter: value for parameter, value in values.items() if value is not None}
        return Node(name, kind, known) if len(known) == len(values) else None

    def _value(self, group: h5py.Group, name: str, node: str) -> Parameter | None:
        """A parameter; None where it is refused."""
        import h5py

        dataset = _member(group, name)
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
            return self._refuse(node, f"its {name} is no array")
        kind = dataset.dtype.kind
        if kind in "SO" and name in WORDS:
            return self._text(dataset, name, node)
        if kind not in "fiub":
            return self._refuse(node, f"its {name} holds {dataset.dtype!s:.60}, no numbers")
        self._require_bytes(dataset, name, node)
        values = cast("NDArray[np.floating]", np.asarray(dataset[()]))
        if kind == "f" and not np.isfinite(values).all():
            return self._refuse(node, f"its {name} holds NaN or infinity")
        return values

    def _require_bytes(self, dataset: h5py.Dataset, name: str, node: str) -> None:
        """Refuses what would fill the memory, and what lies in other files."""
        assert dataset.shape is not None
        declared = prod(dataset.shape) * dataset.dtype.itemsize
        self.declared += declared
        if self.declared > MOST_BYTES:
            raise ModelError(
                f"'{self.path}', node '{shown(node)}': with its {name} the file declares over 4 GiB of parameters"
            )
        if dataset.external or dataset.is_virtual:
            raise ModelError(f"'{self.path}', node '{shown(node)}': its {name} lies in another file, which is not read")
        stored = dataset.id.get_storage_size()
        if declared > max(SMALL, DENSEST * stored):
            raise ModelError(
                f"'{self.path}', node '{shown(node)}': its {name} of shape {dataset.shape} is declared, and not there: "
                f"the file holds {stored} bytes of it"
            )

    def _text(self, dataset: h5py.Dataset, name: str, node: str) -> str | None:
        value = dataset[()] if dataset.shape == () and _holds_words(dataset) else None
        if not isinstance(value, bytes | str):
            return self._refuse(node, f"its {name} is neither a number nor a word")
        return value.decode("utf8") if isinstance(value, bytes) else value

    def _edges(self, group: h5py.Group, known: set[str], prefix: str) -> list[Edge]:
        import h5py

        dataset = _member(group, "edges")
        if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
            raise ModelError(f"'{self.path}': graph '{shown(prefix) or '/node'}' has no list of edges")
        shape = dataset.shape
        if prod(shape) == 0:
            return []
        if not _holds_words(dataset) or len(shape) != 2 or shape[1] != 2 or shape[0] > MOST_EDGES:
            raise ModelError(
                f"'{self.path}': {dataset.dtype!s:.60} of shape {shape} are no edges, which are pairs of names"
            )
        pairs = cast("NDArray[np.object_]", np.asarray(dataset[()]))
        edges = list(dict.fromkeys((_word(source), _word(target)) for source, target in pairs.tolist()))
        for source, target in edges:
            for end in (source, target):
                if end not in known:
                    edge = f"edge '{shown(prefix + source)} -> {shown(prefix + target)}'"
                    self.problems.append(Problem(edge, why=f"there is no node '{shown(end)}'"))
        return edges

    def _refuse(self, node: str, why: str) -> None:
        self.problems.append(Problem(f"node '{shown(node)}'", why=why))


def _member(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """What a group itself holds under a name: links that lead elsewhere, or into other files, are not followed."""
    import h5py

    return group[name] if name in group and isinstance(group.get(name, getlink=True), h5py.HardLink) else None


def _holds_words(dataset: h5py.Dataset) -> bool:
    """Whether its elements are words of this file. Lists of numbers are Python objects, too, and may be damaged."""
    import h5py

    words = h5py.check_string_dtype(dataset.dtype) is not None and dataset.dtype.itemsize <= LONGEST_NAME
    return words and not dataset.external and not dataset.is_virtual


def _is_name(name: str) -> bool:
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and "/" not in name and name not in (".", "..")


def _word(value: object) -> str:
    return value.decode("utf8") if isinstance(value, bytes) else str(value)
