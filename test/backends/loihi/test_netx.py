"""Networks as .net files: real netx, which is Lava's, reads them and gives every spike of the interpreter."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.backends.loihi import lava
from neurocuda.backends.loihi.emit import emit_files, printed_programs
from neurocuda.backends.loihi.netx import net_of, why_no_net
from neurocuda.backends.loihi.run import load_netx
from neurocuda.dialects.loihi import ops as loihi
from neurocuda.errors import TargetError
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.files import write_all
from neurocuda.ir.parsing import parse_module
from neurocuda.reference.interpreter import interpret
from neurocuda.testing_loihi import RandomLoihiNetwork, random_loihi_network

from .sequential import random_sequential_network

Array = NDArray[Any]

RUNNER = Path(__file__).resolve().parents[2] / "dialects" / "loihi" / "lava" / "run_programs.py"

NETWORKS = 8
"""How many networks one process runs."""

SLOW = [pytest.param(first, marks=pytest.mark.slow) for first in range(NETWORKS, 11 * NETWORKS, NETWORKS)]


def network_of(module: ModuleOp) -> loihi.NetworkOp:
    """The network of a module."""
    return next(op for op in module.walk() if isinstance(op, loihi.NetworkOp))


@pytest.mark.parametrize("first", [0, *SLOW])
def test_every_spike_is_netxs(real_lava: lava.Lava, first: int, tmp_path: Path) -> None:
    networks = [random_sequential_network(seed) for seed in range(first, first + NETWORKS)]
    heard = in_netx(real_lava, networks, tmp_path)
    firing: list[bool] = []
    for seed, (network, outputs) in enumerate(zip(networks, heard, strict=True), first):
        spikes, membrane = network.interpret()
        np.testing.assert_array_equal(outputs["output"], spikes, str(seed))
        np.testing.assert_array_equal(outputs["output_2"], membrane, str(seed))
        for name, train in hidden_spikes(network).items():
            np.testing.assert_array_equal(outputs[f"{name}.s_out"][0], train, f"{seed}, {name}")
            firing.append(bool(train.any()))
    assert sum(firing) > len(firing) / 2, "most groups say something, or little is tested"


def in_netx(real: lava.Lava, networks: Sequence[RandomLoihiNetwork], folder: Path) -> list[Mapping[str, Array]]:
    """What netx makes of networks."""
    scripts = [folder / str(place) / "model_netx.py" for place in range(len(networks))]
    for script, network in zip(scripts, networks, strict=True):
        files = emit_files(network.module, network.weights)
        write_all({script.parent / name: content for name, content in files.items()})
        np.savez(script.parent / "inputs.npz", input=network.inputs[0])
    environment = {**os.environ, "PYTHONPATH": str(scripts[0].parent)}
    done = subprocess.run(
        [real.python, RUNNER, *scripts], capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return [dict(np.load(script.parent / "outputs.npz")) for script in scripts]


def hidden_spikes(network: RandomLoihiNetwork) -> Mapping[str, Array]:
    """What every group sends at every step, by its name in the program."""
    (program,) = printed_programs(network.module, network.weights)
    steps = program.border.op.steps.value.data
    trains = {group: np.zeros((steps, *shape_of(group.spikes)), np.int32) for group in program.border.groups.values()}

    def note(op: Operation, step: int, spikes: Array) -> None:
        if isinstance(op, loihi.GroupOp):
            trains[op][step] = spikes[0]

    interpret(network.module, network.weights, network.inputs, on_signal=note)
    return {name: trains[group] for name, group in program.border.groups.items()}


def test_a_network_runs_by_netx_as_it_does_without(real_lava: lava.Lava) -> None:
    network = random_sequential_network(4)
    program = load_netx(network.module, network.weights)
    found = program.run(network.inputs)
    for output, expected in zip(found.outputs, network.interpret(), strict=True):
        np.testing.assert_array_equal(output, expected)
    assert found.provenance == f"simulator: lava-nc {real_lava.version} Loihi2SimCfg(fixed_pt)"


def test_a_network_that_netx_cannot_say_is_refused() -> None:
    network = random_loihi_network(0)
    with pytest.raises(TargetError, match=r"the network cannot be a \.net file: "):
        load_netx(network.module, network.weights)


@pytest.mark.parametrize("seed", range(6))
def test_a_net_is_the_same_every_time(seed: int) -> None:
    once, again = (emit_files(net.module, net.weights) for net in map(random_sequential_network, (seed, seed)))
    assert once["network.net"] == again["network.net"]
    assert once == again


CHAIN = """
func.func @main(%x: tensor<4x4x6x3xi1>) -> tensor<9x5xi1> {
  %y = loihi.network steps 9 inputs(%x) {
  ^bb0(%i: tensor<4x4x6x3xi1>):
    %0 = loihi.source %i : tensor<4x4x6x3xi1> -> tensor<4x6x3xi1>
    %1 = loihi.conv %0 weight(dense<2> : tensor<2x3x1x3xi8>) stride [1, 2] padding [1, 0] sign_mode "mixed"
      : tensor<4x6x3xi1> -> tensor<4x3x2xi24>
    %2, %3 = loihi.lif %1 du 4095 dv 7 vth 25 bias_mant(dense<[1, 2]> : tensor<2xi16>) bias_exp 6
      : (tensor<4x3x2xi24>) -> tensor<4x3x2xi1>, tensor<4x3x2xi24>
    %4 = loihi.reshape %2 : tensor<4x3x2xi1> -> tensor<24xi1>
    %5 = loihi.dense %4 weight(dense<4> : tensor<5x24xi16>) sign_mode "excitatory" : tensor<24xi1> -> tensor<5xi24>
    %6, %7 = loihi.lif %5 du -1 dv 0 vth 9 : (tensor<5xi24>) -> tensor<5xi1>, tensor<5xi24>
    loihi.output %6 : tensor<5xi1>
  } : (tensor<4x4x6x3xi1>) -> (tensor<9x5xi1>)
  func.return %y : tensor<9x5xi1>
}
"""


def reason(text: str) -> str | None:
    """Why a network is no .net file."""
    context = create_context()
    module = parse_module(context, text)
    why = why_no_net(network_of(module), weights_of(context))
    files = emit_files(module, weights_of(context))
    assert ("network.net" in files) == ("model_netx.py" in files) == (why is None)
    return why


def test_what_stands_in_a_net() -> None:
    context = create_context()
    module = parse_module(context, CHAIN)
    with h5py.File(BytesIO(emit_files(module, weights_of(context))["network.net"]), "r") as file:

        def value(name: str) -> Any:
            found = file[f"layer/{name}"]
            assert isinstance(found, h5py.Dataset)
            return found[()]

        assert [bytes(value(f"{place}/type")[0]) for place in range(4)] == [b"input", b"conv", b"flatten", b"dense"]
        assert value("0/shape").tolist() == [3, 6, 4]
        assert value("1/shape").tolist() == [2, 3, 4]
        assert value("1/stride").tolist() == [2, 1]
        assert value("1/padding").tolist() == [0, 1]
        assert value("1/weight").shape == (2, 3, 1, 3)
        assert value("1/bias").tolist() == [1, 2]
        assert value("1/neuron/type") == b"CUBA"
        assert [int(value(f"1/neuron/{name}")) for name in ("iDecay", "vDecay", "vThMant")] == [4096, 7, 25]
        assert int(value("3/neuron/iDecay")) == 0
        assert value("3/weight").shape == (5, 24)


def test_the_script_tells_netx_what_no_file_can() -> None:
    resets = CHAIN.replace("bias_exp 6", "bias_exp 6 reset_interval 3 reset_offset 1")
    resets = resets.replace("vth 9", "vth 9 reset_interval 3 reset_offset 2")
    context = create_context()
    files = emit_files(parse_module(context, resets), weights_of(context))
    assert b"net = Network(w, reset_interval=3, reset_offset=0)" in files["model_netx.py"]


DENSE = 'loihi.dense %4 weight(dense<4> : tensor<5x24xi16>) sign_mode "excitatory"'


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("", "", None),
        ("vth 9", "vth 9 bias_mant(dense<0> : tensor<1xi8>) initial(dense<0> : tensor<1xi8>)", None),
        ("vth 9", "vth 9 initial(dense<1> : tensor<1xi8>)", "The membranes of netx begin at zero."),
        ("bias_exp 6", "bias_exp 5", "The biases of netx have an exponent of 6."),
        ("vth 9", "vth 9 reset_interval 2", "netx resets all layers or none, and all in the same interval."),
        (DENSE, f"{DENSE} weight_exp 1", "netx has no weight exponents."),
        (DENSE, f"{DENSE} delay 62", None),
        (DENSE, f"{DENSE} delay 63", "The delays of netx end at 62 steps."),
        (
            "dense<4> : tensor<5x24xi16>",
            "dense<0> : tensor<5x24xi16>",
            "netx rounds weights of which none is positive.",
        ),
        (
            "loihi.lif %5 du -1 dv 0 vth 9",
            "loihi.integrate_and_fire %5 threshold(dense<9> : tensor<1xi8>)",
            "netx has no `loihi.integrate_and_fire` neurons, only ones with a hard reset and sigma-delta ones.",
        ),
        (
            "    loihi.output",
            "    %8 = loihi.pulses steps [0] payloads [1] : tensor<1xi32>\n    loihi.output",
            "A .net file has one input, and no other source of spikes.",
        ),
        (
            "%6, %7 = loihi.lif %5 du -1 dv 0 vth 9 : (tensor<5xi24>)",
            '%8 = loihi.dense %6 weight(dense<2> : tensor<5x5xi8>) sign_mode "mixed" : tensor<5xi1> -> tensor<5xi24>\n'
            "    %6, %7 = loihi.lif %5, %8 du -1 dv 0 vth 9 : (tensor<5xi24>, tensor<5xi24>)",
            "netx has no layers of several synapses, sparse ones, or reshaped currents.",
        ),
        (
            "loihi.dense %4 weight(dense<4> : tensor<5x24xi16>)",
            "loihi.dense %9 weight(dense<4> : tensor<5x72xi16>)",
            "Its layers are no chain, each of which hears the one before.",
        ),
    ],
)
def test_what_netx_cannot_say_has_a_reason(old: str, new: str, why: str | None) -> None:
    text = CHAIN.replace(old, new) if old else CHAIN
    if "%9" in new:
        text = text.replace("    %5 =", "    %9 = loihi.reshape %0 : tensor<4x6x3xi1> -> tensor<72xi1>\n    %5 =")
        text = text.replace(": tensor<24xi1> -> tensor<5xi24>", ": tensor<72xi1> -> tensor<5xi24>")
    assert reason(text) == why


def test_an_output_of_a_hidden_layer_has_a_reason() -> None:
    text = CHAIN.replace("loihi.output %6 : tensor<5xi1>", "loihi.output %4 : tensor<24xi1>").replace(
        "9x5xi1", "9x24xi1"
    )
    assert reason(text) == "It puts out something else than the spikes or membranes of its last layer."


def test_most_random_networks_are_none() -> None:
    networks = [random_loihi_network(seed) for seed in range(12)]
    reasons = [why_no_net(network_of(network.module), network.weights) for network in networks]
    assert all(why is None or why.endswith(".") for why in reasons)
    assert sum(why is None for why in reasons) < 3


def test_options_follow_the_layers() -> None:
    network = random_sequential_network(2)
    net = net_of(network_of(network.module), network.weights)
    assert set(net.options) >= {"spike_exp"}


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing"])
def test_a_damaged_net_is_told_in_one_line(real_lava: lava.Lava, damage: str, tmp_path: Path) -> None:
    network = random_sequential_network(0)
    files = dict(emit_files(network.module, network.weights))
    content = bytearray(files.pop("network.net"))
    content[len(content) // 2] ^= 1
    if damage != "missing":
        files["network.net"] = bytes(content if damage == "flipped" else content[:100])
    write_all({tmp_path / name: data for name, data in files.items()})
    np.savez(tmp_path / "inputs.npz", input=network.inputs[0])
    command = [real_lava.python, "-Es", "model_netx.py", "inputs.npz", "outputs.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    told = (
        "cannot be read: No such file" if damage == "missing" else "is damaged, or holds the weights of another network"
    )
    assert line.startswith(f"model_netx.py: error: network.net: {told}")
