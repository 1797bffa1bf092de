"""What numbers the parameters of a node may hold, whatever their shapes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neurocuda.errors import Problem, UnsupportedModelError
from neurocuda.frontend.nir.graph import Graph, Node, shown
from neurocuda.options import MOST_STEPS, NirOptions

WHOLE = frozenset(
    {
        "dilation",
        "end_dim",
        "groups",
        "input_shape",
        "input_type",
        "kernel_size",
        "padding",
        "shape",
        "start_dim",
        "stride",
    }
)
TIMES = ("tau", "tau_mem", "tau_syn")
LARGEST = float(np.finfo(np.float32).max)

SLACK = 1e-6
"""A step may be longer than a time constant by this share: time constants are often float32."""


def require_gain(node: Node, gain: NDArray[np.float64]) -> None:
    """Checks what a neuron makes of its input in a step.

    Raises:
        UnsupportedModelError: it is beyond float32.
    """
    if (np.abs(gain) > LARGEST).any():
        why = "its parameters multiply to a number beyond float32"
        raise UnsupportedModelError("a neuron has no steps:", [Problem(_where(node), why=why)])


def _where(node: Node) -> str:
    return f"node '{shown(node.name)}' ({node.kind})"


def require_values(graph: Graph, options: NirOptions, dt: float) -> None:
    """Checks every number of a graph for steps of `dt` seconds.

    Raises:
        UnsupportedModelError: lists the nodes whose parameters are no whole numbers, too large, not positive, or do not
            fit the clock.
    """
    problems = [problem for node in graph.nodes.values() for problem in _problems(node, options, dt)]
    if problems:
        raise UnsupportedModelError("parameters of the NIR graph are out of range:", problems)


def _problems(node: Node, options: NirOptions, dt: float) -> Iterator[Problem]:
    where = _where(node)
    for name, value in node.parameters.items():
        if isinstance(value, str):
            continue
        if name in WHOLE and not _is_whole(node, name):
            yield Problem(where, why=f"its {name} holds what is no whole number below 2**31")
        elif name not in WHOLE and (np.abs(node.numbers(name)) > LARGEST).any():
            yield Problem(where, why=f"its {name} holds a number beyond float32")
    for name in TIMES:
        if name in node.parameters:
            yield from _problems_of_time(node, name, options, dt, where)
    if node.kind == "Delay":
        yield from _problems_of_delay(node, dt, where)
    if options.spikes_per_step > 1 and "v_threshold" in node.parameters and (node.numbers("v_threshold") <= 0).any():
        why = "its v_threshold is not positive, so that no number of thresholds fits into a potential"
        yield Problem(where, why=why, remedy="Choose spikes_per_step=1.")


def _is_whole(node: Node, name: str) -> bool:
    numbers = node.numbers(name)
    return bool(((np.rint(numbers) == numbers) & (np.abs(numbers) < 2**31)).all())


def _problems_of_time(node: Node, name: str, options: NirOptions, dt: float, where: str) -> Iterator[Problem]:
    shortest = float(node.numbers(name).min(initial=np.inf))
    if shortest <= 0:
        yield Problem(where, why=f"its {name} is not positive: {shortest:g}")
    elif options.integration == "euler" and dt > shortest * (1 + SLACK):
        why = f"its {name} of {shortest:g} s is shorter than a step, dt={dt:g} s"
        yield Problem(where, why=why, remedy='Choose a smaller dt or integration="exponential".')


def _problems_of_delay(node: Node, dt: float, where: str) -> Iterator[Problem]:
    steps = node.numbers("delay") / dt
    if (steps < 0).any():
        yield Problem(where, why="its delay is negative")
    elif (steps > MOST_STEPS).any():
        yield Problem(where, why=f"its delay is longer than {MOST_STEPS:,} steps of {dt:g} s")
    elif not np.allclose(steps, np.rint(steps), rtol=SLACK, atol=SLACK):
        why = f"its delays are no whole numbers of steps of {dt:g} s"
        yield Problem(where, why=why, remedy="Choose another dt.")
