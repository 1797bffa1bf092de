"""What graphs mean: cycles, resets spelled out in primitives, graphs inside graphs, several inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

import nir
import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

import neurocuda
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import ModelError, OptionError, UnsupportedModelError
from neurocuda.frontend.nir.importer import import_nir
from neurocuda.frontend.nir.reading import PARAMETERS
from neurocuda.ir.context import create_context
from neurocuda.ir.origin import origin_of
from neurocuda.options import NirOptions

Run: TypeAlias = Callable[..., list[NDArray[Any]]]
Imported: TypeAlias = Callable[..., ModuleOp]
Write: TypeAlias = Callable[..., Path]
Nodes: TypeAlias = dict[str, tuple[str, dict[str, Any]]]

ONE = np.ones(1)


def ends(size: int = 1) -> Nodes:
    shape = {"shape": np.array([size])}
    return {"input": ("Input", shape), "output": ("Output", shape)}


def neuron(threshold: float = 1.0) -> tuple[str, dict[str, Any]]:
    return "IF", {"r": ONE, "v_threshold": threshold * ONE, "v_reset": 0 * ONE}


def column(*values: float) -> NDArray[Any]:
    return np.array(values, float)[:, None]


# Cycles: a step passes where they begin


def test_a_neuron_hears_its_own_spike_in_the_next_step(run: Run) -> None:
    nodes = ends() | {"if": neuron(0.5), "back": ("Linear", {"weight": -2.0 * np.ones((1, 1))})}
    edges = [("input", "if"), ("if", "back"), ("back", "if"), ("if", "output")]
    np.testing.assert_array_equal(run(nodes, edges, column(1, 1, 1, 1, 1))[0], column(1, 0, 0, 1, 0))


def test_a_step_passes_on_the_way_into_the_neuron_that_the_outside_reaches(imported: Imported) -> None:
    """Not into the first by name: signals from outside pass through the whole cycle within a step."""
    nodes = ends() | {"b": neuron(), "a": neuron(), "c": neuron()}
    edges = [("input", "b"), ("b", "c"), ("c", "a"), ("a", "b"), ("a", "output")]
    assert _delays(imported(nodes, edges)) == ["b.after a"]


def test_of_several_such_neurons_the_first_by_name_begins(imported: Imported) -> None:
    nodes = ends() | {"b": neuron(), "a": neuron()}
    edges = [("input", "b"), ("input", "a"), ("b", "a"), ("a", "b"), ("a", "output")]
    assert _delays(imported(nodes, edges)) == ["a.after b"]


def test_a_delay_node_in_the_cycle_is_all_that_passes_time(imported: Imported, run: Run) -> None:
    nodes = ends() | {"if": neuron(0.5), "wait": ("Delay", {"delay": 2 * ONE})}
    edges = [("input", "if"), ("if", "wait"), ("wait", "if"), ("if", "output")]
    clock = NirOptions(dt=1.0)
    assert _delays(imported(nodes, edges, clock)) == ["wait"]
    np.testing.assert_array_equal(run(nodes, edges, column(1, 0, 0, 0, 0), options=clock)[0], column(1, 0, 1, 0, 1))


def test_a_delay_of_no_step_closes_no_cycle(imported: Imported) -> None:
    nodes = ends() | {"scale": ("Scale", {"scale": ONE}), "wait": ("Delay", {"delay": 0 * ONE})}
    edges = [("input", "scale"), ("scale", "wait"), ("wait", "scale"), ("scale", "output")]
    with pytest.raises(UnsupportedModelError, match="scale -> wait"):
        imported(nodes, edges, NirOptions(dt=1.0))


def test_a_cycle_of_delays_alone_is_silent(run: Run) -> None:
    nodes = ends(2) | {name: ("Delay", {"delay": np.ones(2)}) for name in "ab"}
    edges = [("a", "b"), ("b", "a"), ("b", "output"), ("input", "output")]
    np.testing.assert_array_equal(run(nodes, edges, [[1, 2]], options=NirOptions(dt=1.0))[0], [[1, 2]])


@pytest.mark.parametrize("spikes_per_step", [1, 3])
def test_pooled_spikes_come_back(run: Run, spikes_per_step: int) -> None:
    """What passes a step has the range that a pooling gives it."""
    shape, one = {"shape": np.ones(3, int)}, np.ones((1, 1, 1))
    sizes = {"kernel_size": np.array([3, 3]), "stride": np.ones(2, int), "padding": np.ones(2, int)}
    nodes: Nodes = {"input": ("Input", shape), "output": ("Output", shape), "pool": ("SumPool2d", sizes)}
    nodes["if"] = ("IF", {"r": one, "v_threshold": one})
    edges = [("input", "if"), ("if", "pool"), ("pool", "if"), ("pool", "output")]
    trains = np.array([2.0, 0, 0.5, 3, 0]).reshape(5, 1, 1, 1)
    found = run(nodes, edges, trains, options=NirOptions(spikes_per_step=spikes_per_step))[0]
    v, spike, expected = 0.0, 0.0, list[float]()
    for x in trains.ravel():
        v += x + spike
        spike = min(np.floor(v), spikes_per_step) if v > 1 else 0.0
        v = 0.0 if spike else v
        expected.append(spike)
    np.testing.assert_array_equal(found.ravel(), expected)


def test_an_output_may_be_read_inside(run: Run) -> None:
    nodes = ends() | {"if": neuron(0.5)}
    edges = [("input", "if"), ("if", "output"), ("output", "if")]
    np.testing.assert_array_equal(run(nodes, edges, column(1, 0, -1, 0))[0], column(1, 1, 0, 0))


def test_edges_may_stand_in_any_order(run: Run) -> None:
    nodes = ends() | {"b": neuron(0.5), "a": ("Scale", {"scale": -ONE}), "c": neuron(1.5)}
    edges = [("input", "b"), ("b", "a"), ("a", "b"), ("b", "c"), ("input", "c"), ("c", "output")]
    trains = np.random.default_rng(0).integers(0, 3, (12, 1))
    np.testing.assert_array_equal(run(nodes, edges, trains)[0], run(nodes, edges[::-1], trains)[0])


def _delays(module: ModuleOp) -> list[str | None]:
    return [origin_of(op) for op in module.walk() if isinstance(op, snn.DelayOp)]


# Resets by subtraction, spelled out


def soft_reset(r: float = 1.0, back: float = -1.0, threshold: float = 1.0) -> tuple[Nodes, list[tuple[str, str]]]:
    nodes = ends() | {
        "v": ("I", {"r": r * ONE}),
        "fires": ("Threshold", {"threshold": threshold * ONE}),
        "back": ("Scale", {"scale": back * ONE}),
    }
    return nodes, [("input", "v"), ("v", "fires"), ("fires", "back"), ("back", "v"), ("fires", "output")]


def test_a_reset_by_subtraction_is_one_neuron(imported: Imported, run: Run) -> None:
    nodes, edges = soft_reset()
    (found,) = [op for op in imported(nodes, edges).walk() if isinstance(op, snn.IntegrateAndFireOp)]
    assert (found.reset.data, bool(found.strict.value.data), origin_of(found)) == ("subtract", True, "fires")
    trains = np.random.default_rng(0).integers(-2, 4, (30, 1)) / 2
    v, expected = 0.0, list[float]()
    for x in trains[:, 0]:
        v += x
        expected.append(float(v > 1))
        v -= expected[-1]
    np.testing.assert_array_equal(run(nodes, edges, trains)[0], column(*expected))


@pytest.mark.parametrize(
    "change",
    [
        {"back": -0.5},
        {"r": 2.0},
        {"threshold": 0.5},
    ],
)
def test_other_feedback_stays_what_it_is(imported: Imported, run: Run, change: dict[str, float]) -> None:
    nodes, edges = soft_reset(**change)
    assert not [op for op in imported(nodes, edges).walk() if isinstance(op, snn.IntegrateAndFireOp)]
    trains = np.random.default_rng(1).integers(-2, 4, (30, 1)) / 2
    v, spike, expected = 0.0, 0.0, list[float]()
    for x in trains[:, 0]:
        v += change.get("r", 1) * (x + change.get("back", -1) * spike)
        spike = float(v > change.get("threshold", 1))
        expected.append(spike)
    np.testing.assert_array_equal(run(nodes, edges, trains)[0], column(*expected))


def test_a_potential_that_something_else_reads_stays(imported: Imported) -> None:
    nodes, edges = soft_reset()
    nodes["membrane"] = nodes["output"]
    module = imported(nodes, [*edges, ("v", "membrane")])
    assert not [op for op in module.walk() if isinstance(op, snn.IntegrateAndFireOp)]


def test_shapes_that_do_not_fit_are_no_reset(write: Write) -> None:
    nodes, edges = soft_reset()
    nodes["fires"] = ("Threshold", {"threshold": np.ones(3)})
    nodes["back"] = ("Scale", {"scale": -np.ones(2)})
    with pytest.raises(UnsupportedModelError, match="edge 'v -> fires'"):
        import_nir(write(nodes, edges), NirOptions(), create_context())


# Graphs inside graphs, several inputs and outputs


def nested() -> Nodes:
    inner = ends() | {"if": neuron(0.5)}
    parameters = {"nodes": inner, "edges": [("input", "if"), ("if", "output")]}
    return ends() | {"block": ("NIRGraph", parameters), "scale": ("Scale", {"scale": 3 * ONE})}


NESTED_EDGES = [("input", "block"), ("block", "scale"), ("scale", "output")]


def test_a_graph_in_a_graph(imported: Imported, run: Run) -> None:
    np.testing.assert_array_equal(run(nested(), NESTED_EDGES, column(1, 0, 0.5, 0.5))[0], column(3, 0, 0, 3))
    assert "block.if" in {origin_of(op) for op in imported(nested(), NESTED_EDGES).walk()}


def test_an_edge_into_a_graph_of_several_inputs_says_too_little(write: Write) -> None:
    nodes = nested()
    inner = cast(Nodes, nodes["block"][1]["nodes"])
    inner["second"] = inner["input"]
    with pytest.raises(ModelError, match="node 'block': a nested graph has one Input node, this one has 2"):
        import_nir(write(nodes, NESTED_EDGES), NirOptions(), create_context())


def test_two_nodes_of_one_name(write: Write) -> None:
    nodes = nested() | {"block.if": neuron()}
    with pytest.raises(ModelError, match=r"node 'block.if': .*rename one"):
        import_nir(write(nodes, [*NESTED_EDGES, ("input", "block.if")]), NirOptions(), create_context())


def test_all_inputs_of_a_join_are_summed(run: Run) -> None:
    nodes: Nodes = {f"in{index}": ("Input", {"shape": np.array([1])}) for index in range(3)}
    nodes |= {"sum": ("Scale", {"scale": 2 * ONE}), "first": ends()["output"], "second": ends()["output"]}
    edges = [("in0", "sum"), ("in1", "sum"), ("in2", "sum"), ("sum", "first"), ("in2", "second"), ("in0", "second")]
    first, second = run(nodes, edges, column(1, 2), column(10, 20), column(100, 200))
    np.testing.assert_array_equal(first, column(222, 444))
    np.testing.assert_array_equal(second, column(101, 202))


def test_inputs_have_the_names_of_their_nodes(write: Write) -> None:
    nodes = ends() | {"left": ends()["input"], "right": ends()["input"]}
    del nodes["input"]
    model = neurocuda.import_model(write(nodes, [("left", "output"), ("right", "output")]))
    trains = {"right": column(1, 2)[None], "left": column(3, 5)[None]}
    np.testing.assert_array_equal(cast(Any, model.interpret(trains))[0], column(4, 7))


def test_single_numbers_are_for_all_neurons(run: Run) -> None:
    """Whatever the node's name, which says when its shape is looked for."""
    for name in ("a", "zz"):
        nodes = ends(3) | {name: ("IF", {"r": ONE, "v_threshold": np.array(0.5)})}
        found = run(nodes, [("input", name), (name, "output")], [[1, 0, 1]])[0]
        np.testing.assert_array_equal(found, [[1, 0, 1]])


