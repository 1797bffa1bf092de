"""What is written for Loihi: Python that can be read, the same every time, whatever a model calls its layers."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import FileLineColLoc, IntAttr, NameLoc, StringAttr

from neurocuda.backends.loihi import BACKEND
from neurocuda.backends.loihi.emit import emit_files, printed_programs
from neurocuda.backends.loihi.python_text import Names, comment
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.errors import LevelError, TargetError
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.files import write_all
from neurocuda.ir.origin import set_origin
from neurocuda.ir.parsing import parse_module
from neurocuda.testing_loihi import random_loihi_network

RESIDUAL = """
func.func @main(%x: tensor<2x3x4xi8>) -> tensor<5xi32> {
  %r = loihi.stimulus %x factors [1, -2] {nc.origin = "image"} : tensor<2x3x4xi8> -> tensor<2x4x3x2xi32>
  %y = loihi.network steps 9 inputs(%r) {
  ^bb0(%i: tensor<2x4x3x2xi32>):
    %0 = loihi.source %i : tensor<2x4x3x2xi32> -> tensor<4x3x2xi32>
    %1 = loihi.conv %0 weight(dense<2> : tensor<2x3x3x2xi8>) padding [1, 1] sign_mode "mixed" message_bits 8
      : tensor<4x3x2xi32> -> tensor<4x3x2xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 0 vth 25 bias_mant(dense<[1, 2]> : tensor<2xi16>) bias_exp 6
      tiles [3, 1, 1] chips [0, 0, 1] cores [5, 4, 0] {nc.origin = "layer1.0.relu"}
      : (tensor<4x3x2xi24>) -> tensor<4x3x2xi1>, tensor<4x3x2xi24>
    %4 = loihi.transpose %2 permutation [2, 1, 0] : tensor<4x3x2xi1> -> tensor<2x3x4xi1>
    %5 = loihi.reshape %4 : tensor<2x3x4xi1> -> tensor<24xi1>
    %6 = loihi.dense %5 weight(dense<4> : tensor<5x24xi16>) sign_mode "excitatory" delay 3
      : tensor<24xi1> -> tensor<5xi24>
    %7, %8 = loihi.integrate_and_fire %6 threshold(dense<90> : tensor<1xi32>) fire [2, 7] {nc.origin = "fc"}
      : (tensor<5xi24>) -> tensor<5xi1>, tensor<5xi24>
    loihi.output %8 : tensor<5xi24>
  } : (tensor<2x4x3x2xi32>) -> (tensor<9x5xi24>)
  %z = loihi.readout %y "last" divisor 2 {nc.origin = "logits"} : tensor<9x5xi24> -> tensor<5xi32>
  func.return %z : tensor<5xi32>
}
"""

BODY = '''
def build(rows, w):
    """The processes by name, for what the sources send and the weights of the network."""
    # -:6
    image = RingBuffer(data=rows["image"])

    # -:7
    conv = Conv(weight=w["conv.weight"], input_shape=(4, 3, 2), padding=(1, 1), num_message_bits=8)
    image.s_out.connect(conv.s_in)

    # layer1.0.relu, -:9; on chip 0: cores 4-5; on chip 1: core 0
    layer1_0_relu = LIF(
        shape=(4, 3, 2),
        du=4095,
        dv=0,
        vth=25,
        bias_mant=per_neuron(w["layer1_0_relu.bias_mant"], (4, 3, 2)),
        bias_exp=6,
    )
    conv.a_out.connect(layer1_0_relu.a_in)

    # -:14
    dense = DelayDense(
        weights=w["dense.weight"], delays=3, max_delay=3, sign_mode=SignMode.EXCITATORY, num_weight_bits=8
    )
    layer1_0_relu.s_out.transpose((2, 1, 0)).reshape((24,)).connect(dense.s_in)

    # fc, -:16
    fc = IntegrateAndFire(shape=(5,), threshold=90, fire=(2, 7))
    dense.a_out.connect(fc.a_in)

    return {"layer1_0_relu": layer1_0_relu, "fc": fc}
'''


def files_of(text: str) -> Mapping[str, bytes]:
    """What is written for a module."""
    context = create_context()
    return emit_files(parse_module(context, text), weights_of(context))


def test_a_program_reads_like_one_that_people_write() -> None:
    code = files_of(RESIDUAL)["model_lava.py"].decode()
    assert BODY in code
    assert 'INPUTS = {"image": Input((2, 3, 4), graded=True, factors=(1, -2))}' in code
    assert 'OUTPUTS = {"logits": Output("fc.v", read="last", divisor=2, skip=0)}' in code
    assert 'GROUPS = {"layer1_0_relu": Group("v"), "fc": Group("v")}' in code


def test_weights_are_kept_narrow_beside_the_program() -> None:
    with np.load(BytesIO(files_of(RESIDUAL)["weights.npz"]), allow_pickle=False) as weights:
        assert {name: str(weights[name].dtype) for name in weights.files} == dict.fromkeys(
            ("conv.weight", "layer1_0_relu.bias_mant", "dense.weight"), "int8"
        )


def test_everything_that_runs_it_comes_along() -> None:
    beside = [name for name in files_of(RESIDUAL) if "/" in name]
    assert {name.partition("/")[0] for name in beside} == {"lava_program", "loihi_processes"}
    assert "loihi_processes/integrate_and_fire.py" in beside
    assert not any(b"neurocuda" in content.lower() for name, content in files_of(RESIDUAL).items() if name in beside)


@pytest.mark.parametrize("seed", range(12))
def test_programs_are_formatted_compile_and_are_the_same_every_time(seed: int, tmp_path: Path) -> None:
    network, again = random_loihi_network(seed), random_loihi_network(seed)
    files = emit_files(network.module, network.weights)
    assert files == emit_files(again.module, again.weights)
    write_all({tmp_path / name: content for name, content in files.items()})
    for path in tmp_path.rglob("*.py"):
        compile(path.read_text(encoding="ascii"), path, "exec")
    command = [sys.executable, "-m", "ruff", "format", "--check", "--line-length", "120", "model_lava.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


HOSTILE = (
    'x"\nimport os; os.abort()\n"',
    "class",
    "import",
    "rows",
    "1.2.3",
    "",
    "''' + __import__('os') + '''",
    "Größe \u2028 \ud800 coding: latin-1",
    "w" * 300,
    "w" * 301,
    "lambda: 0",
    "np",
)


@pytest.mark.parametrize("seed", range(4))
def test_names_of_a_model_are_words_and_nothing_else(seed: int) -> None:
    """No name reaches the program but cleaned: as one identifier, and in a comment."""
    plain, network = random_loihi_network(seed), random_loihi_network(seed)
    for place, op in enumerate(each for each in network.module.walk() if each.name.startswith("loihi.")):
        text = HOSTILE[(seed + place) % len(HOSTILE)]
        set_origin(op, text)
        line = FileLineColLoc(StringAttr(text), IntAttr(3), IntAttr(1))
        op.location = NameLoc(StringAttr(text), line)
    (before,), (after,) = (printed_programs(each.module, each.weights) for each in (plain, network))
    shapes = [
        [type(node).__name__ for node in ast.walk(ast.parse(each.files[each.script]))] for each in (before, after)
    ]
    assert shapes[0] == shapes[1], "the same program, but for its names"
    names = {node.id for node in ast.walk(ast.parse(after.files[after.script])) if isinstance(node, ast.Name)}
    assert all(name.isascii() and name.isidentifier() and len(name) < 50 for name in names)
    assert all(line.isascii() and line.isprintable() for line in after.files[after.script].decode().split("\n"))


def test_identifiers_are_told_apart() -> None:
    names = Names(["taken"])
    given = [names.take(text, "dense") for text in ("taken", "Taken", "a.b", "a b", "if", "7", "\n", "\n")]
    assert given == ["taken_2", "taken_3", "a_b", "a_b_2", "if_2", "_7", "dense", "dense_2"]


def test_comments_stay_comments() -> None:
    assert comment("model.py:3\nimport os\r\x00") == "model.py:3_import os_"
    assert len(comment("a" * 1000)) == 100


SECOND = """
  %a = loihi.stimulus %x factors [1] : tensor<2x3x4xi8> -> tensor<1x4x3x2xi32>
  %b = loihi.network steps 2 inputs(%a) {
  ^bb0(%k: tensor<1x4x3x2xi32>):
    %s = loihi.source %k : tensor<1x4x3x2xi32> -> tensor<4x3x2xi32>
    loihi.output %s : tensor<4x3x2xi32>
  } : (tensor<1x4x3x2xi32>) -> (tensor<2x4x3x2xi32>)
