"""Arrays as they come to a program: wherever they lie they are read right, and none is changed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.backends.cpu.run import CpuProgram, load
from neurocuda.errors import InputError
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret
from neurocuda.testing_spiking import SpikingNetwork

Array = NDArray[Any]

TEXT = """
func.func @main(%x: tensor<3x4xf32>, %z: tensor<3x4x!ann.count<-300, 300>>) -> tensor<3x4xi32> {
  %n = host.quantize %x step(dense<0.25> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
    scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
    : tensor<3x4xf32> -> tensor<3x4x!ann.count<-128, 127>>
  %a = snn.network code "graded" steps 1 inputs(%n, %z) {
  ^bb0(%i: tensor<3x4x!ann.count<-128, 127>>, %j: tensor<3x4x!ann.count<-300, 300>>):
    %p = snn.input %i : tensor<3x4x!ann.count<-128, 127>> -> tensor<3x4x!snn.graded<-128, 127>>
    %q = snn.input %j : tensor<3x4x!ann.count<-300, 300>> -> tensor<3x4x!snn.graded<-300, 300>>
    %c = snn.diagonal %p weight(dense<3> : tensor<1x1xi8>) : tensor<3x4x!snn.graded<-128, 127>> -> tensor<3x4xi32>
    %d = snn.diagonal %q weight(dense<-5> : tensor<1x1xi8>) : tensor<3x4x!snn.graded<-300, 300>> -> tensor<3x4xi32>
    %o = snn.accumulate %c, %d : (tensor<3x4xi32>, tensor<3x4xi32>) -> tensor<3x4xi32>
    snn.output %o : tensor<3x4xi32>
  } : (tensor<3x4x!ann.count<-128, 127>>, tensor<3x4x!ann.count<-300, 300>>) -> (tensor<3x4xi32>)
  func.return %a : tensor<3x4xi32>
}
"""


@pytest.fixture
def network() -> SpikingNetwork:
    random = np.random.default_rng(0)
    context = create_context()
    inputs: list[Array] = [random.normal(0, 9, (5, 3, 4)).astype(np.float32), random.integers(-300, 301, (5, 3, 4))]
    return SpikingNetwork(context, parse_module(context, TEXT), inputs)


@pytest.fixture
def program(network: SpikingNetwork) -> tuple[CpuProgram, Array]:
    """The program, and what the network says."""
    (expected,) = interpret(network.module, weights_of(network.context), network.inputs)
    network.apply("convert-snn-to-cpu", "allocate-buffers")
    loaded = load(network.module, network.weights)
    assert isinstance(loaded, CpuProgram)
    return loaded, expected


def misaligned(array: Array) -> Array:
    """One byte off."""
    found = np.frombuffer(b"?" + array.tobytes(), np.uint8)[1:].view(array.dtype).reshape(array.shape)
    assert not found.flags.aligned
    return found


PLACES: dict[str, Callable[[Array], Array]] = {
    "misaligned": misaligned,
    "Fortran order": np.asfortranarray,
    "every second": lambda array: np.repeat(array, 2, axis=2)[..., ::2],
    "backwards": lambda array: array[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "swapped bytes": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "part of another": lambda array: np.pad(array, 3)[3:-3, 3:-3, 3:-3],
}


@pytest.mark.parametrize("kinds", ["<f4 <i2", "<f4 <i8", "<f8 <i4"])
@pytest.mark.parametrize("place", PLACES)
def test_arrays_may_lie_anywhere(
    network: SpikingNetwork, program: tuple[CpuProgram, Array], place: str, kinds: str
) -> None:
    native, expected = program
    given = [PLACES[place](array.astype(kind)) for array, kind in zip(network.inputs, kinds.split(), strict=True)]
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    np.testing.assert_array_equal(native.run(given).outputs[0], expected)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_no_images_say_nothing(network: SpikingNetwork, program: tuple[CpuProgram, Array]) -> None:
    native, _ = program
    for threads in (None, 1, 3):
        execution = native.run([array[:0] for array in network.inputs], RunOptions(threads=threads))
        assert execution.outputs[0].shape == (0, 3, 4)


@pytest.mark.parametrize("value", [2**15, -(2**15) - 1, 2**40])
def test_integers_that_do_not_fit_are_refused(
    network: SpikingNetwork, program: tuple[CpuProgram, Array], value: int
) -> None:
    native, expected = program
    first, second = network.inputs
    with pytest.raises(InputError, match="do not fit into int16"):
        native.run([first, np.where(second == second.max(), value, second)])
    for wrong in (second.astype(np.float32), second.astype(object), second.astype("M8[s]")):
        with pytest.raises(InputError, match="expected integers, found"):
            native.run([first, wrong])
    with pytest.raises(InputError, match="input 1: 4 images, but input 0 has 5"):
        native.run([first, second[:4]])
    np.testing.assert_array_equal(native.run(network.inputs).outputs[0], expected)


def test_a_program_runs_in_several_threads_at_once(network: SpikingNetwork, program: tuple[CpuProgram, Array]) -> None:
    native, expected = program
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(native.run, network.inputs, RunOptions(threads=1 + turn % 3)) for turn in range(60)]
    for future in waiting:
        np.testing.assert_array_equal(future.result().outputs[0], expected)
