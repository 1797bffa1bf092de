"""What a caller has to know of a program: its arrays, its constants as bytes, and its spike counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from xdsl.dialects.builtin import IntegerType, Signedness, i16, i32
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.ir.attributes import Dense, values_of
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ALIGNMENT = 64
"""State, constants and each single constant begin at multiples of so many bytes."""


class ConstantPool:
    """All constants of a program in one block of bytes, each aligned, equal ones once."""

    def __init__(self, weights: WeightStore) -> None:
        self._weights = weights
        self._offsets: dict[object, int] = {}
        self._chunks: list[bytes] = []
        self._size = 0

    def offset(self, attribute: Dense) -> int:
        """The place of a constant, in bytes."""
        return self.offset_as(attribute, attribute, lambda array: array)

    def offset_as(self, key: object, attribute: Dense, packed: Callable[[Array], Array]) -> int:
        """The place of a constant in another order, in bytes; `key` says which constant in which order."""
        if key not in self._offsets:
            content = packed(self._weights.array(attribute)).tobytes()
            padding = -len(content) % ALIGNMENT
            self._offsets[key] = self._size
            self._chunks.append(content + bytes(padding))
            self._size += len(content) + padding
        return self._offsets[key]

    @property
    def content(self) -> bytes:
        """The bytes."""
        return b"".join(self._chunks)


@dataclass(frozen=True)
class CountedLayer:
    """Where the spike counts of a layer of neurons lie, in elements, and how their axes are ordered."""

    origin: str
    offset: int
    shape: tuple[int, ...]
    layout: tuple[int, ...]


def loops_of(program: cpu.ProgramOp) -> list[cpu.LoopOp]:
    """The loop nests, in order."""
    return [op for op in program.body.block.ops if isinstance(op, cpu.LoopOp)]


def outputs_of(program: cpu.ProgramOp) -> Sequence[SSAValue]:
    """The buffers of the results."""
    last = program.body.block.last_op
    assert last is not None
    return tuple(last.operands)


def counted_layers(program: cpu.ProgramOp) -> dict[Operation, CountedLayer]:
    """The layers whose neurons have a name in the user's model, by the loop nest that counts them."""
    return dict(_counted(loops_of(program)))


def _counted(loops: Sequence[cpu.LoopOp]) -> Iterator[tuple[Operation, CountedLayer]]:
    offset = 0
    seen: set[str] = set()
    for loop in loops:
        origin = origin_of(loop)
        if isinstance(loop, cpu.NeuronsOp) and origin is not None and origin not in seen:
            seen.add(origin)
            shape = loop.neurons
            yield loop, CountedLayer(origin, offset, shape, values_of(loop.layout))
            offset += prod(shape)


def count_type(program: cpu.ProgramOp) -> IntegerType:
    """The type of a spike counter: signed where what is sent may be negative, 16 bits where that is enough."""
    sent = [loop.sent for loop in loops_of(program) if isinstance(loop, cpu.NeuronsOp)]
    lowest, highest = min((low for low, _ in sent), default=0), max((high for _, high in sent), default=0)
    if lowest < 0:
        return i16 if lowest >= -(2**15) and highest < 2**15 else i32
    return IntegerType(16 if highest < 2**16 else 32, Signedness.UNSIGNED)


@dataclass(frozen=True)
class CallerArray:
    """An input or output: element type and shape, without an axis of time."""

    element: Attribute
    shape: tuple[int, ...]


class Interface:
    """What a caller has to know of a program."""

    def __init__(self, op: cpu.ProgramOp) -> None:
        self.op = op
        self.symbol = op.symbol.data
        self.processor = None if op.processor is None else op.processor.data
        self.steps = op.timesteps
        self.state_bytes = max(1, int(op.uses()["state_bytes"]))
        self.inputs = [CallerArray(buffer_element(value), buffer_shape(value)) for value in op.body.block.args]
        self.outputs = [CallerArray(buffer_element(value), buffer_shape(value)) for value in outputs_of(op)]
        self.layers = tuple(counted_layers(op).values())
        self.count_type = count_type(op)

    @property
    def count_total(self) -> int:
        """The number of counters in all."""
        return sum(prod(layer.shape) for layer in self.layers)
