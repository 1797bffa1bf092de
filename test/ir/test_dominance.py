"""Values are used only where they are defined: in order, through regions, and along control flow."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp, i32
from xdsl.ir import Block, Region

from neurocuda.errors import VerificationError
from neurocuda.ir.context import create_context
from neurocuda.ir.dominance import dominator_tree, verify_dominance
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.verifying import verify_module

FUNCTION = "func.func @f(%c: i1, %x: i32) -> i32 {{\n{body}\n}}"

GOOD = {
    "in order": "%a = arith.addi %x, %x : i32\n func.return %a : i32",
    "from outside a region": """
      %r = scf.if %c -> (i32) {
        %a = arith.addi %x, %x : i32
        scf.yield %a : i32
      } else {
        scf.yield %x : i32
      }
      func.return %r : i32""",
    "along control flow": """
      %a = arith.addi %x, %x : i32
      cf.cond_br %c, ^left, ^right
    ^left:
      %b = arith.addi %a, %a : i32
      cf.br ^end(%b : i32)
    ^right:
      cf.br ^end(%a : i32)
    ^end(%e: i32):
      %s = arith.addi %e, %a : i32
      func.return %s : i32""",
    "around a loop": """
      cf.br ^head(%x : i32)
    ^head(%i: i32):
      %n = arith.addi %i, %x : i32
      cf.cond_br %c, ^head(%n : i32), ^end
    ^end:
      func.return %n : i32""",
    "in a block that control cannot reach": """
      func.return %x : i32
    ^lost:
      %a = arith.addi %b, %b : i32
      %b = arith.addi %a, %a : i32
      func.return %a : i32""",
    "blocks in another order than control": """
      cf.br ^second
    ^first:
      func.return %a : i32
    ^second:
      %a = arith.addi %x, %x : i32
      cf.br ^first""",
}

BAD = {
    "used before": ("%a = arith.addi %b, %x : i32\n %b = arith.addi %x, %x : i32\n func.return %a : i32", 2),
    "used by itself": ("%a = arith.addi %a, %x : i32\n func.return %a : i32", 2),
    "used in its own region": (
        "%r = scf.if %c -> (i32) {\n scf.yield %r : i32\n } else {\n scf.yield %x : i32\n }\n func.return %r : i32",
        3,
    ),
    "used in the other branch": (
        """cf.cond_br %c, ^left, ^right
        ^left:
          %a = arith.addi %x, %x : i32
          cf.br ^right
        ^right:
          func.return %a : i32""",
        7,
    ),
    "a block argument used where its block does not lead": (
        """cf.cond_br %c, ^left(%x : i32), ^right
        ^left(%a: i32):
          func.return %a : i32
        ^right:
          func.return %a : i32""",
        6,
    ),
    "used before in a nested region": (
        """scf.if %c {
             %a = arith.addi %b, %x : i32
             scf.yield
           }
           %b = arith.addi %x, %x : i32
           func.return %b : i32""",
        3,
    ),
}


def parsed(body: str) -> ModuleOp:
    return parse_module(create_context(), FUNCTION.format(body=body), "x.mlir", verify=False)


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD)
def test_good(body: str) -> None:
    verify_dominance(parsed(body))


@pytest.mark.parametrize(("body", "line"), BAD.values(), ids=BAD)
def test_bad(body: str, line: int) -> None:
    with pytest.raises(VerificationError, match=rf"^x\.mlir:{line}:\d+: error: '.*' operand #\d is used where"):
        verify_dominance(parsed(body))


@pytest.mark.parametrize(
    "verify",
    [
        pytest.param(verify_module, id="ours"),
        pytest.param(ModuleOp.verify, id="stock", marks=pytest.mark.xfail(strict=True, reason="a hole of xDSL 0.74.0")),
    ],
)
def test_a_use_before_its_definition_is_refused(verify: Callable[[ModuleOp], None]) -> None:
    module = parsed(BAD["used before"][0])
    with pytest.raises(VerificationError):
        verify(module)


def test_the_body_of_a_module_has_no_order() -> None:
    text = 'module {\n  "test.op"(%a) : (i32) -> ()\n  %a = "test.op"() : () -> i32\n}'
    verify_dominance(parse_module(create_context(), text, verify=False))


def test_a_value_that_stands_nowhere_is_refused() -> None:
    detached = test.TestOp(result_types=[i32])
    user = test.TestOp([detached.results[0]])
    with pytest.raises(VerificationError):
        verify_dominance(ModuleOp([test.TestOp(regions=[Region(Block([user, test.TestTermOp()]))])]))


def test_a_value_used_outside_its_region_is_refused() -> None:
    inner = test.TestOp(result_types=[i32])
    outer = test.TestOp(regions=[Region(Block([inner, test.TestTermOp()]))])
    function = test.TestOp(regions=[Region(Block([outer, test.TestOp([inner.results[0]]), test.TestTermOp()]))])
    with pytest.raises(VerificationError):
        verify_dominance(ModuleOp([function]))


def random_region(seed: int, size: int) -> Region:
    """Blocks that branch at random."""
    choose = random.Random(seed)
    blocks = [Block() for _ in range(size)]
    for block in blocks:
        block.add_op(test.TestTermOp(successors=choose.choices(blocks, k=choose.randint(0, 3))))
    return Region(blocks)


def dominated_by(region: Region, removed: Block) -> set[Block]:
    """By definition: what control reaches, but not without one block."""
    return reached(region, None) - reached(region, removed)


def reached(region: Region, removed: Block | None) -> set[Block]:
    entry = region.blocks.first
    assert entry is not None
    found, waiting = set[Block](), [entry]
    while waiting:
        block = waiting.pop()
        if block is removed or block in found:
            continue
        found.add(block)
        last = block.last_op
        assert last is not None
        waiting += last.successors
    return found


@pytest.mark.parametrize("seed", range(60))
def test_the_dominator_tree_is_that_of_the_definition(seed: int) -> None:
    region = random_region(seed, 1 + seed % 12)
    tree = dominator_tree(region)

    def below(block: Block) -> set[Block]:
        return {block}.union(*(below(inner) for inner in tree[block]))

    assert set(tree) == reached(region, None)
    for block in tree:
        assert below(block) == dominated_by(region, block)


def test_long_chains_of_blocks_and_deep_regions_do_not_overflow() -> None:
    blocks = [Block() for _ in range(5000)]
    for block, following in pairwise(blocks):
        block.add_op(test.TestTermOp(successors=[following]))
    blocks[-1].add_op(test.TestTermOp())
    op = test.TestOp(regions=[Region(blocks)])
    for _ in range(5000):
        op = test.TestOp(regions=[Region(Block([op]))])
    verify_dominance(op)
