"""Which function lowers which loop nest, and what it has to hand: pointers, the clock, its thread, the processor.

    @lowers(cpu.AddOp)
    def add(op: cpu.AddOp, k: Kernel) -> None:
        source, membrane = k.buffer(op.source), k.buffer(op.membrane)
        ...

Every file of this folder is read, so that a kernel is found by its place. A loop nest with an attribute `kernel` takes
the function that is registered under that name.

Loop nests that differ in their weights and steps alone share one function, so a kernel must not read the values of a
tensor: it has a pointer to them (`tensor`). Only single numbers that are no weights are spelled out (`number`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from xdsl.dialects import llvm
from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute, Block, Region, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, element_bytes
from neurocuda.dialects.cpu.interface import ALIGNMENT, ConstantPool
from neurocuda.errors import ToolchainError
from neurocuda.ir.attributes import Dense, dense_shape
from neurocuda.passes.cpu.llvm.builder import Builder, ptr
from neurocuda.passes.cpu.llvm.features import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[Any]"
LoopT = TypeVar("LoopT", bound=cpu.LoopOp)
Build: TypeAlias = "Callable[[cpu.LoopOp, Kernel], None]"
Pack: TypeAlias = "Callable[[cpu.LoopOp, str, Array, Features], Array]"

NUMBERS = ("step", "passed", "thread", "threads")
"""What every kernel takes behind its pointers: the clock, since when the loop nest is due, and who calls."""

REPORTED = frozenset({"steps", "scale", "layout"})
"""Properties of neurons that loops do not read."""

POINTED = frozenset({"weight", "table"})
"""Constants that are read through a pointer even where they are a single number."""


@dataclass(frozen=True)
class Lowering:
    """What lowers one kind of loop nest, with one value of the attribute `kernel`.

    `splits`: several threads may call it at once, each does its `share`; otherwise the first thread does it alone.
    `finished`: loops and registers are as they shall be; LLVM's passes would only take time, and unroll what is full.
    `packs` gives a constant tensor in the order in which the kernel reads it, from (op, name, array, features).
    """

    kind: type[cpu.LoopOp]
    kernel: str | None
    build: Build
    splits: bool
    finished: bool
    packs: Pack | None


def lowers(
    kind: type[LoopT],
    kernel: str | None = None,
    *,
    splits: bool = False,
    finished: bool = False,
    packs: Callable[[LoopT, str, Array, Features], Array] | None = None,
) -> Callable[[Callable[[LoopT, Kernel], None]], Callable[[LoopT, Kernel], None]]:
    """Marks a function as a `Lowering`."""

    def mark(function: Callable[[LoopT, Kernel], None]) -> Callable[[LoopT, Kernel], None]:
        lowering = Lowering(kind, kernel, cast(Build, function), splits, finished, cast("Pack | None", packs))
        setattr(function, "__lowering__", lowering)  # noqa: B010
        return function

    return mark


@cache
def _lowerings() -> Mapping[tuple[type[cpu.LoopOp], str | None], Lowering]:
    """All of them, from every file of this folder, by kind of loop nest and kernel."""
    found: dict[tuple[type[cpu.LoopOp], str | None], Lowering] = {}
    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        for function in vars(import_module(f"{__package__}.{file.stem}")).values():
            mark = getattr(function, "__lowering__", None)
            if isinstance(mark, Lowering):
                found[mark.kind, mark.kernel] = mark
    return found


def lowering_of(op: cpu.LoopOp) -> Lowering:
    """What lowers a loop nest.

    Raises:
        ToolchainError: there is no such kernel.
    """
    kernel = kernel_of(op)
    found = _lowerings().get((type(op), kernel))
    if found is None:
        raise ToolchainError(f"llvm: `{op.name}` has no kernel '{kernel or 'by default'}'")
    return found


def kernel_of(op: cpu.LoopOp) -> str | None:
    """The kernel that was chosen for a loop nest."""
    kernel = op.properties.get("kernel", op.attributes.get("kernel"))
    return kernel.data if isinstance(kernel, StringAttr) else None


def tensors_of(op: cpu.LoopOp) -> dict[str, Dense]:
    """The constant tensors that a loop nest reads through a pointer, by name: "threshold", "weights.0", "weights.1"."""
    tensors: dict[str, Dense] = {}
    for name, value in sorted(op.properties.items()):
        if isinstance(value, ArrayAttr):
            several = enumerate(value.data)
            tensors |= {f"{name}.{index}": each for index, each in several if isinstance(each, Dense)}
        elif isinstance(value, Dense) and _is_read(op, name) and (_is_pointed(op, name) or not _is_number(value)):
            tensors[name] = value
    return tensors


def _is_pointed(op: cpu.LoopOp, name: str) -> bool:
    """Whether a constant is read through a pointer even where it is a single number: layers share large functions."""
    return name in POINTED or isinstance(op, cpu.LayerOp | cpu.CurrentLayerOp)


def _is_read(op: cpu.LoopOp, name: str) -> bool:
    return name not in REPORTED or not isinstance(op, cpu.NeuronsOp)


def _is_number(attribute: Dense) -> bool:
    """Whether a constant is a single number in the text."""
    return isinstance(attribute, DenseIntOrFPElementsAttr) and prod(dense_shape(attribute)) == 1


def signature(op: cpu.LoopOp) -> tuple[object, ...]:
    """Two loop nests of one signature can share a function."""
    tensors = tensors_of(op)
    pointed = {name.split(".")[0] for name in tensors}
    kinds = tuple((name, value.type) for name, value in tensors.items())
    said = [
        (name, value)
        for name, value in sorted(op.properties.items())
        if name != "steps" and name not in pointed and _is_read(op, name)
    ]
    operands = [(value.type, alignment(value), op.operands.index(value)) for value in op.operands]
    return type(op), kernel_of(op), tuple(operands), kinds, tuple(said)


def alignment(value: SSAValue) -> int:
    """By how many bytes a buffer is aligned; the caller's arrays are to their elements."""
    offset = value.owner.offset if isinstance(value.owner, cpu.BufferOp) else None
    if offset is None:
        return element_bytes(buffer_element(value))
    place = offset.value.data
    return ALIGNMENT if place % ALIGNMENT == 0 else min(ALIGNMENT, place & -place)


