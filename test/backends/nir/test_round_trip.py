"""From a network to a file and back by our own importer: equal spike trains, every one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

import neurocuda as nc
from neurocuda.backends.nir.emit import emit_files
from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.snn import ops as snn
from neurocuda.frontend.nir.importer import import_nir
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.origin import origin_of
from neurocuda.ir.pipelines import parse_pipeline
from neurocuda.reference.interpreter import interpret, main_function
from neurocuda.registry import pass_factories
from neurocuda.testing import random_network

Array = NDArray[Any]
package: Any = import_module("nir")
DATA = os.environ.get("NEUROCUDA_DATA", "")
needs_data = pytest.mark.skipif(not Path(DATA, "nir").is_dir(), reason="NEUROCUDA_DATA names no folder with networks")

STEPS_OF_ONE_SECOND = nc.NirOptions(dt=1.0)


def trains_of(module: ModuleOp, context: Context, inputs: Sequence[Array]) -> tuple[list[Array], dict[str, Array]]:
    """The outputs, and what every operation that spikes sent at every step, (step, images, *shape), by its name."""
    sent: dict[str, dict[int, Array]] = {}

    def note(op: Operation, step: int, signal: Array) -> None:
        if isinstance(op, snn.IntegrateAndFireOp | snn.ThresholdOp):
            sent.setdefault(origin_of(op) or "", {})[step] = signal

    outputs = interpret(module, weights_of(context), inputs, on_signal=note)
    longest = 1 + max((step for each in sent.values() for step in each), default=0)
    return outputs, {name: _dense(signals, longest) for name, signals in sent.items()}


def _dense(signals: Mapping[int, Array], steps: int) -> Array:
    silence = np.zeros_like(next(iter(signals.values())))
    return np.stack([signals.get(step, silence) for step in range(steps)])


def written(module: ModuleOp, context: Context, path: Path) -> dict[str, str]:
    """Lowers a network and writes its file; returns what the file calls every layer."""
    for step in parse_pipeline("convert-snn-to-nir", pass_factories()):
        step.apply(context, module)
    (content,) = emit_files(module, weights_of(context)).values()
    path.write_bytes(content)
    firing = (op for op in module.walk() if isinstance(op, nir.FiringOp | nir.ThresholdOp))
    return {origin: op.node.data for op in firing if (origin := origin_of(op)) is not None}


def fed(inputs: Array, code: str, steps: int) -> Array:
    """An integer network's input as whoever runs its file has to give it: (images, time, *shape)."""
    train = np.zeros((len(inputs), steps, *inputs.shape[1:]), np.float32)
    train[:, : steps if code == "free" else 1] = inputs[:, None]
    return train


def require_same_trains(module: ModuleOp, context: Context, images: Array, path: Path) -> int:
    """Compares an integer network step by step with what comes back from its file; returns the number of spikes."""
    networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp)]
    (network,) = networks
    code, steps = network.code.data, network.duration
    quantised: list[Array] = []

    def note(op: Operation, values: Array) -> None:
        if op.results and any(op.results[0] is value for value in network.inputs):
            quantised.append(values)

    interpret(module, weights_of(context), [images], note)
    _, expected = trains_of(module, context, [images])
    names = written(module, context, path)
    back = create_context()
    read = import_nir(path, STEPS_OF_ONE_SECOND, back)
    _, found = trains_of(read, back, [fed(quantised[0], code, steps)])
    total = 0
    for origin, train in expected.items():
        other = found.get(names[origin], np.zeros_like(train))
        width = max(len(train), len(other))
        same = [np.pad(each, [(0, width - len(each))] + [(0, 0)] * (each.ndim - 1)) for each in (train, other)]
        np.testing.assert_array_equal(*same, err_msg=origin)
        total += int(train.sum())
    return total


QUANTISE = ("calibrate", "balance-thresholds{timesteps=3}", "quantize-activations{timesteps=3}", "quantize-weights")


SAID = (0, 2, 8, 9, 16, 25, 27, 28, 29, 37)
"""Seeds whose networks neither pad unevenly nor count in a max pooling."""


