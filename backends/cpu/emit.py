"""Prints programs as C11: one file of code and one header per program, and one file with its constants.

The C needs nothing but the C library, allocates nothing and has no variables of its own: the caller lends the memory
for the state and passes the constants. Weights are a file beside the code because compilers take long over large
tables; `embedded_weights` gives them as C for devices without files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.backends.cpu.c_text import braces, c_type, comment
from neurocuda.backends.cpu.loops import Nest, Parameter, helper, print_nest
from neurocuda.backends.cpu.trains_text import TRAIN, tally_size, tally_train
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.dialects.cpu.level import LEVEL
from neurocuda.ir.attributes import FOREVER, Dense, dense_type, values_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    pass

ALIGNMENT = 64


LOOPS = (
    "/* Compilers forget `restrict`, and with it vectors, when they inline; GCC forgets vectors, too, when it adds the",
    "   rows of several turns of a loop at once. */",
    "#if defined(__GNUC__)",
    "#define LOOPS static __attribute__((noinline)) void",
    '#define TURN_BY_TURN __asm__ volatile("")',
    "#else",
    "#define LOOPS static void",
    "#define TURN_BY_TURN ((void)0)",
    "#endif",
)


def emit_files(module: ModuleOp, weights: WeightStore) -> Mapping[str, bytes]:
    """`<program>.c`, `<program>.h` and `<program>.weights` for every program in the module.

    Raises:
        LevelError: the module is not at level `cpu`.
    """
    files: dict[str, bytes] = {}
    for printed in printed_programs(module, weights):
        files[f"{printed.symbol}.c"] = printed.code.encode()
        files[f"{printed.symbol}.h"] = printed.header.encode()
        files[f"{printed.symbol}.weights"] = printed.weights
    return files


def printed_programs(module: ModuleOp, weights: WeightStore) -> list[PrintedProgram]:
    """Every program of the module, in order.

    Raises:
        LevelError: the module is not at level `cpu`.
    """
    LEVEL.require(module)
    return [PrintedProgram(op, weights) for op in module.walk() if isinstance(op, cpu.ProgramOp)]


def embedded_weights(symbol: str, content: bytes) -> str:
    """A C file that defines `const uint8_t <symbol>_weights[]`, for devices that have no files."""
    rows = (content[begin : begin + 32] for begin in range(0, len(content), 32))
    return "\n".join(
        [
            "#include <stdalign.h>",
            "#include <stdint.h>",
            "",
            f"alignas({ALIGNMENT}) const uint8_t {symbol}_weights[{max(1, len(content))}] = {{",
            *("    " + ",".join(map(str, row)) + "," for row in rows),
            "};",
            "",
        ]
    )


@dataclass(frozen=True)
class Array:
    """An input or output: element type and shape in the user's order of axes."""

    element: Attribute
    shape: tuple[int, ...]


@dataclass(frozen=True)
class CountedLayer:
    """Where the spike counts of a layer of neurons lie, in elements, and how their axes are ordered."""

    origin: str
    offset: int
    shape: tuple[int, ...]
    layout: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call in the clock's loop: a line, and the steps at which it is due."""

    line: str
    window: tuple[int, int]


