"""Runs a program without an end on from where it stopped: memory and pointers are made once, not at every push."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from neurocuda.backends.cpu.native import NativeProgram, aligned, as_input
from neurocuda.backends.cpu.run import CpuProgram
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_bytes, buffer_element, buffer_shape
from neurocuda.dialects.cpu.semantics import buffer_dtype
from neurocuda.errors import TargetError
from neurocuda.reference.interpreter import main_function
from neurocuda.reference.meaning import Array

LAST = 2**31 - 1
"""Programs count steps in 32 bits: at 16 kHz a day and a half."""


def open_stream(program: CpuProgram) -> CpuStream:
    """A stream through a module that is one program without an end.

    Raises:
        TargetError: the module is more than that.
    """
    block = main_function(program.module).body.block
    last = block.last_op
    assert last is not None
    for op, native in program.natives.items():
        alone = list(op.operands) == list(block.args) and list(last.operands) == list(op.results)
        if alone and native.interface.steps is None:
            return CpuStream(native)
    raise TargetError("a stream takes a network of spike trains with nothing beside it on the host")


class CpuStream:
    """One state of a program, and room for as many steps as were pushed last.

    What it gives is overwritten by the next push.
    """

    def __init__(self, native: NativeProgram) -> None:
        self._native = native
        self._state = aligned(native.interface.state_bytes)
        self._first = 0
        self._make_room(1)

    def push(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Runs on for as many steps as the inputs, (steps, *shape) arrays, have, without the interpreter's lock.

        Raises:
            InputError: integers do not fit.
        """
        steps = len(inputs[0])
        if steps != self._room:
            self._make_room(steps)
        for place, array in zip(self._inputs, inputs, strict=True):
            place[...] = array if place.dtype == array.dtype else as_input(array, place.dtype)
        if self._first > LAST - steps:
            self._turn_back()
        first, self._first = self._first, self._first + steps  # an interrupt behind the call finds the clock right
        self._call(first, steps)
        return self._outputs

    def reset(self) -> None:
        """Begins anew with the next push."""
        self._first = 0

    def _turn_back(self) -> None:
        """Sets the clock to step 1, and what the state says of steps with it: rings turn, rests end so much sooner."""
        passed, self._first = self._first - 1, 1
        rings: dict[SSAValue, None] = {}
        for op in self._native.interface.op.body.block.ops:
            if isinstance(op, cpu.RecallOp | cpu.RememberOp):
                rings[op.line] = None
            if isinstance(op, cpu.FireOp) and op.ready is not None:
                ready = self._memory_of(op.ready)
                np.maximum(ready, passed, out=ready)
                ready -= passed
        for line in rings:
            ring = self._memory_of(line)
            ring[...] = np.roll(ring, -passed, axis=0)

    def _memory_of(self, value: SSAValue) -> Array:
        """Where a buffer lies in the state."""
        assert isinstance(value.owner, cpu.BufferOp)
        assert value.owner.offset is not None
        start = value.owner.offset.value.data
        memory = self._state[start : start + buffer_bytes(value)]
        return memory.view(buffer_dtype(buffer_element(value))).reshape(buffer_shape(value))

    def _make_room(self, steps: int) -> None:
        interface = self._native.interface
        self._inputs, self._outputs = (
            tuple(np.zeros((steps, *spec.shape), buffer_dtype(spec.element)) for spec in specs)
            for specs in (interface.inputs, interface.outputs)
        )
        self._call = self._native.bound(self._state, (*self._inputs, *self._outputs))
        self._room = steps
