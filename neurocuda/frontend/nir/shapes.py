"""What shape every node of a graph takes and gives, without a batch axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import NamedTuple

from neurocuda.errors import Problem, UnsupportedModelError
from neurocuda.frontend.nir.graph import NEURONS, PASSING, Graph, Node, shown

Shape = tuple[int, ...]

MOST_ELEMENTS = 2**31
"""No tensor of a network is larger."""


class Ends(NamedTuple):
    """What a node takes and what it gives."""

    taken: Shape
    given: Shape


def shapes_of(graph: Graph) -> Mapping[str, Ends]:
    """The shapes at both ends of every node: from its parameters, or from what it receives.

    Raises:
        UnsupportedModelError: lists every node whose parameters do not fit together or whose shape nothing says, and
            every edge whose ends differ.
    """
    found: dict[str, Ends] = {}
    problems: dict[str, Problem] = {}
    sources: dict[str, list[str]] = {name: [] for name in graph.nodes}
    readers: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for source, target in graph.edges:
        sources[target].append(source)
        readers[source].append(target)
    pending = list(graph.nodes)
    while pending:
        name = pending.pop()
        if name in found or name in problems:
            continue
        known = [found[source].given for source in sources[name] if source in found]
        try:
            ends = _ends(graph.nodes[name], known[0] if known else None)
        except ValueError as reason:
            problems[name] = Problem(f"node '{name}' ({graph.nodes[name].kind})", why=str(reason))
            continue
        if ends is not None:
            found[name] = ends
            pending.extend(readers[name])
    listed = [*problems.values(), *_unknown(graph, found, problems), *_differing(graph, found)]
    if listed:
        raise UnsupportedModelError("the shapes of the NIR graph do not fit:", listed)
    return found


def _unknown(graph: Graph, found: Mapping[str, Ends], problems: Mapping[str, Problem]) -> list[Problem]:
    missing = [name for name in graph.nodes if name not in found and name not in problems]
    why, remedy = "nothing says its shape", "Give its input a shape, or connect it."
    return [Problem(f"node '{name}' ({graph.nodes[name].kind})", "", why, remedy) for name in missing if not problems]


def _differing(graph: Graph, found: Mapping[str, Ends]) -> list[Problem]:
    problems: list[Problem] = []
    for source, target in graph.edges:
        if source in found and target in found and found[source].given != found[target].taken:
            why = f"'{source}' gives {found[source].given}, '{target}' takes {found[target].taken}"
            problems.append(Problem(f"edge '{source} -> {target}'", why=why))
    return problems


def _ends(node: Node, received: Shape | None) -> Ends | None:
    """Raises ValueError where the parameters do not fit together; None where what it receives must be known first."""
    ends = _RULES[node.kind](node, received)
    if ends is not None and 0 in (*ends.taken, *ends.given):
        raise ValueError(f"it would have no elements: it takes {ends.taken} and gives {ends.given}")
    if ends is not None and (prod(ends.given) > MOST_ELEMENTS or prod(ends.taken) > MOST_ELEMENTS):
        raise ValueError(f"it would have {prod(ends.given):,} elements; at most {MOST_ELEMENTS:,} are possible")
    return ends


def _declared(node: Node, received: Shape | None) -> Ends:
    shape = node.integers("shape")
    if any(size < 1 for size in shape):
        raise ValueError(f"its shape {shape} holds sizes that are not positive")
    return Ends(shape, shape)


def _passed(node: Node, received: Shape | None) -> Ends | None:
    return None if received is None else Ends(received, received)


def _per_neuron(node: Node, received: Shape | None) -> Ends | None:
    """All parameters have the neurons' shape; single numbers are for all neurons."""
    shapes = {node.array(name).shape for name in node.parameters if node.array(name).size != 1}
    if len(shapes) > 1:
        named = ", ".join(f"{name} {node.array(name).shape}" for name in node.parameters)
        raise ValueError(f"its parameters have different shapes: {named}")
    if shapes:
        (shape,) = shapes
        return Ends(shape, shape)
    return _passed(node, received)


def _linear(node: Node, received: Shape | None) -> Ends:
    weight = node.array("weight").shape
    if len(weight) != 2:
        raise ValueError(f"its weight has shape {weight}, not (out, in)")
    _require_bias(node, weight[0])
    return Ends((weight[1],), (weight[0],))


def _require_bias(node: Node, outputs: int) -> None:
    if "bias" in node.parameters and node.array("bias").shape != (outputs,):
        raise ValueError(f"its bias has shape {node.array('bias').shape}, not ({outputs},)")


