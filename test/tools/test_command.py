"""What every command has in common: help, versions, one-line errors and warnings, progress, completion."""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from neurocuda.errors import InputError, LevelError, NeuroCudaWarning, ParsingError, Problem
from neurocuda.tools import _command
from neurocuda.tools._command import ArgumentParser, Watch, run_command

Tool = Callable[..., Any]

COMMANDS = ("nc-compile", "nc-diff", "nc-new", "nc-opt", "nc-report", "nc-run", "nc-translate")


class Arguments(argparse.Namespace):
    """What the command line of the test's own command says."""

    backtrace: bool


def run(action: Callable[[Arguments], int], *argv: str) -> int:
    parser = ArgumentParser("nc-test", "Does nothing.", "examples:\n  nc-test")
    parser.add_watching()
    return run_command(parser, action, Arguments(), argv)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str, tool: Tool) -> None:
    done = tool(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: {command} ")
    assert "examples:\n" in done.out
    assert re.search(rf"^  {command} ", done.out, re.MULTILINE)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "nc-new"])
def test_version(command: str, tool: Tool) -> None:
    done = tool(command, "--version")
    assert done.code == 0
    assert re.fullmatch(rf"{command} [\w. ]+ \(xdsl [\d.]+\)\n", done.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_one_line(command: str, tool: Tool) -> None:
    done = tool(command, "--nix")
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(rf"{command}: error: .*\(see {command}.* --help\)\n", done.err)


@pytest.mark.parametrize("command", ["nc-diff", "nc-report", "nc-translate"])
def test_help_needs_no_torch(command: str) -> None:
    code = (
        f"import sys, neurocuda.tools.{command.replace('-', '_')} as tool\n"
        "code = tool.main(['--help'])\n"
        "sys.exit(code or len({'torch', 'numpy'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    told = {
        "nc-test: error: wrong images": InputError("wrong\n images"),
        "x.mlir:3:4: error: no": ParsingError("x.mlir:3:4: error: no"),
        "nc-test: error: interrupted": KeyboardInterrupt(),
        "nc-test: error: code that is not ours ended the program, with sys.exit(3)": SystemExit(3),
        "nc-test: error: there is not enough memory": MemoryError(),
        "nc-test: error: the input is nested too deeply": RecursionError("maximum"),
        "nc-test: error: x.npz: No such file or directory": FileNotFoundError(2, "No such file or directory", "x.npz"),
        "nc-test: error: No space left on device": OSError(28, "No space left on device"),
        "nc-test: error: ValueError: one (--backtrace shows where)": ValueError("one\ntwo"),
        "nc-test: error: it cannot be: a (b): c. d": LevelError("it cannot be:", [Problem("a", "b", "c", "d")]),
    }
    for line, reason in told.items():

        def fail(arguments: Arguments, reason: BaseException = reason) -> int:
            del arguments
            raise reason

        assert run(fail) == 1
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", line + "\n")


def test_several_problems_are_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(arguments: Arguments) -> int:
        del arguments
        raise LevelError("2 things:", [Problem("a"), Problem("b")])

    assert run(fail) == 1
    assert capsys.readouterr().err == "nc-test: error: 2 things:\n  - a\n  - b\n"


def test_a_backtrace_can_be_had() -> None:
    def fail(arguments: Arguments) -> int:
        assert arguments.backtrace
        raise ValueError("here")

    with pytest.raises(ValueError, match="here"):
        run(fail, "--backtrace")


def test_warnings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def warn(arguments: Arguments) -> int:
        del arguments
        for _ in range(2):
            warnings.warn("take\n care", NeuroCudaWarning, stacklevel=1)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("somebody else's", UserWarning, stacklevel=1)
        return 0

    assert run(warn) == 0
    assert capsys.readouterr().err == "nc-test: warning: take care\n" * 2


def test_a_reader_that_has_seen_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # restored afterwards

    def fail(arguments: Arguments) -> int:
        del arguments
        raise BrokenPipeError

    assert run(fail) == 1
    sys.stdout.close()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_shows_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_command, "PATIENCE", 0.05)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with Watch(quiet=False, stream=terminal) as watch:
        watch.step("folding")
        time.sleep(0.4)
        watch.count(3, 20)
        time.sleep(0.4)
    shown = terminal.getvalue()
    assert "folding" in shown
    assert "3 of 20 images" in shown


@pytest.mark.parametrize(
    ("quiet", "terminal", "patience"),
    [(True, Terminal(), 0.0), (False, io.StringIO(), 0.0), (False, Terminal(), 60.0)],
    ids=["quiet", "no terminal", "short work"],
)
def test_progress_that_nobody_wants(
    quiet: bool, terminal: io.StringIO, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_command, "PATIENCE", patience)
    started = time.perf_counter()
    with Watch(quiet=quiet, stream=terminal) as watch:
        watch.step("folding")
        watch.count(3, 20)
        time.sleep(0.1)
    assert terminal.getvalue().replace("\n", "").strip() == ""
    assert time.perf_counter() - started < 5


@pytest.mark.skipif(find_spec("argcomplete") is None, reason="argcomplete is not installed")
def test_the_shell_completes_options(tmp_path: Path) -> None:
    line = "nc-report --js"
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "found"),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([sys.executable, "-m", "neurocuda.tools.nc_report"], env=environment, check=False, timeout=60)
    assert (tmp_path / "found").read_text().strip() == "--json"
