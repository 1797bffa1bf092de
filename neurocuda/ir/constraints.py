"""What a target demands of the integer network: written into the module before quantisation, obeyed by `quantize-*`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from neurocuda.errors import TargetError

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Attribute, Operation

CONSTRAINTS = "nc.constraints"
"""The module attribute that holds the constraints of the target."""

GRANULARITIES = ("channel", "layer")
"""What a threshold may be chosen for, the finest first."""


@dataclass(frozen=True)
class Constraints:
    """The integers and behaviours a target offers.

    Widths are in bits of a signed two's complement integer. A step s means that values are multiples of s.
    `threshold_granularity` is "channel" where the channels of a layer may have thresholds of their own, "layer" where
    they share one. With a `threshold_exponent` n, thresholds are powers of two up to 2^n; 0 means any integers.
    `graded_bits` is the width of the value a spike can carry; 0 where spikes carry none. `codes` are those of
    `snn.network`, the cheapest one on the target first: integers are chosen for the first one. `resets` and
    `comparisons` are those of `snn.integrate_and_fire` (comparison "ge" fires at the threshold, "gt" above it).

    Raises:
        TargetError: no threshold is a power of two and a multiple of its step.
    """

    weight_bits: int = 8
    weight_step: int = 1
    threshold_bits: int = 32
    threshold_step: int = 1
    threshold_exponent: int = 0
    threshold_granularity: str = "channel"
    membrane_bits: int = 32
    graded_bits: int = 32
    codes: tuple[str, ...] = ("unary", "free")
    resets: tuple[str, ...] = ("subtract", "zero")
    comparisons: tuple[str, ...] = ("ge", "gt")

    def __post_init__(self) -> None:
        powers = [2**exponent for exponent in range(1, self.threshold_exponent + 1)]
        if powers and self.threshold_step not in (1, *powers):
            raise TargetError(f"no power of two up to {powers[-1]} is a threshold in steps of {self.threshold_step}")

    def meet(self, other: Constraints) -> Constraints:
        """What both targets offer, so that one integer network serves the two.

        Raises:
            TargetError: they share no code, reset, comparison or threshold.
        """
        from math import lcm

        exponents = [one for one in (self.threshold_exponent, other.threshold_exponent) if one]
        return Constraints(
            weight_bits=min(self.weight_bits, other.weight_bits),
            weight_step=lcm(self.weight_step, other.weight_step),
            threshold_bits=min(self.threshold_bits, other.threshold_bits),
            threshold_step=lcm(self.threshold_step, other.threshold_step),
            threshold_exponent=min(exponents, default=0),
            threshold_granularity=max(self.threshold_granularity, other.threshold_granularity, key=GRANULARITIES.index),
            membrane_bits=min(self.membrane_bits, other.membrane_bits),
            graded_bits=min(self.graded_bits, other.graded_bits),
            codes=_shared("code", self.codes, other.codes),
            resets=_shared("reset", self.resets, other.resets),
            comparisons=_shared("comparison", self.comparisons, other.comparisons),
        )


def set_constraints(module: ModuleOp, constraints: Constraints) -> None:
    """Writes the constraints into the module."""
    from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, StringAttr, i64

    entries: dict[str, Attribute] = {}
    for field in fields(constraints):
        value: int | str | tuple[str, ...] = getattr(constraints, field.name)
        if isinstance(value, int):
            entries[field.name] = IntegerAttr(value, i64)
        elif isinstance(value, str):
            entries[field.name] = StringAttr(value)
        else:
            entries[field.name] = ArrayAttr([StringAttr(name) for name in value])
    module.attributes[CONSTRAINTS] = DictionaryAttr(entries)


def constraints_of(module: ModuleOp) -> Constraints:
    """The constraints the module was given, or those of no particular target.

    Raises:
        TargetError: the attribute is malformed or has an unknown key.
    """
    from xdsl.dialects.builtin import DictionaryAttr

    attribute = module.attributes.get(CONSTRAINTS)
    if attribute is None:
        return Constraints()
    if not isinstance(attribute, DictionaryAttr):
        raise TargetError(f"module attribute {CONSTRAINTS}: expected a dictionary, found {attribute}")
    known = {field.name for field in fields(Constraints)}
    unknown = sorted(set(attribute.data) - known)
    if unknown:
        raise TargetError(f"module attribute {CONSTRAINTS}: unknown key '{unknown[0]}'")
    defaults = Constraints()
    values = {name: _value(name, value, getattr(defaults, name)) for name, value in attribute.data.items()}
    return Constraints(**values)  # pyright: ignore[reportArgumentType]  _value returns the type of the default


def declared_constraints(op: Operation) -> Constraints | None:
    """The constraints that the module around an operation was given, or None."""
    from xdsl.dialects.builtin import ModuleOp

    parent: Operation | None = op
    while parent is not None and not isinstance(parent, ModuleOp):
        parent = parent.parent_op()
    return None if parent is None or CONSTRAINTS not in parent.attributes else constraints_of(parent)


def _value(name: str, attribute: Attribute, default: int | str | tuple[str, ...]) -> int | str | tuple[str, ...]:
    from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, StringAttr

    if isinstance(default, int) and isinstance(attribute, IntegerAttr):
        return attribute.value.data
    if isinstance(default, str) and isinstance(attribute, StringAttr) and attribute.data in GRANULARITIES:
        return attribute.data
    if isinstance(default, tuple) and isinstance(attribute, ArrayAttr):
        return tuple(item.data for item in attribute.data if isinstance(item, StringAttr))
    raise TargetError(f"module attribute {CONSTRAINTS}: '{name}' cannot be {attribute}")


def _shared(what: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    both = tuple(name for name in ours if name in theirs)
    if not both:
        raise TargetError(f"the targets share no {what}: {', '.join(ours)} against {', '.join(theirs)}")
    return both