@pytest.mark.parametrize("code", ["unary", "free"])
@pytest.mark.parametrize("seed", SAID)
def test_integer_networks_come_back(seed: int, code: str, tmp_path: Path) -> None:
    network = random_network(seed, images=2)
    network.apply(*QUANTISE, "convert-ann-to-snn", f"encode-{code}")
    spikes = require_same_trains(network.module, network.context, network.images, tmp_path / "net.nir")
    assert spikes > 0


def test_a_reset_by_subtraction_is_recognised(tmp_path: Path) -> None:
    """In code free the three nodes come back as one neuron; so it can be quantised and run anywhere."""
    network = random_network(2, images=2)
    network.apply(*QUANTISE, "convert-ann-to-snn", "encode-free")
    before = sum(isinstance(op, snn.IntegrateAndFireOp) for op in network.module.walk())
    written(network.module, network.context, tmp_path / "net.nir")
    back = import_nir(tmp_path / "net.nir", STEPS_OF_ONE_SECOND, create_context())
    neurons = [op for op in back.walk() if isinstance(op, snn.IntegrateAndFireOp)]
    assert len(neurons) == before > 0
    assert {op.reset.data for op in neurons} == {"subtract"}


@needs_data
@pytest.mark.parametrize(
    ("name", "dt", "rate"), [("lif", 1e-4, 1.0), ("braille_rnn", 1e-4, 0.3), ("nmnist_cnn", None, 0.1)]
)
def test_published_files_come_back(name: str, dt: float | None, rate: float, tmp_path: Path) -> None:
    """File, import, export, import: every spike stays, of leaky neurons and cycles too."""
    context = create_context()
    module = import_nir(Path(DATA, "nir", f"{name}.nir"), nc.NirOptions(dt=dt), context)
    shape = shape_of(main_function(module).body.block.args[0])[1:]
    x = (np.random.default_rng(0).random((2, 60, *shape)) < rate).astype(np.float32)
    outputs, expected = trains_of(module, context, [x])
    assert sum(train.sum() for train in expected.values()) > 0
    names = written(module, context, tmp_path / "again.nir")
    back = create_context()
    found, trains = trains_of(import_nir(tmp_path / "again.nir", STEPS_OF_ONE_SECOND, back), back, [x])
    for one, other in zip(found, outputs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert {names[each] for each in expected} == set(trains)
    for each, train in expected.items():
        np.testing.assert_array_equal(trains[names[each]], train, err_msg=each)


# Random graphs of floats, cycles included


def neuron(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """A node of any kind that has a state, or a Threshold, with a parameter per neuron."""

    def field(low: float, high: float) -> Array:
        return random.uniform(low, high, shape)

    leak = {"tau": field(2, 20), "r": field(1, 9), "v_leak": field(-0.1, 0.2)}
    cuba = {"tau_syn": field(2, 9), "tau_mem": field(2, 20), "w_in": field(1, 5), "r": field(1, 9)}
    fire = {"v_threshold": field(0.3, 1.5), "v_reset": field(-0.2, 0.2)}
    kinds = (
        lambda: package.IF(r=field(0.5, 1.5), **fire),
        lambda: package.LIF(**leak, **fire),
        lambda: package.CubaLIF(**cuba, v_leak=field(-0.1, 0.2), **fire),
        lambda: package.LI(**leak),
        lambda: package.CubaLI(**cuba, v_leak=field(-0.1, 0.2)),
        lambda: package.I(r=field(-0.2, 0.2)),
        lambda: package.Threshold(field(-0.5, 0.5)),
        lambda: package.Delay(random.integers(0, 3, shape).astype(float)),
        lambda: package.Scale(field(-1, 2)),
    )
    return kinds[int(random.integers(len(kinds)))]()


def random_graph(seed: int) -> Any:
    """Layers of a few features, products between them, skips, and products that lead back."""
    random = np.random.default_rng(seed)
    size, nodes, edges = 6, dict[str, Any](), list[tuple[str, str]]()
    nodes["input"] = package.Input(np.array([size]))
    last = "input"
    for layer in range(int(random.integers(2, 5))):
        weight = random.normal(0, 0.8, (size, size)).astype(np.float32)
        nodes[f"w{layer}"] = package.Affine(weight, random.normal(0, 0.1, size).astype(np.float32))
        nodes[f"n{layer}"] = neuron(random, (size,))
        edges += [(last, f"w{layer}"), (f"w{layer}", f"n{layer}")]
        if random.random() < 0.5:
            edges.append((last, f"n{layer}"))
        fires = type(nodes[f"n{layer}"]).__name__ in ("IF", "LIF", "CubaLIF")
        if fires and random.random() < 0.6:
            nodes[f"b{layer}"] = package.Linear(random.normal(0, 0.5, (size, size)).astype(np.float32))
            edges += [(f"n{layer}", f"b{layer}"), (f"b{layer}", f"n{layer}")]
        last = f"n{layer}"
    nodes["output"] = package.Output(np.array([size]))
    return package.NIRGraph(nodes=nodes, edges=[*edges, (last, "output")])


@pytest.mark.parametrize("seed", range(30))
def test_graphs_of_floats_come_back(seed: int, tmp_path: Path) -> None:
    package.write(tmp_path / "graph.nir", random_graph(seed))
    context = create_context()
    module = import_nir(tmp_path / "graph.nir", STEPS_OF_ONE_SECOND, context)
    x = (np.random.default_rng(seed).random((2, 25, 6)) < 0.4).astype(np.float32)
    (expected,), _ = trains_of(module, context, [x])
    written(module, context, tmp_path / "again.nir")
    (lowered,) = interpret(module, weights_of(context), [x])
    np.testing.assert_array_equal(lowered, expected)
    back = create_context()
    (found,), _ = trains_of(import_nir(tmp_path / "again.nir", STEPS_OF_ONE_SECOND, back), back, [x])
    np.testing.assert_array_equal(found, expected)


def test_rows_come_back(tmp_path: Path) -> None:
    """A convolution of one row becomes one of an image with a height of 1, and again one of a row."""
    weight = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    conv = package.Conv1d(10, weight, 2, 1, 1, 1, np.ones(4, np.float32))
    nodes = {"input": package.Input(np.array([2, 10])), "conv": conv, "output": package.Output(np.array([4, 5]))}
    package.write(tmp_path / "row.nir", package.NIRGraph(nodes, [("input", "conv"), ("conv", "output")]))
    model = nc.import_model(tmp_path / "row.nir")
    x = np.random.default_rng(1).normal(size=(2, 3, 2, 10)).astype(np.float32)
    lowered = model.apply("convert-snn-to-nir")
    assert "nir.conv1d" in lowered.ir()
    np.testing.assert_array_equal(lowered.interpret(x), model.interpret(x))


# Networks as people use them


class Block(nn.Module):
    """Two convolutions and a shortcut, through a 1 x 1 convolution where the shape changes."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False), nn.BatchNorm2d(outer)
        self.conv2, self.bn2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False), nn.BatchNorm2d(outer)
        changed = stride != 1 or inner != outer
        shortcut = (nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)) if changed else ()
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet18() -> nn.Module:
    """ResNet-18 for small images, with random weights."""
    torch.default_generator.manual_seed(0)
    stem = (nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
    widths = ((64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2))
    blocks = (Block(*width) for width in (*widths, (512, 512, 1)))
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)).eval()


def trained(name: str) -> nn.Module:
    """One of the trained networks beside the data."""
    spec = spec_from_file_location("trained", Path(DATA, "trained.py"))
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)()[0]


def compiled(model: nn.Module, code: str) -> tuple[nc.Compiled, Array]:
    """A network for target nir, and two images."""
    images = torch.randn(32, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    conversion = nc.Conversion(code=code, timesteps=3, calibration="mse")
    return nc.compile(model, target="nir", calibration=images, conversion=conversion), images[:2].numpy()


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize("code", ["unary", "free"])
@pytest.mark.parametrize("name", ["resnet20", "plain10", "resnet8"])
def test_trained_networks_come_back(name: str, code: str, tmp_path: Path) -> None:
    if (name, code) == ("plain10", "free"):
        pytest.skip("it counts in a max pooling")
    network, images = compiled(trained(name), code)
    module = network.level("snn-integer").clone()
    assert require_same_trains(module, network.context, images, tmp_path / "net.nir") > 1000


@pytest.mark.slow
@pytest.mark.parametrize("code", ["unary", "free"])
def test_a_resnet18_comes_back(code: str, tmp_path: Path) -> None:
    network, images = compiled(resnet18(), code)
    module = network.level("snn-integer").clone()
    assert require_same_trains(module, network.context, images, tmp_path / "net.nir") > 1000
