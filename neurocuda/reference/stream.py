"""Runs a network of spike trains on from where it stopped: the reference interpreter as a stream."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import Run, execute
from neurocuda.reference.meaning import Array


class ReferenceStream:
    """One run of a module that goes on with every push."""

    def __init__(self, module: ModuleOp, weights: WeightStore) -> None:
        self._module = module
        self._run = Run(weights)

    def push(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Runs on for as many steps as the inputs, (steps, *shape) arrays, have."""
        outputs = execute(self._run, self._module, [array[None] for array in inputs])
        self._run.first += len(inputs[0])
        return tuple(output[0] for output in outputs)

    def reset(self) -> None:
        """Begins anew with the next push."""
        self._run.first = 0
