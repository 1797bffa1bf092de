"""The `.nca` file: one zip with a manifest, the IR of every level, weights, target code, and hashes of all of them.

    manifest.json          format version, what was compiled and how, SHA-256 of every other member
    ir/<level>.mlir        the module at every level, in the order of the manifest
    weights.safetensors    every constant that the text only names
    target/<file>          what the target's emission wrote, for people and microcontrollers; folders are kept

Members are stored uncompressed in a fixed order with a fixed date, so the same network gives the same bytes. Loading
checks names, sizes and hashes before anything is read, and parses IR; it executes nothing from the file. The target's
level and its code are made again, by our own lowering, from the level `snn-integer`, from `snn-count` where it computes
counts, or from `snn` where a network of spike trains keeps its floats; those in the file are for reading.
So a tampered artefact can at worst be a wrong network, never code.
"""

from __future__ import annotations

import json
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypeVar, cast

from neurocuda.dialects.levels import SNN, SNN_INTEGER
from neurocuda.errors import ArtifactError, NeuroCudaError
from neurocuda.measure.layers import TRAIN
from neurocuda.options import Conversion, Normalize
from neurocuda.pipeline import execution_of

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.compiled import Compiled
    from neurocuda.ir.backend import Backend
    from neurocuda.ir.level import Level
    from neurocuda.measure.exactness import Comparison, Residual
    from neurocuda.measure.validation import Divergence, Drift, Validation

FORMAT_VERSION = 1
"""Raised whenever an older reader would misread a newer file."""

SPIKES = {"snn-integer": SNN_INTEGER, "snn": SNN}
"""The levels that say the network in its code: the first of them that an artefact holds."""

READ = ("ann-imported", "ann-convertible", "ann-quantized", "snn-count", "snn-integer")
"""Levels that every artefact holds, besides the target's own."""

READ_OF_TRAINS = ("snn",)
"""Those of a network of spike trains."""

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
LARGEST_MANIFEST = 1 << 20
"""Bytes; a manifest beyond this is not one of ours."""

LARGEST_FILE = 1 << 34
"""Bytes of all members together that a reader will look at."""

_MEMBER = re.compile(
    r"manifest\.json|weights\.safetensors|ir/[a-z0-9][a-z0-9-]*\.mlir|target(/[A-Za-z0-9][A-Za-z0-9_.-]*)+"
)
_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip can hold: every member has it."""

Fields: TypeAlias = Mapping[str, object]
RecordT = TypeVar("RecordT", "Comparison", "Residual", "Drift", "Divergence")


def save(compiled: Compiled, path: Path) -> None:
    """Writes a compiled network.

    Raises:
        WriteError: the file cannot be written; nothing half-written is left behind.
    """
    from neurocuda.ir.files import replacing

    members = _members(compiled)
    members[MANIFEST] = _manifest(compiled, members)
    with replacing(path) as stream:
        _write_zip(stream, members)


def _members(compiled: Compiled) -> dict[str, bytes]:
    from neurocuda.ir.printing import referenced_keys

    members = {f"ir/{level}.mlir": _text(module, compiled.context) for level, module in compiled.levels.items()}
    weights = BytesIO()
    compiled.weights.write(weights, {key for module in compiled.levels.values() for key in referenced_keys(module)})
    members[WEIGHTS] = weights.getvalue()
    emitted = compiled.backend.emit(compiled.levels[compiled.backend.level], compiled.weights)
    return members | {f"target/{name}": content for name, content in sorted(emitted.items())}


def _text(module: ModuleOp, context: Context) -> bytes:
    from io import StringIO

    from neurocuda.ir.printing import print_module

    stream = StringIO()
    print_module(module, context, stream, locations=True, inline_limit=0)
    return stream.getvalue().encode()


def _manifest(compiled: Compiled, members: Mapping[str, bytes]) -> bytes:
    from neurocuda import __version__

    content = {
        "format": "neurocuda artefact",
        "format_version": FORMAT_VERSION,
        "neurocuda": __version__,
        "name": compiled.name,
        "target": compiled.target,
        "code": compiled.code,
        "conversion": asdict(compiled.conversion),
        "preprocessing": None if compiled.preprocessing is None else asdict(compiled.preprocessing),
        "levels": list(compiled.levels),
        "facts": _lasting_facts(compiled),
        "validation": None if compiled.validation is None else asdict(compiled.validation),
        "members": {name: sha256(data).hexdigest() for name, data in sorted(members.items())},
    }
    return (json.dumps(content, indent=2) + "\n").encode()


def _lasting_facts(compiled: Compiled) -> dict[str, float | str]:
    """What is known of the network; times are left out, since they are another's on another machine."""
    facts = {name: value for name, value in compiled.facts.items() if not name.startswith("seconds")}
    for what, found in compiled.evaluations.items():
        facts[f"accuracy, {what}, before saving"] = found.without_time()
    return facts