class PrintedProgram:
    """A program as text, and what a caller has to know of it."""

    def __init__(self, op: cpu.ProgramOp, weights: WeightStore) -> None:
        self.op = op
        self.symbol = op.symbol.data
        self.steps = None if op.steps is None else op.steps.value.data
        self.state_bytes = max(1, int(op.uses()["state_bytes"]))
        block = op.body.block
        self.inputs = [Array(buffer_element(value), buffer_shape(value)) for value in block.args]
        self.outputs = [Array(buffer_element(value), buffer_shape(value)) for value in _outputs(op)]
        self._pool = _ConstantPool(weights)
        self._loops = [loop for loop in block.ops if isinstance(loop, cpu.LoopOp)]
        self._names = dict(_buffer_names(op))
        self._functions: dict[str, tuple[str, Nest, list[cpu.LoopOp]]] = {}
        self._counted = dict(_counted_layers(self._loops))
        self.layers = tuple(self._counted.values())
        self._calls = [call for loop in self._loops for call in self._call(loop)]
        self.weights = self._pool.content

    @property
    def count_total(self) -> int:
        """The number of counters in all."""
        return sum(prod(layer.shape) for layer in self.layers)

    @property
    def count_type(self) -> str:
        """The C type of a spike counter: signed where what is sent may be negative, 16 bits where that is enough."""
        sent = [loop.sent for loop in self._loops if isinstance(loop, cpu.NeuronsOp)]
        lowest, highest = min((low for low, _ in sent), default=0), max((high for _, high in sent), default=0)
        if lowest < 0:
            return "int16_t" if lowest >= -(2**15) and highest < 2**15 else "int32_t"
        return "uint16_t" if highest < 2**16 else "uint32_t"

    # Functions and calls

    def _call(self, loop: cpu.LoopOp) -> Iterator[Call]:
        nest = print_nest(loop)
        name = self._function(nest, loop)
        yield Call(f"{name}({', '.join(self._argument(each) for each in nest.parameters)});", loop.window)
        if isinstance(loop, cpu.NeuronsOp) and loop in self._counted:
            layer = self._counted[loop]
            size = tally_size(loop)
            kind = c_type(buffer_element(loop.spikes))
            tally = f"tally_{kind.removesuffix('_t')}(counts + {layer.offset}, {self._names[loop.spikes]}, {size});"
            yield Call("\n".join(braces("if (counts)", [tally])), loop.window)

    def _function(self, nest: Nest, loop: cpu.LoopOp) -> str:
        """The function of a loop nest; nests with one text share it."""
        if nest.text not in self._functions:
            number = sum(1 for _, other, _ in self._functions.values() if other.kind == nest.kind)
            self._functions[nest.text] = (f"{nest.kind}_{number}", nest, [])
        name, _, users = self._functions[nest.text]
        users.append(loop)
        return name

    def _argument(self, parameter: Parameter) -> str:
        if parameter.value is not None:
            return self._names[parameter.value]
        if parameter.constant is not None:
            kind = c_type(dense_type(parameter.constant).element_type)
            return f"(const {kind} *)(constants + {self._pool.offset(parameter.constant)})"
        return parameter.expression

    # Text

    @cached_property
    def header(self) -> str:
        """The header: sizes and the function."""
        upper = self.symbol.upper()
        return "\n".join(
            [
                *_preamble(self),
                f"#ifndef {upper}_H",
                f"#define {upper}_H",
                "",
                "#include <stdint.h>",
                "",
                *([] if self.steps is None else [f"#define {upper}_STEPS {self.steps}"]),
                f"#define {upper}_STATE_BYTES {self.state_bytes}",
                f"#define {upper}_WEIGHT_BYTES {len(self.weights)}",
                f"#define {upper}_COUNTS {self.count_total}",
                "",
                *self._layer_table(),
                f"typedef {self.count_type} {self.symbol}_count;",
                "",
                "#ifdef __cplusplus",
                'extern "C" {',
                "#endif",
                f"{self._signature()};",
                "#ifdef __cplusplus",
                "}",
                "#endif",
                "",
                "#endif",
                "",
            ]
        )

    def _signature(self) -> str:
        clock = ["int32_t first", "int32_t steps"] if self.steps is None else []
        arguments = ["void *state", "const void *weights", *clock, *self._arrays(), f"{self.symbol}_count *counts"]
        return f"void {self.symbol}_run({', '.join(arguments)})"

    def _arrays(self) -> list[str]:
        """The declarations of the caller's arrays."""
        block = self.op.body.block
        inputs = [f"const {c_type(buffer_element(value))} *{self._names[value]}" for value in block.args]
        return inputs + [f"{c_type(buffer_element(value))} *{self._names[value]}" for value in _outputs(self.op)]

    def _layer_table(self) -> list[str]:
        """Which counters belong to which layer."""
        rows = [
            f" *   {layer.offset:>8}  {comment(layer.origin)}: {'x'.join(map(str, layer.shape)) or '1'}"
            f"{_order(layer.layout)}"
            for layer in self.layers
        ]
        return ["/* counts: first counter, layer of neurons, shape in memory", *rows, " */"] if rows else []

    @cached_property
    def code(self) -> str:
        """The C file."""
        helpers = sorted({name for _, nest, _ in self._functions.values() for name in nest.helpers})
        tallies = sorted(
            {c_type(buffer_element(loop.spikes)) for loop in self._loops if isinstance(loop, cpu.NeuronsOp)}
        )
        lines = [
            *_preamble(self),
            f'#include "{self.symbol}.h"',
            "",
            "#include <math.h>",
            "#include <string.h>",
            "",
            *LOOPS,
            "",
        ]
        for name in helpers:
            lines += [*helper(name), ""]
        if self.layers:
            for kind in tallies:
                lines += [*_tally(self.symbol, kind), ""]
        for name, nest, users in self._functions.values():
            declarations = ", ".join(parameter.declaration for parameter in nest.parameters)
            lines += [*_users(users), *braces(f"LOOPS {name}({declarations})", nest.lines), ""]
        return "\n".join([*lines, *self._run(), ""])

    def _run(self) -> list[str]:
        """The clock."""
        body = [
            "uint8_t *const memory = state;",
            "const uint8_t *const constants = weights;",
            *self._pointers(),
            "(void)memory;",
            "(void)constants;",
        ]
        if self.layers:
            body += braces("if (counts)", ["memset(counts, 0, sizeof *counts * " + f"{self.symbol.upper()}_COUNTS);"])
        else:
            body.append("(void)counts;")
        return braces(self._signature(), [*body, *(self._clock() if self.steps is None else self._window(self.steps))])

    def _window(self, steps: int) -> list[str]:
        """All steps of a program that has an end."""
        clock = f"for (int32_t step = 0; step < {self.symbol.upper()}_STEPS; ++step)"
        return braces(clock, self._due(self._calls, steps))

    def _clock(self) -> list[str]:
        """The next steps of a program without an end; the first of all sets the state."""
        begin = [call for call in self._calls if call.window != (0, FOREVER)]
        always = [call for call in self._calls if call.window == (0, FOREVER)]
        arrays = [*self.op.body.block.args, *_outputs(self.op)]
        onward = [f"{self._names[value]} += {prod(buffer_shape(value))};" for value in arrays]
        start = braces("if (first == 0)", [line for call in begin for line in call.line.split("\n")])
        loop = braces(
            "for (int32_t step = first; step - first < steps; ++step)", [*self._due(always, FOREVER), *onward]
        )
        return [*(start if begin else []), *loop]

    def _pointers(self) -> list[str]:
        """One line per buffer in the state."""
        lines: list[str] = []
        for op in self.op.body.block.ops:
            if isinstance(op, cpu.BufferOp) and op.offset is not None:
                kind = c_type(buffer_element(op.result))
                label = "" if op.label is None else f" /* {comment(op.label.data)} */"
                place = f"({kind} *)(memory + {op.offset.value.data})"
                lines.append(f"{kind} *const {self._names[op.result]} = {place};{label}")
        return lines

    @staticmethod
    def _due(calls: Sequence[Call], steps: int) -> list[str]:
        """The calls, those in a row with one window under one condition."""
        lines: list[str] = []
        group: list[str] = []
        for index, call in enumerate(calls):
            group += call.line.split("\n")
            if index + 1 < len(calls) and calls[index + 1].window == call.window:
                continue
            lines += _guarded(call.window, steps, group)
            group = []
        return lines


