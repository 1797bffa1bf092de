"""Runs the `// RUN:` lines of .mlir tests under pytest: in this process where they only call our tools and filecheck,
which takes milliseconds, and by lit in all other cases. `lit test` remains the reference."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import cast

import pytest

TESTS = Path(__file__).resolve().parent
OUTPUT = TESTS.parent / "build" / "pytest-lit"

_RUN = re.compile(r"//\s*RUN:\s?(.*)")
_FOR_LIT = re.compile(r"//\s*(REQUIRES|UNSUPPORTED|XFAIL|DEFINE|REDEFINE|ALLOW_RETRIES):")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_TOOL = re.compile(r"nc-[a-z]+")
_OPERATORS = frozenset({"|", ">", "2>&1", "2>"})


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Every .mlir file below test/ that has a RUN line is a test."""
    if file_path.suffix != ".mlir" or "Inputs" in file_path.parts or not file_path.is_relative_to(TESTS):
        return None
    return LitFile.of(parent, file_path)


class LitFile(pytest.File):
    """A .mlir file."""

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path) -> LitFile:
        """The node of a file."""
        make = cast("Callable[..., LitFile]", cls.from_parent)  # pyright: ignore[reportUnknownMemberType]
        return make(parent, path=path)

    def collect(self) -> Iterable[pytest.Item]:
        make = cast("Callable[..., LitTest]", LitTest.from_parent)  # pyright: ignore[reportUnknownMemberType]
        yield make(self, name="RUN")


class LitFailure(Exception):
    """A RUN line failed; the text shows the line and what it wrote."""


