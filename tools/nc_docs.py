"""Writes the reference of dialects and passes, docs/reference/*.md, from the code: `make docs`."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import cast

from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    FloatAttr,
    IntegerAttr,
    MemRefType,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import IRDLOperation, OpDef, OptionalDef, VariadicDef
from xdsl.passes import ModulePass

from neurocuda.ir.files import replacing
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.pipeline import NAMED_PIPELINES
from neurocuda.registry import dialect_factories, pass_factories

NOTICE = "<!-- Written by `make docs` from the code; edit the docstrings there. -->\n"

KINDS: Mapping[type[Attribute], str] = {
    TensorType: "tensor",
    MemRefType: "buffer",
    DenseIntOrFPElementsAttr: "constant tensor",
    DenseResourceAttr: "constant tensor",
    DenseArrayBase: "integers",
    IntegerAttr: "integer",
    FloatAttr: "float",
    StringAttr: "string",
}
"""What people call the attributes of xDSL."""

_CONSTRAINT = re.compile(r"\(C\d+\)")
_MLIR = re.compile(r"^((?:Before|After)[^\n]*):\n+((?:(?:    .*)?\n)+)", re.MULTILINE)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the files below the folder given, by default the current one."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    folder = Path(arguments[0] if arguments else ".") / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in references().items():
        with replacing(folder / name) as stream:
            stream.write(text.encode())
    return 0


def references() -> Mapping[str, str]:
    """File name to content."""
    return {"dialects.md": dialects_reference(), "passes.md": passes_reference()}


# Dialects


def dialects_reference() -> str:
    """Every operation and type of every dialect."""
    dialects = {name: factory() for name, factory in dialect_factories().items()}
    parts = [NOTICE, "# Dialects\n", "No type has a batch axis.\n"]
    parts += [
        f"- [`{name}`](#{name}): {len(list(dialect.operations))} operations" for name, dialect in dialects.items()
    ]
    return "\n".join([*parts, "", *(_dialect(dialect) for dialect in dialects.values())])


def _dialect(dialect: Dialect) -> str:
    name = dialect.name
    head = f"## `{name}`\n\nWhy it is as it is: [dialects/{name}/README.md](../../dialects/{name}/README.md).\n"
    types = [
        f"### `!{kind.name}`\n\n{_docstring(kind)}\n" for kind in sorted(dialect.attributes, key=lambda it: it.name)
    ]
    operations = sorted(dialect.operations, key=lambda kind: kind.name)
    return "\n".join([head, *types, *map(_operation, operations)])


def _operation(kind: type[Operation]) -> str:
    assert issubclass(kind, IRDLOperation)
    definition = kind.get_irdl_definition()
    parts = [f"### `{kind.name}`\n", f"{_docstring(kind)}\n"]
    inherited = [text for text in _inherited_constraints(kind) if text not in parts[1]]
    if inherited:
        parts.append("\n".join(inherited) + "\n")
    if definition.assembly_format is not None:
        parts.append(f"```\n{kind.name} {_readable(definition.assembly_format)}\n```\n")
    rows = list(_rows(definition))
    if rows:
        parts.append("\n".join(["| | Name | What | Default |", "|---|---|---|---|", *rows]) + "\n")
    traits = sorted({type(trait).__name__ for trait in kind.traits.traits})
    if traits:
        parts.append(f"Traits: {', '.join(traits)}.\n")
    return "\n".join(parts)


def _inherited_constraints(kind: type[Operation]) -> Iterator[str]:
    """The numbered rules that base classes check."""
    for base in reversed(kind.__mro__):
        verify = vars(base).get("verify_")
        text = inspect.cleandoc(getattr(verify, "__doc__", None) or "")
        if _CONSTRAINT.match(text):
            yield text


def _readable(assembly_format: str) -> str:
    """A declarative format as a person writes it: literals without quotes, spaces where they belong."""
    text = re.sub(r"attr-dict(-with-keyword)?|[`^]", "", assembly_format)
    text = re.sub(r"\(\s+", "(", " ".join(text.split()))
    text = re.sub(r"\s+([,)])", r"\1", text)
    return re.sub(r"(\w) \((\$\w+)\)", r"\1(\2)", text)


def _rows(definition: OpDef) -> Iterator[str]:
    for name, operand in definition.operands:
        yield _row("operand", name, operand, operand.constr)
    for name, value in definition.properties.items():
        yield _row("property", name, value, value.constr, value.default_value)
    for name, value in definition.attributes.items():
        yield _row("attribute", name, value, value.constr, value.default_value)
    for name, _ in definition.regions:
        yield f"| region | `{name}` | | |"
    for name, result in definition.results:
        yield _row("result", name, result, result.constr)


def _row(kind: str, name: str, definition: object, constraint: object, default: Attribute | None = None) -> str:
    what = _kind_of(constraint)
    if isinstance(definition, OptionalDef):
        what = f"{what}, optional"
    elif isinstance(definition, VariadicDef):
        what = f"{what}, any number"
    shown = "" if default is None else f"`{default}`"
    return f"| {kind} | `{name}` | {what} | {shown} |"


def _kind_of(constraint: object) -> str:
    """A constraint in a word or two."""
    inner: object = getattr(constraint, "constraint", constraint)
    inner = getattr(inner, "constr", inner)
    find_bases = getattr(inner, "get_bases", None)
    bases = cast("set[type[Attribute]] | None", find_bases()) if callable(find_bases) else None
    if bases == {IntegerAttr} and "attr=IntegerType(1)" in repr(inner):
        return "boolean"
    words = sorted({KINDS.get(base, f"`{base.name}`") for base in bases or ()})
    return " or ".join(words) or "any"


# Passes


def passes_reference() -> str:
    """Every pass, by area, and the pipelines that have a name."""
    passes = {name: factory() for name, factory in pass_factories().items()}
    areas = sorted({_area(kind) for kind in passes.values()})
    parts = [
        NOTICE,
        "# Passes\n",
        "`nc-opt model.mlir -p 'a,b{option=1}' --validate` runs passes and checks what they keep.\n",
    ]
    parts += [f"- [{area}](#{area}): {_links(passes, area)}" for area in areas]
    parts += ["", "## Named pipelines\n", "| Name | Passes |", "|---|---|"]
    parts += [f"| `{name}` | `{text}` |" for name, text in sorted(NAMED_PIPELINES.items())]
    for area in areas:
        parts += [f"\n## {area}", *(_pass(kind) for kind in passes.values() if _area(kind) == area)]
    return "\n".join(parts) + "\n"


def _links(passes: Mapping[str, type[ModulePass]], area: str) -> str:
    return ", ".join(f"[{name}](#{name})" for name, kind in passes.items() if _area(kind) == area)


def _area(kind: type[ModulePass]) -> str:
    return kind.__module__.split(".")[2]


def _pass(kind: type[ModulePass]) -> str:
    parts = [f"\n### {kind.name}\n", _with_code(_docstring(kind))]
    fields = dataclasses.fields(kind)
    if fields:
        parts += ["\n| Option | Type | Default |", "|---|---|---|"]
        parts += [f"| `{_dashed(field.name)}` | {_type(field)} | {_default(field)} |" for field in fields]
    if issubclass(kind, NeuroPass):
        parts.append(f"\nPromise: `{kind.promise}`.")
    return "\n".join(parts)


def _with_code(docstring: str) -> str:
    """The blocks behind `Before:` and `After:` as code."""

    def fenced(match: re.Match[str]) -> str:
        return f"{match[1]}:\n\n```mlir\n{dedent(match[2]).strip()}\n```\n\n"

    return _MLIR.sub(fenced, docstring + "\n").strip()


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _type(field: dataclasses.Field[object]) -> str:
    text = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
    return text.replace("|", "or").replace("  ", " ")


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    return "" if field.default is None else f"`{field.default}`"


def _docstring(kind: type[object]) -> str:
    """A class's own docstring. The first line may follow the quotes or stand below them."""
    return inspect.cleandoc(cast(str, vars(kind).get("__doc__") or "")).strip()


if __name__ == "__main__":
    sys.exit(main())
