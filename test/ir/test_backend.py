"""What a backend's faults are told as: chips that are not there, hooks that are not there or fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.backends.cpu import BACKEND
from neurocuda.dialects.levels import find_level
from neurocuda.errors import TargetError
from neurocuda.ir.backend import Backend, Hooks
from neurocuda.ir.weights import WeightStore
from neurocuda.pipeline import target_stage
from neurocuda.targeting import all_targets, backend_of, resolve_target

HERE = "their_hooks"


def emit(module: ModuleOp, _: WeightStore) -> dict[str, bytes]:
    return {"program": module.nothing}  # pyright: ignore  a bug


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Backend:
    """A target of somebody else, installed, with a chip."""
    module = ModuleType(HERE)
    module.__file__ = str(tmp_path / "__init__.py")
    setattr(module, "emit", emit)  # noqa: B010
    monkeypatch.setitem(__import__("sys").modules, HERE, module)
    (tmp_path / "chips").mkdir()
    (tmp_path / "chips" / "one.toml").write_text('summary = "a toy"')
    hooks = Hooks(f"{HERE}:emit", f"{HERE}:load", "neurocuda.backends.cpu.build:availability")
    return replace(BACKEND, name="theirs", package=HERE, default_chip="one", level="theirs", hooks=hooks)


def install(monkeypatch: pytest.MonkeyPatch, *backends: Backend) -> None:
    factories = {"cpu": lambda: BACKEND, **{backend.name: lambda it=backend: it for backend in backends}}
    monkeypatch.setattr("neurocuda.registry.backend_factories", lambda: factories)


def listed(name: str) -> str:
    return next(str(target) for target in all_targets() if target.name == name)


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("emit", r"target 'theirs', hook emit \(their_hooks:emit\): AttributeError: .*no attribute 'nothing'"),
        ("load", r"target 'theirs', hook load \(their_hooks:load\): AttributeError: module .* no attribute 'load'"),
    ],
)
def test_a_hook_that_fails_or_is_missing_is_named(theirs: Backend, hook: str, reason: str) -> None:
    with pytest.raises(TargetError, match=reason):
        getattr(theirs, hook)(ModuleOp([]), WeightStore())


def test_a_package_without_chip_files_says_what_may_be_missing(theirs: Backend, tmp_path: Path) -> None:
    (tmp_path / "chips" / "one.toml").unlink()
    with pytest.raises(TargetError, match=r"no chips/\*\.toml in .*; is it in the package-data\?"):
        theirs.chip()


@pytest.mark.parametrize("chips", [[], ["summary = 1"]])
def test_a_target_with_faulty_chips_is_listed_and_in_nobodys_way(
    theirs: Backend, chips: Sequence[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "chips" / "one.toml").unlink()
    for number, text in enumerate(chips):
        (tmp_path / "chips" / f"{number}.toml").write_text(text)
    install(monkeypatch, theirs)
    assert "not available: " in listed("theirs")
    assert "not available" not in listed("cpu")
    assert resolve_target("host")[0] is BACKEND


def test_a_target_has_the_name_it_is_installed_under(theirs: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurocuda.registry.backend_factories", lambda: {"fuzz": lambda: theirs})
    with pytest.raises(TargetError, match=r"target 'fuzz' has a BACKEND with the name \"theirs\"; give both the same"):
        backend_of("fuzz")
    assert "not available" in listed("fuzz")


def test_a_target_at_no_level_is_refused(theirs: Backend) -> None:
    with pytest.raises(TargetError, match=r"target 'theirs' is at level \"theirs\", which does not exist: no dialect"):
        target_stage(theirs, "one")
    level = find_level("cpu")
    assert level is not None
    assert level.name == "cpu"
    assert find_level("arith") is None
