"""What NeuroCUDA makes of a raced network, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from networks import Network
from numpy.typing import NDArray
from writing import written

from neurocuda.ir.backend import Program, RunOptions
from neurocuda.ir.context import weights_of
from neurocuda.pipeline import Line, target_stage
from neurocuda.targeting import resolve_target

MODES = ("events", "counts")
"""How ours runs: over time steps, or all at once where that is exact."""


def built(network: Network, target: str) -> Program:
    """A synthetic network, ready to run; its input are the integers of images.

    Raises:
        UnsupportedModelError: the target cannot run it so.
        ToolchainError: a tool that the target needs is missing.
    """
    context, module = written(network)
    backend, chip = resolve_target(target)
    line = Line.start(context, module)
    line.run(target_stage(backend, chip))
    return backend.load(line.module, weights_of(context))


def called(program: Program, images: NDArray[Any], threads: int) -> Callable[[], NDArray[Any]]:
    """A call of the program on a batch, as its user makes it."""
    options, batch = RunOptions(threads=threads), np.ascontiguousarray(images)
    return lambda: program.run([batch], options).outputs[0]
