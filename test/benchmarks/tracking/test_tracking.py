"""What tracking makes of figures and of commits. Nothing is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]


def tracking(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER), "--folder", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def head() -> str:
    command = ["git", "rev-parse", "--short=10", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no checkout of git")
    return done.stdout.strip()


def test_two_commits_stand_side_by_side(tmp_path: Path) -> None:
    commit = head()
    (tmp_path / f"{commit}.json").write_text(json.dumps({"start-up, ms": 12.345, "IR, lines": 1200}))
    done = tracking(tmp_path, "--compare", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "12.3" in done.stdout
    assert "1200" in done.stdout


def test_what_was_not_measured_is_named(tmp_path: Path) -> None:
    done = tracking(tmp_path, "--compare", head())
    assert done.returncode == 1
    assert "has not been measured: make track" in done.stderr


def test_a_commit_that_git_does_not_know_is_told(tmp_path: Path) -> None:
    head()
    done = tracking(tmp_path, "no-such-commit")
    assert done.returncode == 1
    assert "no-such-commit" in done.stderr
