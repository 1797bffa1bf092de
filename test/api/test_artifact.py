"""`.nca` files: the same network gives the same bytes, and whatever is wrong with a file is told before it is used."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neurocuda as nc
from neurocuda.artifact import LARGEST_MANIFEST
from neurocuda.compiled import Compiled

Floats = NDArray[np.float32]
Members = dict[str, bytes]


@pytest.fixture(scope="session")
def artefact(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network in a file. Do not change it."""
    path = tmp_path_factory.mktemp("artefact") / "model.nca"
    compiled.save(path)
    return path


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def write(path: Path, members: Members, *, edit: Callable[[zipfile.ZipInfo], None] | None = None) -> Path:
    """A zip of the members, each of whose entries may be edited."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            if edit is not None:
                edit(entry)
            archive.writestr(entry, data)
    return path


def rehashed(members: Members, **changes: Any) -> Members:
    """The members with a manifest that fits them, as somebody would write who tampers with care."""
    manifest = json.loads(members["manifest.json"]) | changes
    manifest["members"] = {
        name: sha256(data).hexdigest() for name, data in sorted(members.items()) if name != "manifest.json"
    }
    return members | {"manifest.json": json.dumps(manifest).encode()}


def refused(path: Path, message: str) -> None:
    with pytest.raises(nc.ArtifactError, match=message) as refusal:
        nc.load(path)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).count(str(path)) == 1


# What is whole


def test_what_was_saved_runs_as_before(compiled: Compiled, artefact: Path, images: Floats) -> None:
    loaded = nc.load(artefact)
    np.testing.assert_array_equal(loaded.run(images).outputs, compiled.run(images).outputs)
    assert (loaded.name, loaded.target, loaded.code) == (compiled.name, compiled.target, compiled.code)
    assert loaded.conversion == compiled.conversion
    assert list(loaded.levels) == list(compiled.levels)


def test_the_same_network_gives_the_same_bytes(compiled: Compiled, artefact: Path, tmp_path: Path) -> None:
    compiled.save(tmp_path / "again.nca")
    assert (tmp_path / "again.nca").read_bytes() == artefact.read_bytes()
    nc.load(artefact).save(tmp_path / "loaded.nca")
    assert members_of(tmp_path / "loaded.nca")["weights.safetensors"] == members_of(artefact)["weights.safetensors"]


# What is not


def test_truncated_files_are_refused(artefact: Path, tmp_path: Path) -> None:
    whole, path = artefact.read_bytes(), tmp_path / "cut.nca"
    for size in (0, 1, 4, 30, 1000, len(whole) // 2, len(whole) - 100, len(whole) - 22, len(whole) - 1):
        path.write_bytes(whole[:size])
        refused(path, "cut.nca: cannot be read as an artefact: ")


@pytest.mark.parametrize("seed", range(4))
def test_no_changed_byte_goes_unnoticed(artefact: Path, tmp_path: Path, seed: int) -> None:
    """A changed byte is refused, or stands where a zip keeps what nobody reads."""
    random, path = np.random.default_rng(seed), tmp_path / "changed.nca"
    members = members_of(artefact)
    for _ in range(25):
        content = bytearray(artefact.read_bytes())
        content[int(random.integers(len(content)))] ^= 1 << int(random.integers(8))
        path.write_bytes(content)
        try:
            nc.load(path)
        except nc.ArtifactError:
            continue
        assert members_of(path) == members


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100, b"\x00" * 10_000])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.nca").write_bytes(content)
    refused(tmp_path / "other.nca", "cannot be read as an artefact")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.nca", "No such file or directory")
    refused(tmp_path, "Is a directory")


@pytest.mark.parametrize("name", ["weights.safetensors", "ir/snn-integer.mlir", "ir/ann-imported.mlir"])
def test_a_changed_member_is_refused(artefact: Path, tmp_path: Path, name: str) -> None:
    members = members_of(artefact)
    members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])
    refused(write(tmp_path / "m.nca", members), f"{name} is damaged: its content does not match its hash")


def test_a_wrong_hash_is_refused(artefact: Path, tmp_path: Path) -> None:
    members = members_of(artefact)
    manifest = json.loads(members["manifest.json"])
    manifest["members"]["weights.safetensors"] = "0" * 64
    members["manifest.json"] = json.dumps(manifest).encode()
    refused(write(tmp_path / "m.nca", members), "weights.safetensors is damaged")


@pytest.mark.parametrize("name", ["weights.safetensors", "manifest.json", "ir/snn-integer.mlir", "ir/cpu.mlir"])
def test_a_missing_member_is_refused(artefact: Path, tmp_path: Path, name: str) -> None:
    members = members_of(artefact)
    del members[name]
    refused(write(tmp_path / "m.nca", members), "is missing, so this is no artefact|lists other members")


@pytest.mark.parametrize("version", [0, 2, "1", 1.0, True, None])
def test_another_format_version_is_refused(artefact: Path, tmp_path: Path, version: object) -> None:
    members = rehashed(members_of(artefact), format_version=version)
    message = rf"format version {version!r}, written by neurocuda '.*'; this neurocuda .* reads version 1: compile"
    refused(write(tmp_path / "m.nca", members), message)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b'{"format": "other"}', b"[" * 100_000, b"\xff"])
def test_a_manifest_that_is_none_is_refused(artefact: Path, tmp_path: Path, content: bytes) -> None:
    members = members_of(artefact) | {"manifest.json": content}
    refused(write(tmp_path / "m.nca", members), "the manifest is no JSON of an artefact")


@pytest.mark.parametrize("field", ["target", "code", "conversion", "preprocessing", "levels", "facts", "name"])
@pytest.mark.parametrize("value", [3, [3], {"a": {}}])
def test_a_manifest_with_odd_fields_is_refused_or_harmless(
    artefact: Path, tmp_path: Path, field: str, value: object
) -> None:
    path = write(tmp_path / "m.nca", rehashed(members_of(artefact), **{field: value}))
    try:
        nc.load(path)
    except nc.ArtifactError:
        return
    assert field in ("facts", "name")


def test_a_manifest_that_is_too_large_is_refused(artefact: Path, tmp_path: Path) -> None:
    members = members_of(artefact) | {"manifest.json": b" " * (LARGEST_MANIFEST + 1)}
    refused(write(tmp_path / "m.nca", members), "the manifest is too large")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_appears_twice_is_refused(artefact: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "m.nca", members_of(artefact))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("weights.safetensors", b"other")
    refused(path, "a member appears twice")


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../out.mlir", "ir/../../out.mlir", "target/../x.c", "target/.hidden", "a.py", "ir/x.so"),
        *("target/folder/../../x.c", "target/folder/.hidden", "target//x.c", "target/folder/"),
    ],
)
def test_names_of_other_places_are_refused(artefact: Path, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.parent.iterdir())
    members = rehashed(members_of(artefact) | {name: b"content"})
    refused(write(tmp_path / "m.nca", members), "does not belong into an artefact")
    assert sorted(tmp_path.parent.iterdir()) == before


def test_links_are_refused(artefact: Path, tmp_path: Path) -> None:
    def link(entry: zipfile.ZipInfo) -> None:
        if entry.filename == "weights.safetensors":
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16

    refused(write(tmp_path / "m.nca", members_of(artefact), edit=link), "is a link or a device")


def test_compressed_members_are_refused(artefact: Path, tmp_path: Path) -> None:
    """So no small file can unfold to a large one."""

    def compress(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = zipfile.ZIP_DEFLATED

    bomb = rehashed(members_of(artefact) | {"target/zeros": bytes(50_000_000)})
    path = write(tmp_path / "m.nca", bomb, edit=compress)
    assert path.stat().st_size < 1_000_000
    refused(path, "is compressed; artefacts are not")


def test_members_that_claim_to_be_huge_are_refused(artefact: Path, tmp_path: Path) -> None:
    content = bytearray(artefact.read_bytes())
    for place in entries_for(content, b"weights.safetensors"):
        content[place : place + 8] = (2**32 - 2).to_bytes(4, "little") * 2
    (tmp_path / "m.nca").write_bytes(content)
    refused(tmp_path / "m.nca", "its members claim to be larger than the file")


def entries_for(content: bytearray, name: bytes) -> Iterator[int]:
    """Where the two sizes of a member stand in the directory of a zip."""
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        if content.startswith(name, start + 46):
            yield start + 20
        start = content.find(b"PK\x01\x02", start + 1)


# Nothing in a file is executed


def test_code_in_the_file_is_not_what_runs(artefact: Path, tmp_path: Path, compiled: Compiled, images: Floats) -> None:
    """The C code and the target's level are for reading: what runs is made again from the level `snn-integer`."""
    members = members_of(artefact)
    for name in members:
        if name.startswith("target/") and name.endswith(".c"):
            members[name] = b"#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { abort(); }\n"
    members["ir/cpu.mlir"] = b"func.func @main() {\n  func.return\n}\n"
    loaded = nc.load(write(tmp_path / "m.nca", rehashed(members)))
    np.testing.assert_array_equal(loaded.run(images).outputs, compiled.run(images).outputs)


