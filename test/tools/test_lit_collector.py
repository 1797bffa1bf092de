"""RUN lines under pytest: a test that fails under lit fails, whether it runs in this process or by lit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

GOOD = "// RUN: nc-opt %s | filecheck %s\n// CHECK: builtin.module\nbuiltin.module {}\n"

CASES = {
    "good": (GOOD, "passed"),
    "wrong_output": (GOOD.replace("CHECK: builtin.module", "CHECK: nonsense"), "failed"),
    "wrong_code": ("// RUN: not nc-opt %s\nbuiltin.module {}\n", "failed"),
    "first_of_a_pipeline_fails": ("// RUN: nc-opt %s 2>&1 | filecheck %s\n// CHECK: error\nnonsense\n", "failed"),
    "second_line_fails": ("// RUN: nc-opt %s\n// RUN: nc-opt %s -p nonsense\nbuiltin.module {}\n", "failed"),
    "joined_lines": (GOOD.replace("nc-opt %s |", "nc-opt %s \\\n// RUN:   -p cse |"), "passed"),
    "temporary_files": (
        "// RUN: nc-opt %s > %t\n// RUN: cat %t | filecheck %s\n// CHECK: builtin.module\nbuiltin.module {}\n",
        "passed",
    ),
    "by_lit": ("// REQUIRES: shell-of-nobody\n" + GOOD, "skipped"),
    "by_lit_with_a_shell": (GOOD.replace("nc-opt %s |", "echo x && nc-opt %s |"), "passed"),
    "by_lit_wrong": (
        GOOD.replace("nc-opt %s |", "echo x && nc-opt %s |").replace("CHECK: builtin", "CHECK: nonsense"),
        "failed",
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pytest says about each case, in one run."""
    folder = tmp_path_factory.mktemp("collector") / "test"
    folder.mkdir()
    for name in ("conftest.py", "lit.cfg.py"):
        shutil.copy(TESTS / name, folder)
    for name, (text, _) in CASES.items():
        (folder / f"{name}.mlir").write_text(text)
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--import-mode=importlib", str(folder)]
    path = os.pathsep.join([str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    words = {"PASSED": "passed", "FAILED": "failed"}
    found = dict.fromkeys(CASES, "skipped")
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        name = rest.split(".mlir")[0].rsplit("/", 1)[-1]
        if word in words and name in CASES:
            found[name] = words[word]
    assert f"{sum(outcome == 'skipped' for outcome in found.values())} skipped" in done.stdout, done.stdout
    return found


@pytest.mark.parametrize("name", CASES)
def test_outcome(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name] == CASES[name][1]
