"""The checks that every target's tests share find what is wrong with a target."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp, UnitAttr

from neurocuda.backends.nir import BACKEND
from neurocuda.backends.nir.emit import emit_files
from neurocuda.backends.nir.run import load
from neurocuda.dialects.nir import ops as nir
from neurocuda.errors import OptionError, Problem, ToolchainError, UnsupportedModelError
from neurocuda.ir.backend import Availability, Backend, Execution, Program, RunOptions
from neurocuda.ir.chip import Chip, Figure
from neurocuda.ir.weights import WeightStore
from neurocuda.testing_conformance import (
    CHECKS,
    KINDS,
    Case,
    Lowered,
    check_availability,
    check_emission,
    check_limits,
    check_networks,
    check_options,
    check_run,
    compare_level,
    conformance_cases,
    lower,
)

Array = NDArray[Any]
Change = Callable[[Execution, Sequence[Array]], Execution]

DENSE = Case(0, "dense", "unary", 3)
ONE = (DENSE,)
NUMBERS = count()


@dataclass
class Changed:
    """A program whose results are changed afterwards."""

    program: Program
    change: Change

    def run(self, inputs: Sequence[Array], options: RunOptions | None = None) -> Execution:
        return self.change(self.program.run(inputs, options or RunOptions()), inputs)


Break = Callable[..., Backend]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Target nir with some of its hooks replaced by functions of a test."""

    def backend(**functions: object) -> Backend:
        module = ModuleType("broken_target")
        for name, function in functions.items():
            setattr(module, name, function)
        monkeypatch.setitem(sys.modules, "broken_target", module)
        return replace(BACKEND, hooks=replace(BACKEND.hooks, **{name: f"broken_target:{name}" for name in functions}))

    return backend


def changed(change: Change) -> Callable[[ModuleOp, WeightStore], Program]:
    return lambda module, weights: Changed(load(module, weights), change)


def test_the_cases_take_turns() -> None:
    codes = ("unary", "free", "graded")
    cases = conformance_cases(codes, 3 * len(KINDS))
    assert {(case.kind, case.code) for case in cases} == {(kind, code) for kind in KINDS for code in codes}
    assert cases[5:] == conformance_cases(codes, len(cases) - 5, first=5)
    assert str(DENSE) == "network 0 (dense) in code unary, T = 3, as events"
    assert len({case.timesteps for case in cases}) > 2


def test_a_sound_target_passes() -> None:
    found = check_networks(BACKEND, ONE, least=1)
    assert (found.share, found.not_run) == (1, "")
    assert str(found).startswith("1 of 1 networks compile, 0 of ")
    for check in CHECKS:
        check(BACKEND)


# Networks


def test_a_count_that_differs(broken: Break) -> None:
    def change(done: Execution, inputs: Sequence[Array]) -> Execution:
        del inputs
        return replace(done, counts={name: array + (name == "neuron4") for name, array in done.counts.items()})

    with pytest.raises(
        AssertionError, match=r"network 0 .dense. in code unary, T = 3, as events: .* first neuron4: image 0"
    ):
        check_networks(broken(load=changed(change)), ONE)


def test_a_layer_that_is_not_counted(broken: Break) -> None:
    with pytest.raises(AssertionError, match="does not count neuron2, neuron4"):
        check_networks(broken(load=changed(lambda done, _: replace(done, counts={}))), ONE)


def test_outputs_that_differ(broken: Break) -> None:
    def change(done: Execution, inputs: Sequence[Array]) -> Execution:
        del inputs
        return replace(done, outputs=tuple(output + 1 for output in done.outputs))

    with pytest.raises(AssertionError, match="first output 0: image 0"):
        check_networks(broken(load=changed(change)), ONE)


def test_a_level_that_means_something_else() -> None:
    """Found without the target's tools, too."""
    lowered = lower(BACKEND, DENSE)
    first = next(op for op in lowered.module.walk() if isinstance(op, nir.AffineOp))
    first.weight = lowered.weights.add(-lowered.weights.array(first.weight), "weight")
    with pytest.raises(AssertionError, match=r"snn-integer -> nir: .* counts differ; first neuron2"):
        compare_level(BACKEND, DENSE, lowered)


def test_a_target_that_refuses_everything() -> None:
    narrow = replace(BACKEND, constraints=replace(BACKEND.constraints, membrane_bits=2))
    with pytest.raises(AssertionError, match=r"fewer than 50% of .* compile: 0 of 1 .*\n  network 0 .* refused"):
        check_networks(narrow, ONE)


