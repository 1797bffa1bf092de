"""Prints programs as C11: code, a header, and the weights, which are C, too.

The C needs nothing but the C library, allocates nothing and has no variables of its own: the caller lends the memory
for the state and passes the weights, typed and aligned arrays, so that nothing depends on the order of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue

from neurocuda.backends.cpu.c_text import braces, c_type, comment, numbered
from neurocuda.backends.cpu.constants import Constants
from neurocuda.backends.cpu.image import image_files, processors
from neurocuda.backends.cpu.layers_text import print_nest
from neurocuda.backends.cpu.loops import Nest, Parameter, helper
from neurocuda.backends.cpu.trains_text import TRAIN, tally_size, tally_train
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import buffer_element, buffer_shape
from neurocuda.dialects.cpu.interface import (
    ALIGNMENT,
    CallerArray,
    Interface,
    counted_layers,
    loops_of,
    outputs_of,
)
from neurocuda.dialects.cpu.level import LEVEL
from neurocuda.ir.attributes import FOREVER
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore

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
    """`<program>.c`, `<program>.h` and `<program>_weights.c` for every program in the module.

    Where they are for another processor than this machine's, everything else that `make` needs to build an image.

    Raises:
        LevelError: the module is not at level `cpu`.
    """
    programs = printed_programs(module, weights)
    files = {name: content for program in programs for name, content in program.files.items()}
    foreign = next((each.processor for each in programs if each.processor in processors()), None)
    return files if foreign is None else {**files, **image_files(programs, foreign)}


def printed_programs(module: ModuleOp, weights: WeightStore) -> list[PrintedProgram]:
    """Every program of the module, in order.

    Raises:
        LevelError: the module is not at level `cpu`.
    """
    LEVEL.require(module)
    return [PrintedProgram(op, weights) for op in module.walk() if isinstance(op, cpu.ProgramOp)]


@dataclass(frozen=True)
class Call:
    """One call in the clock's loop: a line, and the steps at which it is due."""

    line: str
    window: tuple[int, int]


