"""Dialects, passes and backends are found by place, plug-ins by entry points; nothing is imported to list them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from xdsl.universe import XDSL_UNIVERSE

from neurocuda import registry
from neurocuda.errors import NeuroCudaWarning, OptionError, TargetError
from neurocuda.universe import NEUROCUDA_UNIVERSE

ROOT = Path(__file__).resolve().parents[2]


def test_dialects_are_the_folders_with_operations() -> None:
    assert set(registry.dialect_factories()) == {path.parent.name for path in (ROOT / "dialects").glob("*/ops.py")}


def test_passes_are_the_public_files() -> None:
    files = {path.stem.replace("_", "-") for path in (ROOT / "passes").glob("[!_]*/[!_]*.py")}
    assert set(registry.pass_factories()) == files


def test_listing_imports_nothing() -> None:
    program = (
        "import sys; from neurocuda.universe import NEUROCUDA_UNIVERSE\n"
        "heavy = ('numpy', 'torch', 'neurocuda.dialects.', 'neurocuda.passes.')\n"
        "sys.exit(' '.join(name for name in sys.modules if name.startswith(heavy)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", registry.dialect_factories())
def test_dialects_load(name: str) -> None:
    assert registry.dialect_factories()[name]().name == name


@pytest.mark.parametrize("name", registry.pass_factories())
def test_passes_load(name: str) -> None:
    assert registry.pass_factories()[name]().name == name


@pytest.mark.parametrize("name", registry.backend_factories())
def test_backends_load(name: str) -> None:
    assert registry.backend_factories()[name]() is not None


def test_our_names_are_free() -> None:
    assert not set(NEUROCUDA_UNIVERSE.all_dialects) & set(XDSL_UNIVERSE.all_dialects)
    assert not set(NEUROCUDA_UNIVERSE.all_passes) & set(XDSL_UNIVERSE.all_passes)


def test_two_files_of_one_name_are_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for area in ("a", "b"):
        (tmp_path / area).mkdir()
        (tmp_path / area / "same_name.py").touch()

    def folders(_: str) -> list[tuple[str, Path]]:
        return [(area, tmp_path / area) for area in ("a", "b")]

    monkeypatch.setattr(registry, "_folders", folders)
    with pytest.raises(ValueError, match="pass 'same-name' is defined in both"):
        registry.pass_factories()


def install(folder: Path, name: str, group: str, points: dict[str, str], source: str) -> None:
    """A package as pip would leave it: a module and its metadata."""
    (folder / f"{name}.py").write_text(source)
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{group}]", *(f"{point} = {value}" for point, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which packages are installed."""
    monkeypatch.syspath_prepend(str(tmp_path))  # pyright: ignore[reportUnknownMemberType]
    return tmp_path


UNIVERSE = """
from xdsl.ir import Dialect
from xdsl.universe import Universe
THEIRS = Universe(
    all_dialects={"theirs": lambda: Dialect("theirs")},
    all_passes={"cse": lambda: None, "their-pass": lambda: None},
)
"""


def test_an_installed_package_is_found(site: Path) -> None:
    install(site, "plugin_good", registry.UNIVERSES, {"theirs": "plugin_good:THEIRS"}, UNIVERSE)
    with pytest.warns(NeuroCudaWarning, match="plug-in theirs: the pass 'cse' exists already in xdsl and is skipped"):
        merged = registry.merged_universe()
    assert {"theirs", "ann"} <= set(merged.all_dialects)
    assert "their-pass" in merged.all_passes
    assert merged.all_passes["cse"] is XDSL_UNIVERSE.all_passes["cse"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", r"failed to load and is skipped: ZeroDivisionError"),
        ("THEIRS = 3", r"is not an xdsl\.universe\.Universe and is skipped"),
        ("", r"failed to load and is skipped: AttributeError"),
    ],
)
def test_a_broken_package_is_reported_and_skipped(site: Path, source: str, reason: str) -> None:
    module = f"plugin_bad{len(source)}"
    install(site, module, registry.UNIVERSES, {"theirs": f"{module}:THEIRS"}, source)
    with pytest.warns(NeuroCudaWarning, match=reason):
        merged = registry.merged_universe()
    assert "ann" in merged.all_dialects


def test_a_broken_package_is_reported_once(site: Path) -> None:
    install(site, "plugin_once", registry.UNIVERSES, {"once": "plugin_once:THEIRS"}, "1 / 0")
    with pytest.warns(NeuroCudaWarning, match="plug-in once"):
        registry.universes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.universes()


def test_installed_backends(site: Path) -> None:
    points = {"theirs": "plugin_backend:BACKEND", "broken": "plugin_backend:NONE", "cpu": "plugin_backend:BACKEND"}
    install(site, "plugin_backend", registry.BACKENDS, points, "BACKEND = 'a backend'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NeuroCudaWarning)
        factories = registry.backend_factories()
    assert factories["theirs"]() == "a backend"
    with pytest.raises(TargetError, match=r"target 'broken' \(plugin_backend:NONE\) failed to load: AttributeError"):
        factories["broken"]()


def test_a_plugin_file_that_is_missing() -> None:
    with pytest.raises(OptionError, match=r"plug-in none\.py: no such file"):
        registry.merged_universe([Path("none.py")])


def test_a_plugin_file_that_is_no_python(tmp_path: Path) -> None:
    (tmp_path / "plugin.txt").touch()
    with pytest.raises(OptionError, match="not a Python file"):
        registry.plugin_universe(tmp_path / "plugin.txt")
