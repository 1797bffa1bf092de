"""Spike trains that go through a compiled network as they come, from an event camera or a microphone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from neurocuda.errors import OptionError, StreamError
from neurocuda.events import as_frames
from neurocuda.images import Array, InputSpec, Steps, as_steps
from neurocuda.options import require_type

if TYPE_CHECKING:
    from neurocuda.compiled import Outputs
    from neurocuda.events import Events
    from neurocuda.ir.backend import Stream
    from neurocuda.measure.trains import CountRange


class Session:
    """A network that keeps its state between calls. `Compiled.stream` opens it.

    What is pushed in pieces, whatever their lengths, gives what `Compiled.run` gives for the whole. Sessions share
    nothing: different ones run at the same time, also in threads of one process; of one session the pushes of several
    threads run one after the other.
    """

    def __init__(self, stream: Stream, inputs: InputSpec, ranges: Mapping[int, CountRange]) -> None:
        self._stream: Stream | None = stream
        self._inputs = inputs
        self._ranges = ranges
        self._steps = 0
        self._lock = Lock()

    @property
    def steps(self) -> int:
        """Time steps since the beginning, or since the last reset."""
        return self._steps

    @property
    def closed(self) -> bool:
        """Whether it takes nothing any more."""
        return self._stream is None

    def push(self, steps: Steps) -> Outputs:
        """Runs on through one time step, or several.

        Args:
            steps: an array of an input's shape without batch and time; or with time as first axis, also of no steps.
                What goes into `Compiled.run` as floats, counts or spikes does here; a dictionary where there are
                several inputs.

        Returns:
            What the outputs say meanwhile: float32, with time as first axis where the steps had it; a tuple where there
            are several outputs.

        Raises:
            InputError: the steps do not fit; the state is as it was.
            StreamError: the session is closed.
        """
        arrays, one = as_steps(steps, self._inputs)
        return self._push(arrays, one=one)

    def push_events(self, events: Events, *, steps: int) -> Outputs:
        """Runs on through some time steps in which there are these events.

        Args:
            events: integers, one row per event in any order: at which of these steps, counted from 0, then the index in
                the input's shape. For an input (2, 34, 34) the columns are step, polarity, row, column. Every event
                adds 1. A camera that gives microseconds, and steps of one millisecond: `time // 1000` is the step. A
                dictionary where there are several inputs.
            steps: for how many steps to run.

        Returns:
            What the outputs say meanwhile: as `push`, with time as first axis.

        Raises:
            InputError: an event is not within these steps or the input's shape; the state is as it was.
            OptionError: the number of steps is negative.
            StreamError: the session is closed.
        """
        require_type("steps", steps, int, "a number of time steps")
        if steps < 0:
            raise OptionError(f"steps must not be negative, but is {steps}")
        return self._push(as_frames(events, self._inputs, steps), one=False)

    def reset(self) -> None:
        """Begins anew, as if nothing had been pushed.

        Raises:
            StreamError: the session is closed.
        """
        with self._lock:
            self._open().reset()
            self._steps = 0

    def close(self) -> None:
        """Gives the memory back; nothing can be pushed any more. Closing twice does no harm."""
        with self._lock:
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> Stream:
        if self._stream is None:
            raise StreamError("this stream is closed; `Compiled.stream` opens another")
        return self._stream

    def _push(self, arrays: Sequence[Array], *, one: bool) -> Outputs:
        for place, taken in self._ranges.items():
            taken.require(arrays[place], "step")
        with self._lock:
            said = self._open().push(arrays)
            outputs = tuple(array.astype(np.float32) for array in said)  # copies: what a stream says is overwritten
            self._steps += len(arrays[0])
        if one:
            outputs = tuple(output[0] for output in outputs)
        return outputs[0] if len(outputs) == 1 else outputs