class Kernel(Builder):
    """The function of a loop nest in the making."""

    def __init__(self, op: cpu.LoopOp, body: Region, features: Features) -> None:
        super().__init__(body)
        self.features = features
        self._op = op
        arguments = list(body.block.args)
        _name(op, arguments)
        self._buffers = dict(zip(op.operands, arguments, strict=False))
        tensors = tensors_of(op)
        self._tensors = dict(zip(tensors, arguments[len(op.operands) :], strict=False))
        self.step, self.passed, self.thread, self.threads = arguments[-len(NUMBERS) :]

    def buffer(self, value: SSAValue) -> SSAValue:
        """The pointer to an operand."""
        return self._buffers[value]

    def tensor(self, name: str) -> SSAValue:
        """The pointer to a constant, by the name of the property; aligned to 64 bytes."""
        return self._tensors[name]

    def number(self, name: str) -> int | float | None:
        """The value of a constant that is spelled out: a single number; None where there is a pointer."""
        value = self._op.properties[name]
        if name in self._tensors or not isinstance(value, DenseIntOrFPElementsAttr):
            return None
        return cast("int | float", value.get_values()[0])

    def share(self, count: int, grain: int = 1) -> tuple[SSAValue, SSAValue]:
        """(begin, end) of what this thread does of `count` pieces, cut at multiples of `grain`."""
        grains = -(-count // grain)

        def cut(thread: SSAValue) -> SSAValue:
            whole = self.divide_unsigned(self.sum_of((thread, grains)), self.threads)
            return whole if grain == 1 else self.least(self.sum_of((whole, grain)), count)

        return cut(self.thread), cut(self.add(self.thread, 1))


def offset_of(pool: ConstantPool, op: cpu.LoopOp, name: str, features: Features) -> int:
    """Where a tensor of a loop nest stands among the constants, in the order in which its kernel reads it."""
    tensor, packs = tensors_of(op)[name], lowering_of(op).packs
    if packs is None:
        return pool.offset(tensor)
    return pool.offset_as((packs, name, tensor, signature(op)), tensor, lambda array: packs(op, name, array, features))


def _name(op: cpu.LoopOp, arguments: Sequence[SSAValue]) -> None:
    """Gives parameters the names of the operands and constants."""
    names: dict[SSAValue, str] = {}
    for name, _ in op.get_irdl_definition().operands:
        value = getattr(op, name)
        names |= {value: name} if isinstance(value, SSAValue) else {}
    hints = [*(names.get(value, "buffer") for value in op.operands), *tensors_of(op), *NUMBERS]
    for argument, hint in zip(arguments, hints, strict=True):
        argument.name_hint = hint


def build_function(name: str, op: cpu.LoopOp, features: Features) -> llvm.FuncOp:
    """The function of a loop nest: pointers to its operands and tensors, then step, passed, thread, threads."""
    pointers = [*op.operands, *tensors_of(op).values()]
    distinct = len(set(op.operands)) == len(op.operands)
    kinds = [*([ptr] * len(pointers)), *([i64] * len(NUMBERS))]
    body = Region(Block(arg_types=kinds))
    kernel, lowering = Kernel(op, body, features), lowering_of(op)
    lowering.build(op, kernel)
    kernel.finish()
    attributes = [_pointer_attributes(pointer, noalias=distinct) for pointer in pointers]
    arguments = [*attributes, *([DictionaryAttr({})] * len(NUMBERS))]
    return internal_function(name, body, arguments, finished=lowering.finished)


def internal_function(
    name: str, body: Region, arguments: list[DictionaryAttr], *, finished: bool = False
) -> llvm.FuncOp:
    """A function that the program alone calls; it stays a function, so that what is known of pointers is kept."""
    kinds = [argument.type for argument in body.blocks[0].args]
    facts: dict[str, Attribute] = {"no_inline": UnitAttr(), "no_unwind": UnitAttr()}
    facts |= {"optimize_none": UnitAttr()} if finished else {}
    return llvm.FuncOp(
        name,
        llvm.LLVMFunctionType(kinds),
        linkage=llvm.LinkageAttr("internal"),
        body=body,
        other_props={"arg_attrs": ArrayAttr(arguments), **facts},
    )


def _pointer_attributes(pointer: SSAValue | Dense, *, noalias: bool) -> DictionaryAttr:
    bytes_ = alignment(pointer) if isinstance(pointer, SSAValue) else ALIGNMENT
    facts: dict[str, Attribute] = {"llvm.align": IntegerAttr(bytes_, i64), "llvm.nocapture": UnitAttr()}
    return DictionaryAttr({**facts, **({"llvm.noalias": UnitAttr()} if noalias else {})})