# Time


def test_neurons_without_time_need_no_clock(run: Run) -> None:
    nodes = ends() | {"if": ("IF", {"r": 2 * ONE, "v_threshold": ONE})}
    edges = [("input", "if"), ("if", "output")]
    np.testing.assert_array_equal(run(nodes, edges, column(0.75, 0.25))[0], column(1, 0))
    found = run(nodes, edges, column(0.75, 0.25, 0.25), options=NirOptions(dt=0.5))[0]
    np.testing.assert_array_equal(found, column(0, 0, 1))


def test_a_time_constant_of_one_step_forgets_all(run: Run) -> None:
    """Also where float32 made it a little shorter than the step."""
    tau = np.array([1e-4], np.float32)
    assert tau[0] < 1e-4 or tau.astype(np.float64)[0] != 1e-4
    nodes = ends() | {"li": ("LI", {"tau": np.nextafter(tau, 0), "r": ONE, "v_leak": 0 * ONE})}
    found = run(nodes, [("input", "li"), ("li", "output")], column(1, 2, 0), options=NirOptions(dt=1e-4))[0]
    np.testing.assert_allclose(found, column(1, 2, 0), atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"reset": "soft"},
        {"comparison": ">="},
        {"integration": "rk4"},
        {"dt": 0},
        {"dt": float("inf")},
        {"dt": "1e-4"},
        {"spikes_per_step": 0},
        {"lower_bound": float("nan")},
    ],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(OptionError, match=name):
        NirOptions(**options)


