"""`nc-new`: writes the skeleton of an operation, a pass or a backend, with tests that pass.

    nc-new op ann.softplus
    nc-new pass fuse-pad-into-conv --area ann
    nc-new backend toychip

Runs in a checkout of the sources, but for packages. Nothing that exists is overwritten. The skeletons are the files
below `templates/`; a template's path is a template too.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import NoReturn

from neurocuda.errors import OptionError
from neurocuda.ir.files import write_all
from neurocuda.tools._command import Answered, ArgumentParser, run_command, version_of
from neurocuda.tools._source_edits import with_entry, with_import, with_packages, with_sorted_imports

DESCRIPTION = "Writes the skeleton of an operation, a pass or a backend, with tests that pass."

EXAMPLES = """examples:
  nc-new op ann.softplus                      an operation of an existing dialect, and its meaning
  nc-new pass fuse-pad-into-conv --area ann   a pass
  nc-new backend toychip                      a dialect, a conversion and a target
  nc-new backend toychip --package ../toychip the same as a package of its own, to install beside NeuroCUDA
"""

TEMPLATES = Path(__file__).resolve().parent / "templates"

HERE = Path(__file__).resolve().parent.parent
"""Where the folders of passes are, in a checkout as when installed."""

_WORDS = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_DASHED = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_TARGET = re.compile(r"[a-z][a-z0-9]*")

Files = Mapping[str, str]
"""Path from the root of the checkout to content."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool and returns its exit code."""
    return run_command(_parser(), _run, Arguments(), argv)


class Arguments(argparse.Namespace):
    """What was asked for: a function from the checkout and these arguments to (new files, changed files)."""

    make: Callable[[Path, Arguments], tuple[Files, Files]]
    next: str
    name: str
    area: str
    root: Path
    package: Path | None


def _run(arguments: Arguments) -> int:
    root = _checkout(arguments.root) if arguments.package is None else arguments.package
    new, changed = arguments.make(root, arguments)
    _write(root, new, changed)
    for path in sorted(new):
        print(f"new      {path}")
    for path in sorted(changed):
        print(f"changed  {path}")
    print(f"next     {arguments.next}; then `make docs` and `make test`")
    return 0


# What is asked for


class _KindParser(argparse.ArgumentParser):
    """The arguments of one kind of skeleton; complaints are one line."""

    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message} (see nc-new --help)")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        del status, message
        raise Answered


def _parser() -> ArgumentParser:
    parser = ArgumentParser("nc-new", DESCRIPTION, EXAMPLES)
    parser.add_argument("-v", "--version", action="version", version=version_of("nc-new"), help="print the version")
    parser.add_argument("--backtrace", action="store_true", help="print a Python traceback on errors")
    kinds = parser.add_subparsers(required=True, metavar="op|pass|backend", parser_class=_KindParser)
    op = kinds.add_parser("op", help="an operation")
    op.add_argument("name", metavar="DIALECT.NAME", help="for example ann.softplus")
    op.set_defaults(
        make=new_op, next="write what it means; import it; say in dialects/levels.py when it spikes or why not"
    )
    pass_ = kinds.add_parser("pass", help="a pass")
    pass_.add_argument("name", metavar="VERB-OBJECT", help="for example fuse-pad-into-conv")
    pass_.add_argument(
        "--area",
        required=True,
        help=f"the folder of passes/ it belongs to: {', '.join(sorted(_areas(HERE)))}, or a dialect's",
    )
    pass_.set_defaults(make=new_pass, next="write what it does")
    backend = kinds.add_parser("backend", help="a dialect, a conversion and a target")
    backend.add_argument("name", metavar="NAME", help="for example toychip")
    backend.set_defaults(make=new_backend, next="write what the chip is, has and does, as docs/add-a-chip.md says")
    backend.add_argument("--package", type=Path, metavar="DIR", help="write a package of its own into this folder")
    for kind in (op, pass_, backend):
        kind.set_defaults(package=None)
        kind.add_argument("--root", type=Path, default=Path(), help="the checkout (default: the current folder)")
    return parser