def _write_zip(stream: BinaryIO, members: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members, key=lambda name: (name != MANIFEST, name)):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, members[name])


def load(path: Path) -> Compiled:
    """Reads a compiled network.

    Raises:
        ArtifactError: the file is missing, corrupt, tampered with, or of another format version.
    """
    if path.suffix == ".pt2":
        raise ArtifactError(f"{path} is a PyTorch program; compile it first: nc-compile {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _checked_manifest(archive, path)
            members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as reason:
        message = str(getattr(reason, "strerror", None) or reason) or "it ends too early"
        raise ArtifactError(f"{path}: cannot be read as an artefact: {message.splitlines()[0]}") from None
    del members[MANIFEST]
    _require_hashes(manifest, members, path)
    try:
        return _compiled(manifest, members, path)
    except (KeyError, TypeError, AttributeError, ValueError) as reason:
        raise ArtifactError(f"{path}: the manifest is malformed: {type(reason).__name__}: {reason}") from None
    except ArtifactError:
        raise
    except NeuroCudaError as reason:
        raise ArtifactError(f"{path}: {reason}") from None


def _checked_manifest(archive: zipfile.ZipFile, path: Path) -> Fields:
    """The manifest, once the name, the kind and the size of every member have been looked at.

    Raises:
        ArtifactError: the file holds anything that no artefact holds.
    """
    entries = archive.infolist()
    for entry in entries:
        _check_entry(entry, path)
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise ArtifactError(f"{path}: a member appears twice")
    for required in (MANIFEST, WEIGHTS):
        if required not in names:
            raise ArtifactError(f"{path}: {required} is missing, so this is no artefact")
    if sum(entry.file_size for entry in entries) > min(LARGEST_FILE, path.stat().st_size):
        raise ArtifactError(f"{path}: its members claim to be larger than the file")
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ArtifactError(f"{path}: the manifest is too large")
    return _parsed_manifest(archive.read(MANIFEST), path)


def _check_entry(entry: zipfile.ZipInfo, path: Path) -> None:
    if not _MEMBER.fullmatch(entry.filename):
        raise ArtifactError(f"{path}: member {entry.filename!r} does not belong into an artefact")
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise ArtifactError(f"{path}: member {entry.filename!r} is compressed; artefacts are not")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ArtifactError(f"{path}: member {entry.filename!r} is a link or a device; artefacts hold plain files")


def _parsed_manifest(content: bytes, path: Path) -> Fields:
    try:
        parsed: object = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or cast(Fields, parsed).get("format") != "neurocuda artefact":
        raise ArtifactError(f"{path}: the manifest is no JSON of an artefact")
    manifest = cast(Fields, parsed)
    version = manifest.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        from neurocuda import __version__

        raise ArtifactError(
            f"{path}: format version {version!r}, written by neurocuda {manifest.get('neurocuda')!r}; "
            f"this neurocuda {__version__} reads version {FORMAT_VERSION}: compile the model again"
        )
    return manifest


def _require_hashes(manifest: Fields, members: Mapping[str, bytes], path: Path) -> None:
    promised = manifest.get("members")
    if not isinstance(promised, dict) or set(cast(Fields, promised)) != set(members):
        raise ArtifactError(f"{path}: the manifest lists other members than the file holds")
    for name, data in members.items():
        if sha256(data).hexdigest() != cast(Fields, promised)[name]:
            raise ArtifactError(f"{path}: {name} is damaged: its content does not match its hash")


def _compiled(manifest: Fields, members: Mapping[str, bytes], path: Path) -> Compiled:
    from neurocuda.compiled import Compiled
    from neurocuda.ir.context import create_context, weights_of
    from neurocuda.targeting import resolve_target

    context = create_context()
    weights_of(context).read(members[WEIGHTS], WEIGHTS)
    backend, chip = resolve_target(cast(str, manifest["target"]))
    names = cast("list[str]", manifest["levels"])
    needed = READ_OF_TRAINS if manifest["code"] == TRAIN else READ
    missing = [level for level in (*needed, backend.level) if level not in names]
    if missing:
        raise ArtifactError(f"{path}: the manifest lists no level {', '.join(missing)}")
    texts = {name: members[f"ir/{name}.mlir"] for name in names}
    given = dict(cast(Fields, manifest["conversion"]))
    given["portable"] = tuple(cast("list[str]", given.get("portable", [])))
    conversion = Conversion(**given)  # pyright: ignore[reportArgumentType]  checked by Conversion itself
    counts = execution_of(backend, conversion, cast(str, manifest["code"])) == "counts"
    levels = StoredLevels(context, texts, backend, chip, path, counts=counts)
    levels.require(manifest["code"])
    preprocessing = cast("Fields | None", manifest["preprocessing"])
    return Compiled(
        context,
        backend,
        chip,
        cast(str, manifest["code"]),
        conversion,
        None if preprocessing is None else Normalize(**preprocessing),  # pyright: ignore[reportArgumentType]
        levels,
        cast(str, manifest["name"]),
        _facts_in(manifest),
        validation=_validation_in(manifest),
    )


def _facts_in(manifest: Fields) -> dict[str, float | str]:
    facts = cast(Fields, manifest["facts"])
    return {name: value for name, value in facts.items() if isinstance(value, float | str)}


def _validation_in(manifest: Fields) -> Validation | None:
    """What was compared before the artefact was saved.

    Raises:
        TypeError, KeyError: it is malformed.
    """
    from neurocuda.measure.exactness import Comparison, Residual
    from neurocuda.measure.validation import Divergence, Drift, Validation

    found = manifest.get("validation")
    if found is None:
        return None
    lists = cast("Mapping[str, list[Fields]]", found)
    return Validation(
        cast(int, _typed(cast(Fields, found)["images"], "int")),
        tuple(_filled(Comparison, each) for each in lists["exact"]),
        tuple(_filled(Residual, each) for each in lists["residuals"]),
        tuple(_filled(Drift, each) for each in lists["drifts"]),
        tuple(_filled(Divergence, each) for each in lists["divergences"]),
        recorded=True,
    )


def _filled(record: type[RecordT], values: Fields) -> RecordT:
    """A record from JSON, every field of the type that it is declared with."""
    kinds = {field.name: str(field.type) for field in fields(record)}
    make = cast("Callable[..., RecordT]", record)
    return make(**{name: _typed(value, kinds[name]) for name, value in values.items()})


def _typed(value: object, kind: str) -> object:
    if kind == "tuple[str, ...]" and isinstance(value, list):
        return tuple(_typed(item, "str") for item in cast("list[object]", value))
    if type(value).__name__ != kind:
        raise TypeError(f"{value!r} is no {kind}")
    return value


class StoredLevels(Mapping[str, "ModuleOp"]):
    """The levels of an artefact, in order, each parsed when it is first looked at.

    The target's own level is never taken from the file, because native code is printed from it: it is lowered again
    from `snn-integer`, with `counts` from `snn-count`, or from `snn`.
    """

    def __init__(
        self, context: Context, texts: Mapping[str, bytes], backend: Backend, chip: str, path: Path, *, counts: bool
    ) -> None:
        self._context = context
        self._texts = texts
        self._backend = backend
        self._chip = chip
        self._path = path
        self._counts = counts
        self._modules: dict[str, ModuleOp] = {}

    @property
    def _spikes(self) -> str:
        return next(level for level in SPIKES if level in self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __getitem__(self, level: str) -> ModuleOp:
        """Raises:
        KeyError: there is no such level.
        ArtifactError: its text is malformed.
        """
        if level not in self._modules:
            self._modules[level] = self._lowered() if level == self._backend.level else self._parsed(level)
        return self._modules[level]

    def require(self, code: object) -> None:
        """Checks the levels that the network is made from, and that it is said in the code that the manifest names.

        Raises:
            ArtifactError: one is malformed or breaks its contract, or it has another code.
        """
        self._require(self._spikes, SPIKES[self._spikes], code)
        if self._counts:
            self._require("snn-count", SNN_INTEGER, "count")

    def _require(self, name: str, level: Level, code: object) -> None:
        from neurocuda.dialects.snn.ops import NetworkOp

        module = self[name]
        try:
            level.require(module)
        except NeuroCudaError as reason:
            raise ArtifactError(f"{self._path}: {reason}") from None
        codes = {op.code.data for op in module.walk() if isinstance(op, NetworkOp)}
        if codes != {code}:
            found = ", ".join(f'"{name}"' for name in sorted(codes))
            raise ArtifactError(f"{self._path}: the manifest says code {code!r}, and the network has code {found}")

    def _parsed(self, level: str) -> ModuleOp:
        from neurocuda.ir.parsing import parse_module

        text = self._texts[level]
        try:
            return parse_module(self._context, text, f"ir/{level}.mlir")
        except NeuroCudaError as reason:
            raise ArtifactError(f"{self._path}: {reason}") from None

    def _lowered(self) -> ModuleOp:
        from neurocuda.pipeline import Line, target_stage

        source = "snn-count" if self._counts else self._spikes
        line = Line(self._context, self[source].clone(), {}, {}, {})
        try:
            line.run(target_stage(self._backend, self._chip))
        except NeuroCudaError as reason:
            raise ArtifactError(
                f"{self._path}: the network cannot be lowered to {self._backend.name}: {reason}"
            ) from None
        return line.levels[self._backend.level]
