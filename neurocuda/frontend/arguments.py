"""The arguments of an ATen call: nested lists and dictionaries of tensors, numbers and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, cast

from neurocuda.frontend.batch_axis import MANY, Traced
from neurocuda.frontend.graph import Overload
from neurocuda.frontend.operands import BatchSize, Constant

_RENAMED: Final = {"self": "x", "input": "x"}


def mapped(argument: object, function: Callable[[object], object]) -> object:
    """The same lists and dictionaries with every leaf changed."""
    if isinstance(argument, list | tuple):
        return [mapped(item, function) for item in cast(Sequence[object], argument)]
    if isinstance(argument, Mapping):
        return {name: mapped(item, function) for name, item in cast(Mapping[str, object], argument).items()}
    return function(argument)


def leaves(argument: object) -> Iterator[object]:
    """Everything that is neither a list nor a dictionary, in order."""
    if isinstance(argument, list | tuple):
        for item in cast(Sequence[object], argument):
            yield from leaves(item)
    elif isinstance(argument, Mapping):
        yield from leaves(list(cast(Mapping[str, object], argument).values()))
    else:
        yield argument


def bound(
    target: Overload, args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """(arguments, defaults) by the names in the schema; `self` and `input` are called `x`."""
    schema = target._schema.arguments  # pyright: ignore[reportPrivateUsage]  torch offers no other way to the schema
    names = [_RENAMED.get(argument.name, argument.name) for argument in schema]
    described = zip(names, schema, strict=True)
    defaults = {name: argument.default_value for name, argument in described if argument.has_default_value()}
    return defaults | dict(zip(names, args, strict=False)) | dict(kwargs), defaults


def for_importer(leaf: object) -> object:
    """A leaf as an importer sees it: tensors that depend on the input are values."""
    return leaf.value if isinstance(leaf, Traced) else leaf


def for_torch(leaf: object) -> object:
    """A leaf as torch computes with it, for one image."""
    if isinstance(leaf, Constant):
        return leaf.tensor
    return leaf // MANY if isinstance(leaf, BatchSize) else leaf
