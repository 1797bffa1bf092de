"""What loop nests mean where it is easy to get wrong: limits, ends of ranges, memory shared or never written."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurocuda.dialects.cpu.semantics import PATTERN, to_logical
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret

Array = NDArray[np.generic]


def run(
    body: str, inputs: list[float], *, steps: int = 1, element: str = "i32", result: str = "memref<4xi32>"
) -> Array:
    """The buffer %out after a program over a vector of four."""
    kind = result.removeprefix("memref")
    text = f"""
    func.func @main(%x: tensor<4x{element}>) -> tensor{kind} {{
      %y = cpu.program "network" steps {steps} inputs(%x) {{
      ^bb0(%in: memref<4x{element}>):
        %out = cpu.buffer : {result}
        {body}
        cpu.output %out : {result}
      }} : (tensor<4x{element}>) -> (tensor{kind})
      func.return %y : tensor{kind}
    }}"""
    context = create_context()
    module = parse_module(context, text)
    module.verify()
    dtype = np.float32 if element == "f32" else np.int64
    return interpret(module, weights_of(context), [np.array([inputs], dtype)])[0][0]


def test_what_is_read_before_it_is_written_shows() -> None:
    expected = np.frombuffer(bytes([PATTERN] * 4), np.int32)[0]
    copy = "cpu.copy %in -> %out sizes [2] from 0 [1] to 0 [1] steps [0, 1] : memref<4xi32> -> memref<4xi32>"
    np.testing.assert_array_equal(run(copy, [1, 2, 3, 4]), [1, 2, expected, expected])


def test_buffers_at_one_place_overwrite_each_other() -> None:
    body = """
        %a = cpu.buffer offset 0 : memref<4xi32>
        %b = cpu.buffer offset 8 : memref<4xi32>
        cpu.fill %a value(dense<7> : tensor<1xi32>) steps [0, 1] : memref<4xi32>
        cpu.fill %b value(dense<9> : tensor<1xi32>) steps [0, 1] : memref<4xi32>
        cpu.fill %out steps [0, 1] : memref<4xi32>
        cpu.add %a -> %out steps [0, 1] : memref<4xi32> -> memref<4xi32>"""
    np.testing.assert_array_equal(run(body, [0, 0, 0, 0]), [7, 7, 9, 9])


def test_loops_run_at_their_steps_alone() -> None:
    body = """
        cpu.fill %out steps [0, 1] : memref<4xi32>
        cpu.add %in -> %out steps [2, 5] : memref<4xi32> -> memref<4xi32>"""
    np.testing.assert_array_equal(run(body, [1, 2, 3, 4], steps=9), [3, 6, 9, 12])


def test_several_spikes_a_step_up_to_the_cap_with_a_rest() -> None:
    body = """
        %v = cpu.buffer : memref<4xi32>
        %s = cpu.buffer : memref<4xui8>
        %fired = cpu.buffer : memref<4xi32>
        %ready = cpu.buffer : memref<4xi32>
        cpu.fill %v steps [0, 1] : memref<4xi32>
        cpu.fill %out steps [0, 1] : memref<4xi32>
        cpu.fill %fired steps [0, 1] : memref<4xi32>
        cpu.fill %ready steps [0, 1] : memref<4xi32>
        cpu.add %in -> %v steps [0, 1] : memref<4xi32> -> memref<4xi32>
        cpu.fire %v -> %s threshold(dense<10> : tensor<1xi32>) fired %fired : memref<4xi32> ready %ready : memref<4xi32>
          spikes_per_step 2 levels 3 refractory 1 layout [0] steps [0, 6] : memref<4xi32> -> memref<4xui8>
        cpu.diagonal %s -> %out weight(dense<1> : tensor<1xi8>) steps [0, 6] : memref<4xui8> -> memref<4xi32>"""
    # 9 never fires; 10 fires once; 25 fires twice; 99 fires 2, rests a step, then 1 more: the cap.
    np.testing.assert_array_equal(run(body, [9, 10, 25, 99], steps=6), [0, 1, 2, 3])
    np.testing.assert_array_equal(
        run(body.replace("steps [0, 6]", "steps [0, 2]"), [9, 10, 25, 99], steps=6), [0, 1, 2, 2]
    )


def test_quantising_clips_rounds_to_even_and_survives_nan() -> None:
    body = """
        cpu.quantize %in -> %out step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>) clip -8 to 7
          steps [0, 1] : memref<4xf32> -> memref<4xi8>"""

    def quantised(*values: float) -> Array:
        return run(body, list(values), element="f32", result="memref<4xi8>")

    np.testing.assert_array_equal(quantised(0.5, 1.5, -0.5, 2.5), [0, 2, 0, 2])
    np.testing.assert_array_equal(quantised(1e30, -1e30, np.inf, np.nan), [7, -8, 7, -8])


def test_a_delay_is_silent_until_its_time() -> None:
    body = """
        %line = cpu.buffer : memref<2x4xi32>
        cpu.fill %line steps [0, 1] : memref<2x4xi32>
        cpu.recall %line -> %out steps [0, N] : memref<2x4xi32> -> memref<4xi32>
        cpu.remember %in -> %line steps [0, N] : memref<4xi32> -> memref<2x4xi32>"""
    np.testing.assert_array_equal(run(body.replace("N", "2"), [1, 2, 3, 4], steps=2), [0, 0, 0, 0])
    np.testing.assert_array_equal(run(body.replace("N", "3"), [1, 2, 3, 4], steps=3), [1, 2, 3, 4])


def test_axes_go_back_to_the_users_order() -> None:
    memory = np.zeros((5, 2, 3, 4))
    assert to_logical(memory, (1, 2, 0)).shape == (5, 4, 2, 3)
    assert to_logical(memory, (0, 1, 2)).shape == (5, 2, 3, 4)