def _guarded(window: tuple[int, int], steps: int, lines: Sequence[str]) -> list[str]:
    start, stop = window
    if (start, stop) == (0, steps):
        return list(lines)
    if stop == start + 1:
        return braces(f"if (step == {start})", lines)
    conditions = [f"step >= {start}"] if start else []
    conditions += [f"step < {stop}"] if stop < steps else []
    return braces(f"if ({' && '.join(conditions)})", lines)


class _ConstantPool:
    """All constants of a program in one block of bytes, each aligned, equal ones once."""

    def __init__(self, weights: WeightStore) -> None:
        self._weights = weights
        self._offsets: dict[Dense, int] = {}
        self._chunks: list[bytes] = []
        self._size = 0

    def offset(self, attribute: Dense) -> int:
        """The place of a constant, in bytes."""
        if attribute not in self._offsets:
            content = self._weights.array(attribute).tobytes()
            padding = -len(content) % ALIGNMENT
            self._offsets[attribute] = self._size
            self._chunks.append(content + bytes(padding))
            self._size += len(content) + padding
        return self._offsets[attribute]

    @property
    def content(self) -> bytes:
        """The bytes."""
        return b"".join(self._chunks)


def _outputs(op: cpu.ProgramOp) -> Sequence[SSAValue]:
    """The buffers of the results."""
    last = op.body.block.last_op
    assert last is not None
    return tuple(last.operands)


