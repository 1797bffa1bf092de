"""Where values come from: origins, and places in the user's model."""

from __future__ import annotations

import pytest
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, LocationAttr, ModuleOp, NameLoc, StringAttr, UnknownLoc
from xdsl.ir import Operation

from neurocuda.ir.context import create_context
from neurocuda.ir.origin import describe, forget_origins, inherit, name_origins, origin_of, set_origin, user_location
from neurocuda.ir.parsing import parse_module

LINE = FileLineColLoc(StringAttr("model.py"), IntAttr(31), IntAttr(4))


def network() -> tuple[ModuleOp, list[Operation]]:
    module = parse_module(
        create_context(),
        """
        func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
          %0 = ann.relu %x {nc.origin = "value0"} : tensor<1xf32> -> tensor<1xf32> loc("layer1.relu"("model.py":31:4))
          %1 = ann.tanh %0 : tensor<1xf32> -> tensor<1xf32> loc("model.py":32:4)
          %2 = ann.silu %1 : tensor<1xf32> -> tensor<1xf32> loc(unknown)
          func.return %2 : tensor<1xf32>
        }""",
    )
    return module, [op for op in module.walk() if op.name.startswith("ann.")]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (NameLoc(StringAttr("layer1"), LINE), "layer1, model.py:31"),
        (LINE, "model.py:31"),
        (NameLoc(StringAttr("layer1"), UnknownLoc()), "layer1"),
        (UnknownLoc(), ""),
    ],
)
def test_a_place_is_said_in_the_users_words(location: LocationAttr, expected: str) -> None:
    assert describe(location) == expected


def test_a_place_is_read_from_an_operation() -> None:
    _, ops = network()
    assert [user_location(op) for op in ops] == ["layer1.relu, model.py:31", "model.py:32", ""]


def test_an_origin_can_be_set_and_forgotten() -> None:
    _, (relu, tanh, _) = network()
    assert origin_of(relu) == "value0"
    assert origin_of(tanh) is None
    set_origin(tanh, "layer1.tanh")
    assert origin_of(tanh) == "layer1.tanh"
    set_origin(tanh, None)
    assert origin_of(tanh) is None
    set_origin(tanh, None)


def test_names_are_given_once_and_taken_away_again() -> None:
    module, ops = network()
    given = name_origins(module)
    names = [origin_of(op) for op in ops]
    assert names[0] == "value0"
    assert given == {names[1], names[2]}
    assert len(set(names)) == 3
    assert name_origins(module) == frozenset()
    forget_origins(module, given)
    assert [origin_of(op) for op in ops] == ["value0", None, None]


def test_a_successor_inherits_what_it_does_not_have() -> None:
    _, (relu, tanh, silu) = network()
    inherit(relu, silu)
    assert (origin_of(silu), user_location(silu)) == ("value0", "layer1.relu, model.py:31")
    inherit(relu, tanh)
    assert (origin_of(tanh), user_location(tanh)) == ("value0", "model.py:32")
    set_origin(tanh, "own")
    inherit(relu, tanh)
    assert origin_of(tanh) == "own"
