"""Finds dialects, passes and backends by their place in the tree, and third-party ones by entry points.

Nothing here keeps a list by hand and nothing is imported before it is used:

* `dialects/<name>/ops.py` with a constant `DIALECT` is a dialect;
* `passes/<area>/<file>.py` is a pass, named as the file with dashes for underscores;
* `backends/<target>/__init__.py` with a constant `BACKEND` is a backend, and `backends/<target>/target.py` with a
  constant `TARGET` is a textual output of `nc-opt -t`.

A name that starts with an underscore is private and skipped.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from neurocuda.errors import OptionError, TargetError, warn

if TYPE_CHECKING:
    from xdsl.ir import Dialect
    from xdsl.passes import ModulePass
    from xdsl.universe import Universe
    from xdsl.utils.target import Target

DialectFactory: TypeAlias = "Callable[[], Dialect]"
PassFactory: TypeAlias = "Callable[[], type[ModulePass]]"
TargetFactory: TypeAlias = "Callable[[], type[Target]]"
BackendFactory: TypeAlias = Callable[[], object]
_Value = TypeVar("_Value")

UNIVERSES = "xdsl.universe"
"""The entry-point group of third-party dialects and passes."""
BACKENDS = "neurocuda.backends"
"""The entry-point group of third-party backends, and the package of ours."""


def dialect_factories() -> dict[str, DialectFactory]:
    """Name to factory of every dialect in `dialects/`."""
    return {
        name: _dialect_factory(name) for name, folder in _folders("neurocuda.dialects") if (folder / "ops.py").is_file()
    }


def pass_factories() -> dict[str, PassFactory]:
    """Name to factory of every pass in `passes/`.

    Raises:
        ValueError: two files in different areas have one name.
    """
    found: dict[str, str] = {}
    for area, folder in _folders("neurocuda.passes"):
        for file in sorted(folder.glob("[!_]*.py")):
            name = file.stem.replace("_", "-")
            if name in found:
                raise ValueError(f"pass '{name}' is defined in both {found[name]} and passes/{area}")
            found[name] = f"neurocuda.passes.{area}.{file.stem}"
    return {name: _pass_factory(name, module) for name, module in sorted(found.items())}


def target_factories() -> dict[str, TargetFactory]:
    """Name to factory of every textual output in `backends/`."""
    return {name: _target_factory(name) for name, folder in _folders(BACKENDS) if (folder / "target.py").is_file()}


def backend_factories() -> dict[str, BackendFactory]:
    """Name to factory of every backend: ours by place, third-party ones by the entry points `neurocuda.backends`.

    A third-party name that is already taken is reported and skipped.
    """
    factories: dict[str, BackendFactory] = {
        name: _backend_factory(name) for name, folder in _folders(BACKENDS) if (folder / "__init__.py").is_file()
    }
    for point in _entry_points(BACKENDS):
        if point.name in factories:
            _report(f"plug-in {point.value}: the target '{point.name}' exists already and is skipped")
            continue
        factories[point.name] = _entry_point_factory(point)
    return factories


def universes(plugins: Sequence[Path] = ()) -> list[tuple[str, Universe]]:
    """(name, universe) of xDSL, ours, the installed plug-ins, and the plug-in files named.

    An installed plug-in that cannot be loaded is reported and skipped.

    Raises:
        OptionError: a plug-in file named by the user cannot be loaded.
    """
    from xdsl.universe import XDSL_UNIVERSE

    from neurocuda.universe import NEUROCUDA_UNIVERSE

    found = [("xdsl", XDSL_UNIVERSE), ("neurocuda", NEUROCUDA_UNIVERSE)]
    for point in _entry_points(UNIVERSES):
        if point.value.partition(":")[0] in ("xdsl.universe", "neurocuda.universe"):
            continue
        universe = _installed_universe(point)
        if universe is not None:
            found.append((point.name, universe))
    return found + [(str(file), plugin_universe(file)) for file in plugins]


def merged_universe(plugins: Sequence[Path] = ()) -> Universe:
    """Everything that is available, in one universe; a name that is already taken is reported and skipped."""
    from xdsl.universe import Universe

    found = universes(plugins)
    return Universe(
        all_dialects=_merged("dialect", ((name, universe.all_dialects) for name, universe in found)),
        all_passes=_merged("pass", ((name, universe.all_passes) for name, universe in found)),
        all_targets=_merged("target", ((name, universe.all_targets) for name, universe in found)),
    )


def plugin_universe(file: Path) -> Universe:
    """The constant `UNIVERSE` of a Python file.

    Raises:
        OptionError: the file is missing, fails to run, or defines no universe.
    """
    from xdsl.universe import Universe

    if not file.is_file():
        raise OptionError(f"plug-in {file}: no such file")
    spec = spec_from_file_location(f"neurocuda_plugin_{file.stem}", file)
    if spec is None:
        raise OptionError(f"plug-in {file}: not a Python file (expected a name ending in .py)")
    universe = getattr(_run_plugin(spec, file), "UNIVERSE", None)
    if not isinstance(universe, Universe):
        raise OptionError(f"plug-in {file}: defines no constant UNIVERSE of type xdsl.universe.Universe")
    return universe


def _run_plugin(spec: ModuleSpec, file: Path) -> ModuleType:
    """Runs a plug-in file as a module of its own, which dataclasses and pickling need to find by name."""
    import sys

    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    assert spec.loader is not None
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as reason:  # foreign code can raise anything
        del sys.modules[spec.name]
        raise OptionError(f"plug-in {file}: {_describe(reason)}") from reason
    return module


def _installed_universe(point: EntryPoint) -> Universe | None:
    from xdsl.universe import Universe

    try:
        universe: object = point.load()
    except (Exception, SystemExit) as reason:  # noqa: BLE001  foreign code can raise anything
        _report(f"plug-in {point.name} ({point.value}) failed to load and is skipped: {_describe(reason)}")
        return None
    if not isinstance(universe, Universe):
        _report(f"plug-in {point.name} ({point.value}) is not an xdsl.universe.Universe and is skipped")
        return None
    return universe


def _merged(kind: str, sources: Iterable[tuple[str, Mapping[str, _Value]]]) -> dict[str, _Value]:
    owner: dict[str, str] = {}
    merged: dict[str, _Value] = {}
    for source, factories in sources:
        for name, factory in factories.items():
            if name in owner:
                _report(f"plug-in {source}: the {kind} '{name}' exists already in {owner[name]} and is skipped")
                continue
            owner[name] = source
            merged[name] = factory
    return merged


def _folders(package: str) -> Iterator[tuple[str, Path]]:
    """(name, path) of the public folders of a package, in order, importing nothing below the package."""
    spec = find_spec(package)
    roots = [] if spec is None else [Path(root).resolve() for root in spec.submodule_search_locations or ()]
    for root in dict.fromkeys(roots):
        for folder in sorted(root.iterdir()):
            if folder.is_dir() and folder.name.isidentifier() and not folder.name.startswith("_"):
                yield folder.name, folder


def _dialect_factory(name: str) -> DialectFactory:
    def load() -> Dialect:
        from xdsl.ir import Dialect

        dialect = getattr(import_module(f"neurocuda.dialects.{name}.ops"), "DIALECT", None)
        if not isinstance(dialect, Dialect) or dialect.name != name:
            raise TypeError(f"dialects/{name}/ops.py must define DIALECT, a Dialect named '{name}'")
        return dialect

    return load


def _pass_factory(name: str, module_name: str) -> PassFactory:
    def load() -> type[ModulePass]:
        from xdsl.passes import ModulePass

        module = import_module(module_name)
        for value in vars(module).values():
            if (
                inspect.isclass(value)
                and issubclass(value, ModulePass)
                and value.__module__ == module.__name__
                and getattr(value, "name", None) == name
            ):
                return value
        raise TypeError(f"{module_name} must define a ModulePass named '{name}'")

    return load


def _target_factory(name: str) -> TargetFactory:
    def load() -> type[Target]:
        from xdsl.utils.target import Target

        target = getattr(import_module(f"{BACKENDS}.{name}.target"), "TARGET", None)
        if not (inspect.isclass(target) and issubclass(target, Target)):
            raise TypeError(f"backends/{name}/target.py must define TARGET, a subclass of Target")
        return target

    return load


def _backend_factory(name: str) -> BackendFactory:
    def load() -> object:
        backend: object = getattr(import_module(f"{BACKENDS}.{name}"), "BACKEND", None)
        if backend is None:
            raise TypeError(f"backends/{name}/__init__.py must define BACKEND")
        return backend

    return load


def _entry_point_factory(point: EntryPoint) -> BackendFactory:
    def load() -> object:
        try:
            return point.load()
        except (Exception, SystemExit) as reason:  # foreign code can raise anything
            raise TargetError(f"target '{point.name}' ({point.value}) failed to load: {_describe(reason)}") from reason

    return load


def _entry_points(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


def _describe(reason: BaseException) -> str:
    """An exception in one line."""
    text = str(reason).strip()
    return f"{type(reason).__name__}: {text.splitlines()[0]}" if text else type(reason).__name__


@cache
def _report(message: str) -> None:
    """Warns once per process: plug-ins are looked for at every step of a compilation."""
    warn(message)
