"""nc-new writes skeletons whose tests pass, and nothing when it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from neurocuda.tools import nc_new

ROOT = Path(__file__).resolve().parents[3]

CASES = {
    "op": ["op", "ann.soft_plus"],
    "op of a small dialect": ["op", "host.echo"],
    "pass": ["pass", "merge-twins", "--area", "ann"],
    "pass in a new area": ["pass", "place-twins", "--area", "host"],
    "backend": ["backend", "toychip"],
    "backend early in the alphabet": ["backend", "abacus"],
}


def files_of(root: Path) -> dict[str, bytes]:
    """Every file of a checkout."""
    paths = [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def checked(*command: str, folder: Path) -> str:
    """The output of a Python module that must succeed; run in a folder, it sees the sources there."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", CASES.values(), ids=CASES.keys())
def test_what_it_writes_passes_its_tests_and_the_linters(
    arguments: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nc_new.main([*arguments, "--root", str(checkout)]) == 0
    written = [
        line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith(("new", "cha"))
    ]
    tests = [path for path in written if path.startswith("test/")]
    assert tests
    checked("pytest", "-q", "-p", "no:cacheprovider", *tests, folder=checkout)
    rules = ["test/test_architecture.py", "test/test_packaging.py::test_the_packages_are_those_of_the_tree"]
    word = arguments[1].rpartition(".")[2]
    about = f"{word} or {word.replace('-', '_')} or every_operation or packages"
    checked("pytest", "-q", "-p", "no:cacheprovider", *rules, "-k", about, folder=checkout)
    sources = [path for path in written if path.endswith(".py")]
    checked("ruff", "check", "--no-cache", *sources, folder=checkout)
    checked("ruff", "format", "--check", "--no-cache", *sources, folder=checkout)


BROKEN = {
    "a count too many": ("run.py", "counts[origin] = spikes", "counts[origin] = spikes + 1", "counts differ; first"),
    "outputs of another network": ("run.py", "tuple(outputs)", "tuple(x + 1 for x in outputs)", "first output 0"),
    "an invented result": ("run.py", 'seconds, "reference")', 'seconds, "silicon")', "what is 'silicon'?"),
    "emission that differs": ("emit.py", "{program}", "{program}{object()}", "two emissions differ"),
    "a number from nowhere": ("chips/toychip1.toml", '"invented: cite the measurement"', '""', "where spike is from"),
    "a limit that nobody looks at": ("cost.py", '{"neurons": here}', "{}", "no core says how much it uses of neurons"),
}
"""What somebody who fills the skeleton in may get wrong: file, text, what it becomes, and what the tests say."""


@pytest.mark.parametrize(("file", "old", "new", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_the_tests_of_a_new_backend_find_what_is_wrong(
    file: str, old: str, new: str, reason: str, checkout: Path
) -> None:
    assert nc_new.main(["backend", "toychip", "--root", str(checkout)]) == 0
    path = checkout / "backends" / "toychip" / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "test/backends/toychip"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert reason in done.stdout


def test_without_the_makers_tools_the_level_is_compared_and_the_run_skipped(checkout: Path) -> None:
    assert nc_new.main(["backend", "toychip", "--root", str(checkout)]) == 0
    path = checkout / "backends" / "toychip" / "run.py"
    text = path.read_text().replace(
        'Availability(True, "the reference interpreter")', 'Availability(False, "make toys")'
    )
    path.write_text(text.replace("    LEVEL.require(module)\n", '    raise ToolchainError("no toys: make toys")\n'))
    path.write_text(
        path.read_text().replace(
            "\nfrom neurocuda.ir.backend", "\nfrom neurocuda.errors import ToolchainError\nfrom neurocuda.ir.backend"
        )
    )
    told = checked(
        "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test/backends/toychip/test_conformance.py", folder=checkout
    )
    assert "5 passed, 1 skipped" in told
    assert "make toys" in told


@pytest.mark.slow
@pytest.mark.parametrize("arguments", CASES.values(), ids=CASES.keys())
def test_what_it_writes_is_fully_typed(
    arguments: list[str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nc_new.main([*arguments, "--root", str(checkout)]) == 0
    written = [
        line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith(("new", "cha"))
    ]
    sources = [path if path.startswith("test/") else f"neurocuda/{path}" for path in written if path.endswith(".py")]
    checked("basedpyright", "--pythonpath", sys.executable, *sources, folder=checkout)


REFUSED = {
    "unknown kind": (["thing", "x"], "invalid choice: 'thing'"),
    "no dialect": (["op", "softplus"], "no good name"),
    "unknown dialect": (["op", "nope.softplus"], "there is no dialect 'nope'; there are ann, "),
    "malformed op": (["op", "ann.SoftPlus"], "no good name"),
    "keyword": (["op", "ann.lambda"], "no good name"),
    "existing op": (["op", "ann.relu"], "the operation ann.relu exists already, in dialects/ann/activations.py"),
    "file in the way": (["op", "ann.types"], "dialects/ann/types.py exists already; nothing was written"),
    "one word": (["pass", "fuse", "--area", "ann"], "a pass is called verb-object: two words or more"),
    "malformed pass": (["pass", "Fuse-pad", "--area", "ann"], "a pass is called verb-object"),
    "no area": (["pass", "fuse-twins"], "required: --area"),
    "unknown area": (["pass", "fuse-twins", "--area", "nope"], "there is no area 'nope'; there are ann, "),
    "existing pass": (["pass", "calibrate-it", "--area", "../ann"], "there is no area '../ann'"),
    "pass of ours": (["pass", "encode-unary", "--area", "snn"], "exists already, in passes/snn/encode_unary.py"),
    "pass of xDSL": (["pass", "control-flow-hoist", "--area", "ann"], "xDSL has a pass called control-flow-hoist"),
    "conversion elsewhere": (["pass", "convert-ann-to-x", "--area", "ann"], "in --area convert"),
    "no conversion": (["pass", "fuse-twins", "--area", "convert"], "in --area convert"),
    "malformed target": (["backend", "toy-chip"], "a target is called by one word"),
    "existing target": (["backend", "cpu"], "dialects/cpu exists already"),
    "dialect of xDSL": (["backend", "gpu"], "'gpu' is a dialect of xDSL"),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_is_one_line_and_writes_nothing(
    arguments: list[str], reason: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(checkout)
    root = ["--root", str(checkout)] if arguments[0] != "thing" else []
    assert nc_new.main([*arguments, *root]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nc-new: error: ")
    assert reason in line
    assert files_of(checkout) == before


def test_it_wants_a_checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nc_new.main(["backend", "toychip", "--root", str(tmp_path)]) == 1
    assert "is no checkout of NeuroCUDA: it has no pyproject.toml" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_it_says_where_an_operation_gets_its_spiking_rule(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nc_new.main(["op", "ann.softplus", "--root", str(checkout)]) == 0
    assert "dialects/levels.py" in capsys.readouterr().out.splitlines()[-1]


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert nc_new.main(["--help"]) == 0
    assert "nc-new op ann.softplus" in capsys.readouterr().out
    assert nc_new.main(["pass", "--help"]) == 0
    assert "ann, convert, cpu, loihi, nir, snn, or a dialect's" in " ".join(capsys.readouterr().out.split())
