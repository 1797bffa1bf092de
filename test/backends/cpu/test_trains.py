"""Networks of spike trains as machine code: integers bit for bit, floats but for rounding, cycles included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.cpu.run import CpuProgram, load
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.errors import InputError, UnsupportedModelError
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.convert.convert_snn_to_cpu import ConvertSnnToCpuPass
from neurocuda.reference.meaning import Array
from neurocuda.testing_trains import random_train_network

Ways = Callable[[ModuleOp, WeightStore, int], Iterator[tuple[str, CpuProgram]]]
LOWER = ("convert-snn-to-cpu", "allocate-buffers")
SEEDS = range(14)


def require_equal(found: Sequence[Array], expected: Sequence[Array]) -> None:
    """Integers bit for bit, floats but for rounding."""
    for one, other in zip(found, expected, strict=True):
        tolerance = 1e-6 * float(np.abs(other).max(initial=0)) if other.dtype.kind == "f" else 0.0
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("real", [False, True], ids=["integers", "floats"])
@pytest.mark.parametrize("seed", SEEDS)
def test_any_network_of_trains_is_kept(seed: int, real: bool, ways: Ways) -> None:
    """The floats are quarters and halves, so that their sums are exact, or nearly, in any order."""
    network = random_train_network(seed, real=real)
    outputs, counts = network.interpret()
    for step in LOWER:
        network.apply(step)
        found, spikes = network.interpret()
        require_equal(found, outputs)
        assert {name: count.tolist() for name, count in spikes.items()} == {
            name: count.tolist() for name, count in counts.items()
        }
    for way, program in ways(network.module, network.weights, seed + real):
        execution = program.run(network.inputs, RunOptions(counts=True))
        require_equal(execution.outputs, outputs)
        for name, count in counts.items():
            np.testing.assert_array_equal(execution.counts[name], count, err_msg=f"{way}: {name}")
        assert execution.steps == network.inputs[0].shape[1]


def test_the_property_is_not_vacuous() -> None:
    """Over the seeds neurons leak, saturate, fire, rest, and hear of themselves through delays of all kinds."""
    ops: list[Operation] = []
    fired = 0
    for seed in SEEDS:
        network = random_train_network(seed)
        fired += sum(int(counts.any()) for counts in network.interpret()[1].values())
        network.apply(*LOWER)
        ops += network.module.walk()
    assert fired > 20
    assert {cpu.LeakOp, cpu.ClampOp, cpu.RecallOp, cpu.RememberOp, cpu.DiagonalOp} <= {type(op) for op in ops}
    assert any(isinstance(op, cpu.RecallOp) and op.delays is not None for op in ops)
    assert any(isinstance(op, cpu.FireOp) and op.ready is not None for op in ops)


def test_recordings_run_over_threads_each_with_a_state_of_its_own() -> None:
    network = random_train_network(3, batch=9)
    expected = network.interpret()[0]
    network.apply(*LOWER)
    program = load(network.module, network.weights)
    done: list[tuple[int, int]] = []

    def progress(now: int, whole: int) -> None:
        done.append((now, whole))

    found = program.run(network.inputs, RunOptions(threads=2, progress=progress))
    for one, other in zip(found.outputs, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert done[-1] == (9, 9)
    assert not found.counts


def test_any_length_runs_and_other_shapes_are_told() -> None:
    network = random_train_network(5)
    network.apply(*LOWER)
    program, (x,) = load(network.module, network.weights), network.inputs
    whole = program.run([x]).outputs
    for steps in (0, 1, 3):
        for short, long in zip(program.run([x[:, :steps]]).outputs, whole, strict=True):
            np.testing.assert_array_equal(short, long[:, :steps])
    with pytest.raises(InputError, match=r"expected images of shape \(time, "):
        program.run([x[:, :, 0]])


UNBOUNDED = """
func.func @main(%x: tensor<?x1x!ann.count<0, 1>>) -> tensor<?x1xi32> {
  %y = snn.network code "train" inputs(%x) {
  ^bb0(%t: tensor<?x1x!ann.count<0, 1>>):
    %i = snn.input %t code "spikes" : tensor<?x1x!ann.count<0, 1>> -> tensor<1x!snn.graded<0, 1>>
    BODY
    snn.output %v : tensor<1xi32>
  } : (tensor<?x1x!ann.count<0, 1>>) -> (tensor<?x1xi32>)
  func.return %y : tensor<?x1xi32>
}
"""
MEMBRANE = "%v = snn.accumulate %i : (tensor<1x!snn.graded<0, 1>>) -> tensor<1xi32>"
CYCLE = """%b = snn.delay %v steps 1 : tensor<1xi32> -> tensor<1xi32>
    %v = snn.add %i, %b : (tensor<1x!snn.graded<0, 1>>, tensor<1xi32>) -> tensor<1xi32>"""


@pytest.mark.parametrize("body", [MEMBRANE, CYCLE], ids=["a membrane without a width", "a cycle without neurons"])
def test_integers_that_nothing_bounds_are_refused(body: str) -> None:
    context = create_context()
    module = parse_module(context, UNBOUNDED.replace("BODY", body))
    with pytest.raises(UnsupportedModelError, match="leaves 32 bits"):
        ConvertSnnToCpuPass().rewrite(module, weights_of(context))
