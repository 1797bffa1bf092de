"""One program as machine code: memory, arguments, batches over threads, and images that threads work on together."""

from __future__ import annotations

import ctypes
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.cpu.interface import ALIGNMENT, Interface
from neurocuda.dialects.cpu.semantics import buffer_dtype, to_logical
from neurocuda.errors import InputError
from neurocuda.ir.backend import RunOptions
from neurocuda.reference.meaning import Array

if TYPE_CHECKING:
    from collections.abc import Iterator

Bytes = NDArray[np.uint8]


class Function(Protocol):
    """A native function; the interpreter lock is free while it runs."""

    restype: Any
    argtypes: Any

    def __call__(self, *arguments: object) -> object: ...


PROCESSORS = os.cpu_count() or 1

CHUNKS = 8
"""Into how many pieces each thread's share of a batch is cut, so that threads end together and progress shows."""

WORTHWHILE = 50e-6
"""Seconds that an image has to take on one thread for others to be woken."""

AGAIN = 100
"""After so many images the slower one of both ways is tried again."""


@dataclass(frozen=True)
class Code:
    """The machine code of a program: its constants, `<symbol>_run`, and what keeps the code in memory.

    `share` is the address of `<symbol>_share`, by which threads work on one image together; None where there is none.
    """

    constants: bytes
    run: Function
    keeper: object
    share: int | None = None


class State:
    """Memory for one image, and where it begins."""

    def __init__(self, size: int) -> None:
        self.memory = aligned(size)
        self.place = place_of(self.memory)


class NativeProgram:
    """One program as machine code."""

    def __init__(self, interface: Interface, code: Code) -> None:
        self.interface = interface
        self._code = code
        self._weights = aligned(len(code.constants))
        self._weights[: len(code.constants)] = np.frombuffer(code.constants, np.uint8)
        self._constants = place_of(self._weights)
        self._input_types = [buffer_dtype(array.element) for array in interface.inputs]
        self._outputs = [(array.shape, buffer_dtype(array.element)) for array in interface.outputs]
        self._count_type = buffer_dtype(interface.count_type)
        self._states: deque[State] = deque()
        self._pace = Pace()
        arrays = 1 + len(interface.inputs) + len(interface.outputs)
        clock = [ctypes.c_int32] * 2 if interface.steps is None else []
        code.run.restype = None
        code.run.argtypes = [ctypes.c_void_p] * 2 + clock + [ctypes.c_void_p] * arrays

    def steps_of(self, inputs: Sequence[Array]) -> int:
        """For how many steps it runs on a batch: without an end of its own, as many as the inputs have."""
        return inputs[0].shape[1] if self.interface.steps is None else self.interface.steps

    def run(self, inputs: Sequence[Array], options: RunOptions) -> tuple[tuple[Array, ...], dict[str, Array]]:
        """(outputs, spike counts by layer) of a batch."""
        batch = len(inputs[0])
        time_axis = (self.steps_of(inputs),) if self.interface.steps is None else ()
        arrays = [as_input(array, dtype) for array, dtype in zip(inputs, self._input_types, strict=True)]
        outputs = [np.empty((batch, *time_axis, *shape), dtype) for shape, dtype in self._outputs]
        counts = self._new_counts(batch) if options.counts else None
        threads = options.threads or PROCESSORS
        if batch == 1 and counts is None and options.progress is None:
            self._run_one(arrays, outputs, threads)
            return tuple(outputs), {}
        images = _Images(self, arrays, outputs, counts)
        if options.progress is None and (threads == 1 or batch < threads):
            images.run(range(batch), threads)
        else:
            _run_pieces(images, batch, threads, options)
        return tuple(outputs), {} if counts is None else self._split(counts)

    def _run_one(self, inputs: Sequence[Array], outputs: Sequence[Array], threads: int) -> None:
        """Runs a single image: a small network takes less time than looking after a batch."""
        clock = (0, self.steps_of(inputs)) if self.interface.steps is None else ()
        state = self.borrow_state()
        self.call(state, (*clock, *map(place_of, inputs), *map(place_of, outputs), None), threads)
        self.give_back(state)

    def bound(self, state: Bytes, arrays: Sequence[Array]) -> Callable[..., None]:
        """What runs one image in this memory, which it keeps; without an end, given the first step and their number."""
        memory, weights, *pointers = (
            array.ctypes.data_as(ctypes.c_void_p) for array in (state, self._weights, *arrays)
        )

        def call(*clock: int) -> None:
            self._code.run(memory, weights, *clock, *pointers, None)

        return call

    def call(self, state: State, numbers: Sequence[int | None], threads: int) -> None:
        """Runs one image, given (steps and) pointers; with other threads where that is faster and they are free."""
        together = threads > 1 and self._pace.together()
        begin = time.perf_counter()
        if not (together and self._shared(state, numbers, threads)):
            together = False
            self._code.run(state.place, self._constants, *numbers)
        self._pace.note(time.perf_counter() - begin, together=together)

    def _shared(self, state: State, numbers: Sequence[int | None], threads: int) -> bool:
        """Runs one image with other threads; False where they are busy, or there is no way to."""
        from neurocuda.backends.cpu.llvm.team import team_of

        team = team_of(threads) if self._code.share is not None else None
        arguments = np.array([state.place, self._constants, *(each or 0 for each in numbers)], np.int64)
        return team is not None and team.try_run(self._code.share or 0, place_of(arguments))

    def borrow_state(self) -> State:
        """Memory for one image; what ran before may have left something there."""
        try:
            return self._states.pop()
        except IndexError:
            return State(self.interface.state_bytes)

    def give_back(self, state: State) -> None:
        """The memory is free for the next image."""
        self._states.append(state)

    def _new_counts(self, batch: int) -> Array:
        return np.zeros((batch, self.interface.count_total), self._count_type)

    def _split(self, counts: Array) -> dict[str, Array]:
        """Counters by layer, in the user's order of axes."""
        split: dict[str, Array] = {}
        for layer in self.interface.layers:
            part = counts[:, layer.offset : layer.offset + prod(layer.shape)]
            split[layer.origin] = to_logical(part.reshape(len(counts), *layer.shape), layer.layout)
        return split


