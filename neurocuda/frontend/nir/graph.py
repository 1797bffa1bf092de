"""What a NIR file says: nodes with their parameters, and edges between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import ModelError

Parameter = NDArray[np.generic] | str
Edge = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """One node: its name in the file, its type, its parameters, and its parts where it is a graph of its own."""

    name: str
    kind: str
    parameters: Mapping[str, Parameter]
    graph: Graph | None = None

    def array(self, name: str) -> NDArray[np.generic]:
        """A parameter that is no text."""
        value = self.parameters[name]
        assert not isinstance(value, str), "the reader has checked the kinds of parameters"
        return value

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A parameter as floats; a single number, for all elements, has one axis."""
        values = self.array(name).astype(np.float64)
        return values.reshape(1) if values.size == 1 else values

    def integers(self, name: str) -> tuple[int, ...]:
        """A parameter of whole numbers; of a single one, itself."""
        return tuple(int(value) for value in self.array(name).ravel())


@dataclass(frozen=True)
class Graph:
    """Nodes by name, and edges from node to node."""

    nodes: Mapping[str, Node]
    edges: Sequence[Edge]

    def sources(self) -> Mapping[str, Sequence[str]]:
        """Per node, those that it reads: in one order, that of their sum, whatever the file's is."""
        found: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in sorted(self.edges):
            found[target].append(source)
        return found


NEURONS = frozenset({"I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"})
"""Nodes with a state, which may stand in a cycle."""


PASSING = "Passing"
"""The kind of what was an input or an output of a nested graph: it hands on what it gets."""


def inlined(graph: Graph, prefix: str = "") -> Graph:
    """The graph with nested graphs in place: their nodes are called `outer.inner`.

    Raises:
        ModelError: a nested graph has not just one input and one output, so that an edge does not say which it means;
            or two nodes get the same name.
    """
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    ports: dict[str, tuple[str, str]] = {}
    for name, node in graph.nodes.items():
        full = prefix + name
        if node.graph is None:
            _add(nodes, replace(node, name=full))
            continue
        inner = inlined(node.graph, f"{full}.")
        ports[name] = (_port(node.graph, "Input", full), _port(node.graph, "Output", full))
        for found in inner.nodes.values():
            _add(nodes, _handing_on(found, ports[name]))
        edges.extend(inner.edges)
    for source, target in graph.edges:
        first = ports[source][1] if source in ports else prefix + source
        edges.append((first, ports[target][0] if target in ports else prefix + target))
    return Graph(nodes, edges)


def _add(nodes: dict[str, Node], node: Node) -> None:
    """Raises ModelError where a name is taken: 'a.b' may be a node, and node 'b' of a nested graph 'a'."""
    if node.name in nodes:
        raise ModelError(f"node '{shown(node.name)}': a node and a node of a nested graph have this name; rename one")
    nodes[node.name] = node


def _port(graph: Graph, kind: str, name: str) -> str:
    found = [node.name for node in graph.nodes.values() if node.kind == kind]
    if len(found) != 1:
        raise ModelError(f"node '{name}': a nested graph has one {kind} node, this one has {len(found)}")
    return f"{name}.{found[0]}"


def _handing_on(node: Node, ports: tuple[str, str]) -> Node:
    return replace(node, kind=PASSING) if node.name in ports else node


def shown(name: object) -> str:
    """A name from a file, so that it does no harm to a terminal."""
    text = str(name)
    text = text if text.isprintable() else repr(text)[1:-1]
    return text if len(text) <= 80 else f"{text[:77]}..."
