"""Random graphs, recurrent ones included, against a simulator that follows every signal back to where it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn import functional

import neurocuda
from neurocuda.frontend.nir.importer import import_nir
from neurocuda.ir.context import create_context, weights_of
from neurocuda.options import NirOptions
from neurocuda.reference.interpreter import interpret

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Write: TypeAlias = Callable[..., Path]

STEPS = 6
DT = 0.5
FIRING = ("IF", "LIF", "CubaLIF")


@dataclass
class RandomGraph:
    """Nodes with the shapes that they give, and edges; those on which a step passes are `late`."""

    nodes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    late: set[tuple[str, str]] = field(default_factory=set)

    def add(self, kind: str, shape: Shape, sources: Sequence[str] = (), /, **parameters: Any) -> str:
        name = f"{kind}.{len(self.nodes)}"
        self.nodes[name] = (kind, parameters)
        self.shapes[name] = shape
        self.edges += [(source, name) for source in sources]
        return name

    def named(self, *kinds: str) -> list[str]:
        return [name for name, (kind, _) in self.nodes.items() if kind in kinds]


# What NIR says, in float64


def simulate(graph: RandomGraph, trains: Mapping[str, Array], options: NirOptions) -> dict[str, Array]:
    """What every output says at every step. A signal is asked for where it is needed, not computed in an order."""
    dt = 1.0 if options.dt is None else options.dt

    def into(name: str, step: int) -> Array:
        total: Array = np.zeros(())
        for source, end in graph.edges:
            if end == name:
                total = total + sent(source, step - ((source, end) in graph.late))
        return total

    @cache
    def sent(name: str, step: int) -> Array:
        kind, p = graph.nodes[name]
        if step < 0:
            return np.zeros(graph.shapes[name])
        if kind == "Input":
            return trains[name][step]
        if kind == "Delay":
            steps = np.broadcast_to(np.rint(p["delay"] / dt).astype(int), graph.shapes[name])
            passed = np.zeros(graph.shapes[name])
            for late in set(steps.ravel().tolist()):
                if late <= step:
                    passed = np.where(steps == late, into(name, step - late), passed)
            return passed
        if kind in FIRING:
            return neuron(name, step)[2]
        if kind in ("I", "LI", "CubaLI"):
            return neuron(name, step)[1]
        x = into(name, step)
        if kind == "Threshold":
            return (x > p["threshold"] if options.comparison == "strict" else x >= p["threshold"]).astype(float)
        return STATELESS[kind](x, p)

    @cache
    def neuron(name: str, step: int) -> Sequence[Array]:
        """Current, potential behind the reset, and spikes of a step."""
        kind, p = graph.nodes[name]
        zero = np.zeros(graph.shapes[name])
        if step < 0:
            return zero, zero, zero
        i, v = neuron(name, step - 1)[:2]
        x = into(name, step)
        if kind in ("I", "IF"):
            v = v + dt * p["r"] * x
        else:
            if kind.startswith("Cuba"):
                share = advance(p["tau_syn"], options, dt)
                i = i + share * (p["w_in"] * x - i)
            else:
                i = x
            share = advance(p["tau_mem"] if kind.startswith("Cuba") else p["tau"], options, dt)
            v = v + share * (p["v_leak"] - v + p["r"] * i)
        if kind not in FIRING:
            return i, v, zero
        if options.lower_bound is not None:
            v = np.maximum(v, options.lower_bound)
        threshold = p["v_threshold"] + zero
        fires = v > threshold if options.comparison == "strict" else v >= threshold
        with np.errstate(divide="ignore", invalid="ignore"):
            many = np.clip(np.floor(v / threshold), 1, options.spikes_per_step)
        spikes = np.where(fires, many, 0)
        if options.reset == "subtract":
            return i, v - spikes * threshold, spikes
        return i, v * ~fires + p["v_reset"] * fires, spikes

    return {name: np.stack([into(name, step) for step in range(STEPS)]) for name in graph.named("Output")}


def advance(tau: Array, options: NirOptions, dt: float) -> Array:
    return dt / tau if options.integration == "euler" else 1 - np.exp(-dt / tau)


def convolved(x: Array, p: Mapping[str, Any]) -> Array:
    image, weight, bias = (torch.tensor(each) for each in (x[None], p["weight"], p["bias"]))
    sizes: dict[str, Any] = {"stride": p["stride"].tolist(), "dilation": p["dilation"].tolist(), "groups": p["groups"]}
    sizes["padding"] = p["padding"] if isinstance(p["padding"], str) else p["padding"].tolist()
    if x.ndim == 2:
        return functional.conv1d(image, weight, bias, **sizes)[0].numpy()
    return functional.conv2d(image, weight, bias, **sizes)[0].numpy()


def averaged(x: Array, p: Mapping[str, Any]) -> Array:
    kernel, stride, padding = (p[name].tolist() for name in ("kernel_size", "stride", "padding"))
    return functional.avg_pool2d(torch.tensor(x[None]), kernel, stride, padding)[0].numpy()


def flattened(x: Array, p: Mapping[str, Any]) -> Array:
    return torch.tensor(x).flatten(p["start_dim"], p["end_dim"]).numpy()


STATELESS: Mapping[str, Callable[[Array, Mapping[str, Any]], Array]] = {
    "Affine": lambda x, p: p["weight"] @ x + p["bias"],
    "AvgPool2d": averaged,
    "Conv1d": convolved,
    "Conv2d": convolved,
    "Flatten": flattened,
    "Linear": lambda x, p: p["weight"] @ x,
    "Scale": lambda x, p: p["scale"] * x,
    "SumPool2d": lambda x, p: averaged(x, p) * p["kernel_size"].prod(),
}


# Graphs at random


class Drawing:
    """Draws parameters that float32 holds exactly."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def whole(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def one_of(self, choices: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(choices))

    def field(self, shape: Shape, *values: float) -> Array:
        """Different for every element, or one number for all."""
        shape = () if self.draw(st.booleans()) and self.draw(st.booleans()) else shape
        return self.random.choice(np.array(values), shape)

    def weight(self, *shape: int) -> Array:
        return self.random.integers(-3, 4, shape) / 2.0


