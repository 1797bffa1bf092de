"""HTML and SVG elements whose text cannot become markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Markup(str):
    """Text that is markup already; every other text is escaped where it goes into an element."""

    __slots__ = ()


def tag(name: str, *children: str | Iterable[str], **attributes: object) -> Markup:
    """An element. In the names of attributes `_` stands for `-` and a last `_` for nothing; None is left out."""
    listed = (
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{''.join(listed)}>{joined(*children)}</{name}>")


def joined(*children: str | Iterable[str]) -> Markup:
    """Elements and texts one after the other."""
    parts = (part for child in children for part in ((child,) if isinstance(child, str) else child))
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def _value(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
