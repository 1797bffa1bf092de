"""Windows that move over an image, as loops over the taps that lie inside."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import gcd
from typing import Protocol

from xdsl.dialects.builtin import DenseArrayBase
from xdsl.ir import SSAValue

from neurocuda.ir.attributes import values_of
from neurocuda.passes.cpu.llvm.kernels import Kernel


class Moving(Protocol):
    """An operation that moves a window."""

    @property
    def stride(self) -> DenseArrayBase: ...
    @property
    def padding(self) -> DenseArrayBase: ...
    @property
    def dilation(self) -> DenseArrayBase: ...


@dataclass(frozen=True)
class Window:
    """One axis of a moving window."""

    size: int
    count: int
    kernel: int
    stride: int
    low: int
    dilation: int

    @contextmanager
    def taps(self, k: Kernel, output: SSAValue) -> Generator[tuple[SSAValue, SSAValue]]:
        """(tap, position) for the taps of one output that lie inside the image."""
        first = k.sum_of((output, self.stride), -self.low)
        begin, end = k.place(0), k.place(self.kernel)
        if self.low > 0:
            short = k.divide(k.sum_of(k.sub(0, first), self.dilation - 1), self.dilation)
            begin = k.largest(short, 0)
        if (self.count - 1) * self.stride + (self.kernel - 1) * self.dilation - self.low >= self.size:
            within = k.divide(k.sub(self.size + self.dilation - 1, first), self.dilation)
            end = k.least(within, self.kernel)
        with k.loop(begin, end) as turn:
            yield turn.index, k.sum_of(first, (turn.index, self.dilation))

    @contextmanager
    def outputs(self, k: Kernel, position: SSAValue) -> Generator[tuple[SSAValue, SSAValue]]:
        """(tap, output) for the taps through which one input reaches an output inside the result.

        Tap t leads to output (position + low - dilation t) / stride, where that is a whole number: every `apart`-th.
        """
        last, reach = k.sum_of(position, self.low), (self.count - 1) * self.stride
        begin, end = k.place(0), k.place(self.kernel)
        if self.size - 1 + self.low > reach:
            begin = k.largest(k.divide(k.sum_of(last, self.dilation - 1 - reach), self.dilation), 0)
        if self.low < (self.kernel - 1) * self.dilation:
            end = k.least(k.sum_of(k.divide(last, self.dilation), 1), self.kernel)
        shared = gcd(self.stride, self.dilation)
        apart = self.stride // shared
        if shared > 1:
            end = k.select(k.compare("eq", k.remainder(last, shared), 0), end, k.place(0))
        if apart > 1:
            inverse = pow(self.dilation // shared, -1, apart)
            phase = k.remainder(k.sum_of((k.divide(last, shared), inverse)), apart)
            turns = k.divide(k.sum_of(k.sub(begin, phase), apart - 1), apart)
            begin = k.sum_of(phase, (turns, apart))
        with k.loop(begin, end, step=apart) as turn:
            back = k.sum_of(last, (turn.index, -self.dilation))
            yield turn.index, k.divide(back, self.stride) if self.stride > 1 else back


def windows(source: Sequence[int], target: Sequence[int], kernel: Sequence[int], op: Moving) -> tuple[Window, Window]:
    """The vertical and the horizontal window over (height, width, channels) buffers."""
    stride, dilation = values_of(op.stride), values_of(op.dilation)
    top, _, left, _ = values_of(op.padding)
    return (
        Window(source[0], target[0], kernel[0], stride[0], top, dilation[0]),
        Window(source[1], target[1], kernel[1], stride[1], left, dilation[1]),
    )
