"""Checks that values are used only where they are defined, which xDSL's verifier does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from xdsl.ir import Block, Operation, Region, SSAValue

from neurocuda.errors import VerificationError
from neurocuda.ir.places import op_message

GRAPH_OPERATIONS = frozenset(
    {
        "builtin.module",
        "hw.module",
        "fsm.machine",
        "fsm.state",
        "fsm.transition",
        "loihi.network",
        "nir.graph",
        "snn.network",
    }
)
"""Operations whose regions are graphs: the order of their operations means nothing, or they check it themselves."""


def verify_dominance(module: Operation) -> None:
    """Checks every use below an operation, through nested regions and control flow, in linear time.

    As in MLIR, a block that control cannot reach is not checked, nor is the order in the body of a module.

    Raises:
        VerificationError: a value is used where it is not defined, with the place of the use.
    """
    visible: set[SSAValue] = set()
    frames = [frame for region in module.regions for frame in _entry(region)]
    while frames:
        frame = frames[-1]
        if not frame.open:
            _define(frame, frame.block.args, visible)
            frame.open = True
        _define(frame, frame.pending, visible)
        frame.pending = ()
        op = next(frame.ops, None)
        if op is not None:
            _check_operands(op, visible)
            frame.pending = op.results  # visible only behind the operation's own regions
            frames.extend(inner for region in op.regions for inner in _entry(region))
        elif frame.dominated:
            frames.append(_Frame(frame.dominated.pop(), frame.tree, frame.graph))
        else:
            visible.difference_update(frame.defined)
            frames.pop()


@dataclass
class _Frame:
    """A block on the way through the dominator tree: what it defined, and the blocks it dominates."""

    block: Block
    tree: Mapping[Block, list[Block]]
    graph: bool
    open: bool = False
    pending: tuple[SSAValue, ...] | list[SSAValue] = ()
    defined: list[SSAValue] = field(default_factory=list[SSAValue])
    ops: Iterator[Operation] = field(init=False)
    dominated: list[Block] = field(init=False)

    def __post_init__(self) -> None:
        self.ops = iter(self.block.ops)
        self.dominated = list(self.tree.get(self.block, ()))
        if self.graph:
            self.pending = [result for op in self.block.ops for result in op.results]


def _entry(region: Region) -> list[_Frame]:
    """The frame of a region's first block, if it has one."""
    first = region.blocks.first
    if first is None:
        return []
    parent = region.parent
    graph = parent is not None and parent.name in GRAPH_OPERATIONS
    return [_Frame(first, dominator_tree(region) if first.next_block is not None else {}, graph)]


def _define(frame: _Frame, values: tuple[SSAValue, ...] | list[SSAValue], visible: set[SSAValue]) -> None:
    visible.update(values)
    frame.defined.extend(values)


def _check_operands(op: Operation, visible: set[SSAValue]) -> None:
    for index, operand in enumerate(op.operands):
        if operand not in visible:
            raise VerificationError(op_message(op, f"operand #{index} is used where it is not defined"))


def dominator_tree(region: Region) -> dict[Block, list[Block]]:
    """The blocks that each block immediately dominates; blocks that control cannot reach are left out.

    Source: Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm", 2001.
    """
    order = _postorder(region)
    number = {block: index for index, block in enumerate(order)}
    predecessors: dict[Block, list[Block]] = {block: [] for block in order}
    for block in order:
        for successor in _successors(block):
            predecessors[successor].append(block)
    entry = order[-1]
    dominator = {entry: entry}
    changed = True
    while changed:
        changed = False
        for block in reversed(order[:-1]):
            known = [before for before in predecessors[block] if before in dominator]
            best = known[0]
            for other in known[1:]:
                best = _meet(best, other, dominator, number)
            if dominator.get(block) is not best:
                dominator[block] = best
                changed = True
    tree: dict[Block, list[Block]] = {block: [] for block in order}
    for block in order[:-1]:
        tree[dominator[block]].append(block)
    return tree


def _meet(left: Block, right: Block, dominator: Mapping[Block, Block], number: Mapping[Block, int]) -> Block:
    """The closest block that dominates both."""
    while left is not right:
        while number[left] < number[right]:
            left = dominator[left]
        while number[right] < number[left]:
            right = dominator[right]
    return left


def _postorder(region: Region) -> list[Block]:
    """The blocks that control can reach, each behind its successors; the entry block comes last."""
    entry = region.blocks.first
    assert entry is not None
    seen = {entry}
    order: list[Block] = []
    stack = [(entry, iter(_successors(entry)))]
    while stack:
        block, successors = stack[-1]
        following = next((successor for successor in successors if successor not in seen), None)
        if following is None:
            order.append(block)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(_successors(following))))
    return order


def _successors(block: Block) -> list[Block]:
    """Where control goes from a block, as far as it stays in the region; the verifier refuses the rest."""
    last = block.last_op
    return [] if last is None else [target for target in last.successors if target.parent is block.parent]
