"""A level is a contract: the dialects that may appear and rules about them. Checking lists every violation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Operation
from xdsl.traits import OpTrait

from neurocuda.errors import LevelError, Problem, told_once
from neurocuda.ir.origin import user_location

if TYPE_CHECKING:
    from neurocuda.ir.weights import WeightStore

LEVEL = "nc.level"
"""The module attribute that names the level reached."""

UNKNOWN = "Do without it, or write a pass that replaces it; dialects/levels.py can say when it may stay and why not."
"""What to do about an operation that no level gives a reason for."""

Check: TypeAlias = Callable[[Operation], Iterable[Problem]]
ValueCheck: TypeAlias = "Callable[[Operation, WeightStore], Iterable[Problem]]"


@dataclass(frozen=True)
class Rule:
    """One clause of a contract: a small function from an operation to its violations.

    `needs_calibration` marks rules that only hold after images have been seen; structural checks skip them.
    """

    name: str
    check: Check
    needs_calibration: bool = False


@dataclass(frozen=True)
class ValueRule:
    """A clause about the values of constants, which lie in the weight store."""

    name: str
    check: ValueCheck


@dataclass(frozen=True)
class Level:
    """A named contract. `dialects` are allowed whole, `operations` one by one or by `traits`; all else is a violation.

    `reasons` says why an operation is refused here and what to do; the bodies of `opaque` operations are not looked at.
    """

    name: str
    dialects: frozenset[str]
    operations: frozenset[str]
    rules: tuple[Rule, ...] = ()
    reasons: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    opaque: frozenset[str] = frozenset()
    value_rules: tuple[ValueRule, ...] = ()
    traits: tuple[type[OpTrait], ...] = ()

    def violations(
        self, module: ModuleOp, weights: WeightStore | None = None, *, structure_only: bool = False
    ) -> list[Problem]:
        """All violations, in program order; those of values only where the store that holds them is given."""
        return list(self._violations(module, weights, structure_only))

    def require(self, module: ModuleOp, weights: WeightStore | None = None, *, structure_only: bool = False) -> None:
        """Checks the contract, as `violations` does.

        Raises:
            LevelError: lists every violation.
        """
        problems = told_once(self.violations(module, weights, structure_only=structure_only))
        if problems:
            count = "1 thing stands" if len(problems) == 1 else f"{len(problems)} things stand"
            raise LevelError(f"{count} between the model and level {self.name}:", problems)

    def _violations(self, module: ModuleOp, weights: WeightStore | None, structure_only: bool) -> Iterator[Problem]:
        for op in self._visible(module):
            yield from self.problems_of(op, structure_only=structure_only)
            if weights is not None and self.allows(op):
                for value_rule in self.value_rules:
                    yield from value_rule.check(op, weights)

    def problems_of(self, op: Operation, *, structure_only: bool = False) -> Iterator[Problem]:
        """What is wrong with one operation, the values of its constants aside."""
        if not self.allows(op):
            yield self._refusal(op)
            return
        for rule in self.rules:
            if not (structure_only and rule.needs_calibration):
                yield from rule.check(op)

    def _visible(self, op: Operation) -> Iterator[Operation]:
        yield op
        if op.name in self.opaque:
            return
        for region in op.regions:
            for block in region.blocks:
                for inner in block.ops:
                    yield from self._visible(inner)

    def allows(self, op: Operation) -> bool:
        """Whether the operation may appear at this level at all."""
        named = op.name in self.operations or op.name.partition(".")[0] in self.dialects
        return named or any(op.has_trait(trait) for trait in self.traits)

    def _refusal(self, op: Operation) -> Problem:
        unknown = (f"it does not belong to level {self.name}, and no pass has replaced it", UNKNOWN)
        why, remedy = self.reasons.get(op.name, unknown)
        return Problem(f"`{op.name}`", user_location(op), why, remedy)


def level_name(module: ModuleOp) -> str | None:
    """The level that the module says it has reached."""
    attribute = module.attributes.get(LEVEL)
    return attribute.data if isinstance(attribute, StringAttr) else None


def set_level(module: ModuleOp, name: str) -> None:
    """Writes down the level that the module has reached."""
    module.attributes[LEVEL] = StringAttr(name)