@st.composite
def graphs(draw: st.DrawFn) -> RandomGraph:
    d, graph = Drawing(draw), RandomGraph()
    for _ in range(d.whole(1, 2)):
        shape = d.one_of([(3,), (2, 5), (2, 5, 4)])
        graph.add("Input", shape, shape=np.array(shape))
    for _ in range(d.whole(1, 7)):
        first = d.one_of(list(graph.nodes))
        same = [name for name in graph.nodes if graph.shapes[name] == graph.shapes[first]]
        sources = draw(st.lists(st.sampled_from(same), max_size=2, unique=True)) or [first]
        _add_node(d, graph, d.one_of(_kinds(graph.shapes[first])), sources)
    read = {source for source, _ in graph.edges}
    for name in [name for name in graph.nodes if name not in read]:
        graph.add("Output", graph.shapes[name], [name], shape=np.array(graph.shapes[name], int))
    for name in graph.named("Delay"):
        _lead_back(d, graph, name)
    for name in graph.named(*FIRING, "LI", "I"):
        _feed_back(d, graph, name)
    return graph


def _kinds(shape: Shape) -> Sequence[str]:
    everywhere = ["Scale", "Threshold", "Delay", "Delay", "I", "LI", "CubaLI", "Flatten", *FIRING, *FIRING]
    if len(shape) == 1:
        return [*everywhere, "Affine", "Linear"]
    if len(shape) == 2:
        return [*everywhere, "Conv1d"] if shape[1] > 1 else everywhere
    return [*everywhere, "Conv2d", "SumPool2d", "AvgPool2d"] if min(shape[1:]) > 1 else everywhere


