"""The root folders are subpackages of neurocuda in every way of installing it, and third-party packages join in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import cast

import pytest
import xdsl

from neurocuda.tools._source_edits import with_packages

ROOT = Path(__file__).resolve().parent.parent
LINKED = ("backends", "dialects", "passes", "tools")
IMPORT_ALL = """
import neurocuda.backends.cpu, neurocuda.dialects.ann.ops, neurocuda.passes.snn.encode_unary, neurocuda.tools.nc_opt
print(neurocuda.dialects.ann.ops.__file__)
"""

PROJECT = cast("Mapping[str, Mapping[str, object]]", tomllib.loads((ROOT / "pyproject.toml").read_text()))
TOOLS = cast("Mapping[str, str]", PROJECT["project"]["scripts"])


def run(command: Sequence[str | Path], folder: Path, *search: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder, with further folders to import from."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, search)), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def output_of(command: Sequence[str | Path], folder: Path, *search: Path) -> str:
    """What a command that must succeed writes to stdout."""
    done = run(command, folder, *search)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def without_links(checkout: Path) -> Path:
    """The checkout as git leaves it where a file system knows no links: small files hold their targets."""
    for name in LINKED:
        (checkout / "neurocuda" / name).unlink()
        (checkout / "neurocuda" / name).write_text(f"../{name}")
    return checkout


# The declarations


def test_the_packages_are_those_of_the_tree() -> None:
    setuptools = cast("Mapping[str, Mapping[str, object]]", PROJECT["tool"]["setuptools"])
    folders = {path.parent for name in ("neurocuda", *LINKED) for path in (ROOT / name).rglob("*.py")}
    real = (folder for folder in folders if not any(part.is_symlink() for part in (folder, *folder.parents)))
    parts = (folder.relative_to(ROOT).parts for folder in real if "templates" not in folder.parts)
    names = {".".join(part if part[0] == "neurocuda" else ("neurocuda", *part)) for part in parts}
    assert setuptools["packages"] == sorted(names)


def test_every_package_has_an_init_file() -> None:
    packages = cast("list[str]", cast("Mapping[str, object]", PROJECT["tool"]["setuptools"])["packages"])
    folders = [ROOT / "neurocuda" / Path(*name.split(".")[1:]) for name in packages]
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_what_is_needed_has_an_exact_version_for_development() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0].lower() for line in lines if not line.startswith("#")}
    needed = cast("list[str]", PROJECT["project"]["dependencies"])
    needed = needed + [name for names in PROJECT["project"]["optional-dependencies"].values() for name in names]  # pyright: ignore
    names = {cast("re.Match[str]", re.match(r"[\w-]+", name))[0] for name in needed}
    assert names <= pinned


def test_the_type_checker_is_told_to_follow_every_link() -> None:
    """It finds no files behind links that are not named."""
    checker = cast("Mapping[str, list[str]]", PROJECT["tool"]["basedpyright"])
    assert {f"neurocuda/{name}" for name in LINKED} <= set(checker["include"])


@pytest.mark.parametrize("name", TOOLS)
def test_a_console_script_is_a_function_that_takes_arguments(name: str) -> None:
    module, _, function = TOOLS[name].partition(":")
    main: object = getattr(import_module(module), function)
    assert callable(main)


def test_the_tools_are_the_console_scripts() -> None:
    files = {path.stem.replace("_", "-") for path in (ROOT / "tools").glob("nc_*.py")} - {"nc-docs"}
    assert files == set(TOOLS)


def stamp(folder: Path) -> str:
    """The file that says which environment is set up."""
    (line,) = re.findall(r"^READY := (.*)$", output_of(["make", "-np", "help"], folder), re.MULTILINE)
    return line


def test_an_environment_is_set_up_again_when_what_is_needed_changes_only(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "requirements-lava.txt"):
        shutil.copy(ROOT / name, tmp_path)
    before, text = stamp(tmp_path), (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(with_packages(text, ["neurocuda.backends.toychip"]))
    assert stamp(tmp_path) == before
    (tmp_path / "pyproject.toml").write_text(text.replace("numpy>=2.0", "numpy>=2.1"))
    assert stamp(tmp_path) != before


# A checkout that is not installed


@pytest.mark.parametrize("name", LINKED)
def test_the_links_are_relative(name: str) -> None:
    link = ROOT / "neurocuda" / name
    if not link.is_symlink():
        pytest.skip("the file system knows no links")
    assert link.readlink() == Path("..") / name


def test_a_checkout_works_uninstalled(checkout: Path) -> None:
    found = output_of([sys.executable, "-c", IMPORT_ALL], checkout)
    assert Path(found) == checkout / "neurocuda" / "dialects" / "ann" / "ops.py"


def test_a_checkout_without_links_works(checkout: Path) -> None:
    found = output_of([sys.executable, "-c", IMPORT_ALL], without_links(checkout))
    assert Path(found) == checkout / "dialects" / "ann" / "ops.py"


def test_passes_are_found_without_links(checkout: Path) -> None:
    listed = output_of([sys.executable, "-m", "neurocuda.tools.nc_opt", "--list-passes"], without_links(checkout))
    assert "\nencode-unary: " in listed


@pytest.mark.parametrize("name", LINKED)
def test_a_second_copy_cannot_be_imported(name: str) -> None:
    done = run([sys.executable, "-c", f"import {name}"], ROOT)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"ImportError: import neurocuda.{name}")


# Installed


@pytest.fixture
def wheel(checkout: Path, tmp_path: Path) -> zipfile.ZipFile:
    """The wheel, built without any registry."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    output_of([*command, "-w", tmp_path / "wheels", checkout], tmp_path)
    (path,) = (tmp_path / "wheels").glob("neurocuda-*.whl")
    return zipfile.ZipFile(path)


