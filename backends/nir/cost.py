"""How large a graph is."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.nir import ops as nir
from neurocuda.ir.attributes import Dense, dense_shape, shape_of
from neurocuda.ir.backend import Execution, Reading
from neurocuda.ir.chip import Chip
from neurocuda.ir.weights import WeightStore


def cost(module: ModuleOp, weights: WeightStore, chip: Chip, execution: Execution | None = None) -> Sequence[Reading]:
    """Nodes, edges, and the parameters that the file holds, where every element has its own."""
    del weights, chip, execution
    nodes = [op for op in module.walk() if isinstance(op, nir.NodeOp)]
    border = [op for op in module.walk() if isinstance(op, nir.InputOp | nir.OutputOp)]
    edges = sum(len(op.operands) for op in nodes) + sum(
        len(op.operands) for op in border if isinstance(op, nir.OutputOp)
    )
    return [
        Reading("nodes", len(nodes) + len(border), "in the file", "estimated"),
        Reading("edges", edges, "in the file", "estimated"),
        Reading("parameters", sum(map(_parameters, nodes)), "numbers in the file", "estimated"),
    ]


def _parameters(op: nir.NodeOp) -> int:
    constants = [
        value
        for name, value in op.properties.items()
        if isinstance(value, Dense) and not (name == "scale" and op.name != "nir.scale")
    ]
    if isinstance(op, nir.ElementwiseOp):
        return len(constants) * prod(shape_of(op.result))
    return sum(prod(dense_shape(value)) for value in constants)
