"""The examples of the README and of the guides run, in order, in a copy of the sources.

A fenced block whose info string says `test` is run; `file=PATH` writes it; `replace=PATH` puts its function or class in
the place of the one of that name in a file; `append=PATH` adds it at the end.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).resolve().parent.parent

CROSS = all(map(which, ("cc", "make", "arm-none-eabi-gcc", "qemu-system-arm", "aarch64-linux-gnu-gcc", "qemu-aarch64")))
"""Whether images for other processors can be built and run."""

DOCUMENTS = (
    "README.md",
    "docs/add-a-chip.md",
    "docs/cpu.md",
    pytest.param(
        "docs/cpu-c.md", marks=pytest.mark.skipif(not CROSS, reason="there are no cross compilers: make cross")
    ),
)

FENCE = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_FENCE = re.compile(r"^```(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A block of a document: its language, what to do with it, and its text."""

    language: str
    action: str
    text: str


def examples(document: str) -> Iterator[Example]:
    """The marked blocks, in order."""
    for match in FENCE.finditer((ROOT / document).read_text(encoding="utf-8")):
        yield Example(match[1], match[2], match[3])


@pytest.fixture
def environment(checkout: Path, tmp_path: Path) -> dict[str, str]:
    """Commands and modules come from the copy, whatever is installed."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for tool in (checkout / "tools").glob("nc_*.py"):
        _write_command(commands / tool.stem.replace("_", "-"), f"{sys.executable} -m neurocuda.tools.{tool.stem}")
    _write_command(commands / "python", sys.executable)
    path = os.pathsep.join([str(commands), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(checkout), "NEUROCUDA_CACHE": str(tmp_path / "cache")}


def _write_command(path: Path, command: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_examples_run(document: str, checkout: Path, environment: dict[str, str]) -> None:
    for example in examples(document):
        kind, _, place = example.action.partition("=")
        if kind == "file":
            (checkout / place).write_text(example.text)
        elif kind == "replace":
            _replace(checkout / place, example.text)
        elif kind == "append":
            _append(checkout / place, example.text)
        else:
            _run(example, checkout, environment)


def _run(example: Example, folder: Path, environment: dict[str, str]) -> None:
    command = ["sh", "-eu", "-c"] if example.language == "bash" else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, example.text], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{example.text}\n{done.stdout}\n{done.stderr}"


def _replace(path: Path, text: str) -> None:
    """Puts a function or class, with its decorators, in the place of the one of its name."""
    (new,) = _definitions(text)
    source = path.read_text(encoding="utf-8")
    (old,) = [node for node in _definitions(source) if node.name == new.name]
    first = min([old.lineno, *(decorator.lineno for decorator in old.decorator_list)])
    lines = source.splitlines(keepends=True)
    path.write_text("".join([*lines[: first - 1], text, *lines[old.end_lineno :]]), encoding="utf-8")


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"\n\n{text}")


def _definitions(text: str) -> list[ast.FunctionDef | ast.ClassDef]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.parametrize(("document", "setups"), [("README.md", ["bash"]), ("docs/add-a-chip.md", [])])
def test_what_can_run_is_run(document: str, setups: list[str]) -> None:
    """Every example in Python is run, and of the commands all but those that set up."""
    fences = [match[1] for match in ANY_FENCE.finditer((ROOT / document).read_text(encoding="utf-8"))]
    assert [fence for fence in fences if fence in ("python", "bash")] == setups
    assert {example.action.partition("=")[0] for example in examples(document)} >= {"test", "file", "replace"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert targets
    assert not [target for target in targets if not (path.parent / target).exists()]
