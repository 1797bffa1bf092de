"""Typed views of torch's graphs."""

from __future__ import annotations

from typing import TypeAlias, cast

from torch._ops import OpOverload
from torch.export import ExportedProgram
from torch.fx import Node

Overload: TypeAlias = "OpOverload[..., object]"
"""One overload of an ATen operation, e.g. aten.add.Tensor."""


def nodes_of(program: ExportedProgram) -> list[Node]:
    """The nodes of a program's graph, in order."""
    return [cast(Node, node) for node in program.graph.nodes]


def overload_of(node: Node) -> Overload | None:
    """What the node calls, where that is an operation of ATen or of a library like it."""
    return cast(Overload, node.target) if isinstance(node.target, OpOverload) else None


def target_name(node: Node) -> str:
    """`aten.relu.default`; the plain name of anything that is not ATen's."""
    overload = overload_of(node)
    return str(getattr(node.target, "__name__", node.target)) if overload is None else str(overload)


def packet_name(node: Node) -> str:
    """`aten.relu`, the name of all overloads together; the plain name of anything that is not ATen's."""
    name = target_name(node)
    return name if overload_of(node) is None else name.rpartition(".")[0]
