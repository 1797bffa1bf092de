"""From a NIR file to a network of spike trains at level `snn`, in floats."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    ArrayAttr,
    DictionaryAttr,
    ModuleOp,
    NameLoc,
    NoneAttr,
    StringAttr,
    TensorType,
    f32,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import OptionError, Problem, UnsupportedModelError
from neurocuda.frontend.nir.graph import NEURONS, PASSING, Graph, Node, inlined
from neurocuda.frontend.nir.neurons import stepped
from neurocuda.frontend.nir.ordering import Order, ordered
from neurocuda.frontend.nir.reading import read_graph
from neurocuda.frontend.nir.shapes import Ends, convolution_geometry, pooling_geometry, shapes_of
from neurocuda.frontend.nir.soft_reset import without_feedback
from neurocuda.frontend.nir.values import require_gain, require_values
from neurocuda.ir.attributes import Dense, element_type, shape_of
from neurocuda.ir.context import weights_of
from neurocuda.ir.level import set_level
from neurocuda.ir.origin import ORIGIN, set_origin
from neurocuda.options import NirOptions

if TYPE_CHECKING:
    from xdsl.context import Context

Field = NDArray[np.float64]

HANDING_ON = frozenset({"Delay", "Flatten", "Output", "SumPool2d", PASSING})
"""Nodes that send spikes where they receive spikes."""

TIMED = frozenset({"LI", "LIF", "CubaLI", "CubaLIF", "Delay"})
"""Nodes that mean seconds."""


def import_nir(path: Path, options: NirOptions, context: Context) -> ModuleOp:
    """The network in a NIR file, at level `snn`: time is the first axis of its inputs and outputs.

    Raises:
        ModelError: the file is unreadable.
        UnsupportedModelError: lists what is unknown, misshapen or cannot be run.
        OptionError: the network has time constants or delays, and `options` do not say how long a step is.
    """
    graph = inlined(read_graph(path))
    dt = _seconds_per_step(graph, options)
    _require_ends(graph)
    require_values(graph, options, dt)
    graph, soft = without_feedback(graph, dt)
    shapes = shapes_of(graph)
    delays = {
        name: np.rint(node.numbers("delay") / dt).astype(np.int64)
        for name, node in graph.nodes.items()
        if node.kind == "Delay"
    }
    order = ordered(graph, [name for name, steps in delays.items() if steps.size and steps.min() > 0])
    builder = _Builder(graph, shapes, order, options, dt, soft, delays, context)
    return builder.module(path.stem)


def _seconds_per_step(graph: Graph, options: NirOptions) -> float:
    if options.dt is not None:
        return options.dt
    timed = [node.name for node in graph.nodes.values() if node.kind in TIMED]
    if timed:
        more = f" and {len(timed) - 1} more" if len(timed) > 1 else ""
        raise OptionError(
            f"node '{timed[0]}'{more} means seconds: say how long a step is, with nir=nc.NirOptions(dt=...) or --dt; "
            "most frameworks write their files for dt=1e-4"
        )
    return 1.0


def _require_ends(graph: Graph) -> None:
    """Every network takes and gives something, and every node has a part in it."""
    touched = {end for edge in graph.edges for end in edge}
    problems = [
        Problem(f"node '{name}' ({node.kind})", why="it is not connected to anything", remedy="Remove or connect it.")
        for name, node in graph.nodes.items()
        if name not in touched
    ]
    sources = {target for _, target in graph.edges}
    problems += [
        Problem(f"node '{name}' ({node.kind})", why="nothing reaches it", remedy="Connect it to an Input.")
        for name, node in graph.nodes.items()
        if name in touched and name not in sources and node.kind != "Input"
    ]
    problems += [
        Problem(f"edge '{source} -> {target}'", why="an Input node receives nothing from the graph")
        for source, target in graph.edges
        if graph.nodes[target].kind == "Input"
    ]
    kinds = {node.kind for node in graph.nodes.values()}
    problems += [Problem(f"the graph has no {kind} node") for kind in ("Input", "Output") if kind not in kinds]
    if problems:
        raise UnsupportedModelError("the NIR graph cannot be run:", problems)


class _Builder:
    """Writes one graph as a module, node by node."""

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Ends],
        order: Order,
        options: NirOptions,
        dt: float,
        soft: Mapping[str, bool],
        delays: Mapping[str, NDArray[np.int64]],
        context: Context,
    ) -> None:
        self.graph = graph
        self.sources = graph.sources()
        self.shapes = shapes
        self.order = order
        self.options = options
        self.dt = dt
        self.soft = soft
        self.delays = delays
        self.weights = weights_of(context)
        self.values: dict[str, SSAValue] = {}
        self.block = Block()
        self.late: list[tuple[snn.DelayOp, str]] = []

    def module(self, name: str) -> ModuleOp:
        """The whole network."""
        inputs = [node for node in self.graph.nodes.values() if node.kind == "Input"]
        outputs = [node.name for node in self.graph.nodes.values() if node.kind == "Output"]
        trains = [TensorType(f32, (DYNAMIC_INDEX, *self.shapes[node.name].given)) for node in inputs]
        for node, train in zip(inputs, trains, strict=True):
            argument = self.block.insert_arg(train, len(self.block.args))
            self.values[node.name] = self._add(snn.InputOp(argument, f32, "spikes"), node)
        for each in self.order.names:
            node = self.graph.nodes[each]
            if node.kind != "Input":
                self.values[each] = self._node(node)
        for delay, source in self.late:
            delay.operands[0] = self.values[source]
        read = [self.values[output] for output in outputs]
        self.block.add_op(snn.OutputOp(read))
        results = [TensorType(element_type(value), (DYNAMIC_INDEX, *shape_of(value))) for value in read]
        names = ArrayAttr([DictionaryAttr({ORIGIN: StringAttr(node.name)}) for node in inputs])
        function = func.FuncOp("main", (trains, results), arg_attrs=names)
        body = function.body.block
        network = snn.NetworkOp(body.args, Region(self.block), results, code="train", steps=None)
        body.add_ops([network, func.ReturnOp(*network.outputs)])
        module = ModuleOp([function])
        module.attributes["nc.name"] = StringAttr(name)
        set_level(module, "snn")
        return module

    def _add(self, op: Operation, node: Node, part: str = "") -> SSAValue:
        """Adds an operation that stands for a node, or for a part of one."""
        name = f"{node.name}.{part}" if part else node.name
        op.location = NameLoc(StringAttr(node.name), NoneAttr())
        set_origin(op, name)
        self.block.add_op(op)
        return op.results[0]

    def _node(self, node: Node) -> SSAValue:
        if node.name in self.delays:
            return self._delay(node)
        received = self._received(node)
        if node.kind in NEURONS:
            return self._neuron(node, received)
        return self._stateless(node, self._sum(node, received))

    def _received(self, node: Node) -> list[SSAValue]:
        """What arrives at a node in a step; over a delayed edge, what was sent in the step before."""
        found: list[SSAValue] = []
        for source in self.sources[node.name]:
            if (source, node.name) in self.order.delayed:
                found.append(self._held(node, source, snn.DelayOp(self._promised(source), 1), f"after {source}"))
            else:
                found.append(self.values[source])
        return found

    def _promised(self, source: str) -> SSAValue:
        """A stand-in of the type of what a node further down will send."""
        node = self.graph.nodes[source]
        return Block(arg_types=[TensorType(self._sent(node), self.shapes[source].given)]).args[0]

    def _sent(self, node: Node) -> Attribute:
        """The elements that a node sends: spikes where it hands on those of a single other one."""
        passed, windows = set[str](), list[int]()
        while node.kind in HANDING_ON and len(self.sources[node.name]) == 1 and node.name not in passed:
            passed.add(node.name)
            if node.kind == "SumPool2d":
                windows.append(prod(pooling_geometry(node).kernel))
            node = self.graph.nodes[self.sources[node.name][0]]
        if node.kind not in ("IF", "LIF", "CubaLIF", "Threshold"):
            return f32
        most = 1 if node.kind == "Threshold" else self.options.spikes_per_step
        return self._spikes(most) if not windows else snn.GradedType.of(0, most * prod(windows))

    @staticmethod
    def _spikes(most: int) -> Attribute:
        return snn.SpikesType.of(0, 1) if most == 1 else snn.GradedType.of(0, most)

    def _held(self, node: Node, source: str, op: snn.DelayOp, part: str) -> SSAValue:
        self.late.append((op, source))
        return self._add(op, node, part)

    def _sum(self, node: Node, received: list[SSAValue]) -> SSAValue:
        if len(received) == 1:
            return received[0]
        return self._add(snn.AddOp(received, f32), node, "sum")

    # Nodes with a state

    def _delay(self, node: Node) -> SSAValue:
        steps = self.delays[node.name]
        least = int(steps.min()) if steps.size else 0
        sources = self.sources[node.name]
        extra = None
        if (steps != least).any():
            wide = np.broadcast_to(steps - least, self.shapes[node.name].given)
            extra = self.weights.add(wide.astype(np.int32), "delay")
        if least == 0:
            value = self._sum(node, self._received(node))
            return value if extra is None else self._add(snn.DelayOp(value, 0, extra), node)
        if len(sources) == 1:
            return self._held(node, sources[0], snn.DelayOp(self._promised(sources[0]), least, extra), "")
        late = [
            self._held(node, each, snn.DelayOp(self._promised(each), least, extra), f"of {each}") for each in sources
        ]
        return self._add(snn.AddOp(late, f32), node)

    def _neuron(self, node: Node, received: list[SSAValue]) -> SSAValue:
        steps = stepped(node, self.options, self.dt)
        require_gain(node, steps.gain)
        if (steps.gain.astype(np.float32) != 1).any():
            weight = self._constant(steps.gain, "gain")
            received = [
                self._add(snn.DiagonalOp(each, weight), node, f"gain.{index}") for index, each in enumerate(received)
            ]
        bias = self._constant(steps.bias, "bias") if steps.bias.any() else None
        op = (
            self._firing(node, received)
            if "v_threshold" in node.parameters
            else snn.AccumulateOp(received, element=f32)
        )
        state = {"membrane_decay": steps.membrane_decay, "current_decay": steps.current_decay}
        decays = {name: self._constant(decay, name) for name, decay in state.items() if decay is not None}
        op.properties.update({"bias": bias} if bias is not None else {}, **decays)
        return self._add(op, node)

    def _firing(self, node: Node, received: list[SSAValue]) -> snn.IntegrateAndFireOp:
        options = self.options
        subtracts = node.name in self.soft or options.reset == "subtract"
        rest = node.numbers("v_reset") if "v_reset" in node.parameters else np.zeros(1)
        lowest = None if options.lower_bound is None else self._constant(np.array([options.lower_bound]), "lower_bound")
        return snn.IntegrateAndFireOp(
            received,
            self._spikes(options.spikes_per_step),
            threshold=self._constant(node.numbers("v_threshold"), "threshold"),
            reset="subtract" if subtracts else "zero",
            reset_value=self._constant(rest, "reset_value") if rest.any() and not subtracts else None,
            strict=options.comparison == "strict" and not self.soft.get(node.name, False),
            spikes_per_step=options.spikes_per_step,
            lower_bound=lowest,
        )

    def _constant(self, values: Field, name: str) -> Dense:
        """Single numbers stay single, and so do numbers that are the same for all neurons."""
        same = values.size > 0 and (values == values.flat[0]).all()
        return self.weights.add((values.flat[:1] if same else values).astype(np.float32), name)

    # Nodes without one

    def _stateless(self, node: Node, x: SSAValue) -> SSAValue:
        if node.kind in ("Output", PASSING):
            return x
        if node.kind in ("Affine", "Linear"):
            return self._add(snn.LinearOp(x, self._weight(node), self._bias(node)), node)
        if node.kind == "Scale":
            return self._add(snn.DiagonalOp(x, self._constant(node.numbers("scale"), "scale")), node)
        if node.kind == "Threshold":
            least = self._constant(node.numbers("threshold"), "threshold")
            return self._add(snn.ThresholdOp(x, least, strict=self.options.comparison == "strict"), node)
        if node.kind == "Flatten":
            return self._add(snn.ReshapeOp(x, self.shapes[node.name].given), node)
        if node.kind in ("SumPool2d", "AvgPool2d"):
            return self._pooling(node, x)
        return self._convolution(node, x)

    def _weight(self, node: Node) -> Dense:
        return self.weights.add(node.array("weight").astype(np.float32), node.name)

    def _bias(self, node: Node) -> Dense | None:
        if "bias" not in node.parameters or not node.array("bias").any():
            return None
        return self.weights.add(node.array("bias").astype(np.float32), f"{node.name}.bias")

    def _pooling(self, node: Node, x: SSAValue) -> SSAValue:
        """An average is a sum and a scale; zeros that pad count."""
        kernel, stride, before, behind, _ = pooling_geometry(node)
        padding = (before[0], behind[0], before[1], behind[1])
        whole = isinstance(element_type(x), RangeType)
        element = snn.GradedType.of(0, self._highest(x) * prod(kernel)) if whole else f32
        pooled = snn.SumPool2dOp(x, kernel, stride=stride, padding=padding, element=element)
        if node.kind == "SumPool2d":
            return self._add(pooled, node)
        share = self._constant(np.array([1 / prod(kernel)]), "share")
        return self._add(snn.DiagonalOp(self._add(pooled, node, "sum"), share), node)

    @staticmethod
    def _highest(x: SSAValue) -> int:
        element = element_type(x)
        assert isinstance(element, RangeType)
        return element.bounds[1]

    def _convolution(self, node: Node, x: SSAValue) -> SSAValue:
        """In one dimension, one of images with a single row."""
        weight = node.array("weight").astype(np.float32)
        axes = weight.ndim - 2
        _, stride, before, behind, dilation = convolution_geometry(node, axes)
        given = self.shapes[node.name].given
        if axes == 1:
            channels, size = shape_of(x)
            x = self._add(snn.ReshapeOp(x, (channels, 1, size)), node, "row")
            weight, stride, before, behind = weight[:, :, None], (1, *stride), (0, *before), (0, *behind)
            dilation = (1, *dilation)
        op = snn.Conv2dOp(
            x,
            self.weights.add(weight, node.name),
            self._bias(node),
            stride=stride,
            padding=(before[0], behind[0], before[1], behind[1]),
            dilation=dilation,
            groups=node.integers("groups")[0],
        )
        if axes == 2:
            return self._add(op, node)
        return self._add(snn.ReshapeOp(self._add(op, node, "image"), given), node)
