"""In which order the nodes of a graph run within a step, and which edges carry what was said a step before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from neurocuda.errors import Problem, UnsupportedModelError
from neurocuda.frontend.nir.graph import NEURONS, Edge, Graph


@dataclass(frozen=True)
class Order:
    """The nodes in the order in which they run, and the edges on which a step passes."""

    names: Sequence[str]
    delayed: frozenset[Edge]


def ordered(graph: Graph, late: Iterable[str]) -> Order:
    """Puts a graph in order.

    A signal passes through the whole graph within a step, as NIR has it, but for cycles, in which a step must pass
    somewhere. `late` are the Delay nodes of at least one step: what they send in a step they have received before. In
    a cycle without one, a step passes on the edges into the neuron that comes first: the one that something outside
    the cycle reaches, of several the first by name.

    Raises:
        UnsupportedModelError: a cycle has neither a delay nor a neuron; names its nodes.
    """
    waiting = {name: set[str]() for name in graph.nodes}
    for source, target in graph.edges:
        waiting[target].add(source)
    held = set(late)
    names: list[str] = []
    delayed: set[Edge] = set()
    for name in sorted(held):
        names.append(name)  # it sends before it hears
    done = set(held)
    rest = {name for name in waiting if name not in held}
    while rest:
        ready = sorted(name for name in rest if waiting[name] <= done)
        if not ready:
            first = _first_of_a_cycle(rest, waiting, done, graph)
            delayed |= {(source, first) for source in waiting[first] - done}
            ready = [first]
        names.extend(ready)
        done.update(ready)
        rest.difference_update(ready)
    return Order(names, frozenset(delayed))


def _first_of_a_cycle(rest: set[str], waiting: Mapping[str, set[str]], done: set[str], graph: Graph) -> str:
    """The neuron at which a cycle begins that waits for nothing but itself."""
    cycle = _cycle(rest, waiting)
    neurons = sorted(name for name in cycle if graph.nodes[name].kind in NEURONS)
    if not neurons:
        why = "no neuron and no delay of at least one step is in the cycle, so that it has no beginning"
        raise UnsupportedModelError(
            "the graph cannot be run:", [Problem(f"cycle of nodes '{' -> '.join(sorted(cycle))}'", why=why)]
        )
    reached = [name for name in neurons if waiting[name] & done]
    return (reached or neurons)[0]


def _cycle(rest: set[str], waiting: Mapping[str, set[str]]) -> set[str]:
    """Nodes that can reach each other and wait for no others: found by walking backwards until nothing is new."""
    ancestors = {name: _ancestors(name, rest, waiting) for name in rest}
    smallest = min(rest, key=lambda name: (len(ancestors[name]), name))
    return ancestors[smallest]


def _ancestors(name: str, rest: set[str], waiting: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        new = (waiting[stack.pop()] & rest) - found
        found |= new
        stack.extend(new)
    return found