def _checkout(root: Path) -> Path:
    missing = [
        name for name in ("pyproject.toml", "dialects", "passes", "backends", "test") if not (root / name).exists()
    ]
    if missing:
        raise OptionError(
            f"{root.resolve()} is no checkout of NeuroCUDA: it has no {missing[0]}; say where with --root"
        )
    return root


# What is made: (new files, changed files)


def new_op(root: Path, arguments: Arguments) -> tuple[Files, Files]:
    """An operation in a file of its own, its place in the dialect, its meaning, and tests.

    Raises:
        OptionError: the name is malformed or taken, or there is no such dialect.
    """
    dialect, _, op = arguments.name.partition(".")
    folder = root / "dialects" / dialect
    _require(_WORDS, op, arguments.name, "an operation is called dialect.name, in lower case, words joined by _")
    if not dialect or not (folder / "ops.py").is_file():
        known = ", ".join(sorted(_dialects(root)))
        raise OptionError(f"there is no dialect '{dialect}'; there are {known}; `nc-new backend` makes one")
    taken = [path for path in sorted(folder.glob("*.py")) if f'name = "{dialect}.{op}"' in path.read_text("utf-8")]
    if taken:
        raise OptionError(f"the operation {dialect}.{op} exists already, in {taken[0].relative_to(root)}")
    names = {"dialect": dialect, "op": op, "Op": _camel(op, "_")}
    ops, semantics = folder / "ops.py", folder / "semantics.py"
    changed = {
        str(ops.relative_to(root)): _registered(ops.read_text("utf-8"), **names),
        str(semantics.relative_to(root)): _meant(semantics.read_text("utf-8"), **names),
    }
    return _filled("op", names), changed


def new_pass(root: Path, arguments: Arguments) -> tuple[Files, Files]:
    """A pass and its lit test; in a new area also the area's package.

    Raises:
        OptionError: the name is malformed or taken, or the area belongs to nothing.
    """
    name, area = arguments.name, arguments.area
    _require(_DASHED, name, name, "a pass is called verb-object: two words or more, in lower case, joined by -")
    convention = re.fullmatch(r"convert-[a-z0-9]+(-[a-z0-9]+)*-to-[a-z0-9]+(-[a-z0-9]+)*", name) is not None
    if convention != (area == "convert"):
        raise OptionError(f"'{name}': passes called convert-<from>-to-<to>, and only they, are in --area convert")
    areas = _areas(root) | _dialects(root)
    if area not in areas:
        raise OptionError(f"there is no area '{area}'; there are {', '.join(sorted(areas))}")
    _require_free(root, name)
    names = {"name": name, "file": name.replace("-", "_"), "Pass": _camel(name, "-"), "area": area}
    new = dict(_filled("pass", names))
    if (root / "passes" / area / "__init__.py").is_file():
        return new, {}
    new[f"passes/{area}/__init__.py"] = f'"""Passes for {area}."""\n'
    return new, _with_packages(root, [f"neurocuda.passes.{area}"])


def new_backend(root: Path, arguments: Arguments) -> tuple[Files, Files]:
    """A dialect with its level, the conversion to it, the target with a chip, and tests.

    Raises:
        OptionError: the name is malformed or taken.
    """
    from xdsl.dialects import get_all_dialects

    name = arguments.name
    _require(_TARGET, name, name, "a target is called by one word in lower case")
    if name in get_all_dialects():
        raise OptionError(f"'{name}' is a dialect of xDSL; call the target otherwise")
    names = {"target": name, "Target": name.capitalize()}
    if arguments.package is not None:
        return _packaged(names), {}
    for folder in (root / "dialects" / name, root / "backends" / name):
        if folder.exists():
            raise OptionError(f"{folder.relative_to(root)} exists already")
    new = _filled("backend", names)
    return new, _with_packages(root, [f"neurocuda.backends.{name}", f"neurocuda.dialects.{name}"])