def _buffer_names(op: cpu.ProgramOp) -> Iterator[tuple[SSAValue, str]]:
    block = op.body.block
    yield from _numbered("input", block.args)
    yield from _numbered("output", _outputs(op))
    own = [each.result for each in block.ops if isinstance(each, cpu.BufferOp) and each.offset is not None]
    yield from ((value, f"buffer_{index}") for index, value in enumerate(own))


def _numbered(name: str, values: Sequence[SSAValue]) -> Iterator[tuple[SSAValue, str]]:
    for index, value in enumerate(values):
        yield value, name if len(values) == 1 else f"{name}_{index}"


def _counted_layers(loops: Sequence[cpu.LoopOp]) -> Iterator[tuple[Operation, CountedLayer]]:
    """The layers whose neurons have a name in the user's model."""
    offset = 0
    seen: set[str] = set()
    for loop in loops:
        origin = origin_of(loop)
        if isinstance(loop, cpu.NeuronsOp) and origin is not None and origin not in seen:
            seen.add(origin)
            shape = loop.neurons
            yield loop, CountedLayer(origin, offset, shape, values_of(loop.layout))
            offset += prod(shape)


def _order(layout: Sequence[int]) -> str:
    names = ("channel", "row", "column")
    if tuple(layout) != (1, 2, 0):
        return ""
    return f" ({', '.join(names[axis] for axis in layout)})"


def _preamble(program: PrintedProgram) -> list[str]:
    """What the file is and how to call it."""
    upper = program.symbol.upper()
    return [
        "/* A spiking network, written by NeuroCUDA. C11; needs the C library alone; allocates nothing.",
        " *",
        *_said_of_time(program),
        f" *   state    {upper}_STATE_BYTES of memory, aligned to {ALIGNMENT} bytes; its first content does not matter",
        f" *   weights  the content of {program.symbol}.weights (little-endian), aligned to {ALIGNMENT} bytes",
        *(f" *   input    {_described(array)}" for array in program.inputs),
        *(f" *   output   {_described(array)}" for array in program.outputs),
        f" *   counts   {upper}_COUNTS spike counters to fill, or null",
        " * Calls with different states may run at the same time.",
        " */",
    ]


def _said_of_time(program: PrintedProgram) -> list[str]:
    if program.steps is not None:
        return [f" * {program.symbol}_run runs one image for {program.steps} time steps."]
    return [
        f" * {program.symbol}_run runs `steps` time steps, from step `first` on: 0 begins anew; any other goes on from",
        " * the state in which the call before, which has to end there, has left it. Inputs and outputs have one array",
        " * per step, one behind the other.",
    ]


def _described(array: Array) -> str:
    return f"{c_type(array.element)}[{']['.join(map(str, array.shape)) or '1'}]"


def _users(loops: Sequence[cpu.LoopOp]) -> list[str]:
    """A comment that names the layers a function serves."""
    names = list(dict.fromkeys(filter(None, (comment(_label(loop)) for loop in loops))))
    if not names:
        return []
    shown = ", ".join(names[:4]) + (f", and {len(names) - 4} more" if len(names) > 4 else "")
    return [f"/* {shown} */"]


def _label(op: Operation) -> str:
    return user_location(op) or origin_of(op) or ""


def _tally(symbol: str, kind: str) -> list[str]:
    if kind == TRAIN:
        return tally_train(f"{symbol}_count")
    name = f"tally_{kind.removesuffix('_t')}"
    head = f"static void {name}({symbol}_count *restrict counts, const {kind} *restrict spikes, int32_t size)"
    add = f"counts[i] = ({symbol}_count)(counts[i] + spikes[i]);"
    return braces(head, braces("for (int32_t i = 0; i < size; ++i)", [add]))
