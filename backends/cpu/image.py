"""What makes an image of programs for a machine that is not this one: a main function, and what every image needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import prod
from pathlib import Path

from neurocuda.backends.cpu.c_text import braces, c_type, numbered
from neurocuda.dialects.cpu.interface import ALIGNMENT, CallerArray, Interface

TEMPLATES = Path(__file__).resolve().parent / "templates"
"""What goes with every image as it is: one folder per processor, and what they share."""


@cache
def processors() -> frozenset[str]:
    """The processors that images are built for: programs for any other run in this process."""
    return frozenset(path.name for path in TEMPLATES.iterdir() if path.is_dir())


def image_files(programs: Sequence[Interface], processor: str) -> Mapping[str, bytes]:
    """What has to lie beside the C of programs, by name: with it, `make` builds an image of each."""
    shared = [path for path in TEMPLATES.iterdir() if path.is_file()]
    files = sorted([*shared, *(TEMPLATES / processor).iterdir()], key=lambda path: path.name)
    mains = {f"{program.symbol}_main.c": _main(program).encode() for program in programs}
    return mains | {path.name: path.read_bytes() for path in files}


def _main(program: Interface) -> str:
    """The main function of an image: images in, outputs and counts out, until there is no more."""
    symbol = program.symbol
    lines = [
        f"/* Runs {symbol} on everything in inputs.bin and writes what it says to outputs.bin. Written by NeuroCUDA.",
        " *",
        *_said(program),
        " */",
        '#include "io.h"',
        f'#include "{symbol}.h"',
        "",
        f"static alignas({ALIGNMENT}) uint8_t state[{symbol.upper()}_STATE_BYTES];",
        *(f"static {c_type(array.element)} {name}[{prod(array.shape)}];" for name, array in _arrays(program)),
        *_counters(program),
        "",
        *braces("int main(void)", [*_loop(program), "return finish();"]),
        "",
    ]
    return "\n".join(lines)


def _said(program: Interface) -> list[str]:
    """What the files hold."""
    inputs, outputs = _names(program)
    given = [*outputs, *(["with COUNTS, counts"] if program.layers else [])]
    if program.steps is not None:
        return [f" * For every image: {', '.join(inputs)}; and {', '.join(given)}."]
    return [
        f" * For every image: an int32_t, the number of steps, and for each {', '.join(inputs)};",
        f" * and for every step {', '.join(given)}.",
    ]


def _names(program: Interface) -> tuple[list[str], list[str]]:
    """What the arrays of inputs and outputs are called."""
    return numbered("input", len(program.inputs)), numbered("output", len(program.outputs))


def _arrays(program: Interface) -> Iterator[tuple[str, CallerArray]]:
    inputs, outputs = _names(program)
    yield from zip(inputs, program.inputs, strict=True)
    yield from zip(outputs, program.outputs, strict=True)


def _counters(program: Interface) -> list[str]:
    """The spike counters, which take memory where they are asked for."""
    kind = f"{program.symbol}_count"
    none = [f"static {kind} *const counts = NULL;", "#define COUNTED 0"]
    if not program.layers:
        return none
    some = [f"static {kind} counts[{program.symbol.upper()}_COUNTS];", "#define COUNTED (sizeof counts)"]
    return ["#ifdef COUNTS", *some, "#else", *none, "#endif"]


def _loop(program: Interface) -> list[str]:
    inputs, outputs = _names(program)
    taken = " && ".join(f"take({name}, sizeof {name})" for name in inputs)
    counted = braces("if (COUNTED > 0)", ["give(counts, COUNTED);"])
    given = [*(f"give({name}, sizeof {name});" for name in outputs), *counted]
    if program.steps is not None:
        return braces(f"while ({taken})", [_call(program), *given])
    step = [_call(program, "step", "1"), *given]
    steps = braces(f"for (int32_t step = 0; step < steps && {taken}; ++step)", step)
    return ["int32_t steps;", *braces("while (take(&steps, sizeof steps))", steps)]


def _call(program: Interface, *clock: str) -> str:
    inputs, outputs = _names(program)
    arguments = ["state", f"&{program.symbol}_weights", *clock, *inputs, *outputs, "counts"]
    return f"{program.symbol}_run({', '.join(arguments)});"
