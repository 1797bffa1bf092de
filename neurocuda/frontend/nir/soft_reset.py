"""Recognises resets by subtraction, which NIR's neurons do not know, where primitives spell them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from neurocuda.frontend.nir.graph import Graph, Node


def without_feedback(graph: Graph, dt: float) -> tuple[Graph, frozenset[str]]:
    """The graph with every integrator, threshold and feedback in the place of one neuron; and the neurons' names.

    An I whose potential only a Threshold reads, which sends its spikes back through a Scale that takes from the
    potential in the next step just the threshold, resets by subtraction. The neuron has the name of the Threshold.
    """
    readers: dict[str, set[str]] = {name: set() for name in graph.nodes}
    sources: dict[str, set[str]] = {name: set() for name in graph.nodes}
    for source, target in graph.edges:
        readers[source].add(target)
        sources[target].add(source)
    gone: dict[str, str] = {}
    nodes = dict(graph.nodes)
    for name, node in graph.nodes.items():
        threshold, scale = _loop(graph.nodes, readers, sources, name)
        if node.kind != "I" or threshold is None or scale is None or not _takes_back(node, threshold, scale, dt):
            continue
        gone |= {name: threshold.name, scale.name: threshold.name}
        parameters = {"r": node.array("r"), "v_threshold": threshold.array("threshold")}
        nodes[threshold.name] = replace(threshold, kind="IF", parameters=parameters)
    edges = [(source, gone.get(target, target)) for source, target in graph.edges if source not in gone]
    outside = dict.fromkeys(
        (source, target) for source, target in edges if source != target or source not in gone.values()
    )
    return Graph({name: node for name, node in nodes.items() if name not in gone}, list(outside)), frozenset(
        gone.values()
    )


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


def _takes_back(integrator: Node, threshold: Node, scale: Node, dt: float) -> bool:
    """Whether a spike lowers the potential in the next step by the threshold."""
    back, resistance, least = (
        node.numbers(name) for node, name in ((scale, "scale"), (integrator, "r"), (threshold, "threshold"))
    )
    sizes = {values.shape for values in (back, resistance, least) if values.size != 1}
    return len(sizes) <= 1 and bool(np.all(back * resistance * dt == -least))
