"""What every command has in common: arguments, errors and warnings in one line, and progress, all on stderr.

A tool is an argument parser and a function of what was parsed; `run_command` puts them together:

    def main(argv: Sequence[str] | None = None) -> int:
        return run_command(_parser(), _run, argv)
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import IO, TYPE_CHECKING, NoReturn, TypeVar

from neurocuda.errors import NeuroCudaError, NeuroCudaWarning, OptionError, ProblemsError

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0
"""Seconds of work before progress is shown."""

_PLACED = re.compile(r"(.*?: )?error: ")

_Arguments = TypeVar("_Arguments", bound=argparse.Namespace)


class Answered(Exception):
    """The command line was a question, such as --help, and has been answered."""


class ArgumentParser(argparse.ArgumentParser):
    """A parser whose complaints are one line instead of the whole usage, and which leaves ending to the command."""

    def __init__(
        self,
        name: str,
        description: str = "",
        epilog: str = "",
        *,
        add_help: bool = True,
        allow_abbrev: bool = True,
    ) -> None:
        super().__init__(
            name,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=add_help,
            allow_abbrev=allow_abbrev,
        )

    def error(self, message: str) -> NoReturn:
        """Raises:
        OptionError: always.
        """
        raise OptionError(f"{message} (see {self.prog} --help)")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raises:
        Answered: always; so SystemExit is left to code that is not ours.
        """
        del status, message
        raise Answered

    def add_watching(self) -> None:
        """Adds the options that every command has."""
        group = self.add_argument_group("watching")
        group.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
        group.add_argument("--backtrace", action="store_true", help="print a Python traceback on errors")
        group.add_argument("-v", "--version", action="version", version=version_of(self.prog), help="print the version")


def version_of(name: str) -> str:
    """ "nc-opt 0.1.0 (xdsl 0.74.0)"."""
    try:
        own = version("neurocuda")
    except PackageNotFoundError:  # an uninstalled checkout
        own = "from a checkout"
    return f"{name} {own} (xdsl {version('xdsl')})"


def complete(parser: argparse.ArgumentParser) -> None:
    """Serves the shell's completion where it asks for it and argcomplete is installed."""
    if "_ARGCOMPLETE" in os.environ and find_spec("argcomplete") is not None:
        import argcomplete

        argcomplete.autocomplete(parser)


def run_command(
    parser: ArgumentParser,
    action: Callable[[_Arguments], int],
    arguments: _Arguments,
    argv: Sequence[str] | None = None,
) -> int:
    """Parses the command line into `arguments`, runs the action, and returns the exit code.

    Whatever goes wrong is told on stderr, and the code is 1.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    with warnings_in_one_line(parser.prog):
        try:
            complete(parser)
            return action(parser.parse_args(given, arguments))
        except Answered:
            return 0
        except BrokenPipeError:  # the reader has seen enough
            return leave_pipe()
        except (Exception, KeyboardInterrupt, SystemExit) as reason:  # the border: whatever goes wrong is one line
            if "--backtrace" in given:
                raise
            sys.stderr.write(complaint(parser.prog, reason) + "\n")
            return 1


def leave_pipe() -> int:
    """Lets go of a stdout that nobody reads any more; the exit code."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115  closed by the interpreter, which flushes it at exit
    return 1


def complaint(name: str, reason: BaseException, where: str = "") -> str:
    """What a command says of an exception: `nc-opt: error: ...`, or `x.mlir:3:4: error: ...` where that says it all."""
    text = told(reason)
    placed = isinstance(reason, NeuroCudaError) and _PLACED.match(text) is not None
    return text if placed else f"{name}: error: {where}{text}"


def told(reason: BaseException) -> str:
    """An exception in one line; a list of problems has a line for each."""
    if isinstance(reason, ProblemsError) and len(reason.problems) == 1:
        return f"{reason.headline.rstrip(':')}: {_line(str(reason.problems[0]))}"
    if isinstance(reason, ProblemsError):
        return str(reason)
    if isinstance(reason, NeuroCudaError):
        return _line(str(reason))
    if isinstance(reason, KeyboardInterrupt):
        return "interrupted"
    if isinstance(reason, SystemExit):
        return f"code that is not ours ended the program, with sys.exit({reason.code!r})"
    if isinstance(reason, MemoryError):
        return "there is not enough memory"
    if isinstance(reason, RecursionError):
        return "the input is nested too deeply"
    if isinstance(reason, OSError):
        place = f"{reason.filename}: " if reason.filename else ""
        return f"{place}{_line(reason.strerror or str(reason))}"
    return f"{described(reason)} (--backtrace shows where)"


def described(reason: BaseException) -> str:
    """An exception that is not ours in one line."""
    text = str(reason).strip()
    return f"{type(reason).__name__}: {text.splitlines()[0]}" if text else type(reason).__name__


def _line(text: str) -> str:
    return " ".join(text.split())


@contextmanager
def warnings_in_one_line(name: str) -> Generator[None]:
    """While it lasts, our warnings are one line each on stderr, and nobody else's are shown."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: object = None,
        line: str | None = None,
    ) -> None:
        del filename, lineno, file, line
        if issubclass(category, NeuroCudaWarning):
            sys.stderr.write(f"{name}: warning: {_line(str(message))}\n")

    with warnings.catch_warnings():
        warnings.showwarning = show
        warnings.simplefilter("always", NeuroCudaWarning)
        yield


class Watch:
    """Shows on stderr what a command is doing, once it has worked for longer than `PATIENCE`.

    Nothing is shown where stderr is no terminal.

        with Watch(quiet=False) as watch:
            compile(..., progress=watch.step)
    """

    def __init__(self, *, quiet: bool, stream: IO[str] | None = None) -> None:
        self._quiet = quiet
        self._stream = stream or sys.stderr
        self._display: Progress | None = None

    def __enter__(self) -> Watch:
        if self._quiet or not self._stream.isatty():
            return self
        from threading import Timer

        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        # Streams are not redirected: others redirect them for a while too, and the two would undo each other.
        self._display = Progress(
            *columns,
            console=Console(file=self._stream),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._display.add_task("starting", total=None)
        self._timer = Timer(PATIENCE, self._display.start)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *reason: object) -> None:
        if self._display is not None:
            self._timer.cancel()
            self._timer.join()
            self._display.stop()

    def step(self, what: str) -> None:
        """Says what is done now."""
        if self._display is not None:
            self._display.update(self._task, description=what)

    def count(self, done: int, total: int) -> None:
        """Says how many images are done."""
        if self._display is not None:
            self._display.update(self._task, description=f"{done} of {total} images", completed=done, total=total)
