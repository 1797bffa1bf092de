"""Runs a graph: the reference interpreter says what it means, and there is no second simulator to disagree with it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.nir.level import LEVEL
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.errors import InputError
from neurocuda.ir.attributes import element_type
from neurocuda.ir.backend import Execution, RunOptions
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret
from neurocuda.reference.meaning import Array

AT_ONCE = 16
"""Images that the interpreter runs at once."""


def load(module: ModuleOp, weights: WeightStore) -> NirProgram:
    """A graph ready to run.

    Raises:
        LevelError: the module is not at level `nir`.
    """
    LEVEL.require(module)
    return NirProgram(module, weights)


@dataclass(frozen=True)
class NirProgram:
    """A module with a `nir.graph`, interpreted."""

    module: ModuleOp
    weights: WeightStore

    def run(self, inputs: Sequence[Array], options: RunOptions | None = None) -> Execution:
        """Runs a batch: one (images, *shape) array per argument of `@main`.

        Raises:
            InputError: an array has the wrong shape, or their number or that of images is wrong.
        """
        options = options or RunOptions()
        if not inputs:
            raise InputError("no inputs were given")
        started = time.perf_counter()
        parts = [self._run(part, counts=options.counts) for part in _parts(inputs, options)]
        outputs = tuple(np.concatenate(arrays) for arrays in zip(*(found for found, _ in parts), strict=True))
        counts = {name: np.concatenate([said[name] for _, said in parts]) for name in parts[0][1]}
        return Execution(outputs, counts, self.steps(inputs), time.perf_counter() - started, "reference")

    def _run(self, inputs: Sequence[Array], *, counts: bool) -> tuple[list[Array], dict[str, Array]]:
        found: dict[str, Array] = {}

        def note(op: Operation, values: Array) -> None:
            origin = origin_of(op)
            if origin is not None and isinstance(op, nir.NodeOp) and isinstance(element_type(op.result), RangeType):
                found[origin] = values

        return interpret(self.module, self.weights, inputs, note if counts else None), found

    def steps(self, inputs: Sequence[Array]) -> int:
        """Time steps per image."""
        graphs = [op for op in self.module.walk() if isinstance(op, nir.GraphOp)]
        return sum(inputs[0].shape[1] if op.steps is None else op.steps.value.data for op in graphs)


def _parts(inputs: Sequence[Array], options: RunOptions) -> Iterator[list[Array]]:
    """A few images at a time; one empty part where there are none."""
    images = len(inputs[0])
    for start in range(0, max(1, images), AT_ONCE):
        yield [array[start : start + AT_ONCE] for array in inputs]
        if options.progress is not None:
            options.progress(min(start + AT_ONCE, images), images)