"""


def test_several_networks_become_several_programs() -> None:
    files = files_of(RESIDUAL.replace("  func.return", f"{SECOND}  func.return"))
    assert {"model_lava.py", "weights.npz", "model_lava_1.py", "weights_1.npz"} <= set(files)
    assert b'weights="weights_1.npz"' in files["model_lava_1.py"]
    assert b'return {"input": input}' in files["model_lava_1.py"]


def test_what_is_no_network_for_loihi_is_refused() -> None:
    with pytest.raises(LevelError, match="level loihi"):
        files_of("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> { %y = arith.addf %x, %x : tensor<2xf32> "
                 "func.return %y : tensor<2xf32> }")  # fmt: skip
    with pytest.raises(LevelError, match="3 for one, are not among mixed 8-bit weights"):
        files_of(RESIDUAL.replace("dense<2> : tensor<2x3x3x2xi8>", "dense<3> : tensor<2x3x3x2xi8>"))


def test_no_file_is_written_outside_of_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    network = random_loihi_network(0)
    for name in ("../model.py", "folder/../../model.py", "/model.py"):

        def astray(*_: object, name: str = name) -> Mapping[str, bytes]:
            return {name: b""}

        monkeypatch.setattr("neurocuda.backends.loihi.emit.emit_files", astray)
        with pytest.raises(TargetError, match="emits files outside of their folder"):
            BACKEND.emit(network.module, network.weights)


def test_exported_files_lie_in_their_folders(tmp_path: Path) -> None:
    network = random_loihi_network(0)
    write_all(
        {tmp_path / "out" / name: content for name, content in BACKEND.emit(network.module, network.weights).items()}
    )
    assert (tmp_path / "out" / "loihi_processes" / "integrate_and_fire.py").is_file()


def test_all_operations_are_seen_by_the_random_networks() -> None:
    kinds = {type(op) for seed in range(12) for op in random_loihi_network(seed).module.walk()}
    assert kinds >= {
        loihi.ConvOp,
        loihi.DenseOp,
        loihi.SparseOp,
        loihi.LifOp,
        loihi.SigmaDeltaOp,
        loihi.IntegrateAndFireOp,
    }
