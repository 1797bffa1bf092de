"""Recognises resets by subtraction, which NIR's neurons do not know, where primitives spell them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurocuda.frontend.nir.graph import Graph, Node


def without_feedback(graph: Graph, dt: float) -> tuple[Graph, Mapping[str, bool]]:
    """The graph with every integrator, threshold and feedback in the place of one neuron; and these neurons' names.

    An I whose potential only a Threshold reads, which sends its spikes back through a Scale that takes from the
    potential in the next step just the threshold, resets by subtraction. The neuron has the name of the Threshold.
    Where what is taken is the float32 next above the threshold, the neuron fires already where it reaches that: the
    name then stands for True.
    """
    readers: dict[str, set[str]] = {name: set() for name in graph.nodes}
    sources: dict[str, set[str]] = {name: set() for name in graph.nodes}
    for source, target in graph.edges:
        readers[source].add(target)
        sources[target].add(source)
    gone: dict[str, str] = {}
    found: dict[str, bool] = {}
    nodes = dict(graph.nodes)
    for name, node in graph.nodes.items():
        threshold, scale = _loop(graph.nodes, readers, sources, name)
        if node.kind != "I" or threshold is None or scale is None:
            continue
        back, resistance, least = scale.numbers("scale"), node.numbers("r"), threshold.numbers("threshold")
        if len({values.shape for values in (back, resistance, least) if values.size != 1}) > 1:
            continue
        taken = -back * resistance * dt
        reaches = bool(np.all(least == _below(taken)))
        if not reaches and not np.all(least == taken):
            continue
        gone |= {name: threshold.name, scale.name: threshold.name}
        found[threshold.name] = reaches
        parameters = {"r": node.array("r"), "v_threshold": taken}
        nodes[threshold.name] = replace(threshold, kind="IF", parameters=parameters)
    edges = [(source, gone.get(target, target)) for source, target in graph.edges if source not in gone]
    outside = dict.fromkeys(
        (source, target) for source, target in edges if source != target or source not in gone.values()
    )
    return Graph({name: node for name, node in nodes.items() if name not in gone}, list(outside)), found


def _loop(
    nodes: Mapping[str, Node], readers: Mapping[str, set[str]], sources: Mapping[str, set[str]], name: str
) -> tuple[Node | None, Node | None]:
    """The Threshold that alone reads an integrator, and the Scale that alone leads back from it."""
    thresholds = [nodes[each] for each in readers[name] if nodes[each].kind == "Threshold" and sources[each] == {name}]
    if len(readers[name]) != 1 or not thresholds:
        return None, None
    back = readers[thresholds[0].name] & sources[name]
    scales = [each for each in back if nodes[each].kind == "Scale" and len(readers[each]) == len(sources[each]) == 1]
    return thresholds[0], nodes[scales[0]] if len(scales) == 1 else None


def _below(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The float32 next below each."""
    return np.nextafter(values.astype(np.float32), np.float32(-np.inf)).astype(np.float64)