class LitTest(pytest.Item):
    """All RUN lines of a file."""

    def runtest(self) -> None:
        text = self.path.read_text(encoding="utf-8", errors="replace")
        lines = list(run_lines(text))
        if not lines:
            raise LitFailure("the file has no RUN line")
        folder = OUTPUT / self.path.relative_to(TESTS).parent
        commands = None if _FOR_LIT.search(text) else [_pipeline(line, self.path, folder) for line in lines]
        if commands is None or None in commands:
            _run_lit(self.path)
            return
        (folder / "Output").mkdir(parents=True, exist_ok=True)
        with _inside(folder):
            for line, pipeline in zip(lines, commands, strict=True):
                code, errors = _execute(cast("list[Command]", pipeline))
                if code:
                    raise LitFailure(f"RUN: {line}\nexit code {code}\n{errors}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, LitFailure):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, str(self.path.relative_to(TESTS))


def run_lines(text: str) -> Iterator[str]:
    """The RUN lines, with lines that end in a backslash joined."""
    pending = ""
    for match in _RUN.finditer(text):
        line = pending + match[1].rstrip()
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        pending = ""
        yield line


@dataclass
class Command:
    """One command of a pipeline: what to call, and where its output goes."""

    words: list[str]
    negated: bool = False
    errors_too: bool = False
    output: Path | None = None
    error_output: Path | None = None


@dataclass
class _Words:
    """The words of a line, read from the left."""

    words: Sequence[str]
    position: int = field(default=0)

    def take(self) -> str | None:
        if self.position >= len(self.words):
            return None
        self.position += 1
        return self.words[self.position - 1]


def _pipeline(line: str, path: Path, folder: Path) -> list[Command] | None:
    """The commands of a RUN line, or None where it needs a shell."""
    # `2>&1` must stay one word, and the operators words of their own.
    spaced = re.sub(r"(2>&1|2>(?!&)|(?<![0-9&])>(?![>&=])|(?<!\|)\|(?!\|))", r" \1 ", line)
    try:
        words = shlex.split(spaced)
    except ValueError:
        return None
    if not words or _needs_shell(line):
        return None
    return _commands(_Words([_substituted(word, path, folder) for word in words]))


def _needs_shell(line: str) -> bool:
    """Operators in quotes, other substitutions than ours, several commands: nothing for us."""
    quoted = re.findall(_QUOTED, line)
    bare = re.sub(_QUOTED, "", line).replace("2>&1", "")
    return any(re.search(r"[|>]", text) for text in quoted) or re.search(r"[;&`$<*?]|>>|%[^stS]", bare) is not None


def _substituted(word: str, path: Path, folder: Path) -> str:
    temporary = folder / "Output" / f"{path.name}.tmp"
    return word.replace("%s", str(path)).replace("%S", str(path.parent)).replace("%t", str(temporary))


def _commands(words: _Words) -> list[Command] | None:
    commands = [Command([])]
    while (word := words.take()) is not None:
        command = commands[-1]
        if word == "|":
            commands.append(Command([]))
        elif word == "2>&1":
            command.errors_too = True
        elif word in (">", "2>"):
            target = words.take()
            if target is None or target in _OPERATORS or command.errors_too:
                return None  # in `2>&1 > file` the order matters: a shell's business
            setattr(command, "output" if word == ">" else "error_output", Path(target))
        elif word == "not" and not command.words:
            command.negated = True
        else:
            command.words.append(word)
    return commands if all(command.words and _callable(command.words[0]) for command in commands) else None


def _callable(name: str) -> bool:
    return name in ("filecheck", "cat") or (_TOOL.fullmatch(name) is not None and _main(name) is not None)


def _main(name: str) -> Callable[[Sequence[str]], int] | None:
    """The `main` of one of our tools."""
    module = f"neurocuda.tools.{name.replace('-', '_')}"
    try:
        found: object = getattr(import_module(module), "main", None)
    except ModuleNotFoundError:
        return None
    return cast("Callable[[Sequence[str]], int]", found) if callable(found) else None


def _execute(pipeline: Sequence[Command]) -> tuple[int, str]:
    """(exit code, stderr) of a pipeline; as in lit, it fails when any command fails."""
    stdin, code, errors = "", 0, ""
    for command in pipeline:
        own, stdin, written = _call(command, stdin)
        own = int(own == 0) if command.negated else own
        code, errors = code or own, errors + written
    return code, errors + (stdin if code else "")


def _call(command: Command, stdin: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command, after redirection."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(out if command.errors_too else err), _stdin(stdin):
        code = _dispatch(command.words, stdin)
    if command.error_output is not None:
        command.error_output.write_text(err.getvalue(), encoding="utf-8")
    if command.output is None:
        return code, out.getvalue(), err.getvalue()
    command.output.write_text(out.getvalue(), encoding="utf-8")
    return code, "", err.getvalue()


def _dispatch(words: Sequence[str], stdin: str) -> int:
    name, *arguments = words
    if name == "cat":
        for argument in arguments:
            sys.stdout.write(Path(argument).read_text(encoding="utf-8"))
        return 0
    if name == "filecheck":
        return _filecheck(arguments, stdin)
    main = _main(name)
    assert main is not None
    return main(arguments)


def _filecheck(arguments: Sequence[str], text: str) -> int:
    from filecheck.finput import FInput
    from filecheck.matcher import Matcher
    from filecheck.options import parse_argv_options
    from filecheck.parser import Parser, pattern_for_opts

    options = parse_argv_options(["filecheck", *arguments])
    if options.input_file != "-":
        text = Path(options.input_file).read_text(encoding="utf-8")
    with open(options.match_filename, encoding="utf-8") as checks:
        return Matcher(options, FInput("-", text), Parser(options, checks, *pattern_for_opts(options))).run()


@contextmanager
def _stdin(text: str) -> Generator[None]:
    before = sys.stdin
    sys.stdin = TextIOWrapper(BytesIO(text.encode()), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


@contextmanager
def _inside(folder: Path) -> Generator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _run_lit(path: Path) -> None:
    command = [sys.executable, "-c", "from lit.main import main; main()", "-v", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "UNSUPPORTED: " in done.stdout:
        pytest.skip("an optional tool is missing")
    if done.returncode or "PASS: " not in done.stdout:
        raise LitFailure(done.stdout + done.stderr)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources, links included, without anything built."""
    root, copy = TESTS.parent, tmp_path / "checkout"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "Output", "*.pyc")
    copy.mkdir()
    for name in ("backends", "dialects", "neurocuda", "passes", "test", "tools"):
        shutil.copytree(root / name, copy / name, symlinks=True, ignore=unwanted)
    for name in ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml"):
        shutil.copy(root / name, copy / name)
    return copy
