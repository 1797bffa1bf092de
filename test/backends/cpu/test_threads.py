"""Threads that work on one image together give what one thread gives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from neurocuda.backends.cpu.llvm.team import team_of
from neurocuda.backends.cpu.native import Pace
from neurocuda.backends.cpu.run import load
from neurocuda.ir.backend import RunOptions
from neurocuda.testing_spiking import random_spiking_network
from neurocuda.testing_trains import random_train_network

LOWER = ("convert-snn-to-cpu", "allocate-buffers")


@pytest.fixture(autouse=True)
def always_together(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """However little there is to do, it is shared; what was done so is noted."""
    noted: list[bool] = []

    def together(pace: Pace) -> bool:
        del pace
        return True

    def note(pace: Pace, seconds: float, *, together: bool) -> None:
        del pace, seconds
        noted.append(together)

    monkeypatch.setattr(Pace, "together", together)
    monkeypatch.setattr(Pace, "note", note)
    return noted


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_an_image_is_shared(seed: int, threads: int, always_together: list[bool]) -> None:
    network = random_spiking_network(seed)
    outputs, counts = network.interpret()
    network.apply(*LOWER)
    program = load(network.module, network.weights)
    for image in range(len(network.inputs[0])):
        given = [array[image : image + 1] for array in network.inputs]
        execution = program.run(given, RunOptions(counts=True, threads=threads))
        for one, other in zip(execution.outputs, outputs, strict=True):
            np.testing.assert_array_equal(one[0], other[image])
        for origin, found in execution.counts.items():
            np.testing.assert_array_equal(found[0], counts[origin][image])
    assert all(always_together)


def test_a_recording_is_shared() -> None:
    network = random_train_network(3)
    outputs, _ = network.interpret()
    network.apply(*LOWER)
    execution = load(network.module, network.weights).run([network.inputs[0][:1]], RunOptions(threads=2))
    for one, other in zip(execution.outputs, outputs, strict=True):
        np.testing.assert_array_equal(one, other[:1])


def test_callers_at_the_same_time_do_not_wait_for_each_other() -> None:
    """Where the team has work to do already, a caller does its own alone."""
    network = random_spiking_network(1)
    outputs, _ = network.interpret()
    network.apply(*LOWER)
    program = load(network.module, network.weights)
    given = [array[:1] for array in network.inputs]
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(program.run, given, RunOptions(threads=2)) for _ in range(64)]
        for run in runs:
            np.testing.assert_array_equal(run.result().outputs[0], outputs[0][:1])


def test_a_team_is_one_for_all_programs() -> None:
    assert team_of(2) is team_of(2)
    assert team_of(2) is not team_of(3)
