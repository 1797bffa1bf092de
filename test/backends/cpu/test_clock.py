"""Programs without an end: the same in the interpreter and as machine code, in one call and in several."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.cpu.build import build, find_compiler
from neurocuda.backends.cpu.emit import printed_programs
from neurocuda.backends.cpu.native import aligned
from neurocuda.backends.cpu.run import load
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.reference.interpreter import interpret

PROGRAM = """
func.func @main(%x: tensor<?x3xi32>) -> tensor<?x3xi32> {
  %y = cpu.program "network" inputs(%x) {
  ^bb0(%in: memref<3xi32>):
    %v = cpu.buffer offset 0 : memref<3xi32>
    %line = cpu.buffer offset 64 : memref<2x3xi32>
    %late = cpu.buffer offset 128 : memref<3xi32>
    %out = cpu.buffer : memref<3xi32>
    cpu.fill %v value(dense<9> : tensor<1xi32>) steps [0, 1] : memref<3xi32>
    cpu.fill %line steps [0, 1] : memref<2x3xi32>
    cpu.recall %line -> %late : memref<2x3xi32> -> memref<3xi32>
    cpu.leak %v decay(dense<[3, 2, 4]> : tensor<3xi32>) bits 2 : memref<3xi32>
    cpu.add %late -> %v : memref<3xi32> -> memref<3xi32>
    cpu.add %in -> %v : memref<3xi32> -> memref<3xi32>
    cpu.clamp %v lowest(dense<-20> : tensor<1xi32>) highest(dense<25> : tensor<1xi32>) : memref<3xi32>
    cpu.remember %v -> %line : memref<3xi32> -> memref<2x3xi32>
    cpu.copy %v -> %out sizes [3] from 0 [1] to 0 [1] : memref<3xi32> -> memref<3xi32>
    cpu.output %out : memref<3xi32>
  } : (tensor<?x3xi32>) -> (tensor<?x3xi32>)
  func.return %y : tensor<?x3xi32>
}
"""


def _parsed() -> tuple[ModuleOp, WeightStore]:
    context = create_context()
    module = parse_module(context, PROGRAM)
    module.verify()
    return module, weights_of(context)


def _expected(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """(steps, 3), by hand: a leak rounded toward zero, the membrane of two steps ago, and the input, saturated."""
    decay, past = np.array([3, 2, 4]), [np.zeros(3, np.int64)] * 2
    v, rows = np.full(3, 9), list[NDArray[np.int64]]()
    for now in x:
        v = np.clip(np.trunc(v * decay / 4).astype(np.int64) + past[0] + now, -20, 25)
        past = [past[1], v]
        rows.append(v)
    return np.array(rows)


def test_time_is_an_axis_of_inputs_and_outputs() -> None:
    module, weights = _parsed()
    x = np.random.default_rng(1).integers(-9, 10, (4, 11, 3))
    expected = np.stack([_expected(each) for each in x])
    np.testing.assert_array_equal(interpret(module, weights, [x])[0], expected)
    done = load(module, weights).run([x], RunOptions(threads=2))
    np.testing.assert_array_equal(done.outputs[0], expected)
    assert done.steps == 11


def test_a_later_call_goes_on_where_the_one_before_ended() -> None:
    module, weights = _parsed()
    printed = printed_programs(module, weights)[0]
    run = ctypes.CDLL(str(build(printed.code, printed.header, "network", find_compiler()))).network_run
    run.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_int32] * 2 + [ctypes.c_void_p] * 3
    constants, state = aligned(len(printed.weights)), aligned(printed.state_bytes)
    constants[:] = np.frombuffer(printed.weights, np.uint8)
    x = np.random.default_rng(2).integers(-9, 10, (13, 3)).astype(np.int32)
    y = np.empty_like(x)
    for first, steps in ((0, 1), (1, 4), (5, 0), (5, 8)):
        part = slice(first, first + steps)
        run(
            state.ctypes.data, constants.ctypes.data, first, steps, x[part].ctypes.data, y[part].ctypes.data, None
        )  # fmt: skip
    np.testing.assert_array_equal(y, _expected(x.astype(np.int64)))