# What package nir writes, and what others have written


def test_files_that_nir_writes(tmp_path: Path) -> None:
    """Each type of node once, in a chain."""
    vector, image = np.ones(2), np.ones((1, 4, 4), np.float32)
    one = np.array([1, 1])
    cuba = {"tau_syn": vector, "tau_mem": vector, "r": vector, "v_leak": vector}
    chain = [
        nir.Input({"input": np.array([1, 4, 4])}),
        nir.Conv2d((4, 4), np.ones((1, 1, 3, 3), np.float32), 1, "same", 1, 1, np.zeros(1, np.float32)),
        nir.IF(image, image),
        nir.SumPool2d(one * 2, one * 2, one * 0),
        nir.AvgPool2d(one, one, one * 0),
        nir.Flatten({"input": np.array([1, 2, 2])}, 0, 1),
        nir.Conv1d(2, np.ones((1, 2, 1)), 1, 0, 1, 1, np.zeros(1)),
        nir.Flatten({"input": np.array([1, 2])}, 0, -1),
        nir.Affine(np.ones((2, 2)), vector),
        nir.LIF(vector, vector, vector, vector),
        nir.Linear(np.ones((2, 2))),
        nir.LI(vector, vector, vector),
        nir.Scale(vector),
        nir.I(vector),
        nir.Threshold(vector),
        nir.Delay(vector),
        nir.CubaLI(**cuba),
        nir.CubaLIF(**cuba, v_threshold=vector),
        nir.Output({"output": np.array([2])}),
    ]
    nodes = {f"n{index:02}": node for index, node in enumerate(chain)}
    edges = [(f"n{index:02}", f"n{index + 1:02}") for index in range(len(chain) - 1)]
    path = tmp_path / "all.nir"
    nir.write(path, nir.NIRGraph(nodes, edges, type_check=False))
    module = import_nir(path, NirOptions(dt=0.5), create_context())
    module.verify()
    assert {type(node).__name__ for node in chain} == set(PARAMETERS)
    origins = {str(origin_of(op)).partition(".")[0] for op in module.walk()}
    assert origins >= set(nodes) - {"n18"}


@pytest.mark.parametrize("absent", ["v_reset", "w_in"])
def test_what_older_files_lack_has_the_value_that_nir_gives_it(run: Run, absent: str) -> None:
    parameters = dict.fromkeys(("tau_syn", "tau_mem", "r", "v_threshold", "w_in"), ONE)
    whole = parameters | {"v_leak": 0 * ONE, "v_reset": 0 * ONE}
    edges = [("input", "lif"), ("lif", "output")]
    trains = column(9, 0, 0, 9, 9)
    less = {name: value for name, value in whole.items() if name != absent}
    found, expected = (
        run(ends() | {"lif": ("CubaLIF", each)}, edges, trains, options=NirOptions(dt=0.5))[0] for each in (less, whole)
    )
    assert expected.sum() > 1
    np.testing.assert_array_equal(found, expected)
