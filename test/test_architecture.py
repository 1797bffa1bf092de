"""The rules of the house: who may import whom, and what every dialect, pass and backend must bring along."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

import pytest
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.traits import IsTerminator

from neurocuda.errors import NeuroCudaError
from neurocuda.ir.promise import Promise
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.registry import dialect_factories, pass_factories

ROOT = Path(__file__).resolve().parent.parent
LINKED = ("backends", "dialects", "passes", "tools")

FLOORS = ("kernel", "dialects", "passes", "backends", "api", "tools")
"""Imports go down this list only, and stay on their floor."""

KERNEL = ("neurocuda.errors", "neurocuda.ir", "neurocuda.reference", "neurocuda.registry", "neurocuda.universe")

LONGEST_FUNCTION = 40

WITHOUT_MEANING = {"cpu.buffer": "memory, which the meaning of cpu.program provides"}
"""Operations, besides terminators, that mean nothing on their own."""


@dataclass(frozen=True)
class Import:
    """One imported module, where, and whether the import runs when the file is loaded."""

    module: str
    line: int
    at_load: bool


def library_files() -> list[Path]:
    """Every Python file of the library, where it really is."""
    folders = [ROOT / folder for folder in (*LINKED, "neurocuda")]
    found = (path for folder in folders for path in folder.rglob("*.py"))
    own = (path for path in found if not any(parent.is_symlink() for parent in path.parents))
    return sorted(path for path in own if "templates" not in path.parts)


def name_of(path: Path) -> str:
    """The name under which a file of the library is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "neurocuda" else ("neurocuda", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module: str) -> str:
    """The floor on which a module of the library stands."""
    if any(module == part or module.startswith(f"{part}.") for part in KERNEL):
        return "kernel"
    second = module.split(".")[1:2]
    return second[0] if second and second[0] in LINKED else "api"


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports_of(path: Path) -> list[Import]:
    """Everything a file imports, in functions and for type checkers too."""
    return list(_imports(tree_of(path), name_of(path), at_load=True))


def _imports(node: ast.AST, module: str, at_load: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, at_load) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module}:{child.lineno} is a relative import"
            yield Import(child.module or "", child.lineno, at_load)
            yield from (Import(f"{child.module}.{alias.name}", child.lineno, at_load) for alias in child.names)
        else:
            late = isinstance(child, ast.FunctionDef | ast.Lambda) or _is_for_type_checkers(child)
            yield from _imports(child, module, at_load and not late)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def within(module: str, package: str) -> bool:
    """Whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


GRADIENTS = tuple(f"neurocuda.passes.ann.calibration.{name}" for name in ("differentiable", "joint"))
"""The one step of calibration that descends gradients; loaded when it is asked for."""


def loads_torch_freely(path: Path) -> bool:
    return any(within(name_of(path), package) for package in ("neurocuda.frontend", "neurocuda.training", *GRADIENTS))


def is_loaded_by_nc_opt(path: Path) -> bool:
    """Operations, passes, declarations of backends and `neurocuda.ir`: what a round trip of IR loads."""
    parts = name_of(path).split(".")
    if parts[1:2] == ["backends"]:
        return path.name == "__init__.py"
    private = path.name.startswith("_") and path.name != "__init__.py"
    step = parts[1:2] == ["passes"] and parts[3:4] == ["calibration"]
    computes = private or step or path.stem in ("semantics", "meanings")
    return parts[1:2] == ["ir"] or (parts[1:2] in (["dialects"], ["passes"]) and not computes)


def files(condition: Callable[[Path], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Runs a test for every file of the library that meets a condition."""
    chosen = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in library_files() if condition(path)]
    return pytest.mark.parametrize("path", chosen)


DIALECTS = sorted(dialect_factories())
PASSES = [
    pytest.param(path, id=path.stem.replace("_", "-"))
    for path in library_files()
    if path.parent.parent == ROOT / "passes" and not path.name.startswith("_")
]


# Imports


@files(lambda path: path != ROOT / "neurocuda" / "__init__.py")  # names everything public and imports nothing
def test_imports_only_go_down(path: Path) -> None:
    own = FLOORS.index(floor_of(name_of(path)))
    upward = [
        f"line {found.line}: {found.module}"
        for found in imports_of(path)
        if within(found.module, "neurocuda") and found.module != "neurocuda" and FLOORS.index(_floor(found)) > own
    ]
    assert not upward, f"{FLOORS[own]} must not import what stands above it"


def _floor(found: Import) -> str:
    """The floor of what is imported; `from neurocuda import __version__` is on the ground."""
    return "kernel" if found.module == "neurocuda.__version__" else floor_of(found.module)


@files(lambda path: path.is_relative_to(ROOT / "backends") and path.parent != ROOT / "backends")
def test_backends_do_not_import_each_other(path: Path) -> None:
    own = ".".join(name_of(path).split(".")[:3])
    found = [found.module for found in imports_of(path) if within(found.module, "neurocuda.backends")]
    assert not [module for module in found if not within(module, own)]


@files(lambda path: not loads_torch_freely(path))
def test_only_frontend_and_training_load_torch(path: Path) -> None:
    at_load = [found.line for found in imports_of(path) if within(found.module, "torch") and found.at_load]
    assert not at_load, "import torch in the function that needs it"
    if floor_of(name_of(path)) not in ("api", "tools"):
        assert not any(within(found.module, "torch") for found in imports_of(path)), "torch stays out of here"


