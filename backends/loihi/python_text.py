"""Python spelled out: names, comments, calls. What a model calls things gets in as cleaned words alone."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

INDENT = "    "
WIDTH = 120
LONGEST_NAME = 40


def comment(text: str) -> str:
    """A user's words in a comment: letters, digits and harmless punctuation, at most 100 characters."""
    return re.sub(r"[^A-Za-z0-9 _.,:;=()\[\]/-]+", "_", text)[:100].strip()


class Names:
    """Gives out identifiers, each once: the user's words in small letters, with a number where one is taken."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*taken, *keyword.kwlist}

    def take(self, text: str, otherwise: str) -> str:
        """An identifier made of a text, or of `otherwise` where nothing is left of that."""
        cleaned = re.sub(r"[^a-z0-9]+", "_", text.lower())[:LONGEST_NAME].strip("_")
        base = cleaned or otherwise
        base = f"_{base}" if base[0].isdigit() else base
        numbered = (base if number == 1 else f"{base}_{number}" for number in range(1, len(self._taken) + 2))
        name = next(name for name in numbered if name not in self._taken)
        self._taken.add(name)
        return name


def call(head: str, arguments: Sequence[str], *, level: int = 0) -> list[str]:
    """`head(argument, ...)` over as many lines as it needs; `level` is how far it will be indented."""
    width = WIDTH - level * len(INDENT)
    line = ", ".join(arguments)
    if len(head) + len(line) + 2 <= width:
        return [f"{head}({line})"]
    if len(INDENT) + len(line) <= width:
        return [f"{head}(", f"{INDENT}{line}", ")"]
    return [f"{head}(", *(f"{INDENT}{argument}," for argument in arguments), ")"]


def dictionary(head: str, entries: Mapping[str, str], *, level: int = 0) -> list[str]:
    """`head{"name": value, ...}` over as many lines as it needs; values are Python already."""
    said = [f'"{name}": {value}' for name, value in entries.items()]
    line = f"{head}{{{', '.join(said)}}}"
    if len(line) <= WIDTH - level * len(INDENT):
        return [line]
    return [f"{head}{{", *(f"{INDENT}{entry}," for entry in said), "}"]


def keywords(**values: object) -> list[str]:
    """`name=value` of every keyword whose value is not None; values are Python already."""
    return [f"{name}={value}" for name, value in values.items() if value is not None]


def indented(lines: Iterable[str]) -> list[str]:
    """Lines one level deeper."""
    return [f"{INDENT}{line}" if line else "" for line in lines]
