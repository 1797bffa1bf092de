"""`.pt2` files: read where they hold a network, refused where they hold anything else."""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from neurocuda.errors import InputError, ModelError, UnsupportedModelError
from neurocuda.frontend.export import quiet
from neurocuda.frontend.pt2 import load_program
from neurocuda.frontend.torch_export import import_torch
from neurocuda.ir.context import create_context, weights_of
from neurocuda.reference.interpreter import interpret


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)).eval()


def exported(model: nn.Module, *shape: int, axes: Mapping[int, str] | None = None) -> ExportedProgram:
    dynamic = None if axes is None else ({axis: Dim(name) for axis, name in axes.items()},)
    with quiet():
        return torch.export.export(model, (torch.randn(shape),), dynamic_shapes=dynamic)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A network with a symbolic batch."""
    path = tmp_path / "network.pt2"
    with quiet():
        torch.export.save(exported(network(), 2, 3, 6, 6, axes={0: "batch"}), path)
    return path


@pytest.mark.parametrize(("images", "axes"), [(2, {0: "batch"}), (1, None), (3, None)])
def test_a_saved_network_is_imported(
    close: Callable[..., None], tmp_path: Path, images: int, axes: Mapping[int, str] | None
) -> None:
    model, path, context = network(), tmp_path / "saved.pt2", create_context()
    program = exported(model, images, 3, 6, 6, axes=axes)
    with quiet():
        torch.export.save(program, path)
    batch = torch.randn(4, 3, 6, 6)
    for source in (path, program):
        module = import_torch(source, context=context)
        module.verify()
        close(interpret(module, weights_of(context), [batch.numpy()])[0], model(batch))
    assert str(import_torch(path, context=context).attributes["nc.name"]) == '"saved"'


def test_a_program_is_left_alone() -> None:
    program = exported(network(), 1, 3, 6, 6)
    before = str(program.graph)
    import_torch(program, context=create_context())
    assert str(program.graph) == before


def test_a_program_in_training_mode_is_refused() -> None:
    program = exported(network().train(), 2, 3, 6, 6)
    with pytest.raises(UnsupportedModelError, match=r"`aten.*batch_norm.*` \(1\): it is in training mode"):
        import_torch(program, context=create_context())


def test_a_program_says_its_shape(saved: Path) -> None:
    import_torch(saved, torch.zeros(1, 3, 6, 6), input_shape=(3, 6, 6), context=create_context())
    with pytest.raises(InputError, match=r"takes shape \(3, 6, 6\), not \(3, 5, 5\)"):
        import_torch(saved, torch.zeros(1, 3, 5, 5), context=create_context())
    with pytest.raises(InputError, match=r"takes shape \(3, 6, 6\), not \(3, 7, 7\)"):
        import_torch(saved, input_shape=(3, 7, 7), context=create_context())


def test_other_dynamic_axes_are_refused() -> None:
    program = exported(nn.ReLU(), 2, 3, 6, axes={0: "batch", 2: "width"})
    with pytest.raises(ModelError, match=r"dynamic axes \[2\] besides the batch"):
        import_torch(program, context=create_context())


def test_broken_weights_are_named() -> None:
    model = network()
    next(model.parameters()).data[0] = float("nan")
    with pytest.raises(ModelError, match=r"NaN or infinity: '0\.weight'"):
        import_torch(exported(model, 1, 3, 6, 6), context=create_context())


# Damage.


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        load_program(tmp_path / "missing.pt2")


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file(saved: Path, part: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ModelError, match=r"no \.pt2 file, or is damaged") as caught:
        load_program(saved)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_is_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ModelError, match=r"no \.pt2 file, or is damaged") as caught:
        load_program(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"not a zip", b"PK\x03\x04" + bytes(60)])
def test_another_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.pt2"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"no \.pt2 file"):
        load_program(path)


def test_a_state_dictionary_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(network().state_dict(), path)
    with pytest.raises(ModelError, match=r"models/model\.json is missing"):
        load_program(path)


# Code in files.


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    path.write_bytes(stream.getvalue())


def edited(members: dict[str, bytes], name: str, edit: Callable[[dict[str, object]], None]) -> None:
    (full,) = (member for member in members if member.endswith(name))
    value = cast(dict[str, object], json.loads(members[full]))
    edit(value)
    members[full] = json.dumps(value).encode()


def nothing(_program: dict[str, object]) -> None:
    """Changes nothing."""


def test_a_rewritten_file_is_still_read(saved: Path) -> None:
    rewritten(saved, lambda members: edited(members, "models/model.json", nothing))
    load_program(saved)


def test_examples_are_not_unpickled(saved: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def change(members: dict[str, bytes]) -> None:
        (name,) = (member for member in members if "sample_inputs" in member)
        stream = io.BytesIO()
        torch.save([Trap(mark)], stream)
        members[name] = stream.getvalue()

    rewritten(saved, change)
    load_program(saved)
    assert not mark.exists()


def test_pickled_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def pickled(configuration: dict[str, object]) -> None:
        cast(dict[str, dict[str, object]], configuration["config"])["0.weight"]["use_pickle"] = True

    def change(members: dict[str, bytes]) -> None:
        edited(members, "weights_config.json", pickled)
        members["network/data/weights/weight_0"] = pickle.dumps(Trap(mark))

    rewritten(saved, change)
    with pytest.raises(ModelError, match=r"is refused: '0\.weight' is a pickled object"):
        load_program(saved)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["opaque_obj_0", "custom_obj_0", "../escape"])
def test_pickled_objects_are_refused(saved: Path, name: str) -> None:
    def change(configuration: dict[str, object]) -> None:
        payload = {"path_name": name, "is_param": False, "use_pickle": False, "tensor_meta": None}
        cast(dict[str, object], configuration["config"])["thing"] = payload

    rewritten(saved, lambda members: edited(members, "constants_config.json", change))
    with pytest.raises(ModelError, match="'thing' is a pickled object"):
        load_program(saved)


def test_guards_are_not_executed(saved: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    def change(program: dict[str, object]) -> None:
        program["guards_code"] = [f"__import__('pathlib').Path({str(mark)!r}).touch()"]

    rewritten(saved, lambda members: edited(members, "models/model.json", change))
    import_torch(saved, context=create_context())
    assert not mark.exists()


@pytest.mark.parametrize(
    "target",
    ["torch.os.system", "torch.ops.load_library", "torch.ops.aten.__class__.mro", "torch.ops.aten.from_file.default"],
)
def test_other_functions_are_not_called(saved: Path, target: str) -> None:
    rewritten(saved, _replacing('"torch.ops.aten.relu.default"', json.dumps(target)))
    with pytest.raises(ModelError, match="which is no ATen operation"):
        load_program(saved)


@pytest.mark.parametrize(
    "expression",
    ["__import__('os').system('true')", "eval(chr(49))", "Symbol('s77').__class__", "[x for x in (1,)]", "lambda: 0"],
)
def test_expressions_are_arithmetic(saved: Path, expression: str) -> None:
    rewritten(saved, _replacing(r"Symbol\('s\d+', positive=True, integer=True\)", expression))
    with pytest.raises(ModelError, match="more than arithmetic"):
        load_program(saved)


def test_modules_are_not_imported_by_name(saved: Path) -> None:
    def change(program: dict[str, object]) -> None:
        program["extra"] = json.dumps([1, {"type": "builtins.dict", "context": '{"\\u005f_enum__": true}'}])

    rewritten(saved, lambda members: edited(members, "models/model.json", change))
    with pytest.raises(ModelError, match="are Python objects"):
        load_program(saved)


def _replacing(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    """Replaces a pattern in the graph, which must hold it."""

    def change(members: dict[str, bytes]) -> None:
        (name,) = (member for member in members if member.endswith("models/model.json"))
        text, count = re.subn(old, lambda _: new, members[name].decode())
        assert count
        members[name] = text.encode()

    return change