def _add_node(d: Drawing, graph: RandomGraph, kind: str, sources: Sequence[str]) -> None:
    shape = graph.shapes[sources[0]]
    if kind in ("Affine", "Linear"):
        size = d.whole(1, 4)
        bias = {"bias": d.weight(size)} if kind == "Affine" else {}
        graph.add(kind, (size,), sources, weight=d.weight(size, shape[0]), **bias)
    elif kind == "Scale":
        graph.add(kind, shape, sources, scale=d.field(shape, -1, 0.5, 2))
    elif kind == "Threshold":
        graph.add(kind, shape, sources, threshold=d.field(shape, -0.5, 0, 1))
    elif kind == "Delay":
        graph.add(kind, shape, sources, delay=d.field(shape, *(DT * d.random.integers(d.whole(0, 1), 4, 2))))
    elif kind == "Flatten":
        start = d.whole(0, len(shape) - 1)
        stop = d.whole(start, len(shape) - 1)
        given = (*shape[:start], int(np.prod(shape[start : stop + 1])), *shape[stop + 1 :])
        graph.add(kind, given, sources, start_dim=start, end_dim=d.one_of([stop, stop - len(shape)]))
    elif kind.startswith("Conv"):
        _add_convolution(d, graph, kind, sources)
    elif kind.endswith("Pool2d"):
        sizes = {"kernel_size": _pair(d, 1, 2), "stride": _pair(d, 1, 2)}
        padding = np.minimum(sizes["kernel_size"] // 2, _pair(d, 0, 1))
        windows = (np.array(shape[1:]) + 2 * padding - sizes["kernel_size"]) // sizes["stride"] + 1
        graph.add(kind, (shape[0], *windows.tolist()), sources, padding=padding, **sizes)
    else:
        graph.add(kind, shape, sources, **_neuron(d, kind, shape))


def _pair(d: Drawing, low: int, high: int) -> Array:
    return np.array([d.whole(low, high), d.whole(low, high)])


def _add_convolution(d: Drawing, graph: RandomGraph, kind: str, sources: Sequence[str]) -> None:
    shape = graph.shapes[sources[0]]
    axes = len(shape) - 1
    groups = d.one_of([each for each in (1, 2) if shape[0] % each == 0])
    channels = groups * d.whole(1, 2)
    kernel, dilation = d.random.integers(1, 3, axes), d.random.integers(1, 3, axes)
    kernel = np.where(dilation * (kernel - 1) < np.array(shape[1:]), kernel, 1)
    padding = d.one_of(["valid", "same", None, None])
    stride = np.ones(axes, int) if padding == "same" else d.random.integers(1, 3, axes)
    sides = d.random.integers(0, 2, axes) * (padding is None)
    windows = (np.array(shape[1:]) + 2 * sides - dilation * (kernel - 1) - 1) // stride + 1
    given = (channels, *(shape[1:] if padding == "same" else windows.tolist()))
    graph.add(
        kind, given, sources, weight=d.weight(channels, shape[0] // groups, *kernel.tolist()), bias=d.weight(channels),
        stride=stride, dilation=dilation, groups=groups, padding=sides if padding is None else padding,
    )  # fmt: skip


def _neuron(d: Drawing, kind: str, shape: Shape) -> dict[str, Array]:
    parameters = {"r": d.field(shape, 0.5, 1, 2)}
    if kind in ("LI", "LIF"):
        parameters |= {"tau": d.field(shape, 0.5, 1, 2)}
    if kind.startswith("Cuba"):
        parameters |= {"tau_mem": d.field(shape, 1, 2), "tau_syn": d.field(shape, 0.5, 1), "w_in": d.field(shape, 1, 2)}
    if kind not in ("I", "IF"):
        parameters |= {"v_leak": d.field(shape, 0, 0.5, -1)}
    if kind in FIRING:
        parameters |= {"v_threshold": d.field(shape, 0.5, 1, 2), "v_reset": d.field(shape, 0, 0, -0.5)}
    return parameters


def _lead_back(d: Drawing, graph: RandomGraph, delay: str) -> None:
    """Closes a cycle through a Delay that delays everything."""
    if np.min(graph.nodes[delay][1]["delay"]) < DT:
        return
    later = list(graph.nodes)[list(graph.nodes).index(delay) :]
    fitting = [name for name in later if graph.shapes[name] == graph.shapes[delay] and "Output" not in name]
    chosen = d.one_of(fitting)
    if d.draw(st.booleans()):
        graph.edges.append((chosen, delay))
        event("a cycle through a Delay")


def _feed_back(d: Drawing, graph: RandomGraph, neuron: str) -> None:
    """Lets a neuron hear itself, at once or through a node: a step passes on the edge into the neuron."""
    if not d.draw(st.booleans()):
        return
    event("a neuron that hears itself")
    back = neuron
    if d.draw(st.booleans()):
        shape = graph.shapes[neuron]
        back = graph.add("Scale", shape, [neuron], scale=d.field(shape, -1, 0.5))
    graph.edges.append((back, neuron))
    graph.late.add((back, neuron))


OPTIONS = st.builds(
    NirOptions,
    dt=st.just(DT),
    reset=st.sampled_from(["nir", "subtract"]),
    comparison=st.sampled_from(["strict", "non-strict"]),
    spikes_per_step=st.sampled_from([1, 1, 3]),
    lower_bound=st.sampled_from([None, None, -1.0]),
    integration=st.sampled_from(["euler", "exponential"]),
)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs(), options=OPTIONS, seed=st.integers(0, 2**32 - 1))
def test_a_graph_runs_as_nir_says(write: Write, graph: RandomGraph, options: NirOptions, seed: int) -> None:
    random = np.random.default_rng(seed)
    batch = [
        {name: random.integers(-1, 3, (STEPS, *graph.shapes[name])).astype(float) for name in graph.named("Input")}
        for _ in range(2)
    ]
    context = create_context()
    module = import_nir(write(graph.nodes, graph.edges), options, context)
    module.verify()
    names = sorted(graph.named("Input"))
    inputs = [np.stack([trains[name] for trains in batch]).astype(np.float32) for name in names]
    found = interpret(module, weights_of(context), inputs)
    for index, trains in enumerate(batch):
        expected = simulate(graph, trains, options)
        for name, output in zip(sorted(expected), found, strict=True):
            np.testing.assert_allclose(output[index], expected[name], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=graphs(), options=OPTIONS, seed=st.integers(0, 2**32 - 1))
def test_a_graph_runs_on_the_cpu_as_nir_says(write: Write, graph: RandomGraph, options: NirOptions, seed: int) -> None:
    random = np.random.default_rng(seed)
    trains = {name: random.integers(-1, 3, (STEPS, *graph.shapes[name])).astype(float) for name in graph.named("Input")}
    compiled = neurocuda.compile(write(graph.nodes, graph.edges), target="cpu", nir=options)
    outputs = compiled.run({name: train[None].astype(np.float32) for name, train in trains.items()}).outputs
    found = outputs if isinstance(outputs, tuple) else (outputs,)
    expected = simulate(graph, trains, options)
    for name, output in zip(sorted(expected), found, strict=True):
        np.testing.assert_allclose(output[0], expected[name], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("integration", ["euler", "exponential"])
def test_the_simulator_knows_a_published_neuron(integration: str) -> None:
    """A LIF that is driven by a constant current reaches 1 - (1 - dt/tau)^n, or 1 - exp(-n dt/tau)."""
    graph = RandomGraph()
    source = graph.add("Input", (1,))
    one = np.ones(1)
    graph.add("LI", (1,), [source], tau=2 * one, r=one, v_leak=0 * one)
    graph.add("Output", (1,), ["LI.1"])
    options = NirOptions(dt=DT, integration=integration)
    found = simulate(graph, {source: np.ones((STEPS, 1))}, options)["Output.2"][-1, 0]
    assert found == pytest.approx(1 - (0.75**STEPS if integration == "euler" else np.exp(-STEPS * DT / 2)))
