"""Runs a module as targets run theirs, a batch in, outputs and counts out: the reference interpreter as a program."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.ir import Operation
from xdsl.irdl import IRDLOperation

from neurocuda.errors import InputError
from neurocuda.ir.backend import REFERENCE, Execution, RunOptions
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret, main_function
from neurocuda.reference.meaning import Array
from neurocuda.reference.stream import ReferenceStream

AT_ONCE = 16
"""Images that the interpreter runs at once."""


@dataclass(frozen=True)
class ReferenceProgram:
    """A module, interpreted. `is_layer` says of operations with an origin whether they are layers that are counted."""

    module: ModuleOp
    weights: WeightStore
    is_layer: Callable[[Operation], bool]

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
        return Execution(outputs, counts, self.steps(inputs), time.perf_counter() - started, REFERENCE)

    def _run(self, inputs: Sequence[Array], *, counts: bool) -> tuple[list[Array], dict[str, Array]]:
        found: dict[str, Array] = {}

        def note(op: Operation, values: Array) -> None:
            origin = origin_of(op)
            if origin is not None and self.is_layer(op):
                found[origin] = values

        return interpret(self.module, self.weights, inputs, note if counts else None), found

    def stream(self) -> ReferenceStream:
        """A stream of its own, for networks of spike trains."""
        return ReferenceStream(self.module, self.weights)

    def steps(self, inputs: Sequence[Array]) -> int:
        """Time steps per image; a network without an end of its own runs for as many as its inputs have.

        A program that computes many time steps in one of its own says how many it `covers`.
        """
        networks = [op for op in main_function(self.module).body.block.ops if op.regions and _has_clock(op)]
        steps = [op.properties.get("covers") or op.properties.get("steps") for op in networks]
        return sum(each.value.data if isinstance(each, IntegerAttr) else inputs[0].shape[1] for each in steps)


def _has_clock(op: Operation) -> bool:
    return isinstance(op, IRDLOperation) and "steps" in op.get_irdl_definition().properties


def _parts(inputs: Sequence[Array], options: RunOptions) -> Iterator[list[Array]]:
    """A few images at a time; one empty part where there are none."""
    images = len(inputs[0])
    for start in range(0, max(1, images), AT_ONCE):
        yield [array[start : start + AT_ONCE] for array in inputs]
        if options.progress is not None:
            options.progress(min(start + AT_ONCE, images), images)