class PrintedProgram(Interface):
    """A program as text."""

    def __init__(self, op: cpu.ProgramOp, weights: WeightStore) -> None:
        super().__init__(op)
        self.constants = Constants(weights, self.symbol)
        self._loops = loops_of(op)
        self._names = dict(_buffer_names(op))
        self._functions: dict[str, tuple[str, Nest, list[cpu.LoopOp]]] = {}
        self._counted = counted_layers(op)
        self._calls = [call for loop in self._loops for call in self._call(loop)]
        self.weights = self.constants.content

    @property
    def files(self) -> Mapping[str, bytes]:
        """Code, header and weights, by name."""
        return {
            f"{self.symbol}.c": self.code.encode(),
            f"{self.symbol}.h": self.header.encode(),
            f"{self.symbol}_weights.c": self.constants.definition.encode(),
        }

    # Functions and calls

    def _call(self, loop: cpu.LoopOp) -> Iterator[Call]:
        nest = print_nest(loop)
        name = self._function(nest, loop)
        yield Call(f"{name}({', '.join(self._argument(each, loop) for each in nest.parameters)});", loop.window)
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

    def _argument(self, parameter: Parameter, loop: cpu.LoopOp) -> str:
        if parameter.value is not None:
            return self._names[parameter.value]
        if parameter.constant is not None:
            return f"weights->{self.constants.member(parameter.constant, parameter.name, comment(_label(loop)))}"
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
                "#include <stdalign.h>",
                "#include <stdint.h>",
                "",
                *([] if self.steps is None else [f"#define {upper}_STEPS {self.steps}"]),
                f"#define {upper}_STATE_BYTES {self.state_bytes}",
                f"#define {upper}_WEIGHT_BYTES {len(self.weights)}",
                f"#define {upper}_COUNTS {self.count_total}",
                "",
                *self._layer_table(),
                f"typedef {c_type(self.count_type)} {self.symbol}_count;",
                "",
                "#ifdef __cplusplus",
                'extern "C" {',
                "#endif",
                "",
                *self.constants.declaration,
                "",
                f"{self._signature()};",
                "",
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
        weights = f"const struct {self.symbol}_weights *weights"
        arguments = ["void *state", weights, *clock, *self._arrays(), f"{self.symbol}_count *counts"]
        return f"void {self.symbol}_run({', '.join(arguments)})"

    def _arrays(self) -> list[str]:
        """The declarations of the caller's arrays."""
        block = self.op.body.block
        inputs = [f"const {c_type(buffer_element(value))} *{self._names[value]}" for value in block.args]
        return inputs + [f"{c_type(buffer_element(value))} *{self._names[value]}" for value in outputs_of(self.op)]

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
        ]
        body: list[str] = []
        for name in helpers:
            body += [*helper(name), ""]
        if self.layers:
            for kind in tallies:
                body += [*_tally(self.symbol, kind), ""]
        for name, nest, users in self._functions.values():
            declarations = ", ".join(parameter.declaration for parameter in nest.parameters)
            body += [*_users(users), *braces(f"LOOPS {name}({declarations})", nest.lines), ""]
        body += self._run()
        return "\n".join([*lines, *_library("\n".join(body)), *LOOPS, "", *self._said_of_size(), *body, ""])

    def _said_of_size(self) -> list[str]:
        """Whoever reads the weights from a file reads the struct."""
        upper = self.symbol.upper()
        said = f'"the members of {self.symbol}_weights are not where they should be"'
        return [f"_Static_assert(sizeof(struct {self.symbol}_weights) == {upper}_WEIGHT_BYTES, {said});", ""]

    def _run(self) -> list[str]:
        """The clock."""
        body = [
            "uint8_t *const memory = state;",
            *self._pointers(),
            "(void)memory;",
            "(void)weights;",
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
        arrays = [*self.op.body.block.args, *outputs_of(self.op)]
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


def _buffer_names(op: cpu.ProgramOp) -> Iterator[tuple[SSAValue, str]]:
    block = op.body.block
    outputs = outputs_of(op)
    yield from zip(block.args, numbered("input", len(block.args)), strict=True)
    yield from zip(outputs, numbered("output", len(outputs)), strict=True)
    own = [each.result for each in block.ops if isinstance(each, cpu.BufferOp) and each.offset is not None]
    yield from ((value, f"buffer_{index}") for index, value in enumerate(own))


def _order(layout: Sequence[int]) -> str:
    names = ("channel", "row", "column")
    if tuple(layout) != (1, 2, 0):
        return ""
    return f" ({', '.join(names[axis] for axis in layout)})"


def _preamble(program: Interface) -> list[str]:
    """What the file is and how to call it."""
    upper = program.symbol.upper()
    return [
        "/* A spiking network, written by NeuroCUDA. C11; needs the C library alone; allocates nothing.",
        " *",
        *_said_of_time(program),
        f" *   state    {upper}_STATE_BYTES of memory, aligned to {ALIGNMENT} bytes; its first content does not matter",
        f" *   weights  &{program.symbol}_weights of {program.symbol}_weights.c",
        *(f" *   input    {_described(array)}" for array in program.inputs),
        *(f" *   output   {_described(array)}" for array in program.outputs),
        f" *   counts   {upper}_COUNTS spike counters to fill, or null",
        " * Calls with different states may run at the same time.",
        " */",
    ]


def _said_of_time(program: Interface) -> list[str]:
    if program.steps is not None:
        return [f" * {program.symbol}_run runs one image for {program.steps} time steps."]
    return [
        f" * {program.symbol}_run runs `steps` time steps, from step `first` on: 0 begins anew; any other goes on from",
        " * the state in which the call before, which has to end there, has left it. Inputs and outputs have one array",
        " * per step, one behind the other.",
    ]


def _described(array: CallerArray) -> str:
    return f"{c_type(array.element)}[{']['.join(map(str, array.shape)) or '1'}]"


def _library(body: str) -> list[str]:
    """The parts of the C library that the code uses; where that is mathematics, no product is fused with a sum."""
    lines = ["#include <string.h>", ""] if re.search(r"\bmem(cpy|set)\(", body) else []
    if re.search(r"\b(rint|floorf?|sqrt)\(|\b(INFINITY|NAN)\b", body):
        lines = ["#include <math.h>", *(lines or [""])]
    if re.search(r"\b(float|double)\b", body):
        lines += ["#if defined(__clang__)", "#pragma STDC FP_CONTRACT OFF", "#endif", ""]
    return lines


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
