"""Where a value comes from: its origin, kept through rewriting, and the line in the user's model."""

from __future__ import annotations

from collections.abc import Container, Iterator

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    FileLineColLoc,
    LocationAttr,
    ModuleOp,
    NameLoc,
    StringAttr,
    UnknownLoc,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation

ORIGIN = "nc.origin"
"""The discardable attribute that names the value an operation's first result holds. Two values with one origin, in
two modules, are the same value, each said in the terms of its level."""

WRITTEN = "nc.written"
"""The discardable attribute that names the operation the user wrote, on what a pass has put in its place."""


def origin_of(op: Operation) -> str | None:
    """The origin of the operation's first result, or None where it computes something new."""
    attribute = op.attributes.get(ORIGIN)
    return attribute.data if isinstance(attribute, StringAttr) else None


def set_origin(op: Operation, origin: str | None) -> None:
    """Names the value that the operation's first result holds; None forgets the name."""
    if origin is None:
        op.attributes.pop(ORIGIN, None)
    else:
        op.attributes[ORIGIN] = StringAttr(origin)


def written_name(op: Operation) -> str:
    """The name of the operation that the user wrote where this one now stands."""
    attribute = op.attributes.get(WRITTEN)
    return attribute.data if isinstance(attribute, StringAttr) else op.name


def argument_origins(block: Block) -> ArrayAttr[DictionaryAttr] | None:
    """The origins of a function's arguments that nothing will read, as attributes of the arguments; None without any.

    An argument that is read has the origin of its one reader.
    """
    readers = [next(iter(argument.uses)).operation for argument in block.args]
    if all(reader.results[0].uses for reader in readers):
        return None
    return ArrayAttr(
        DictionaryAttr({} if reader.results[0].uses else {ORIGIN: reader.attributes[ORIGIN]}) for reader in readers
    )


def origin_of_argument(function: FuncOp, index: int) -> str | None:
    """The origin of a function's argument: that of its one reader, or its own where nothing reads it."""
    origins = [origin_of(use.operation) for use in function.body.block.args[index].uses]
    if len(origins) == 1 and origins[0] is not None:
        return origins[0]
    own = None if function.arg_attrs is None else function.arg_attrs.data[index].data.get(ORIGIN)
    return own.data if isinstance(own, StringAttr) else None


def inherit(old: Operation, new: Operation) -> None:
    """Gives `new` the location, the origin and the written name of `old` where it has none of its own."""
    if isinstance(new.location, UnknownLoc):
        new.location = old.location
    if origin_of(new) is None and origin_of(old) is not None:
        set_origin(new, origin_of(old))
    if WRITTEN in old.attributes:
        new.attributes.setdefault(WRITTEN, old.attributes[WRITTEN])


def name_origins(module: ModuleOp) -> frozenset[str]:
    """Gives every operation with a result an origin, so that a pass can be checked value by value.

    Returns the names that are new, for `forget_origins`.
    """
    given: set[str] = set()
    taken = {origin for op in module.walk() if (origin := origin_of(op)) is not None}
    fresh = (name for number in _numbers() if (name := f"value{number}") not in taken)
    for op in module.walk():
        if op.results and origin_of(op) is None:
            name = next(fresh)
            set_origin(op, name)
            given.add(name)
    return frozenset(given)


def forget_origins(module: ModuleOp, names: Container[str]) -> None:
    """Takes names away again, from whichever operations hold them now."""
    for op in module.walk():
        origin = origin_of(op)
        if origin is not None and origin in names:
            set_origin(op, None)


def _numbers() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def user_location(op: Operation) -> str:
    """The user's words for where an operation comes from, e.g. `layer1.0.conv1, model.py:31`."""
    return describe(op.location)


def describe(location: LocationAttr) -> str:
    """A location in one line without MLIR's punctuation."""
    if isinstance(location, NameLoc):
        child = describe(location.location) if isinstance(location.location, LocationAttr) else ""
        return f"{location.desc.data}, {child}" if child else location.desc.data
    if isinstance(location, FileLineColLoc):
        return f"{location.filename.data}:{location.line.data}"
    return ""
