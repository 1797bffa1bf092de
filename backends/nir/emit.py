"""Writes graphs as .nir files, HDF5 by way of the package `nir`. Walks and prints: what a file cannot say is refused
long before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import DenseArrayBase, IntegerAttr, ModuleOp
from xdsl.ir import SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.nir.level import LEVEL
from neurocuda.errors import ToolchainError
from neurocuda.ir.attributes import Dense, shape_of, values_of
from neurocuda.ir.backend import Availability
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Parameter: TypeAlias = "Array | int | tuple[int, ...]"

MISSING = "the package nir is missing, which writes the files: pip install 'neurocuda[nir]'"

KINDS: Mapping[type[nir.NodeOp], str] = {
    nir.AffineOp: "Affine",
    nir.AvgPool2dOp: "AvgPool2d",
    nir.Conv1dOp: "Conv1d",
    nir.Conv2dOp: "Conv2d",
    nir.CubaLIFOp: "CubaLIF",
    nir.CubaLIOp: "CubaLI",
    nir.DelayOp: "Delay",
    nir.FlattenOp: "Flatten",
    nir.IFOp: "IF",
    nir.IOp: "I",
    nir.LIFOp: "LIF",
    nir.LIOp: "LI",
    nir.LinearOp: "Linear",
    nir.ScaleOp: "Scale",
    nir.SumPool2dOp: "SumPool2d",
    nir.ThresholdOp: "Threshold",
}
"""What NIR calls the nodes. Parameters have NIR's own names."""


def availability() -> Availability:
    """Whether files can be written."""
    try:
        return Availability(True, f"nir {version('nir')}")
    except PackageNotFoundError:
        return Availability(False, MISSING)


def emit_files(module: ModuleOp, weights: WeightStore) -> Mapping[str, bytes]:
    """`<graph>.nir` for every graph of the module.

    Raises:
        LevelError: the module is not at level `nir`.
        ToolchainError: the package `nir` is missing.
    """
    LEVEL.require(module)
    graphs = [op for op in module.walk() if isinstance(op, nir.GraphOp)]
    return {f"{op.symbol.data}.nir": file_of(op, weights) for op in graphs}


def file_of(op: nir.GraphOp, weights: WeightStore) -> bytes:
    """The file of a graph.

    Raises:
        ToolchainError: the package `nir` is missing.
    """
    try:
        package: Any = import_module("nir")
    except ImportError:
        raise ToolchainError(MISSING) from None
    stream = BytesIO()
    nodes = {name: getattr(package, kind)(**parameters) for name, kind, parameters in _nodes(op, weights)}
    package.write(stream, package.NIRGraph(nodes=nodes, edges=list(_edges(op)), metadata=_metadata(op)))
    return stream.getvalue()


def _metadata(op: nir.GraphOp) -> dict[str, float | int | str]:
    """How the graph is to be run, which NIR has no place for, for people and for our own importer."""
    steps = {} if op.steps is None else {"steps": op.steps.value.data}
    return {"producer": f"neurocuda {_own_version()}", "dt": op.dt.value.data, **steps}


def _own_version() -> str:
    from neurocuda import __version__

    return __version__


def _nodes(op: nir.GraphOp, weights: WeightStore) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, kind, parameters) of every node."""
    import numpy as np

    for inner in op.body.block.ops:
        if isinstance(inner, nir.InputOp):
            yield inner.node.data, "Input", {"input_type": np.array(shape_of(inner.result))}
        elif isinstance(inner, nir.NodeOp):
            yield inner.node.data, KINDS[type(inner)], _parameters(inner, weights)
        elif isinstance(inner, nir.OutputOp):
            for name, value in zip(inner.nodes, inner.values, strict=True):
                yield name, "Output", {"output_type": np.array(shape_of(value))}


def _parameters(op: nir.NodeOp, weights: WeightStore) -> dict[str, Any]:
    import numpy as np

    found: dict[str, Any] = {}
    for name, value in op.properties.items():
        if isinstance(value, Dense):
            found[name] = _constant(op, value, weights)
        elif isinstance(value, DenseArrayBase):
            found[name] = values_of(value)
        elif isinstance(value, IntegerAttr):
            found[name] = value.value.data
    if isinstance(op, nir.FiringOp | nir.ThresholdOp):
        found.pop("scale", None)  # for our own reports
    if isinstance(op, nir.PoolOp):
        found = {name: np.array(value) for name, value in found.items()}
    if isinstance(op, nir.Conv2dOp | nir.Conv1dOp):
        found["input_shape"] = op.incoming[1:] if isinstance(op, nir.Conv2dOp) else op.incoming[1]
    if isinstance(op, nir.FlattenOp):
        found["input_type"] = np.array(op.incoming)
    return found


def _constant(op: nir.NodeOp, value: Dense, weights: WeightStore) -> Array:
    """A parameter; of elementwise nodes one per element, as NIR wants it."""
    import numpy as np

    array = weights.array(value)
    return np.ascontiguousarray(
        np.broadcast_to(array, shape_of(op.result)) if isinstance(op, nir.ElementwiseOp) else array
    )


def _edges(op: nir.GraphOp) -> Iterator[tuple[str, str]]:
    for inner in op.body.block.ops:
        if isinstance(inner, nir.NodeOp):
            yield from ((_source(value), inner.node.data) for value in inner.inputs)
        elif isinstance(inner, nir.OutputOp):
            yield from ((_source(value), name) for name, value in zip(inner.nodes, inner.values, strict=True))


def _source(value: SSAValue) -> str:
    owner = value.owner
    assert isinstance(owner, nir.NodeOp | nir.InputOp)
    return owner.node.data
