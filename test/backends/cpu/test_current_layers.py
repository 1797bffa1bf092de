"""Random layers over a constant current: on every processor that this one can be, they say what the operation means."""

from __future__ import annotations

import numpy as np
import pytest

from neurocuda.backends.cpu.run import load_here, load_portable
from neurocuda.errors import ToolchainError
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret, main_function

PROCESSORS = ("host", "avx512vnni", "avx2", "baseline")


def text(random: np.random.Generator, channels: int) -> str:
    """A layer of (3, 4, channels) neurons, or of a vector of them."""
    steps, words = int(random.integers(1, 9)), -(-channels // 64)
    positions = ("3x4x", "")[int(random.integers(0, 2))]
    layout = "[0, 1, 2]" if positions else "[0]"
    values = ", ".join(map(str, random.integers(1, 500, channels)))
    threshold = (f"dense<[{values}]> : tensor<{channels}xi32>", "dense<99> : tensor<1xi32>")[int(random.integers(0, 2))]
    options = [
        "bias(dense<-7> : tensor<1xi32>)",
        f"initial(dense<[{values}]> : tensor<{channels}xi32>)",
        "reset_value(dense<3> : tensor<1xi32>)",
        "strict true",
        "gated true",
    ]
    said = " ".join(option for option in options if random.integers(0, 2))
    train = f"{positions}{steps}x{words}xi64"
    return f"""
    func.func @main(%x: tensor<{positions}{channels}xi32>) -> tensor<{train}> {{
      %y = cpu.program "network" for "host" steps 1 covers {steps} inputs(%x) {{
      ^bb0(%0: memref<{positions}{channels}xi32>):
        %1 = cpu.buffer : memref<{train}>
        cpu.current_layer %0 -> %1 threshold({threshold}) {said} channels {channels} layout {layout} steps [0, 1]
          : memref<{positions}{channels}xi32> -> memref<{train}>
        cpu.output %1 : memref<{train}>
      }} : (tensor<{positions}{channels}xi32>) -> (tensor<{train}>)
      func.return %y : tensor<{train}>
    }}"""


@pytest.mark.parametrize("channels", [1, 16, 20, 64, 65, 96, 130, 192, 256])
def test_every_processor_says_the_same(channels: int) -> None:
    random = np.random.default_rng(channels)
    context = create_context()
    module = parse_module(context, text(random, channels))
    (argument,) = main_function(module).body.block.args
    shape = (2, *shape_of(argument))
    current = [random.integers(-300, 400, shape)]
    expected = interpret(module, weights_of(context), current)[0]
    found = load_portable(module, weights_of(context)).run(current, RunOptions(threads=1)).outputs[0]
    np.testing.assert_array_equal(found, expected)
    for processor in PROCESSORS:
        try:
            program = load_here(module, weights_of(context), processor)
        except ToolchainError:
            continue  # this machine has less
        found = program.run(current, RunOptions(threads=1)).outputs[0]
        np.testing.assert_array_equal(found, expected, err_msg=processor)
