"""Rewriting keeps source locations and origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from neurocuda.dialects.ann import ops as ann
from neurocuda.ir.context import create_context
from neurocuda.ir.origin import origin_of, set_origin, user_location
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.rewriting import apply_patterns, erase_unused, replace

NETWORK = """
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %sum = ann.tanh %x {nc.origin = "tanh"} : tensor<2xf32> -> tensor<2xf32> loc("tanh"("model.py":7:0))
  %y = ann.relu %sum {nc.origin = "relu"} : tensor<2xf32> -> tensor<2xf32> loc("relu"("model.py":8:0))
  func.return %y : tensor<2xf32>
}
"""


def network() -> ModuleOp:
    return parse_module(create_context(), NETWORK)


def body(module: ModuleOp) -> Sequence[Operation]:
    return [op for op in module.walk() if op.name.startswith("ann.")]


def described(module: ModuleOp) -> list[tuple[str, str | None, str]]:
    return [(op.name, origin_of(op), user_location(op)) for op in body(module)]


class TanhBySigmoids(RewritePattern):
    """Two operations for one: only the last holds the value of the old one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.TanhOp, rewriter: PatternRewriter) -> None:
        inner = ann.SigmoidOp(op.input)
        rewriter.replace(op, [inner, ann.SigmoidOp(inner.result)])


class DropRelu(RewritePattern):
    """A value that was there already takes over."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ann.ReluOp, rewriter: PatternRewriter) -> None:
        rewriter.replace(op, [], [op.input])


@dataclass
class Count(RewritePattern):
    """Turns activations into others, so many times."""

    left: int

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if isinstance(op, ann.ReluOp | ann.SigmoidOp) and self.left:
            self.left -= 1
            kind = ann.SigmoidOp if isinstance(op, ann.ReluOp) else ann.ReluOp
            rewriter.replace(op, kind(op.input))


def test_a_replacement_inherits_origin_and_location_and_what_is_new_the_location() -> None:
    module = network()
    apply_patterns(module, TanhBySigmoids())
    assert described(module) == [
        ("ann.sigmoid", None, "tanh, model.py:7"),
        ("ann.sigmoid", "tanh", "tanh, model.py:7"),
        ("ann.relu", "relu", "relu, model.py:8"),
    ]


def test_an_existing_value_keeps_its_own_origin() -> None:
    module = network()
    apply_patterns(module, DropRelu())
    assert described(module) == [("ann.tanh", "tanh", "tanh, model.py:7")]


def test_patterns_run_once_or_until_nothing_changes() -> None:
    once, often = network(), network()
    counts = Count(5), Count(5)
    apply_patterns(once, counts[0])
    apply_patterns(often, counts[1], recursive=True)
    assert [count.left for count in counts] == [4, 0]
    assert origin_of(body(often)[1]) == "relu"


def test_replacing_without_a_pattern_keeps_names_too() -> None:
    module = network()
    tanh = body(module)[0]
    inner = ann.SigmoidOp(tanh.operands[0])
    outer = ann.SigmoidOp(inner.result)
    replace(tanh, outer, inner)
    assert described(module)[:2] == [
        ("ann.sigmoid", None, "tanh, model.py:7"),
        ("ann.sigmoid", "tanh", "tanh, model.py:7"),
    ]
    assert outer.result.name_hint == "sum"
    with pytest.raises(ValueError, match="stands in no block"):
        replace(tanh, ann.SigmoidOp(inner.result))


def test_a_replacement_with_an_origin_keeps_it() -> None:
    module = network()
    tanh = body(module)[0]
    new = ann.SigmoidOp(tanh.operands[0])
    set_origin(new, "mine")
    replace(tanh, new)
    assert origin_of(body(module)[0]) == "mine"


def test_what_nobody_reads_is_erased() -> None:
    module = network()
    apply_patterns(module, DropRelu())
    body(module)[0].results[0].replace_all_uses_with(body(module)[0].operands[0])
    erase_unused(module)
    assert body(module) == []