def test_a_kind_that_never_compiles() -> None:
    cases = (*ONE, Case(10, "maximum pooling", "free", 3))
    with pytest.raises(AssertionError, match="no network of code free compiles: 1 of 2"):
        check_networks(BACKEND, cases)


def test_a_refusal_that_names_no_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurocuda.testing_conformance.lower", _refusing)
    with pytest.raises(AssertionError, match=r"it is not said which layer is meant: `snn\.linear`: is unknown"):
        check_networks(BACKEND, ONE)


def _refusing(backend: Backend, case: Case) -> Lowered:
    del backend, case
    raise UnsupportedModelError("no:", [Problem("`snn.linear`", "", "is unknown")])


# Tools


def test_without_tools_the_level_is_still_compared(broken: Break) -> None:
    missing = broken(availability=lambda: Availability(False, "make nir"))
    found = check_networks(missing, ONE)
    assert found.not_run == "make nir"
    assert found.counts[DENSE] > 0
    check_run(missing)
    with pytest.raises(AssertionError, match="a missing tool is taken"):
        check_availability(missing)


def test_a_missing_tool_is_told_with_how_to_get_it(broken: Break) -> None:
    def unloadable(*_: object) -> Program:
        raise ToolchainError("it is not there")

    missing = broken(availability=lambda: Availability(False, "make nir"), load=unloadable)
    with pytest.raises(AssertionError, match=r"does not say how to get what is missing .make nir.: it is"):
        check_availability(missing)
    with pytest.raises(AssertionError, match="availability says neither"):
        check_availability(broken(availability=lambda: Availability(True, "")))


EMISSIONS: Mapping[str, tuple[Callable[[], Mapping[str, bytes]], str]] = {
    "nothing": (dict, "nothing is emitted"),
    "other bytes every time": (lambda: {"a": str(next(NUMBERS)).encode()}, "two emissions differ"),
    "an empty file": (lambda: {"a": b""}, "a is empty"),
    "any level": (lambda: {"a": b"1"}, "a network at another level is taken"),
}


@pytest.mark.parametrize(("files", "reason"), EMISSIONS.values(), ids=EMISSIONS.keys())
def test_emission(broken: Break, files: Callable[[], Mapping[str, bytes]], reason: str) -> None:
    def emit(*_: object) -> Mapping[str, bytes]:
        return files()

    with pytest.raises(AssertionError, match=reason):
        check_emission(broken(emit=emit))


def test_emission_that_changes_the_module(broken: Break) -> None:
    def emit(module: ModuleOp, weights: WeightStore) -> Mapping[str, bytes]:
        module.attributes["seen"] = UnitAttr()
        return emit_files(module, weights)

    with pytest.raises(AssertionError, match="emission changes the module"):
        check_emission(broken(emit=emit))


def test_emission_that_fails_for_a_tool_that_is_there(broken: Break) -> None:
    def emit(*_: object) -> Mapping[str, bytes]:
        raise ToolchainError("it is not there")

    with pytest.raises(AssertionError, match="everything is there, and emission fails"):
        check_emission(broken(emit=emit))
    check_emission(broken(emit=emit, availability=lambda: Availability(False, "make nir")))


RUNS: Mapping[str, tuple[Change, str]] = {
    "strange provenance": (lambda done, _: replace(done, provenance="the real chip"), "what is 'the real chip'"),
    "no steps": (lambda done, _: replace(done, steps=0), "takes no steps"),
    "counts nobody wants": (lambda done, inputs: replace(done, counts={"a": inputs[0]}), "were not asked for"),
    "another result": (lambda done, _: replace(done, outputs=(np.array(next(NUMBERS)),)), "two runs differ"),
    "changed inputs": (lambda done, inputs: inputs[0].fill(0) or done, "changes its inputs"),
}


@pytest.mark.parametrize(("change", "reason"), RUNS.values(), ids=RUNS.keys())
def test_runs(broken: Break, change: Change, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        check_run(broken(load=changed(change)))


# Chips


def with_chip(chip: Chip) -> Backend:
    backend = replace(BACKEND, default_chip=chip.name)
    vars(backend)["chips"] = {chip.name: chip}
    return backend


def test_numbers_without_a_source() -> None:
    figure = Figure(1.0, "pJ", " ", "assumed")
    with pytest.raises(AssertionError, match="chip toy does not say where spike is from"):
        check_limits(with_chip(Chip("toy", "a toy", {}, {"spike": figure})))


def test_options_and_chips() -> None:
    with pytest.raises(OptionError, match="no-such-pass"):
        check_options(replace(BACKEND, pipeline=("no-such-pass",)))
