"""nc-opt and files: side files, missing and damaged input, nothing half-written; and how fast it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import load_module
from neurocuda.ir.printing import save_module
from neurocuda.tools import nc_opt

PLUGIN = Path(__file__).parent / "Inputs" / "plugin.py"

TINY = """func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = ann.relu %x : tensor<4xf32> -> tensor<4xf32>
  func.return %y : tensor<4xf32>
}
"""

LARGE = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)


@dataclass
class Done:
    """What a run of the tool left."""

    code: int
    out: str
    err: str


class Tool:
    """Runs nc-opt in this process."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Done:
        self._capture.readouterr()
        code = nc_opt.main([str(argument) for argument in arguments])
        out, err = self._capture.readouterr()
        return Done(code, out, err)


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.chdir(tmp_path)
    return Tool(capsys)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.mlir"
    path.write_text(TINY)
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A module in a folder of its own, with a tensor in a side file."""
    context = create_context()
    (tmp_path / "in").mkdir()
    module = ModuleOp([], {"test.value": weights_of(context).add(LARGE, "w")})
    save_module(module, context, tmp_path / "in" / "large.mlir")
    return tmp_path / "in" / "large.mlir"


def value_in(path: Path) -> object:
    """The large tensor of a module in a file."""
    context = create_context()
    return weights_of(context).array(load_module(context, path).attributes["test.value"]).tobytes()


def one_line(done: Done) -> str:
    """The only line of a failed run."""
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    return done.err


# Side files.


def test_output_into_a_file_takes_its_weights_along(tool: Tool, large: Path, tmp_path: Path) -> None:
    assert tool(large, "-o", tmp_path / "out.mlir") == Done(0, "", "")
    assert 'nc.weights = "out.safetensors"' in (tmp_path / "out.mlir").read_text()
    (large.parent / "large.safetensors").unlink()
    assert value_in(tmp_path / "out.mlir") == LARGE.tobytes()


def test_output_onto_the_input(tool: Tool, large: Path) -> None:
    assert tool(large, "-o", large).code == 0
    assert value_in(large) == LARGE.tobytes()


def test_stdout_names_the_side_file_of_the_input(tool: Tool, large: Path, tmp_path: Path) -> None:
    done = tool(large)
    assert 'nc.weights = "in/large.safetensors"' in done.out
    (tmp_path / "copy.mlir").write_text(done.out)
    assert value_in(tmp_path / "copy.mlir") == LARGE.tobytes()


def test_a_new_large_tensor_needs_a_place(tool: Tool, large: Path, tmp_path: Path) -> None:
    grow = ("--load-plugin", PLUGIN, "-p", "plugin-grow")
    message = one_line(tool(large, *grow))
    assert "2 tensors are too large for text and in no single side file (e.g. 'large_" in message
    assert message.endswith("give --weights-out FILE, -o FILE or --elide\n")

    done = tool(large, *grow, "--weights-out", tmp_path / "new.safetensors")
    assert 'nc.weights = "new.safetensors"' in done.out
    (tmp_path / "copy.mlir").write_text(done.out)
    assert value_in(tmp_path / "copy.mlir") == LARGE.tobytes()


def test_elided_output_needs_no_place(tool: Tool, large: Path) -> None:
    done = tool(large, "--load-plugin", PLUGIN, "-p", "plugin-grow", "--elide")
    assert done.code == 0
    assert "nc.weights" not in done.out


def test_weights_out_with_output(tool: Tool, large: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert tool(large, "-o", tmp_path / "out" / "x.mlir", "--weights-out", tmp_path / "w.safetensors").code == 0
    assert 'nc.weights = "../w.safetensors"' in (tmp_path / "out" / "x.mlir").read_text()
    assert value_in(tmp_path / "out" / "x.mlir") == LARGE.tobytes()


def test_the_output_cannot_be_its_own_side_file(tool: Tool, large: Path, tmp_path: Path) -> None:
    message = one_line(tool(large, "-o", tmp_path / "out.safetensors"))
    assert "the module and its weights need two files" in message
    message = one_line(tool(large, "-o", tmp_path / "out.mlir", "--weights-out", tmp_path / "in" / ".." / "out.mlir"))
    assert "the module and its weights need two files" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize("named", [True, False])
def test_a_side_file_that_lacks_tensors(tool: Tool, large: Path, tmp_path: Path, named: bool) -> None:
    context = create_context()
    other = ModuleOp([], {"test.value": weights_of(context).add(LARGE[::-1], "v")})
    save_module(other, context, tmp_path / "other.mlir")
    if named:
        (tmp_path / "in" / "large.safetensors").write_bytes((tmp_path / "other.safetensors").read_bytes())
    message = one_line(tool(large) if named else tool(large, "--weights", tmp_path / "other.safetensors"))
    assert ".safetensors: lacks the tensor 'w_" in message


def test_a_limit_that_takes_everything_into_the_text(tool: Tool, large: Path, tmp_path: Path) -> None:
    assert tool(large, "--inline-limit", LARGE.nbytes, "-o", tmp_path / "out.mlir").code == 0
    assert not (tmp_path / "out.safetensors").exists()
    assert value_in(tmp_path / "out.mlir") == LARGE.tobytes()


def test_a_limit_of_nothing(tool: Tool, tmp_path: Path) -> None:
    context = create_context()
    module = ModuleOp([], {"test.value": weights_of(context).add(LARGE[:100], "w")})
    save_module(module, context, tmp_path / "small.mlir")
    assert tool(tmp_path / "small.mlir", "--inline-limit", 0, "-o", tmp_path / "out.mlir").code == 0
    assert (tmp_path / "out.safetensors").exists()
    assert value_in(tmp_path / "out.mlir") == LARGE[:100].tobytes()


def test_other_weights_than_those_named(tool: Tool, large: Path, tmp_path: Path) -> None:
    (large.parent / "large.safetensors").rename(tmp_path / "elsewhere.safetensors")
    assert "cannot read weights: No such file or directory" in one_line(tool(large))
    done = tool(large, "--weights", tmp_path / "elsewhere.safetensors")
    assert 'nc.weights = "elsewhere.safetensors"' in done.out


def test_damaged_weights(tool: Tool, large: Path) -> None:
    side = large.parent / "large.safetensors"
    content = side.read_bytes()
    side.write_bytes(content[:-1])
    assert "not a usable safetensors file" in one_line(tool(large))
    side.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is damaged: its content does not match its name" in one_line(tool(large))
    side.write_bytes(b"")
    assert "the file is empty" in one_line(tool(large))


# Input and output.


def test_stdin_to_stdout() -> None:
    command = [sys.executable, "-m", "neurocuda.tools.nc_opt", "-", "-o", "-"]
    done = subprocess.run(command, input=TINY, capture_output=True, text=True, check=True)
    assert "ann.relu" in done.stdout


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "tiny.mlir:1:1: error: the text is empty"),
        (TINY.encode()[:90], "tiny.mlir:2:"),
        (TINY.encode()[:-3], "tiny.mlir:3:33: error: the text ends too early"),
        (b"\x7fELF\x02\x01\x01\x00", "tiny.mlir:1:1: error: Unexpected character: \\x7f"),
        (os.urandom(2000) + b"\xff", "tiny.mlir:"),
        (b"ML\xefR" * 100, "invalid UTF-8"),
        (b"module {" * 5000, "error: "),
        (b'"test.op"() {a = "' + b"x" * 5000, "this string is not closed on its line"),
    ],
)
def test_unreadable_input(tool: Tool, tiny: Path, content: bytes, reason: str) -> None:
    tiny.write_bytes(content)
    message = one_line(tool(tiny))
    assert reason in message
    assert "Traceback" not in message


def test_a_folder_as_input(tool: Tool, tmp_path: Path) -> None:
    assert "cannot read: Is a directory" in one_line(tool(tmp_path))


def test_a_failed_run_leaves_the_output_as_it_was(tool: Tool, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mlir"
    out.write_text("old")
    message = one_line(tool(tiny, "--load-plugin", PLUGIN, "-p", "plugin-fail", "-o", out))
    assert message == "nc-opt: error: pass 'plugin-fail': KeyError: 'no such thing' (--backtrace shows where)\n"
    assert out.read_text() == "old"


def test_a_folder_that_does_not_exist(tool: Tool, tiny: Path, tmp_path: Path) -> None:
    assert "cannot write: No such file or directory" in one_line(tool(tiny, "-o", tmp_path / "none" / "x.mlir"))


def test_a_full_disk_leaves_nothing_behind(large: Path, tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from neurocuda.tools.nc_opt import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        f"sys.exit(main([{str(large)!r}, '-o', {str(tmp_path / 'out.mlir')!r}]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "out.safetensors: cannot write: File too large" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_reader_that_leaves_early() -> None:
    command = f"{sys.executable} -m neurocuda.tools.nc_opt --list-passes | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_output_may_be_a_device(tool: Tool, tiny: Path) -> None:
    assert tool(tiny, "-o", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout"])
def test_beside_a_device_nothing_is_written(tool: Tool, large: Path, device: str) -> None:
    done = tool(large, "-o", device)
    assert (done.code, done.err) == (0, "")
    assert not Path(f"{device}.safetensors").exists()
    assert one_line(tool(large, "-o", device, "--load-plugin", PLUGIN, "-p", "plugin-grow")).endswith("--elide\n")


def test_a_device_as_stdout_is_not_replaced(large: Path, tmp_path: Path) -> None:
    with (tmp_path / "out.mlir").open("wb") as stream:
        command = [sys.executable, "-m", "neurocuda.tools.nc_opt", str(large), "-o", "/dev/stdout"]
        subprocess.run(command, cwd=tmp_path, stdout=stream, check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.mlir"]
    assert 'nc.weights = "in/large.safetensors"' in (tmp_path / "out.mlir").read_text()


def test_an_unwritable_reproducer_does_not_hide_the_error(tool: Tool, tiny: Path, tmp_path: Path) -> None:
    reproducer = tmp_path / "none" / "r.mlir"
    done = tool(tiny, "--load-plugin", PLUGIN, "-p", "plugin-fail", "--crash-reproducer", reproducer)
    note, error = done.err.splitlines()
    assert note.startswith("nc-opt: note: no reproducer was written: ")
    assert error == "nc-opt: error: pass 'plugin-fail': KeyError: 'no such thing' (--backtrace shows where)"


# Plug-ins and errors.


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import nonsense_that_is_not_there", "ModuleNotFoundError"),
        ("def f(:", "SyntaxError"),
        ("UNIVERSE = 3", "defines no constant UNIVERSE"),
        ("", "defines no constant UNIVERSE"),
    ],
)
def test_broken_plugins(tool: Tool, tiny: Path, tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "broken.py").write_text(content)
    message = one_line(tool(tiny, "--load-plugin", tmp_path / "broken.py"))
    assert message.startswith("nc-opt: error: plug-in ")
    assert reason in message


def test_a_clash_is_reported_and_skipped(tool: Tool, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "clash.py").write_text(
        "from xdsl.universe import Universe\nUNIVERSE = Universe(all_passes={'cse': lambda: None})\n"
    )
    done = tool(tiny, "--load-plugin", tmp_path / "clash.py", "-p", "cse")
    assert done.code == 0
    assert done.err.startswith("nc-opt: warning: plug-in ")
    assert "the pass 'cse' exists already in xdsl and is skipped" in done.err


def test_a_traceback_for_those_who_ask(tool: Tool, tiny: Path) -> None:
    with pytest.raises(KeyError):
        tool(tiny, "--load-plugin", PLUGIN, "-p", "plugin-fail", "--backtrace")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_is_no_error(tool: Tool, arguments: Sequence[str]) -> None:
    done = tool(*arguments)
    assert done.code == 0
    assert done.out


def test_named_pipelines(tool: Tool, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nc_opt, "named_pipelines", lambda: {"tidy": "cse,canonicalize"})
    done = tool(tiny, "-p", "tidy", "--dump-pass-pipeline")
    assert done.err == "builtin.module(cse,canonicalize)\n"
    assert "tidy = cse,canonicalize" in tool("--list-passes").out
    assert "unknown pass 'tydy'; did you mean 'tidy'?" in one_line(tool(tiny, "-p", "tydy"))


def test_every_named_pipeline_parses(tiny: Path) -> None:
    for name, text in nc_opt.named_pipelines().items():
        assert nc_opt.NcOptMain(args=[str(tiny), "-p", name]).available_passes, text


# Speed.


def test_it_starts_without_numpy_and_torch(tiny: Path) -> None:
    program = (
        "import sys; from neurocuda.tools.nc_opt import main\n"
        f"code = main([{str(tiny)!r}, '-p', 'cse'])\n"
        "heavy = {'numpy', 'torch', 'neurocuda.reference.interpreter'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_starts_well_under_half_a_second(tiny: Path) -> None:
    command = [sys.executable, "-m", "neurocuda.tools.nc_opt", str(tiny)]
    before = os.times()
    subprocess.run(command, capture_output=True, check=True)
    after = os.times()
    # Processor time: the machine may have other things to do.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 0.5


def test_code_that_ends_the_program(tool: Tool, tiny: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "leaving.py"
    plugin.write_text("import sys\nsys.exit(0)\n")
    assert "leaving.py: SystemExit: 0" in one_line(tool(tiny, "--load-plugin", plugin))
