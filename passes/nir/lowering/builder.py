"""Appends nodes to a graph, gives them names, and makes signals that depend on the time alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute, Block, Operation, SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.snn.types import SpikesType
from neurocuda.errors import Problem
from neurocuda.ir.attributes import Dense, shape_of
from neurocuda.ir.origin import origin_of, user_location
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Signal: TypeAlias = "tuple[SSAValue, ...]"
"""A value of the network as the values of the graph that it is the sum of: whatever reads it adds them up."""

SECONDS_PER_STEP = 1.0
"""The dt that files are written for: then r = 1, which every reader takes."""

TICK = SpikesType.of(0, 1)


@dataclass
class Builder:
    """A graph being written. `exact` says which of the two files it is for; `problems` collects what NIR cannot say."""

    weights: WeightStore
    exact: bool
    block: Block = field(default_factory=Block)
    problems: list[Problem] = field(default_factory=list[Problem])
    _names: set[str] = field(default_factory=set[str])
    _layers: dict[Operation, str] = field(default_factory=dict[Operation, str])
    _unspent: set[Operation] = field(default_factory=set[Operation])
    _timers: dict[tuple[tuple[int, ...], str], SSAValue] = field(
        default_factory=dict["tuple[tuple[int, ...], str]", SSAValue]
    )

    def refuse(self, op: Operation, why: str, remedy: str = "") -> None:
        """Notes what stands in the way."""
        self.problems.append(Problem(f"`{op.name}`", user_location(op) or origin_of(op) or "", why, remedy))

    def node(
        self,
        kind: type[nir.NodeOp],
        like: Operation,
        inputs: Signal,
        shape: Sequence[int],
        role: str = "",
        /,
        *,
        element: Attribute | None = None,
        **parameters: Attribute | None,
    ) -> SSAValue:
        """Appends a node that says what `like` says, or with a role takes part in that."""
        new = kind(self.name(like, role), inputs, shape, element=element or f32, **parameters)
        new.location = like.location
        self.block.add_op(new)
        return new.result

    def name(self, like: Operation, role: str = "") -> str:
        """A name that is new, and that torch takes for a module; the nodes of one layer begin alike."""
        if like not in self._layers:
            self._layers[like] = self._new_name(_identifier(origin_of(like) or like.name.partition(".")[2]))
            self._unspent.add(like)
        if not role and like in self._unspent:
            self._unspent.discard(like)
            return self._layers[like]
        return self._new_name("_".join(filter(None, (self._layers[like], role))))

    def _new_name(self, base: str) -> str:
        candidates = (f"{base}_{number}" if number else base for number in range(len(self._names) + 1))
        name = next(name for name in candidates if name not in self._names)
        self._names.add(name)
        return name

    def floats(self, value: Array | float, name: str = "parameter") -> Dense:
        """A parameter in float32; a single number broadcasts."""
        import numpy as np

        return self.weights.add(np.atleast_1d(np.asarray(value, np.float32)), name)

    def doubles(self, value: Array, name: str) -> Dense:
        """A parameter in float64: a time constant, from which decays are worked out."""
        import numpy as np

        return self.weights.add(np.atleast_1d(np.asarray(value, np.float64)), name)

    def array(self, constant: Dense) -> Array:
        """The values of a constant."""
        return self.weights.array(constant)

    def scaled(self, like: Operation, signal: Signal, factor: Array | float, role: str) -> SSAValue:
        """A signal times a factor per element, as a node."""
        return self.node(nir.ScaleOp, like, signal, shape_of(signal[0]), role, scale=self.floats(factor, "scale"))

    def joined(self, like: Operation, signal: Signal) -> SSAValue:
        """A signal as a single value: readers add up what enters a node, but not what enters an output."""
        if len(signal) == 1:
            return signal[0]
        if self.exact:
            return self.scaled(like, signal, 1.0, "sum")
        self.refuse(like, "readers of the compatible file add up nothing at an output", "End in one layer.")
        return signal[0]

    # Time. A clock counts steps; what it is compared with says when

    def always(self, like: Operation, signal: Signal) -> SSAValue:
        """1 at every step, in the shape of a signal; made once per shape."""
        shape = shape_of(signal[0])
        if (shape, "always") not in self._timers:
            nothing = self.scaled(like, signal[:1], 0.0, "nothing")
            self._timers[shape, "always"] = self._over(like, (nothing,), -0.5, "always")
        return self._timers[shape, "always"]

    def pulse(self, like: Operation, signal: Signal, step: int) -> SSAValue:
        """1 at one step, 0 at all others, in the shape of a signal; made once per shape and step."""
        key = (shape_of(signal[0]), f"pulse_{step}")
        if key not in self._timers:
            late = self.scaled(like, (self._since(like, signal, step + 1),), -1.0, f"not_after_{step}")
            self._timers[key] = self._over(like, (self._since(like, signal, step), late), 0.5, f"pulse_{step}")
        return self._timers[key]

    def _since(self, like: Operation, signal: Signal, step: int) -> SSAValue:
        """1 from a step on, 0 before it."""
        always, shape = self.always(like, signal), shape_of(signal[0])
        if not step:
            return always
        if (shape, "clock") not in self._timers:
            one = self.floats(1 / SECONDS_PER_STEP, "r")
            self._timers[shape, "clock"] = self.node(nir.IOp, like, (always,), shape, "clock", r=one)
        key = (shape, f"since_{step}")
        if key not in self._timers:
            clock = (self._timers[shape, "clock"],)  # the number of steps begun
            self._timers[key] = self._over(like, clock, step + 0.5, f"since_{step}")
        return self._timers[key]

    def _over(self, like: Operation, signal: Signal, threshold: float, role: str) -> SSAValue:
        bound = self.floats(threshold, "threshold")
        return self.node(nir.ThresholdOp, like, signal, shape_of(signal[0]), role, element=TICK, threshold=bound)


RESERVED = ("input", "output")
"""How the border's own nodes are called."""


def _identifier(name: str) -> str:
    """A name without what HDF5 and torch give a meaning to."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return (
        plain if plain.isidentifier() and not iskeyword(plain) and not plain.startswith(RESERVED) else f"node_{plain}"
    )
