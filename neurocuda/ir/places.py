"""Diagnostics in one line: `file:line:column: error: 'dialect.operation' what is wrong`."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Operation


def op_message(op: Operation, message: str) -> str:
    """A message about an operation, with the line of IR or of the user's model that it comes from."""
    place = place_of(op.location)
    text = " ".join(message.split()).removeprefix(f"{op.name}: ")  # many verifiers name it themselves
    return f"{place}: error: '{op.name}' {text}" if place else f"error: '{op.name}' {text}"


def place_of(location: Attribute) -> str:
    """`file:line:column`, or the name where there is no file, or nothing."""
    if isinstance(location, FileLineColLoc):
        return f"{location.filename.data}:{location.line.data}:{location.column.data}"
    if isinstance(location, NameLoc):
        return place_of(location.location) or location.desc.data
    if isinstance(location, CallSiteLoc):
        return place_of(location.callee) or place_of(location.caller)
    if isinstance(location, FusedLoc):
        parts: Sequence[Attribute] = location.locations.data  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
        return next((place for part in parts if (place := place_of(part))), "")  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return ""