@files(is_loaded_by_nc_opt)
def test_numpy_is_loaded_late(path: Path) -> None:
    at_load = [found.line for found in imports_of(path) if within(found.module, "numpy") and found.at_load]
    assert not at_load, "import numpy in the function that needs it, or for type checkers only"


def loaded_by(code: str) -> set[str]:
    """The heavy modules that a fresh interpreter has loaded after running some code."""
    watched = ("numpy", "rich", "safetensors", "torch", "xdsl")
    report = f"{code}\nimport sys\nprint(*set({watched!r}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_neurocuda_loads_nothing() -> None:
    assert loaded_by("import neurocuda; neurocuda.NeuroCudaError") == set()


def test_all_dialects_and_passes_load_without_numpy_and_torch() -> None:
    code = (
        "from neurocuda.universe import NEUROCUDA_UNIVERSE as everything\n"
        "for load in [*everything.all_dialects.values(), *everything.all_passes.values()]: load()\n"
        "import neurocuda.tools.nc_opt"
    )
    assert loaded_by(code) & {"numpy", "torch", "rich"} == set()


# Dialects


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_has_operations_meanings_and_a_rationale(name: str) -> None:
    folder = ROOT / "dialects" / name
    missing = [file for file in ("ops.py", "semantics.py", "README.md") if not (folder / file).is_file()]
    assert not missing
    assert len((folder / "README.md").read_text(encoding="utf-8").split()) > 50, "the README says too little"


@pytest.mark.parametrize("name", DIALECTS)
def test_every_operation_is_documented_and_has_a_meaning(name: str) -> None:
    from neurocuda.reference.meaning import meaning_of

    operations = list(dialect_factories()[name]().operations)
    assert operations
    undocumented = [operation.name for operation in operations if not has_docstring(operation)]
    assert not undocumented
    without: list[str] = []
    for operation in operations:
        if operation.has_trait(IsTerminator) or operation.name in WITHOUT_MEANING:
            continue
        try:
            meaning_of(operation)
        except NeuroCudaError:
            without.append(operation.name)
    assert not without, "give them a meaning in semantics.py"


def has_docstring(kind: type[Operation] | type[ModulePass]) -> bool:
    """Whether a class itself, not a base, has a docstring."""
    return bool((vars(kind).get("__doc__") or "").strip())


def test_no_dialect_takes_a_name_of_xdsl() -> None:
    from xdsl.dialects import get_all_dialects

    assert not set(DIALECTS) & set(get_all_dialects()), "the dialect for NVIDIA GPUs is called cuda"


# Passes


def test_the_passes_are_found_by_their_place() -> None:
    assert sorted(pass_factories()) == sorted(str(parameter.id) for parameter in PASSES)


@pytest.mark.parametrize("path", PASSES)
def test_a_pass_has_a_docstring_a_promise_and_a_fitting_class_name(path: Path) -> None:
    name = path.stem.replace("_", "-")
    kind = pass_factories()[name]()
    assert issubclass(kind, NeuroPass)
    assert kind.__name__ == "".join(part.capitalize() for part in name.split("-")) + "Pass"
    assert has_docstring(kind)
    assert isinstance(getattr(kind, "promise", None), Promise), "say what the pass keeps: Equal, Within, Approximates"


@pytest.mark.parametrize("path", PASSES)
def test_a_pass_has_a_lit_test(path: Path) -> None:
    name = path.stem.replace("_", "-")
    test = ROOT / "test" / "passes" / path.parent.name / f"{name}.mlir"
    assert test.is_file(), f"write {test.relative_to(ROOT)}"
    assert re.search(rf"RUN:.*\b{name}\b", test.read_text(encoding="utf-8")), "no RUN line runs the pass"


@pytest.mark.parametrize("path", PASSES)
def test_the_options_of_a_pass_are_what_a_command_line_can_say(path: Path) -> None:
    kind = pass_factories()[path.stem.replace("_", "-")]()
    constructor = inspect.signature(cast("type[object]", kind))
    for option in constructor.parameters.values():
        assert not re.search(r"Literal|Enum|dict|Any", str(option.annotation)), f"{option.name}: {option.annotation}"


# Code


@files()
def test_functions_are_short(path: Path) -> None:
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)]
    assert not [f"{node.name}: {lines_of(node)} lines" for node in functions if lines_of(node) > LONGEST_FUNCTION]


def lines_of(function: ast.FunctionDef) -> int:
    """The lines of a function without its docstring."""
    docstring = function.body[0] if ast.get_docstring(function) else None
    spared = 0 if docstring is None else (docstring.end_lineno or 0) - docstring.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - spared


@files(lambda path: floor_of(name_of(path)) != "tools")
def test_the_library_does_not_print(path: Path) -> None:
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


@files()
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "begin with a docstring"


TEXTS = [
    pytest.param(path, id=str(path.relative_to(ROOT)))
    for folder in (*LINKED, "docs", "examples", "neurocuda", "test")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in (".cfg", ".md", ".mlir", ".py", ".toml")
    and not any(parent.is_symlink() or parent.name == "Output" for parent in path.parents)
]


@pytest.mark.parametrize("path", TEXTS)
def test_no_path_of_a_particular_machine_is_mentioned(path: Path) -> None:
    found = re.findall(
        r"(?<![\w.])/(?:home|root|tmp|work|Users)/\w+", path.read_text(encoding="utf-8", errors="replace")
    )
    assert not found
