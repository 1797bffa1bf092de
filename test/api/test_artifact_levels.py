"""A manifest cannot say anything of a network that is not so, even where all hashes are right."""

from __future__ import annotations

import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.compiled import Compiled

Floats = NDArray[np.float32]


def rewritten(compiled: Compiled, folder: Path, **changes: Any) -> Path:
    """An artefact whose manifest has been changed, with members it does not list left out."""
    source, target = folder / "source.nca", folder / "changed.nca"
    compiled.save(source)
    with zipfile.ZipFile(source) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    manifest = json.loads(members.pop("manifest.json")) | changes
    manifest["members"] = {name: sha256(data).hexdigest() for name, data in members.items()}
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def test_an_unchanged_manifest_is_read(compiled: Compiled, tmp_path: Path) -> None:
    assert nc.load(rewritten(compiled, tmp_path)).code == "unary"


@pytest.mark.parametrize("code", ["free", "zz", 7, None])
def test_the_code_has_to_be_the_networks(compiled: Compiled, tmp_path: Path, code: object) -> None:
    with pytest.raises(nc.ArtifactError, match='and the network has code "unary"'):
        nc.load(rewritten(compiled, tmp_path, code=code))


def test_no_level_may_be_missing(compiled: Compiled, tmp_path: Path) -> None:
    with pytest.raises(nc.ArtifactError, match="the manifest lists no level ann-imported, ann-convertible"):
        nc.load(rewritten(compiled, tmp_path, levels=["snn-integer", "cpu"]))


@pytest.mark.parametrize("code", ["unary", "free"])
def test_what_was_compared_is_told_again(model: nn.Module, images: Floats, tmp_path: Path, code: str) -> None:
    """Of a free-running network too, whose residuals say how far its spikes are from the integers."""
    conversion = nc.Conversion(timesteps=7, code=code)
    compiled = nc.compile(model, target="cpu", calibration=images, conversion=conversion)
    before = compiled.validate(images[:8])
    compiled.save(tmp_path / "small.nca")
    loaded = nc.load(tmp_path / "small.nca")
    assert loaded.validation is not None
    assert loaded.validation.headline.startswith("validated on 8 images before saving: passed, 0 of")
    assert str(loaded.validation).splitlines()[1:] == str(before).splitlines()[1:]
    assert ("neurons off" in str(loaded.certificate())) == (code == "free")


@pytest.mark.parametrize("value", [3, {"images": "many"}, {"images": 3, "exact": [{"before": 1}]}])
def test_what_was_compared_has_to_make_sense(compiled: Compiled, tmp_path: Path, value: object) -> None:
    with pytest.raises(nc.ArtifactError, match="the manifest is malformed"):
        nc.load(rewritten(compiled, tmp_path, validation=value))