def _convolution(axes: int) -> Callable[[Node, Shape | None], Ends | None]:
    def ends(node: Node, received: Shape | None) -> Ends | None:
        weight = node.array("weight").shape
        if len(weight) != axes + 2 or min(weight) < 1:
            raise ValueError(f"its weight has shape {weight}, not (out, in / groups{', size' * axes})")
        _require_bias(node, weight[0])
        groups = _single(node, "groups")
        if groups < 1 or weight[0] % groups:
            raise ValueError(f"{weight[0]} output channels do not divide into {groups} groups")
        channels = weight[1] * groups
        sizes = node.integers("input_shape") if "input_shape" in node.parameters else ()
        taken = (channels, *sizes) if len(sizes) == axes and min(sizes) > 0 else received
        if taken is None:
            return None
        if len(taken) != axes + 1:
            raise ValueError(f"it takes ({channels}{', size' * axes}), not {taken}")
        geometry = convolution_geometry(node, axes)
        return Ends((channels, *taken[1:]), (weight[0], *geometry.windows(taken[1:])))

    return ends


class Geometry(NamedTuple):
    """A window that moves over some axes: one number an axis; padding before and behind."""

    kernel: Shape
    stride: Shape
    before: Shape
    behind: Shape
    dilation: Shape

    def windows(self, sizes: Sequence[int]) -> Shape:
        """The number of windows along every axis."""
        found: list[int] = []
        for size, kernel, stride, before, behind, dilation in zip(sizes, *self, strict=True):
            span = size + before + behind - dilation * (kernel - 1) - 1
            if span < 0:
                raise ValueError(f"a window of {kernel} is larger than the {size} it moves over")
            found.append(span // stride + 1)
        return tuple(found)


def convolution_geometry(node: Node, axes: int) -> Geometry:
    """The window of a convolution; raises ValueError where it is none."""
    kernel = node.array("weight").shape[2:]
    stride, dilation = _sizes(node, "stride", axes, 1), _sizes(node, "dilation", axes, 1)
    padding = node.parameters["padding"]
    if not isinstance(padding, str):
        sides = _sizes(node, "padding", axes, 0)
        return Geometry(kernel, stride, sides, sides, dilation)
    if padding == "valid":
        return Geometry(kernel, stride, (0,) * axes, (0,) * axes, dilation)
    if padding != "same" or set(stride) != {1}:
        raise ValueError(
            f"its padding is '{shown(padding)}' at stride {stride}; 'valid', and 'same' at stride 1, are known"
        )
    spans = tuple(spread * (size - 1) for spread, size in zip(dilation, kernel, strict=True))
    before = tuple(span // 2 for span in spans)
    return Geometry(
        kernel, stride, before, tuple(span - one for span, one in zip(spans, before, strict=True)), dilation
    )


def pooling_geometry(node: Node) -> Geometry:
    """The window of a pooling; raises ValueError where it is none."""
    sides = _sizes(node, "padding", 2, 0)
    return Geometry(_sizes(node, "kernel_size", 2, 1), _sizes(node, "stride", 2, 1), sides, sides, (1, 1))


def _sizes(node: Node, name: str, axes: int, least: int) -> Shape:
    if isinstance(node.parameters[name], str):
        raise ValueError(f"its {name} is a word, not {axes} numbers")
    values = node.integers(name)
    values = values * axes if len(values) == 1 else values
    if len(values) != axes or any(value < least for value in values):
        raise ValueError(f"its {name} is {values}: {axes} numbers of at least {least} are needed")
    return values


def _single(node: Node, name: str) -> int:
    values = node.integers(name)
    if len(values) != 1:
        raise ValueError(f"its {name} is {values}, not one number")
    return values[0]


def _pooling(node: Node, received: Shape | None) -> Ends | None:
    if received is None:
        return None
    if len(received) != 3:
        raise ValueError(f"it takes (channels, height, width), not {received}")
    return Ends(received, (received[0], *pooling_geometry(node).windows(received[1:])))


def _flatten(node: Node, received: Shape | None) -> Ends | None:
    shape = node.integers("input_type") if "input_type" in node.parameters else received
    if shape is None:
        return None
    start, stop = _single(node, "start_dim"), _single(node, "end_dim")
    first, last = (axis + len(shape) if axis < 0 else axis for axis in (start, stop))
    if not 0 <= first <= last < len(shape):
        raise ValueError(f"it flattens axes {start} to {stop} of {shape}; NIR counts no batch axis")
    return Ends(shape, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))


_RULES: Mapping[str, Callable[[Node, Shape | None], Ends | None]] = {
    **dict.fromkeys(NEURONS, _per_neuron),
    **dict.fromkeys(("Delay", "Scale", "Threshold"), _per_neuron),
    "Affine": _linear,
    "AvgPool2d": _pooling,
    "Conv1d": _convolution(1),
    "Conv2d": _convolution(2),
    "Flatten": _flatten,
    "Input": _declared,
    "Linear": _linear,
    "Output": _declared,
    PASSING: _passed,
    "SumPool2d": _pooling,
}
