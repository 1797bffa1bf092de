"""The loops over a window's taps visit exactly those that lead from an input to an output."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from neurocuda.backends.cpu.c_text import loop
from neurocuda.backends.cpu.loops import Window

COMPILER = shutil.which("gcc") or shutil.which("clang")

PROGRAM = """#include <stdint.h>
#include <stdio.h>

int main(void) {{
{lines}
    return 0;
}}
"""


def all_windows() -> Iterator[Window]:
    """Windows of up to four taps over up to seven inputs, with strides, paddings and dilations of all kinds."""
    numbers = product((1, 2, 7), (1, 2, 4), (1, 2, 3, 4), (0, 1, 3), (0, 2), (1, 2, 3, 4))
    for size, kernel, stride, low, high, dilation in numbers:
        rest = size + low + high - dilation * (kernel - 1) - 1
        if rest >= 0:
            yield Window(size, rest // stride + 1, kernel, stride, low, dilation)


def ways_of(window: Window) -> set[tuple[int, int, int]]:
    """(input, tap, output) of every way through a window."""
    return {
        (place, tap, output)
        for output, tap in product(range(window.count), range(window.kernel))
        if 0 <= (place := output * window.stride - window.low + tap * window.dilation) < window.size
    }


@pytest.mark.skipif(COMPILER is None, reason="needs gcc or clang")
def test_taps_and_outputs_go_every_way_once(tmp_path: Path) -> None:
    windows = list(all_windows())
    lines = list[str]()
    for window in windows:
        say = ['printf("%d %d %d\\n", place, tap, output);']
        lines += loop("output", window.count, window.taps("output", "tap", "place", say))
        lines.append('puts("-");')
        lines += loop("place", window.size, window.outputs("place", "tap", "output", say))
        lines.append('puts("-");')
    (tmp_path / "main.c").write_text(PROGRAM.format(lines="\n".join(f"    {line}" for line in lines)))
    assert COMPILER is not None
    command = [COMPILER, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "main.c", "-o", "main"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(["./main"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split("-\n")
    for window, *ways in zip(windows, said[:-1:2], said[1::2], strict=True):
        for found in ways:
            gone = [tuple(map(int, line.split())) for line in found.splitlines()]
            assert sorted(gone) == sorted(ways_of(window)), window