def _areas(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("passes/*/__init__.py")}


def _dialects(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("dialects/*/ops.py")}


def _packaged(names: Mapping[str, str]) -> Files:
    """The backend's Python and chip files as one package, and what makes it installable."""
    package = f"nc_{names['target']}"
    ours = re.compile(rf"neurocuda\.(?:dialects|backends)\.{names['target']}\b|neurocuda\.passes\.convert(?=\.)")
    files = dict(_filled("package", names))
    for path, text in _filled("backend", names).items():
        folder, _, *rest = Path(path).parts
        if path.endswith(".mlir") or path == f"dialects/{names['target']}/__init__.py":
            continue
        place = f"test/{rest[-1]}" if folder == "test" else "/".join((package, *rest))
        files[place] = with_sorted_imports(ours.sub(package, text)) if path.endswith(".py") else text
    return files


# Names


def _require(pattern: re.Pattern[str], word: str, name: str, rule: str) -> None:
    if pattern.fullmatch(word) is None or keyword.iskeyword(word):
        raise OptionError(f"'{name}' is no good name: {rule}")


def _require_free(root: Path, name: str) -> None:
    from xdsl.transforms import get_all_passes

    taken = list((root / "passes").glob(f"*/{name.replace('-', '_')}.py"))
    if taken:
        raise OptionError(f"the pass {name} exists already, in {taken[0].relative_to(root)}")
    if name in get_all_passes():
        raise OptionError(f"xDSL has a pass called {name}; choose another name")


def _camel(name: str, separator: str) -> str:
    return "".join(part.capitalize() for part in name.split(separator))


# Texts


def _filled(kind: str, names: Mapping[str, str]) -> Files:
    """The templates of a kind with the names put in, by path from the root of the checkout."""
    folder = TEMPLATES / kind
    files: dict[str, str] = {}
    for template in sorted(path for path in folder.rglob("*.in") if path.is_file()):
        path = Template(template.relative_to(folder).as_posix().removesuffix(".in")).substitute(names)
        text = Template(template.read_text("utf-8")).substitute(names)
        files[path] = with_sorted_imports(text) if path.endswith(".py") else text
    return files


def _registered(text: str, dialect: str, op: str, Op: str) -> str:
    """The text of `ops.py` with the operation imported, exported and listed."""
    text = with_import(text, f"neurocuda.dialects.{dialect}.{op}", f"{Op}Op")
    text = with_entry(text, "__all__", f'"{Op}Op"')
    return with_entry(text, "DIALECT", f"{Op}Op")


def _meant(text: str, dialect: str, op: str, Op: str) -> str:
    """The text of `semantics.py` with a meaning at its end."""
    found = re.search(rf"^from neurocuda\.dialects\.{dialect} import ops as (\w+)$", text, re.MULTILINE)
    if found is None:
        raise OptionError(f"dialects/{dialect}/semantics.py does not import its operations as a module")
    defined = set(re.findall(r"^(?:def|class|import|from) (\w+)", text, re.MULTILINE)) | {"input", "sum", "max", "min"}
    function = f"{op}_" if op in defined else op
    kind = f"{found[1]}.{Op}Op"
    return f"{text}\n\n@means({kind})\ndef {function}(op: {kind}, run: Run, x: Array) -> Array:\n    return x\n"


def _with_packages(root: Path, packages: Sequence[str]) -> Files:
    return {"pyproject.toml": with_packages((root / "pyproject.toml").read_text("utf-8"), packages)}


def _write(root: Path, new: Files, changed: Files) -> None:
    """All files or none.

    Raises:
        OptionError: a new file exists already.
        WriteError: a file cannot be written.
    """
    taken = [path for path in sorted(new) if (root / path).exists()]
    if taken:
        raise OptionError(f"{taken[0]} exists already; nothing was written")
    write_all({root / path: text.encode() for path, text in {**new, **changed}.items()})


if __name__ == "__main__":
    sys.exit(main())
