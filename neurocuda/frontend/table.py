"""The table from ATen operations to importers, built by looking through `neurocuda.frontend.aten`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, TypeVar

from torch.fx import Node

from neurocuda.frontend.batch_axis import Rule, pointwise
from neurocuda.frontend.graph import packet_name, target_name
from neurocuda.frontend.operands import Builder, Imported, Refusal

_MARK = "__imports__"

ImporterT = TypeVar("ImporterT", bound=Callable[..., Imported])


@dataclass(frozen=True)
class Importer:
    """A function that writes one ATen call in the `ann` dialect, and the rule that takes the batch out first."""

    function: Callable[..., Imported]
    rule: Rule
    parameters: frozenset[str]

    def run(self, builder: Builder, arguments: Mapping[str, object], defaults: Mapping[str, object]) -> Imported:
        """Calls the function with the arguments it names.

        Raises:
            Refusal: an argument that it does not name has a value other than its default.
        """
        for name in arguments.keys() - self.parameters - _WITHOUT_MEANING:
            if arguments[name] != defaults.get(name):
                raise Refusal(f"argument {name}={arguments[name]} is not supported")
        return self.function(builder, **{name: arguments[name] for name in arguments.keys() & self.parameters})


_WITHOUT_MEANING: Final = frozenset(
    {"inplace", "momentum", "memory_format", "layout", "device", "pin_memory", "non_blocking", "copy", "implicit"}
    | {
        "requires_grad",
        "dtype",
        "cudnn_enable",
        "cudnn_enabled",
        "benchmark",
        "deterministic",
        "allow_tf32",
        "generator",
    }
)
"""Arguments that say how to compute or where, never what; the dtype of every result is checked by itself."""


def imports(*targets: str, batch: Rule = pointwise) -> Callable[[ImporterT], ImporterT]:
    """Marks a function as the importer of some ATen overloads, e.g. "aten.relu.default".

    The function takes a `Builder` and the arguments it needs by their names in the ATen schema, without the batch
    axis (`self` and `input` are called `x`; defaults are filled in). Several marks on one function add up.
    """

    def mark(function: ImporterT) -> ImporterT:
        marks: tuple[tuple[tuple[str, ...], Rule], ...] = getattr(function, _MARK, ())
        setattr(function, _MARK, (*marks, (targets, batch)))
        return function

    return mark


@cache
def importers() -> Mapping[str, Importer]:
    """ATen overload to importer."""
    table: dict[str, Importer] = {}
    for function in _functions():
        parameters = frozenset(list(inspect.signature(function).parameters)[1:])
        for targets, rule in getattr(function, _MARK):
            for target in targets:
                if target in table:
                    raise ValueError(f"{target} has two importers, {table[target].function} and {function}")
                table[target] = Importer(function, rule, parameters)
    return MappingProxyType(table)


def reason_for(node: Node) -> tuple[str, str] | None:
    """Why an operation is not imported, and what to do, where the module of its family says so under REASONS.

    The key is the overload, "aten.div.Tensor_mode", or all overloads together, "aten.elu".
    """
    return _reasons().get(target_name(node)) or _reasons().get(packet_name(node))


@cache
def _reasons() -> Mapping[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for module in _modules():
        found |= getattr(module, "REASONS", {})
    return MappingProxyType(found)


def _modules() -> list[object]:
    from neurocuda.frontend import aten

    names = sorted(info.name for info in pkgutil.iter_modules(aten.__path__))
    return [importlib.import_module(f"{aten.__name__}.{name}") for name in names]


def _functions() -> list[Callable[..., Imported]]:
    return [
        value
        for module in _modules()
        for value in vars(module).values()
        if inspect.isfunction(value) and hasattr(value, _MARK) and value.__module__ == getattr(module, "__name__", "")
    ]
