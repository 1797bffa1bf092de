"""Reads `.pt2` files without running anything that they hold.

`torch.export.load` unpickles objects, evaluates expressions and loads native code where a file asks for it. Here a file
is first reduced to what a network is made of - a graph, its tensors - and checked; only the rest reaches torch.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import torch
from torch.export import ExportedProgram

from neurocuda.errors import ModelError
from neurocuda.frontend.export import FAILURES, first_line, quiet

_PROGRAM: Final = "models/model.json"
_CONFIGURATIONS: Final = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_EXAMPLE: Final = "data/sample_inputs/model.pt"
_PLAIN: Final = re.compile(r"(weight|tensor)_\d+")
_KEPT: Final = re.compile(
    rf"data/(weights|constants)/{_PLAIN.pattern}|archive_(format|version)|byteorder|\.data/(version|serialization_id)"
)
"""Members that are copied as they are: raw bytes of tensors, and version numbers."""

_OPERATOR: Final = re.compile(
    r"torch\.ops\.(aten|prim|prims|higher_order)\.(?!_*from_file)\w+(\.\w+)?|torch\.sym_\w+|math\.\w+"
    r"|torch\.ops\.neurocuda\.staircase(\.default)?"
    r"|_operator\.(getitem|add|sub|mul|truediv|floordiv|mod|pow|neg|eq|ne|lt|le|gt|ge|and_|or_|not_)"
)
"""What a node may call. Anything else below `torch` could be any function that Python knows."""

_ARITHMETIC: Final = re.compile(
    r"\b([szu]\w*\d|\d+(\.\d+)?(e[+-]?\d+)?"
    r"|Symbol|Integer|Float|Rational|Add|Mul|Pow|Max|Min|Abs|floor|ceiling|precision|positive|nonnegative|integer|real"
    r"|Eq|Ne|Lt|Le|Gt|Ge|Equality|Unequality|StrictLessThan|LessThan|StrictGreaterThan|GreaterThan|And|Or|Not|True|False"
    r"|FloorDiv|ModularIndexing|Where|PythonMod|Mod|CleanDiv|CeilToInt|FloorToInt|CeilDiv|LShift|RShift|PowByNatural"
    r"|FloatPow|FloatTrueDiv|IntTrueDiv|TruncToFloat|TruncToInt|RoundToInt|ToFloat|Identity)\b|['\s+\-*/%(),<>=!&|~]"
)
"""The words of arithmetic on symbolic sizes; torch hands such texts to Python's `eval`."""

_IMPORTING_KEYS: Final = frozenset({"__enum__", "default_factory_module"})
"""Keys that make torch import a module by name."""


class _Unsafe(Exception):
    """What a file holds that a network does not need."""


def load_program(path: Path) -> ExportedProgram:
    """The exported program in a `.pt2` file.

    Raises:
        ModelError: the file is missing, truncated, corrupt, or holds more than a graph and its tensors.
    """
    import neurocuda.training.staircase  # noqa: F401  # pyright: ignore[reportUnusedImport]  tells torch of the operation

    if path.suffix == ".nca":
        raise ModelError(f"'{path}' is compiled already; run it with nc-run, or neurocuda.load")
    try:
        archive = _reduced(_members(path.read_bytes()))
        with quiet():
            return torch.export.load(io.BytesIO(archive))
    except OSError as reason:
        raise ModelError(f"'{path}' cannot be read: {reason.strerror}") from None
    except _Unsafe as reason:
        raise ModelError(f"'{path}' is refused: {reason}") from None
    except (zipfile.BadZipFile, EOFError, *FAILURES) as reason:
        raise ModelError(
            f"'{path}' is no .pt2 file, or is damaged: {first_line(reason)}; save it again with torch.export.save"
        ) from None


def _members(content: bytes) -> dict[str, bytes]:
    """File name, without the archive's own name in front, to bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def _reduced(members: Mapping[str, bytes]) -> bytes:
    """An archive with the graph and the tensors only.

    Raises:
        _Unsafe: the graph needs more than that.
        ValueError: there is no graph.
    """
    missing = [name for name in (_PROGRAM, *_CONFIGURATIONS) if name not in members]
    if missing:
        raise ValueError(f"{missing[0]} is missing, or was written by torch before 2.8")
    for name in _CONFIGURATIONS:
        _require_plain_tensors(json.loads(members[name]))
    program = cast(dict[str, object], json.loads(members[_PROGRAM]))
    _require_plain_graph(program)
    program["guards_code"] = []  # text that torch would execute
    kept = {name: content for name, content in members.items() if _KEPT.fullmatch(name)}
    kept |= {name: members[name] for name in _CONFIGURATIONS}
    kept |= {_PROGRAM: json.dumps(program).encode(), _EXAMPLE: b""}  # examples are pickled
    return _archive(kept)


def _archive(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(f"model/{name}", content)
    return stream.getvalue()


def _require_plain_tensors(configuration: Mapping[str, object]) -> None:
    for name, payload in cast(Mapping[str, Mapping[str, object]], configuration["config"]).items():
        if payload["use_pickle"] or not _PLAIN.fullmatch(str(payload["path_name"])):
            raise _Unsafe(f"'{name}' is a pickled object, which could run code; export a model of plain tensors")


def _require_plain_graph(program: object) -> None:
    for entry in _dictionaries(program):
        if _IMPORTING_KEYS & entry.keys():
            raise _Unsafe("its inputs or outputs are Python objects; use tensors, tuples, lists and dictionaries")
        target, expression = entry.get("target"), entry.get("expr_str", "")
        if "target" in entry and not (isinstance(target, str) and _OPERATOR.fullmatch(target) and "__" not in target):
            raise _Unsafe(f"its graph calls '{target}', which is no ATen operation")
        if not (isinstance(expression, str) and not _ARITHMETIC.sub("", expression)):
            raise _Unsafe(f"a size is the expression '{expression}', which is more than arithmetic")


def _dictionaries(value: object) -> Iterator[Mapping[str, object]]:
    """Every dictionary inside, also in texts that are JSON themselves."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, dict):
        entries = cast(Mapping[str, object], value)
        yield entries
        for entry in entries.values():
            yield from _dictionaries(entry)
    elif isinstance(value, list):
        for entry in cast(list[object], value):
            yield from _dictionaries(entry)
