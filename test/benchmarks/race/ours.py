"""What NeuroCUDA makes of a raced network, and how it is called."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from networks import Network
from numpy.typing import NDArray
from writing import written

from neurocuda.backends.cpu.native import as_input
from neurocuda.backends.cpu.run import CpuProgram
from neurocuda.dialects.cpu.semantics import buffer_dtype
from neurocuda.ir.backend import Program, RunOptions
from neurocuda.ir.context import weights_of
from neurocuda.pipeline import Line, target_stage
from neurocuda.targeting import resolve_target

MODES = ("events", "counts")
"""How ours runs: over time steps, or all at once where that is exact."""

DIRECT = ", called directly"
"""Behind the mode, where Python's part of a call is left out."""


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


def called_directly(program: Program, images: NDArray[Any], threads: int) -> Callable[[], NDArray[Any]]:
    """A call of the machine code with arrays that are there already, as a program in C makes it.

    Raises:
        TypeError: there is more than one piece of machine code, or none.
    """
    if not isinstance(program, CpuProgram) or len(program.natives) != 1:
        raise TypeError("the program is not one piece of machine code")
    (native,) = program.natives.values()
    (taken,), (given,) = native.interface.inputs, native.interface.outputs
    batch = as_input(images, buffer_dtype(taken.element))
    outputs = np.empty((len(batch), *given.shape), buffer_dtype(given.element))
    state, pairs = native.borrow_state(), list(zip(batch, outputs, strict=True))
    if threads == 1:
        calls = [native.bound(state.memory, pair) for pair in pairs]
    else:
        pointers = [(image.ctypes.data, logits.ctypes.data, None) for image, logits in pairs]
        calls = [partial(native.call, state, each, threads) for each in pointers]

    def run() -> NDArray[Any]:
        for call in calls:
            call()
        assert pairs  # arrays are there as long as this
        return outputs

    return run


def called(program: Program, images: NDArray[Any], threads: int) -> Callable[[], NDArray[Any]]:
    """A call of the program on a batch, as its user makes it."""
    options, batch = RunOptions(threads=threads), np.ascontiguousarray(images)
    return lambda: program.run([batch], options).outputs[0]
