"""The `.nca` file: one zip with a manifest, the IR of every level, weights, target code, and hashes of all of them.

    manifest.json          format version, what was compiled and how, SHA-256 of every other member
    ir/<level>.mlir        the module at every level, in the order of the manifest
    weights.safetensors    every constant that the text only names
    target/<file>          what the target's emission wrote, for people and microcontrollers

Members are stored uncompressed in a fixed order with a fixed date, so the same network gives the same bytes. Loading
checks names, sizes and hashes and parses IR; it executes nothing from the file. Native code is made again from the IR,
so a tampered artefact can at worst be a wrong network.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from neurocuda.errors import ArtifactError, NeuroCudaError, OptionError, ParsingError, VerificationError, WeightsError
from neurocuda.options import Conversion, Normalize

if TYPE_CHECKING:
    from xdsl.context import Context
    from xdsl.dialects.builtin import ModuleOp

    from neurocuda.compiled import Compiled

FORMAT_VERSION = 1
"""Raised whenever an older reader would misread a newer file."""

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
LARGEST_MANIFEST = 1 << 20
"""Bytes; a manifest beyond this is not one of ours."""

LARGEST_FILE = 1 << 34
"""Bytes of all members together that a reader will look at."""

_MEMBER = re.compile(r"manifest\.json|weights\.safetensors|ir/[a-z0-9][a-z0-9-]*\.mlir|target/[A-Za-z0-9][A-Za-z0-9_.-]*")
_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest date a zip can hold: every member has it."""

Fields: TypeAlias = Mapping[str, object]


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
        "members": {name: sha256(data).hexdigest() for name, data in sorted(members.items())},
    }
    return (json.dumps(content, indent=2) + "\n").encode()


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
    try:
        with zipfile.ZipFile(path) as archive:
            members = _checked_members(archive, path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as reason:
        message = str(getattr(reason, "strerror", None) or reason) or "it ends too early"
        raise ArtifactError(f"{path}: cannot be read as an artefact: {message.splitlines()[0]}") from None
    manifest = _parsed_manifest(members.pop(MANIFEST), path)
    _require_hashes(manifest, members, path)
    try:
        return _compiled(manifest, members)
    except (KeyError, TypeError, AttributeError) as reason:
        raise ArtifactError(f"{path}: the manifest is malformed: {reason}") from None
    except (OptionError, ParsingError, VerificationError, WeightsError) as reason:
        raise ArtifactError(f"{path}: {reason}") from None


def _checked_members(archive: zipfile.ZipFile, path: Path) -> dict[str, bytes]:
    """Every member, once its name and its size have been looked at."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    for entry in entries:
        if not _MEMBER.fullmatch(entry.filename):
            raise ArtifactError(f"{path}: member {entry.filename!r} does not belong into an artefact")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise ArtifactError(f"{path}: member {entry.filename!r} is compressed; artefacts are not")
    if len(set(names)) != len(names):
        raise ArtifactError(f"{path}: a member appears twice")
    for required in (MANIFEST, WEIGHTS):
        if required not in names:
            raise ArtifactError(f"{path}: {required} is missing, so this is no artefact")
    if sum(entry.file_size for entry in entries) > min(LARGEST_FILE, path.stat().st_size):
        raise ArtifactError(f"{path}: its members claim to be larger than the file")
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ArtifactError(f"{path}: the manifest is too large")
    return {entry.filename: archive.read(entry) for entry in entries}


def _parsed_manifest(content: bytes, path: Path) -> Fields:
    try:
        parsed: object = json.loads(content)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or cast(Fields, parsed).get("format") != "neurocuda artefact":
        raise ArtifactError(f"{path}: the manifest is no JSON of an artefact")
    manifest = cast(Fields, parsed)
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
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


def _compiled(manifest: Fields, members: Mapping[str, bytes]) -> Compiled:
    from neurocuda.api import resolve_target
    from neurocuda.compiled import Compiled
    from neurocuda.ir.context import create_context, weights_of
    from neurocuda.ir.parsing import parse_module

    context = create_context()
    weights_of(context).read(members[WEIGHTS], WEIGHTS)
    levels = {
        name: parse_module(context, members[f"ir/{name}.mlir"], f"ir/{name}.mlir")
        for name in cast("list[str]", manifest["levels"])
    }
    try:
        backend, chip = resolve_target(cast(str, manifest["target"]))
    except NeuroCudaError as reason:
        raise ArtifactError(str(reason)) from None
    if backend.level not in levels or "snn-integer" not in levels:
        raise KeyError(f"level {backend.level}")
    conversion = dict(cast(Fields, manifest["conversion"]))
    conversion["portable"] = tuple(cast("list[str]", conversion.get("portable", [])))
    preprocessing = cast("Fields | None", manifest["preprocessing"])
    return Compiled(
        context,
        backend,
        chip,
        cast(str, manifest["code"]),
        Conversion(**conversion),  # pyright: ignore[reportArgumentType]  checked by Conversion itself
        None if preprocessing is None else Normalize(**preprocessing),  # pyright: ignore[reportArgumentType]
        levels,
        cast(str, manifest["name"]),
    )
