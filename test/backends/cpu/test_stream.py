"""Streams: networks pushed in pieces of any length say what one run says, for ever, and beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.cpu import BACKEND, stream
from neurocuda.backends.cpu.run import CpuProgram, load
from neurocuda.dialects.cpu import ops as cpu
from neurocuda.errors import TargetError
from neurocuda.ir.backend import Stream, StreamingProgram
from neurocuda.ir.context import weights_of
from neurocuda.ir.weights import WeightStore
from neurocuda.pipeline import target_stage
from neurocuda.reference.meaning import Array
from neurocuda.reference.stream import ReferenceStream
from neurocuda.testing_spiking import SpikingNetwork, random_spiking_network
from neurocuda.testing_trains import random_train_network

SEEDS = range(14)
Ways = Callable[[ModuleOp, WeightStore, int], Iterator[tuple[str, CpuProgram]]]
LOWER = target_stage(BACKEND, BACKEND.default_chip).passes


def lowered(seed: int, *, real: bool = False) -> SpikingNetwork:
    network = random_train_network(seed, real=real, batch=1)
    network.apply(*LOWER)
    return network


def built(network: SpikingNetwork) -> CpuProgram:
    program = load(network.module, network.weights)
    assert isinstance(program, CpuProgram)
    return program


def pieces(steps: int, seed: int) -> Iterator[slice]:
    """The steps in pieces of random lengths, none and all included."""
    random, start = np.random.default_rng(seed), 0
    while start < steps:
        stop = min(steps, start + int(random.choice([0, 1, 1, 2, 3, 5, 99])))
        yield slice(start, stop)
        start = stop


def pushed(one: Stream, inputs: Sequence[Array], seed: int) -> list[Array]:
    """What a stream says in all of a recording that is pushed in pieces."""
    said: list[list[Array]] = []
    for piece in pieces(len(inputs[0]), seed):
        said.append([array.copy() for array in one.push([array[piece] for array in inputs])])
    return [np.concatenate(parts) for parts in zip(*said, strict=True)]


def require_equal(found: Sequence[Array], expected: Sequence[Array]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


CASES = [*((seed, False) for seed in SEEDS), *((seed, True) for seed in range(6))]


@pytest.mark.parametrize(
    ("seed", "real"), CASES, ids=[f"{seed}-{'floats' if real else 'integers'}" for seed, real in CASES]
)
def test_pieces_say_what_a_run_says(seed: int, real: bool, ways: Ways) -> None:
    """Bit for bit, floats too: the machine code is the same. The interpreter goes on at every level alike."""
    network = random_train_network(seed, real=real, batch=1)
    inputs = [array[0] for array in network.inputs]
    expected = [output[0] for output in network.interpret()[0]]
    require_equal(pushed(ReferenceStream(network.module, network.weights), inputs, seed), expected)
    network.apply(*LOWER)
    expected = [output[0] for output in network.interpret()[0]]
    require_equal(pushed(ReferenceStream(network.module, network.weights), inputs, seed), expected)
    for _, program in ways(network.module, network.weights, seed):
        found = pushed(program.stream(), inputs, seed)
        require_equal(found, [output[0] for output in program.run(network.inputs).outputs])
        if not real:
            require_equal(found, expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stream_goes_on_for_ever(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of programs ends; that of a stream is turned back in time, with delays and rests on the way."""
    monkeypatch.setattr(stream, "LAST", 5)
    network = lowered(seed)
    (inputs,) = (array[0] for array in network.inputs)
    one = built(network).stream()
    said = [[array.copy() for array in one.push([inputs[step : step + 1]])] for step in range(len(inputs))]
    found = [np.concatenate(parts) for parts in zip(*said, strict=True)]
    require_equal(found, [output[0] for output in network.interpret()[0]])


def test_the_clock_is_turned_back_with_something_on_the_way() -> None:
    networks = [lowered(seed) for seed in SEEDS]
    ops = [op for network in networks for op in network.module.walk()]
    assert any(isinstance(op, cpu.RecallOp) for op in ops)
    assert any(isinstance(op, cpu.FireOp) and op.ready is not None for op in ops)
    assert max(array.shape[1] for network in networks for array in network.inputs) > 2 * 5


def test_a_reset_begins_anew() -> None:
    network = lowered(3)
    inputs = [array[0] for array in network.inputs]
    for one in (built(network).stream(), ReferenceStream(network.module, network.weights)):
        first = pushed(one, inputs, 1)
        one.reset()
        require_equal(pushed(one, inputs, 2), first)


def test_no_steps_at_all_change_nothing() -> None:
    network = lowered(3)
    inputs = [array[0] for array in network.inputs]
    expected = [output[0] for output in network.interpret()[0]]
    for one in (built(network).stream(), ReferenceStream(network.module, network.weights)):
        half = len(inputs[0]) // 2
        said: list[list[Array]] = []
        for piece in (slice(0, 0), slice(0, half), slice(half, half), slice(half, None)):
            said.append([array.copy() for array in one.push([array[piece] for array in inputs])])
        assert [len(array) for array in said[0]] == [0] * len(expected)
        require_equal([np.concatenate(parts) for parts in zip(*said, strict=True)], expected)


def test_streams_share_nothing_and_run_side_by_side() -> None:
    network = lowered(3)
    inputs = [array[0] for array in network.inputs]
    expected = [output[0] for output in network.interpret()[0]]
    program = built(network)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(pushed, program.stream(), inputs, seed) for seed in range(40)]
        for future in waiting:
            require_equal(future.result(), expected)


def test_a_program_of_images_is_no_stream() -> None:
    network = random_spiking_network(4)
    network.apply(*LOWER)
    program = load(network.module, weights_of(network.context))
    assert isinstance(program, StreamingProgram)
    with pytest.raises(TargetError, match="a stream takes a network of spike trains with nothing beside it"):
        program.stream()
