"""Levels list every violation at once, with the user's line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.errors import LevelError, Problem
from neurocuda.ir.context import create_context
from neurocuda.ir.level import UNKNOWN, Level, Rule, level_name, set_level
from neurocuda.ir.origin import user_location
from neurocuda.ir.parsing import parse_module

FRAME = frozenset({"builtin.module", "func.func", "func.return"})

NETWORK = """
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = ann.softmax %x axis 0 : tensor<2xf32> -> tensor<2xf32> loc("head"("model.py":7:0))
  %1 = ann.relu %0 : tensor<2xf32> -> tensor<2xf32> loc("relu"("model.py":8:0))
  %2 = "host.segment"(%1) ({
  ^bb0(%3: tensor<2xf32>):
    %4 = ann.softmax %3 axis 0 : tensor<2xf32> -> tensor<2xf32>
    host.yield %4 : tensor<2xf32>
  }) : (tensor<2xf32>) -> tensor<2xf32>
  func.return %2 : tensor<2xf32>
}
"""


def network() -> ModuleOp:
    return parse_module(create_context(), NETWORK)


def complain(op: Operation) -> Iterator[Problem]:
    if op.name == "ann.relu":
        yield Problem("a relu", user_location(op), "it is one", "Do without.")


def level(
    operations: frozenset[str] = frozenset(), *rules: Rule, reasons: dict[str, tuple[str, str]] | None = None
) -> Level:
    return Level("small", frozenset({"host"}), FRAME | operations, rules, reasons or {}, frozenset({"host.segment"}))


def test_everything_that_is_not_allowed_is_listed_in_order() -> None:
    problems = level(reasons={"ann.softmax": ("it divides", "Drop it.")}).violations(network())
    assert list(map(str, problems)) == [
        "`ann.softmax` (head, model.py:7): it divides. Drop it.",
        "`ann.relu` (relu, model.py:8): it does not belong to level small, and no pass has replaced it. " + UNKNOWN,
    ]


def test_what_runs_on_the_host_is_not_looked_at() -> None:
    outside = frozenset({"ann.softmax", "ann.relu"})
    assert level(outside).violations(network()) == []
    blind = Level("small", frozenset({"host"}), FRAME | {"ann.relu"})
    assert len(blind.violations(network())) == 2


def test_rules_run_on_what_is_allowed_only() -> None:
    rule = Rule("complain", complain)
    assert [problem.what for problem in level(frozenset(), rule).violations(network())] == [
        "`ann.softmax`",
        "`ann.relu`",
    ]
    allowed = level(frozenset({"ann.softmax", "ann.relu"}), rule).violations(network())
    assert list(map(str, allowed)) == ["a relu (relu, model.py:8): it is one. Do without."]


def test_rules_about_calibration_can_wait() -> None:
    rule = Rule("complain", complain, needs_calibration=True)
    strict = level(frozenset({"ann.softmax", "ann.relu"}), rule)
    assert len(strict.violations(network())) == 1
    assert strict.violations(network(), structure_only=True) == []


def test_require_raises_one_error_with_all_problems() -> None:
    with pytest.raises(LevelError) as caught:
        level().require(network())
    headline, *lines = str(caught.value).splitlines()
    assert headline == "2 things stand between the model and level small:"
    assert [line.split("`")[1] for line in lines] == ["ann.softmax", "ann.relu"]
    assert len(caught.value.problems) == 2
    with pytest.raises(LevelError, match="1 thing stands between"):
        level(frozenset({"ann.softmax"})).require(network())
    level(frozenset({"ann.softmax", "ann.relu"})).require(network())


def test_a_module_says_its_level() -> None:
    module = network()
    assert level_name(module) is None
    set_level(module, "small")
    assert level_name(module) == "small"