def test_a_wheel_holds_every_file_once_and_works(wheel: zipfile.ZipFile, checkout: Path, tmp_path: Path) -> None:
    held = [name for name in wheel.namelist() if ".dist-info/" not in name]
    wanted = [*checkout.glob("neurocuda/*.py"), checkout / "neurocuda" / "py.typed"]
    wanted += [path for folder in (checkout / "neurocuda").iterdir() for path in folder.rglob("*.py")]
    wanted += (checkout / "neurocuda" / "measure" / "page").glob("*.css")
    wanted += (checkout / "backends").rglob("*.toml")
    wanted += (checkout / "backends").rglob("*.ll")
    for templates in (checkout / "backends" / "cpu" / "templates", checkout / "tools" / "templates"):
        wanted += [path for path in templates.rglob("*") if path.is_file()]
    names = (path.relative_to(checkout) for path in wanted)
    assert sorted(held) == sorted({str(name if name.parts[0] == "neurocuda" else "neurocuda" / name) for name in names})

    wheel.extractall(tmp_path / "unpacked")
    found = output_of([sys.executable, "-c", IMPORT_ALL], tmp_path, tmp_path / "unpacked")
    assert Path(found) == tmp_path / "unpacked" / "neurocuda" / "dialects" / "ann" / "ops.py"


def test_a_wheel_makes_itself_known_to_xdsl(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "unpacked")
    (tmp_path / "twice.mlir").write_text(dedent(TWICE))
    code = "from xdsl.xdsl_opt_main import xDSLOptMain; xDSLOptMain().run()"
    told = output_of([sys.executable, "-c", code, tmp_path / "twice.mlir"], tmp_path, tmp_path / "unpacked")
    assert "ann.add" in told


