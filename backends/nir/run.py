"""Runs a graph: the reference interpreter says what it means, and there is no second simulator to disagree with it."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.nir.level import LEVEL
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.ir.attributes import element_type
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.program import ReferenceProgram


def load(module: ModuleOp, weights: WeightStore) -> ReferenceProgram:
    """A graph ready to run.

    Raises:
        LevelError: the module is not at level `nir`.
    """
    LEVEL.require(module)
    return ReferenceProgram(module, weights, _sends_spikes)


def _sends_spikes(op: Operation) -> bool:
    return isinstance(op, nir.NodeOp) and isinstance(element_type(op.result), RangeType)