def test_ir_that_is_none_is_refused(artefact: Path, tmp_path: Path) -> None:
    for text in (b"", b"import os", b"builtin.module {", b'"python.run"() : () -> ()', b"\xff"):
        members = rehashed(members_of(artefact) | {"ir/snn-integer.mlir": text})
        refused(write(tmp_path / "m.nca", members), "ir/snn-integer.mlir:|expected a function @main")


def test_weights_that_do_not_fit_are_refused(artefact: Path, tmp_path: Path) -> None:
    members = rehashed(members_of(artefact) | {"weights.safetensors": b"\x02" + bytes(7) + b"{}"})
    with pytest.raises(nc.NeuroCudaError):
        nc.load(write(tmp_path / "m.nca", members)).run(np.zeros((1, 3, 8, 8), np.float32))


# Places that cannot be written


def test_a_full_disk_leaves_nothing_behind(artefact: Path, tmp_path: Path) -> None:
    program = (
        "import resource, signal, neurocuda as nc\n"
        f"compiled = nc.load({str(artefact)!r})\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"try: compiled.save({str(tmp_path / 'out.nca')!r})\n"
        "except nc.WriteError as reason: print(reason)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "out.nca: cannot write: File too large" in done.stdout
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; test_files.py stands in for it")
def test_a_read_only_folder_is_told(compiled: Compiled, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(nc.WriteError, match=r"out\.nca: cannot write: Permission denied"):
        compiled.save(folder / "out.nca")