def test_an_editable_install_follows_the_sources(checkout: Path, tmp_path: Path) -> None:
    python = tmp_path / "environment" / "bin" / "python"
    output_of([sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment"], tmp_path)
    (packages,) = (tmp_path / "environment").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{Path(xdsl.__file__).parent.parent}\n")  # behind what it holds itself
    flags = ["-q", "--no-deps", "--no-build-isolation", "--no-index"]
    output_of([sys.executable, "-m", "pip", "--python", python, "install", *flags, "-e", checkout], tmp_path)
    (checkout / "dialects" / "late.py").write_text('WORD = "seen"\n')
    code = "import neurocuda.dialects.late as late; print(late.WORD, late.__file__)"
    assert output_of([python, "-c", code], tmp_path).startswith(f"seen {checkout}")
    assert "encode-unary" in output_of([python.parent / "nc-opt", "--list-passes"], tmp_path)


# Packages of others

TOYCHIP = {
    "nc_toychip/__init__.py": '''
        """A chip of somebody else."""
        from xdsl.universe import Universe
        from neurocuda.ir.backend import Backend, Hooks
        from neurocuda.ir.constraints import Constraints

        def dialect():
            from nc_toychip.ops import DIALECT
            return DIALECT

        def sharpen():
            from nc_toychip.sharpen import SharpenPass
            return SharpenPass

        UNIVERSE = Universe(all_dialects={"toychip": dialect}, all_passes={"sharpen-toychip": sharpen})
        BACKEND = Backend(
            name="toychip", summary="a toy", package="nc_toychip", default_chip="one", constraints=Constraints(),
            pipeline=(), level="toychip",
            hooks=Hooks(emit="nc_toychip:emit", load="nc_toychip:load", availability="nc_toychip:availability"),
        )

        def availability():
            from neurocuda.ir.backend import Availability
            return Availability(False, "toys are sold out")
        ''',
    "nc_toychip/chips/one.toml": 'summary = "a toy"',
    "nc_toychip/ops.py": '''
        """The operations of the toy."""
        from xdsl.dialects.builtin import TensorType
        from xdsl.ir import Dialect
        from xdsl.irdl import IRDLOperation, irdl_op_definition, operand_def, result_def

        @irdl_op_definition
        class DoubleOp(IRDLOperation):
            name = "toychip.double"
            x = operand_def(TensorType)
            y = result_def(TensorType)
            assembly_format = "$x attr-dict `:` type($x) `->` type($y)"

        DIALECT = Dialect("toychip", [DoubleOp])
        ''',
    "nc_toychip/semantics.py": '''
        """What the operations of the toy mean."""
        from neurocuda.reference.meaning import means
        from nc_toychip.ops import DoubleOp

        @means(DoubleOp)
        def double(op, run, x):
            return 2 * x
        ''',
    "nc_toychip/sharpen.py": '''
        """A pass on the toy's operations."""
        from dataclasses import dataclass
        from typing import ClassVar
        from neurocuda.dialects.ann import ops as ann
        from neurocuda.ir.promise import Equal
        from neurocuda.ir.rewriting import NeuroPass, replace
        from nc_toychip.ops import DoubleOp

        @dataclass(frozen=True)
        class SharpenPass(NeuroPass):
            """x + x is twice x."""
            name = "sharpen-toychip"
            promise = Equal()

            def rewrite(self, module, weights):
                for op in list(module.walk()):
                    if isinstance(op, ann.AddOp) and op.operands[0] is op.operands[1]:
                        replace(op, DoubleOp(operands=[op.operands[0]], result_types=[op.results[0].type]))
        ''',
    "nc_broken.py": 'raise RuntimeError("the toy is broken")',
    "nc_toychip-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: nc-toychip\nVersion: 1.0\n",
    "nc_toychip-1.0.dist-info/entry_points.txt": """
        [xdsl.universe]
        broken = nc_broken:UNIVERSE
        toychip = nc_toychip:UNIVERSE
        [neurocuda.backends]
        broken = nc_broken:BACKEND
        toychip = nc_toychip:BACKEND
        """,
}

GENERATED = """
import numpy as np, neurocuda as nc, torch
from torch import nn
torch.manual_seed(0)
images = np.random.default_rng(0).standard_normal((8, 6)).astype(np.float32)
model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
compiled = nc.compile(model, target="toychip", calibration=images)
compiled.save("toy.nca")
assert nc.load("toy.nca").run(images).provenance == "reference"
"""


def test_a_generated_package_is_a_target(tmp_path: Path) -> None:
    """Installed from a wheel, it compiles, emits, and passes the tests it was generated with."""
    new = [sys.executable, "-m", "neurocuda.tools.nc_new", "backend", "toychip", "--package", tmp_path / "source"]
    assert "nc_toychip/universe.py" in output_of(new, tmp_path, ROOT)
    output_of(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--no-cache",
            "--select",
            "E,F,UP",
            "--line-length",
            "120",
            tmp_path / "source",
        ],
        ROOT,
    )
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    output_of([*command, "-w", tmp_path / "wheels", tmp_path / "source"], tmp_path)
    (path,) = (tmp_path / "wheels").glob("nc_toychip-*.whl")
    zipfile.ZipFile(path).extractall(tmp_path / "site")
    search = (tmp_path / "site", ROOT)
    output_of([sys.executable, "-c", GENERATED], tmp_path, *search)
    output_of(
        [sys.executable, "-m", "neurocuda.tools.nc_translate", "--emit", "toy.nca", "-o", "out"], tmp_path, *search
    )
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["program_0.mlir"]
    refused = run([sys.executable, "-m", "neurocuda.tools.nc_translate", "--emit-c", "toy.nca"], tmp_path, *search)
    assert "toy.nca is compiled for toychip; --emit writes" in refused.stderr
    output_of([sys.executable, "-m", "pytest", "-q", tmp_path / "source" / "test"], tmp_path / "source", *search)


TWICE = """
    func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
      %y = ann.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      func.return %y : tensor<4xf32>
    }
    """


@pytest.fixture
def third_party(tmp_path: Path) -> Path:
    """A folder to import from, with a package that adds a dialect, a pass and a target, and a broken one."""
    site = tmp_path / "site"
    for name, text in TOYCHIP.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(dedent(text).lstrip())
    return site


def test_nc_opt_lists_what_others_installed_and_reports_what_is_broken(third_party: Path) -> None:
    command = [sys.executable, "-m", "neurocuda.tools.nc_opt", "--list-passes", "--show-dialects"]
    done = run(command, ROOT, third_party)
    assert done.returncode == 0, done.stderr
    assert {"toychip", "sharpen-toychip: x + x is twice x"} <= set(done.stdout.splitlines())
    (line,) = done.stderr.strip().splitlines()
    assert "nc_broken" in line
    assert "RuntimeError: the toy is broken" in line
    assert "skipped" in line


def test_nc_opt_runs_and_validates_the_pass_of_others(third_party: Path, tmp_path: Path) -> None:
    (tmp_path / "twice.mlir").write_text(dedent(TWICE))
    command = [sys.executable, "-m", "neurocuda.tools.nc_opt", tmp_path / "twice.mlir", "-p", "sharpen-toychip"]
    done = run([*command, "--validate"], ROOT, third_party)
    assert done.returncode == 0, done.stderr
    assert "%y = toychip.double %x : tensor<4xf32> -> tensor<4xf32>" in done.stdout


def test_the_targets_of_others_are_listed(third_party: Path) -> None:
    done = run([sys.executable, "-c", "import neurocuda; print(neurocuda.targets())"], ROOT, third_party)
    assert done.returncode == 0, done.stderr
    assert re.search(r"toychip.*toys are sold out", done.stdout)
    assert re.search(r"^cpu\b", done.stdout, re.MULTILINE)
    assert "the toy is broken" in done.stdout + done.stderr
