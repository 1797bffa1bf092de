"""Small edits of Python and TOML text that keep lists sorted and everything else as it was."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from neurocuda.errors import OptionError


def with_import(text: str, module: str, name: str) -> str:
    """Adds `from module import name` among the imports of the same package, in order."""
    line = f"from {module} import {name}\n"
    lines = text.splitlines(keepends=True)
    imports = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    family = [node for node in imports if isinstance(node, ast.ImportFrom) and _is_ours(node)]
    after = [node for node in family if (node.module or "") < module]
    if after:
        lines.insert(after[-1].end_lineno or after[-1].lineno, line)
    elif family:
        lines.insert(family[0].lineno - 1, line)
    else:
        end = (imports[-1].end_lineno or 0) if imports else 0
        lines.insert(end, f"\n{line}")
    return "".join(lines)


def with_sorted_imports(text: str) -> str:
    """Sorts the lines `from neurocuda... import ...`: a name filled into a template may belong elsewhere."""
    block = re.search(r"^(from (neurocuda\.|nc_).*\n)+", text, re.MULTILINE)
    if block is None:
        return text
    lines = sorted(block[0].splitlines(keepends=True), key=lambda line: line.split()[1])
    return text[: block.start()] + "".join(lines) + text[block.end() :]


def _is_ours(node: ast.ImportFrom) -> bool:
    return (node.module or "").partition(".")[0] == "neurocuda"


def with_entry(text: str, variable: str, entry: str) -> str:
    """Adds an entry to the first list in what is assigned to a variable; where there is no such variable, nothing.

    Raises:
        OptionError: the variable holds no list with entries.
    """
    values = [node.value for node in ast.parse(text).body if isinstance(node, ast.Assign) and _names(node, variable)]
    if not values:
        return text
    found = next((node for node in ast.walk(values[0]) if isinstance(node, ast.List) and node.elts), None)
    if found is None:
        raise OptionError(f"{variable} holds no list to add {entry} to")
    lines = text.splitlines(keepends=True)
    behind = _successor(found.elts, entry)
    if found.elts[0].lineno == found.elts[-1].lineno:
        return _inserted(lines, found.elts[-1], f", {entry}")
    place = found.elts[-1].lineno if behind is None else behind.lineno - 1
    lines.insert(place, f"{' ' * found.elts[0].col_offset}{entry},\n")
    return "".join(lines)


def _names(node: ast.Assign, variable: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == variable for target in node.targets)


def _successor(entries: Sequence[ast.expr], entry: str) -> ast.expr | None:
    """The first entry of the same style (CamelCase) that belongs behind the new one."""
    word = entry.strip('"')
    for node in entries:
        other = ast.unparse(node).strip("'\"")
        if not other.isupper() and other > word:
            return node
    return None


def _inserted(lines: list[str], behind: ast.expr, addition: str) -> str:
    row, column = (behind.end_lineno or behind.lineno) - 1, behind.end_col_offset or 0
    line = lines[row].encode()  # columns of a syntax tree count bytes
    lines[row] = (line[:column] + addition.encode() + line[column:]).decode()
    return "".join(lines)


def with_packages(text: str, packages: Sequence[str]) -> str:
    """Adds packages to the list in pyproject.toml, in order.

    Raises:
        OptionError: the list is not where it should be.
    """
    found = re.search(r"^packages = \[\n(.*?)^\]$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise OptionError("pyproject.toml has no list of packages")
    names = {*re.findall(r'"(.+?)"', found[1]), *packages}
    entries = "".join(f'    "{name}",\n' for name in sorted(names))
    return text[: found.start(1)] + entries + text[found.end(1) :]
