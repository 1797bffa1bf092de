"""Networks run in Lava, by way of their program; and what is said where Lava is missing, crashes or hangs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from neurocuda.backends.loihi import lava
from neurocuda.backends.loihi.run import LoihiProgram, availability, load
from neurocuda.errors import InputError, OptionError, ToolchainError
from neurocuda.ir.backend import RunOptions
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.program import ReferenceProgram

from .conftest import Pretend

Array = NDArray[Any]

NETWORK = """
func.func @main(%x: tensor<2x3x4xf32>) -> tensor<5xf32> {
  %q = host.quantize %x step(dense<0.5> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
    scale(dense<0.5> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
    : tensor<2x3x4xf32> -> tensor<2x3x4x!ann.count<-7, 7>>
  %r = loihi.stimulus %q factors [1, -2] : tensor<2x3x4x!ann.count<-7, 7>> -> tensor<2x4x3x2xi32>
  %y = loihi.network steps 9 inputs(%r) {
  ^bb0(%i: tensor<2x4x3x2xi32>):
    %0 = loihi.source %i : tensor<2x4x3x2xi32> -> tensor<4x3x2xi32>
    %1 = loihi.conv %0 weight(dense<2> : tensor<3x3x3x2xi8>) padding [1, 1] sign_mode "mixed" message_bits 8
      : tensor<4x3x2xi32> -> tensor<4x3x3xi24>
    %c = loihi.pulses steps [1, 3] payloads [5, -2] : tensor<4x3x1xi32>
    %b = loihi.conv %c weight(dense<[[[[2]]], [[[-4]]], [[[6]]]]> : tensor<3x1x1x1xi8>) sign_mode "mixed" message_bits 8
      : tensor<4x3x1xi32> -> tensor<4x3x3xi24>
    %2, %3 = loihi.lif %1, %b du 4095 dv 0 vth 3 until 8 {nc.origin = "relu"}
      : (tensor<4x3x3xi24>, tensor<4x3x3xi24>) -> tensor<4x3x3xi1>, tensor<4x3x3xi24>
    %4 = loihi.transpose %2 permutation [2, 1, 0] : tensor<4x3x3xi1> -> tensor<3x3x4xi1>
    %5 = loihi.reshape %4 : tensor<3x3x4xi1> -> tensor<36xi1>
    %6 = loihi.dense %5 weight(dense<4> : tensor<5x36xi16>) sign_mode "excitatory" delay 1
      : tensor<36xi1> -> tensor<5xi24>
    %7, %8 = loihi.integrate_and_fire %6 threshold(dense<90> : tensor<1xi32>) fire [2, 7] {nc.origin = "fc"}
      : (tensor<5xi24>) -> tensor<5xi1>, tensor<5xi24>
    loihi.output %8 : tensor<5xi24>
  } : (tensor<2x4x3x2xi32>) -> (tensor<9x5xi24>)
  %z = loihi.readout %y "last" divisor 2 : tensor<9x5xi24> -> tensor<5xi32>
  %f = host.dequantize %z scale(dense<0.25> : tensor<1xf64>) : tensor<5xi32> -> tensor<5xf32>
  func.return %f : tensor<5xf32>
}
"""


def program(text: str = NETWORK) -> tuple[LoihiProgram, ReferenceProgram]:
    """A network for Lava, and as it is interpreted."""
    context = create_context()
    module, weights = parse_module(context, text), weights_of(context)
    return load(module, weights), ReferenceProgram(module, weights, lambda _: True)


def images(count: int) -> Array:
    """Images for it."""
    return np.random.default_rng(0).normal(0, 1.5, (count, 2, 3, 4)).astype(np.float32)


# With Lava


def test_outputs_and_counts_are_the_interpreters(real_lava: lava.Lava) -> None:
    ours, reference = program()
    told: list[tuple[int, int]] = []
    options = RunOptions(counts=True, progress=lambda done, of: told.append((done, of)))
    found, expected = ours.run([images(2)], options), reference.run([images(2)], RunOptions(counts=True))
    np.testing.assert_array_equal(found.outputs[0], expected.outputs[0])
    assert found.outputs[0].any()
    assert set(found.counts) == {"relu", "fc"}
    for name, counts in found.counts.items():
        np.testing.assert_array_equal(counts, expected.counts[name])
    assert found.counts["relu"].shape == (2, 3, 3, 4)
    assert found.counts["relu"].max() > 1, "spikes say how many steps are left"
    assert told == [(1, 2), (2, 2)]
    assert found.provenance == f"simulator: lava-nc {real_lava.version} Loihi2SimCfg(fixed_pt)"
    assert found.steps == expected.steps == 9


def test_a_program_takes_and_gives_integers(real_lava: lava.Lava) -> None:
    """As on the command line: what `loihi.stimulus` reads, and what `loihi.readout` gives."""
    ours, reference = program()
    (printed,) = ours.programs
    values = np.random.default_rng(1).integers(-7, 8, (2, 2, 3, 4)).astype(np.int16)
    heard, _ = lava.run_script(real_lava, printed.files, printed.script, {"input": values}, (), lambda _: None)
    (expected,) = reference.run([values * np.float32(0.5)]).outputs
    np.testing.assert_array_equal(heard["output"] * np.float32(0.25), expected)


APART = """
func.func @main(%x: tensor<3x2xi1>, %y: tensor<3x2xi1>) -> (tensor<5x4xi1>, tensor<5x4xi24>, tensor<5x1x2xi1>) {
  %r:3 = loihi.network steps 5 inputs(%x, %y) {
  ^bb0(%i: tensor<3x2xi1>, %j: tensor<3x2xi1>):
    %0 = loihi.source %i : tensor<3x2xi1> -> tensor<2xi1>
    %1 = loihi.dense %0 weight(dense<2> : tensor<4x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<4xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 0 vth 3 : (tensor<4xi24>) -> tensor<4xi1>, tensor<4xi24>
    %4 = loihi.source %j : tensor<3x2xi1> -> tensor<2xi1>
    %5 = loihi.dense %4 weight(dense<8> : tensor<4x2xi8>) sign_mode "mixed" : tensor<2xi1> -> tensor<4xi24>
    %6, %7 = loihi.lif %5 du 4095 dv 0 vth 3 : (tensor<4xi24>) -> tensor<4xi1>, tensor<4xi24>
    %8 = loihi.reshape %0 : tensor<2xi1> -> tensor<1x2xi1>
    loihi.output %6, %3, %8 : tensor<4xi1>, tensor<4xi24>, tensor<1x2xi1>
  } : (tensor<3x2xi1>, tensor<3x2xi1>) -> (tensor<5x4xi1>, tensor<5x4xi24>, tensor<5x1x2xi1>)
  func.return %r#0, %r#1, %r#2 : tensor<5x4xi1>, tensor<5x4xi24>, tensor<5x1x2xi1>
}
"""


@pytest.mark.usefixtures("real_lava")
def test_parts_that_nothing_connects_run_as_well() -> None:
    ours, reference = program(APART)
    inputs = [np.eye(3, 2, k=k, dtype=np.int8)[None] for k in (0, 1)]
    found, expected = ours.run(inputs).outputs, reference.run(inputs).outputs
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.any()


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ({"other": np.zeros((1, 2, 3, 4), np.int8)}, (), "inputs.npz: expected input; found other"),
        ({"input": np.zeros((1, 2, 3), np.int8)}, (), r"input: expected images of shape \(2, 3, 4\), found \(2, 3\)"),
        ({"input": np.zeros((1, 2, 3, 4))}, (), "input: expected integers, found float64"),
        ({"input": np.zeros((0, 2, 3, 4), np.int8)}, (), "inputs.npz: holds no images"),
        ({"input": np.full((1, 2, 3, 4), 2**31)}, (), r"input: its spikes are in .*, outside of -2147483648 \.\.\."),
        ({"input": np.zeros((1, 2, 3, 4), np.int8)}, ("--probe", "x"), "there is no group x; there are relu, fc"),
        ({"input": np.zeros((1, 2, 3, 4), np.int8)}, ("--hardware",), "--hardware needs lava-loihi"),
    ],
)
def test_a_program_says_in_one_line_what_is_wrong(
    real_lava: lava.Lava, inputs: dict[str, Array], options: tuple[str, ...], message: str
) -> None:
    (printed,) = program()[0].programs
    with pytest.raises(InputError, match=message) as found:
        lava.run_script(real_lava, printed.files, printed.script, inputs, options, lambda _: None)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged, or holds the weights of another network"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_damaged_weights_are_refused(real_lava: lava.Lava, content: bytes | None, message: str) -> None:
    (printed,) = program()[0].programs
    files = {name: data for name, data in printed.files.items() if name != "weights.npz"}
    files |= {} if content is None else {"weights.npz": content}
    inputs = {"input": np.zeros((1, 2, 3, 4), np.int8)}
    with pytest.raises(InputError, match=f"weights.npz: {message}"):
        lava.run_script(real_lava, files, printed.script, inputs, (), lambda _: None)


@pytest.mark.parametrize("kept", [0, 10, 200, -1])
def test_damaged_inputs_are_refused(real_lava: lava.Lava, tmp_path: Path, kept: int) -> None:
    np.savez(tmp_path / "whole.npz", input=np.zeros((1, 2, 3, 4), np.int8))
    content = bytearray((tmp_path / "whole.npz").read_bytes()[: kept if kept >= 0 else None])
    if kept < 0:
        content[content.index(b"\x93NUMPY") + 130] ^= 1  # a number in the array
    (tmp_path / "cut.npz").write_bytes(content)
    (printed,) = program()[0].programs
    files = {**printed.files, "cut.npz": (tmp_path / "cut.npz").read_bytes()}
    script = (
        printed.files[printed.script]
        .decode()
        .replace("main(PROGRAM", "import sys; sys.argv[1] = 'cut.npz'; main(PROGRAM")
    )
    files[printed.script] = script.encode()
    with pytest.raises(InputError, match=r"cut.npz: (cannot be read|expected)"):
        lava.run_script(real_lava, files, printed.script, {}, (), lambda _: None)


# Without


def test_a_missing_lava_is_told_when_it_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lava, "HERE", tmp_path / "none")
    monkeypatch.delenv(lava.PYTHON, raising=False)
    ours, _ = program()
    with pytest.raises(ToolchainError, match="Lava, which simulates Loihi 2, is missing: run `make lava`"):
        ours.run([images(1)])
    assert not availability().ready
    assert "`make lava`" in availability().detail


@pytest.mark.parametrize("script", ["exit 1", "echo nothing", "echo 1 2 3", "kill -9 $$"])
def test_a_python_without_lava_is_told(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    monkeypatch.setenv(lava.PYTHON, str(path))
    with pytest.raises(ToolchainError, match="which is no Python that has Lava"):
        lava.find_lava()
    path.chmod(0o755)
    with pytest.raises(ToolchainError, match="which is no Python that has Lava"):
        lava.find_lava()


def test_what_lava_is_there_is_told(pretend: Pretend) -> None:
    pretend("")
    assert availability().detail == "lava-nc 0.10.0, on Python 3.11.7"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise ValueError('boom')", "Lava failed: ValueError: boom"),
        ("import os; os._exit(3)", "Lava failed: it says nothing, and ends with code 3"),
        ("import os; os.kill(os.getpid(), 9)", "Lava failed: it says nothing, and ends with code -9"),
        ("print('image 1 of 1')", "Lava wrote no outputs that can be read"),
        ("open('outputs.npz', 'wb').write(b'PK damaged')", "Lava wrote no outputs that can be read"),
    ],
)
def test_a_crash_is_told_in_one_line(pretend: Pretend, script: str, message: str) -> None:
    pretend(script)
    ours, _ = program()
    with pytest.raises(ToolchainError, match=message) as found:
        ours.run([images(1)])
    assert "\n" not in str(found.value)


HANGS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({!r}, "w").write(str(child.pid))
{}
time.sleep({})
"""


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("stubborn", ["", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_a_program_that_hangs_is_ended_with_all_it_has_started(
    pretend: Pretend, stubborn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(lava.PATIENCE, "1.5")
    monkeypatch.setattr(lava, "GRACE", 0.5)
    pretend(HANGS.format(str(tmp_path / "child"), stubborn, 600))
    ours, _ = program()
    started = time.monotonic()
    with pytest.raises(ToolchainError, match=r"longer than 1\.5 seconds for an image and was ended; NEUROCUDA_LAVA"):
        ours.run([images(1)])
    assert time.monotonic() - started < 20
    assert not is_running(int((tmp_path / "child").read_text()))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="processes are looked for in /proc")
def test_what_a_program_leaves_behind_is_ended(pretend: Pretend, tmp_path: Path) -> None:
    """It writes into the pipe that is listened to, and would be waited for."""
    pretend(HANGS.format(str(tmp_path / "child"), "", 0))
    ours, _ = program()
    with pytest.raises(ToolchainError, match="wrote no outputs"):
        ours.run([images(1)])
    assert not is_running(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "inf", "nan"])
def test_a_time_that_is_none_is_refused(pretend: Pretend, seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lava.PATIENCE, seconds)
    pretend("")
    with pytest.raises(OptionError, match=f"NEUROCUDA_LAVA_SECONDS is '{seconds}'; expected a positive number"):
        program()[0].run([images(1)])


def test_no_images_need_no_run(pretend: Pretend) -> None:
    pretend("raise ValueError('not called')")
    found = program()[0].run([images(0)], RunOptions(counts=True))
    assert found.outputs[0].shape == (0, 5)
    assert found.counts["relu"].shape == (0, 3, 3, 4)


def test_wrong_images_are_refused(pretend: Pretend) -> None:
    pretend("")
    with pytest.raises(InputError, match=r"input 0: expected images of shape \(2, 3, 4\), found \(2, 3, 5\)"):
        program()[0].run([np.zeros((1, 2, 3, 5), np.float32)])


def test_nothing_is_left_in_the_temporary_folder(
    pretend: Pretend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    pretend("raise ValueError('boom')")
    with pytest.raises(ToolchainError):
        program()[0].run([images(1)])
    assert not os.listdir(tmp_path / "temporary")
