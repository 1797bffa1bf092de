"""Start-up, compile time, size of the IR and run time over commits.

    make track                                          # the commit that is checked out
    make track TRACK="v0.1 main~20 main"                # some others, each in a checkout of its own
    make track TRACK="--compare main~20 main"           # of what was measured

Figures are kept as JSON by commit (`--folder`, by default build/tracking) and are those of one machine: compare what
one machine measured. Older commits run with the packages of today's environment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[3]
COSTS = Path(__file__).with_name("costs.py")

Figures = Mapping[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(prog="tracking", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commits", nargs="*", default=["HEAD"], help="what to measure, or with --compare to show")
    parser.add_argument("--compare", action="store_true", help="shows two commits side by side, measuring nothing")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "tracking")
    arguments = parser.parse_args()
    commits = [named(commit) for commit in arguments.commits]
    if not arguments.compare:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        for commit in commits:
            with Console(stderr=True).status(f"measuring {commit}"):
                kept(arguments.folder, commit).write_text(json.dumps(dict(measured(commit)), indent=1))
    found = {commit: read(arguments.folder, commit) for commit in commits}
    Console().print(table(found))


def named(commit: str) -> str:
    """The short hash that git knows a commit by."""
    return said("git", "rev-parse", "--short=10", "--verify", f"{commit}^{{commit}}").strip()


def said(*command: str, **variables: str) -> str:
    """The output of a command; ends with its complaint where it fails."""
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stderr.strip()}")
    return done.stdout


def measured(commit: str) -> Figures:
    """The figures of a commit."""
    with checked_out(commit) as folder:
        return json.loads(said(sys.executable, str(COSTS), PYTHONPATH=str(folder), OMP_NUM_THREADS="1"))


@contextmanager
def checked_out(commit: str) -> Generator[Path]:
    """A checkout of a commit beside this one, while it is measured."""
    with TemporaryDirectory() as parent:
        folder = Path(parent) / commit
        said("git", "worktree", "add", "--detach", str(folder), commit)
        try:
            yield folder
        finally:
            said("git", "worktree", "remove", "--force", str(folder))


def kept(folder: Path, commit: str) -> Path:
    """Where figures of a commit are."""
    return folder / f"{commit}.json"


def read(folder: Path, commit: str) -> Figures:
    """What was measured of a commit; ends with a hint where nothing was."""
    path = kept(folder, commit)
    if not path.is_file():
        sys.exit(f"{commit} has not been measured: make track TRACK={commit}")
    return json.loads(path.read_text())


def table(found: Mapping[str, Figures]) -> Table:
    """A column per commit, and of several how the last one differs from the first."""
    shown = Table("", *found, *(["change"] if len(found) > 1 else []))
    for name in dict.fromkeys(name for figures in found.values() for name in figures):
        values = [figures.get(name) for figures in found.values()]
        shown.add_row(name, *map(written, values), *([change(values)] if len(found) > 1 else []))
    return shown


def written(value: float | None) -> str:
    """A figure in three digits."""
    return "" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def change(values: Sequence[float | None]) -> str:
    """From the first to the last, in per cent."""
    first, last = values[0], values[-1]
    return f"{100 * (last / first - 1):+.0f} %" if first and last is not None else ""


if __name__ == "__main__":
    main()