def _run_pieces(images: _Images, batch: int, threads: int, options: RunOptions) -> None:
    """Runs a batch piece by piece, over threads where there are as many images, and says how far it is."""
    done = _Progress(options, batch)
    if threads == 1 or batch < threads:
        for piece in _pieces(batch, 1):
            done(images.run(piece, threads))
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: list[Future[int]] = [pool.submit(images.run, piece) for piece in _pieces(batch, threads)]
        for future in as_completed(waiting):
            done(future.result())


class Pace:
    """How long an image takes alone and together, by the last of each; both are tried again now and then.

    On a machine that is busy with other things, threads that wait for each other are slower than one.
    """

    def __init__(self) -> None:
        self._alone = self._together = 0.0
        self._runs = 0

    def together(self) -> bool:
        """Whether the next image is for all threads."""
        self._runs += 1
        if self._alone <= WORTHWHILE:
            return False
        return (self._together < self._alone) != (self._runs % AGAIN == 0)

    def note(self, seconds: float, *, together: bool) -> None:
        """An image took so long."""
        if together:
            self._together = seconds
        else:
            self._alone = seconds


class _Images:
    """A batch: where every image's arrays begin."""

    def __init__(
        self, program: NativeProgram, inputs: Sequence[Array], outputs: Sequence[Array], counts: Array | None
    ) -> None:
        self._program = program
        self._arrays = (*inputs, *outputs, *([] if counts is None else [counts]))  # they are not freed meanwhile
        self._places = [(place_of(array), array.strides[0]) for array in self._arrays]
        self._uncounted = () if counts is not None else (None,)
        self._clock = (0, program.steps_of(inputs)) if program.interface.steps is None else ()

    def run(self, images: range, threads: int = 1) -> int:
        """Runs images one after the other in one memory; the interpreter lock is free meanwhile."""
        state = self._program.borrow_state()
        for image in images:
            pointers = (place + stride * image for place, stride in self._places)
            self._program.call(state, (*self._clock, *pointers, *self._uncounted), threads)
        self._program.give_back(state)
        return len(images)


class _Progress:
    """Adds up finished images."""

    def __init__(self, options: RunOptions, batch: int) -> None:
        self._report = options.progress
        self._batch = batch
        self._done = 0

    def __call__(self, images: int) -> None:
        self._done += images
        if self._report is not None:
            self._report(self._done, self._batch)


def _pieces(batch: int, threads: int) -> Iterator[range]:
    size = max(1, -(-batch // (threads * CHUNKS)))
    return (range(begin, min(begin + size, batch)) for begin in range(0, batch, size))


def aligned(size: int) -> Bytes:
    """Memory of at least one byte, aligned as programs need it."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size]


def place_of(array: Array) -> int:
    """Where an array begins. NumPy tells it slowly; what can be written says so faster."""
    if array.flags.carray and array.size:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    return array.__array_interface__["data"][0]


@cache
def _limits(dtype: np.dtype[np.generic]) -> tuple[int, int]:
    """The smallest and the largest integer of a type."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype.name)
    return limits.min, limits.max


def as_input(array: Array, dtype: np.dtype[np.generic]) -> Array:
    """The array in the program's type and where it can be read; integers have to fit.

    Raises:
        InputError: they do not.
    """
    if array.dtype == dtype and array.flags.carray:
        return array
    if dtype.kind != "f" and array.dtype != dtype and array.size:
        if array.dtype.kind not in "biu":
            raise InputError(f"expected integers, found {array.dtype}")
        (lowest, highest), (low, high) = _limits(dtype), _limits(array.dtype)
        if (low < lowest and int(array.min()) < lowest) or (high > highest and int(array.max()) > highest):
            raise InputError(f"values from {array.min()} to {array.max()} do not fit into {dtype.name}")
    return np.require(array, dtype, ["C", "A"]) if array.dtype == dtype else array.astype(dtype, "C")
