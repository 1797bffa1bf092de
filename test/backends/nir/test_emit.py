"""The file: what `nir` reads back is the graph, node by node; its bytes depend on nothing else; it appears whole."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

import neurocuda as nc
from neurocuda.backends.nir.emit import KINDS, emit_files
from neurocuda.dialects.nir import ops as nir
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module

Array = NDArray[Any]
ROOT = Path(__file__).resolve().parents[3]
package: Any = import_module("nir")

ONE = """
func.func @main(%x: tensor<2x!ann.count<0, 7>>) -> tensor<2xf32> {
  %y = nir.graph "small" dt 0.5 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x!ann.count<0, 7>>):
    %0 = nir.input "input"(%a) "once" : tensor<2x!ann.count<0, 7>> -> tensor<2xf32>
    %1 = nir.i "sum"(%0, %2) r(dense<2.0> : tensor<1xf32>) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %2 = nir.scale "back"(%1) scale(dense<[0.5, -0.5]> : tensor<2xf32>) : (tensor<2xf32>) -> tensor<2xf32>
    nir.output %1 "last" : tensor<2xf32>
  } : (tensor<2x!ann.count<0, 7>>) -> (tensor<2xf32>)
  func.return %y : tensor<2xf32>
}
"""


def written(text: str, folder: Path) -> Any:
    """The graph that `nir` reads from the only file of a module."""
    context = create_context()
    ((name, content),) = emit_files(parse_module(context, text), weights_of(context)).items()
    (folder / name).write_bytes(content)
    return package.read(folder / name)


def test_a_graph_is_read_back_as_it_was_said(tmp_path: Path) -> None:
    graph = written(ONE, tmp_path)
    assert (tmp_path / "small.nir").is_file()
    assert {name: type(node).__name__ for name, node in graph.nodes.items()} == {
        "input": "Input",
        "sum": "I",
        "back": "Scale",
        "output": "Output",
    }
    assert set(graph.edges) == {("input", "sum"), ("back", "sum"), ("sum", "back"), ("sum", "output")}
    np.testing.assert_array_equal(graph.nodes["sum"].r, [2, 2])  # one per neuron
    np.testing.assert_array_equal(graph.nodes["back"].scale, [0.5, -0.5])
    assert graph.metadata["dt"] == 0.5
    assert graph.metadata["steps"] == 3


def test_every_node_of_the_dialect_can_be_written(tmp_path: Path) -> None:
    """The text of the dialect's own round trip, without the groups that nir 1.0.8 gets wrong."""
    text = (ROOT / "test" / "dialects" / "nir" / "ops.mlir").read_text()
    text = text.replace("tensor<2x1x3x3xf32>", "tensor<2x2x3x3xf32>").replace("tensor<2x1x3xf32>", "tensor<2x2x3xf32>")
    graph = written(text.replace(" groups 2", ""), tmp_path)
    kinds = {type(node).__name__ for node in graph.nodes.values()}
    assert kinds == {*KINDS.values(), "Input", "Output"}
    assert set(KINDS) == {op for op in nir.DIALECT.operations if issubclass(op, nir.NodeOp)}


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ("weight(dense<1.0> : tensor<2x2x1x3xf32>) bias(dense<0.0> : tensor<2xf32>) padding [0, 1]", "not square"),
        ("weight(dense<1.0> : tensor<2x1x3x3xf32>) bias(dense<0.0> : tensor<2xf32>) padding [1, 1] groups 2", "groups"),
    ],
)
def test_what_nir_would_give_a_wrong_type_is_refused(node: str, why: str, tmp_path: Path) -> None:
    kind = "tensor<2x4x4xf32>"
    text = f"""
    func.func @main(%x: {kind}) -> {kind} {{
      %y = nir.graph "net" dt 1.0 steps 1 inputs(%x) {{
      ^bb0(%a: {kind}):
        %0 = nir.input "input"(%a) "once" : {kind} -> {kind}
        %1 = nir.conv2d "conv"(%0) {node} : ({kind}) -> {kind}
        nir.output %1 "last" : {kind}
      }} : ({kind}) -> ({kind})
      func.return %y : {kind}
    }}"""
    with pytest.raises(nc.LevelError, match=why):
        written(text, tmp_path)


@pytest.fixture(name="compiled", scope="module")
def fixture_compiled() -> nc.Compiled:
    """A small network for target nir."""
    import torch

    torch.default_generator.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 4)).eval()
    return nc.compile(
        model,
        target="nir",
        calibration=torch.randn(32, 2, 6, 6),
        conversion=nc.Conversion(timesteps=3, calibration="mse"),
    )


def test_a_compiled_network_is_exported(compiled: nc.Compiled, tmp_path: Path) -> None:
    (path,) = compiled.export(tmp_path / "deep" / "folder")
    assert path == tmp_path / "deep" / "folder" / "network.nir"
    first = path.read_bytes()
    assert package.read(path).nodes
    assert compiled.export(tmp_path / "deep" / "folder") == (path,)
    assert path.read_bytes() == first, "the same network gives the same bytes"
    assert [each.name for each in path.parent.iterdir()] == ["network.nir"], "nothing half-written is left"


def test_what_stands_in_the_way_of_writing(compiled: nc.Compiled, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(nc.WriteError, match="file"):
        compiled.export(tmp_path / "file" / "folder")
    with pytest.raises(nc.OptionError, match="path"):
        compiled.export(3)  # pyright: ignore[reportArgumentType]


def test_without_the_package_nothing_is_written(
    compiled: nc.Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(nc.ToolchainError, match=r"neurocuda\[nir\]"):
        compiled.export(tmp_path)
    assert not list(tmp_path.iterdir())
    compiled.run(np.zeros((1, 2, 6, 6), np.float32))


def test_an_artefact_holds_the_file_and_loads(compiled: nc.Compiled, tmp_path: Path) -> None:
    compiled.save(tmp_path / "net.nca")
    loaded = nc.load(tmp_path / "net.nca")
    assert loaded.target == "nir:exact"
    (one,) = compiled.export(tmp_path / "one")
    (other,) = loaded.export(tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    assert "nir.threshold" in loaded.ir()
