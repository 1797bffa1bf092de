"""Appends groups and synapses to a network of level `loihi`, and refuses what the chip's registers do not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir import Attribute, Block, Operation, SSAValue

from neurocuda.dialects.loihi import ops as loihi
from neurocuda.dialects.loihi.types import CURRENT, MESSAGE_BITS
from neurocuda.dialects.shared import shapes
from neurocuda.errors import Problem
from neurocuda.ir.activity import ACTIVITY
from neurocuda.ir.attributes import Dense, integer, integers, shape_of
from neurocuda.ir.origin import origin_of, set_origin, user_location
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.loihi.lowering._connections import Connection, Convolution, Matrix, Pairs, scaled, without_zeros

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

EVEN = 2
"""Weights of mixed sign are even: a layer that has such counts everything twice, and stays what it is."""

LARGEST_WEIGHT = 255
"""Of one sign; of mixed signs it is 254."""

MOST_PARTS = 16
"""So many synapses may add up to one with large weights."""

DIGIT_BITS = 7
"""A constant that pulses bring is a sum of weights of so many bits, without sign, times powers of 2^7."""

LONGEST_DELAY = 63


@dataclass
class Builder:
    """The body of a network being written; `problems` collects what the chip cannot do."""

    weights: WeightStore
    block: Block = field(default_factory=Block)
    problems: list[Problem] = field(default_factory=list[Problem])
    _vectors: dict[tuple[SSAValue, bool], SSAValue] = field(default_factory=dict["tuple[SSAValue, bool]", SSAValue])
    _clocks: dict[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], SSAValue] = field(
        default_factory=dict["tuple[tuple[int, ...], tuple[tuple[int, int], ...]]", SSAValue]
    )

    def refuse(self, op: Operation, why: str, remedy: str = "") -> None:
        """Notes what stands in the way."""
        self.problems.append(Problem(f"`{op.name}`", user_location(op) or origin_of(op) or "", why, remedy))

    def add(self, op: Operation, like: Operation) -> SSAValue:
        """Appends an operation that has a part in what `like` says; returns its first result."""
        op.location = like.location
        self.block.add_op(op)
        return op.results[0]

    def array(self, constant: Dense | None) -> Array:
        """The values of a constant; 0 without one."""
        import numpy as np

        return np.zeros(1, np.int64) if constant is None else self.weights.array(constant).astype(np.int64)

    def constant(self, values: Array, name: str) -> Dense:
        """A constant of the chip."""
        import numpy as np

        return self.weights.add(np.ascontiguousarray(values, np.int32), name)

    def of_neurons(self, values: Array, name: str) -> Dense:
        """A constant per neuron, whose axes are the user's, in Lava's order."""
        return self.constant(values.transpose(), name)

    # Groups

    def group(
        self,
        kind: type[loihi.GroupOp],
        like: Operation,
        currents: Sequence[SSAValue],
        properties: Mapping[str, Attribute],
        *,
        layer: bool = False,
    ) -> loihi.GroupOp:
        """Neurons that hear some currents; `layer`: what they say is what `like` says."""
        shape = shape_of(currents[0])
        results = [TensorType(kind.SENDS, shape), TensorType(CURRENT, shape)]
        op = kind.build(operands=[currents], properties=dict(properties), result_types=results)
        self.add(op, like)
        if layer:
            set_origin(op, origin_of(like))
        if ACTIVITY in like.attributes:
            op.attributes[ACTIVITY] = like.attributes[ACTIVITY]
        return op

    # Synapses

    def synapses(
        self,
        like: Operation,
        found: Connection,
        spikes: SSAValue,
        shape: Sequence[int],
        *,
        factor: int = 1,
        delay: int = 0,
        bits: int | None = None,
    ) -> Iterator[SSAValue]:
        """The currents of a synapse into neurons of `shape`, with all weights times `factor`.

        Weights that 8 bits do not hold are the sum of those of several synapses.
        """
        parts = within_eight_bits(scaled(found, factor))
        if len(parts) > MOST_PARTS:
            why = f"its weights reach up to {abs(found.weight * factor).max()} on the chip, where they have 8 bits"
            self.refuse(like, why, "Use weight_bits=8 or fewer, and pooling windows that do not overlap.")
        if delay > LONGEST_DELAY:
            self.refuse(like, f"it waits for {delay} steps, and a synapse for {LONGEST_DELAY} at most")
        for part in parts[:MOST_PARTS]:
            yield self._synapse(like, part, spikes, shape, min(delay, LONGEST_DELAY), bits)

    def _synapse(
        self,
        like: Operation,
        found: Connection,
        spikes: SSAValue,
        shape: Sequence[int],
        delay: int,
        bits: int | None,
    ) -> SSAValue:
        properties = self._weight_properties(found)
        if bits is not None:
            properties["message_bits"] = integer(bits)
        if isinstance(found, Convolution):
            return self._reshaped(like, self._convolution(like, found, spikes, properties), shape)
        properties["delay"] = integer(delay)
        if isinstance(found, Matrix):
            kind: type[loihi.WeightsOp] = loihi.DenseOp
        else:
            kind = loihi.SparseOp
            properties["sources"] = self.constant(found.sources, "sources")
            properties["targets"] = self.constant(found.targets, "targets")
        flat = self._flat(like, spikes, turned=isinstance(found, Matrix) and found.flattened)
        result = TensorType(CURRENT, (prod(shape),))
        current = self.add(kind.build(operands=[flat], properties=properties, result_types=[result]), like)
        return self._reshaped(like, current, shape)

    def _convolution(
        self, like: Operation, found: Convolution, spikes: SSAValue, properties: dict[str, Attribute]
    ) -> SSAValue:
        width, height, channels = shape_of(spikes)
        geometry = (found.stride, tuple(end for end in found.padding for _ in range(2)), found.dilation, found.groups)
        kernels = (found.weight.shape[0], found.weight.shape[3], *found.weight.shape[1:3])
        outputs, *windows = shapes.conv2d((channels, width, height), kernels, *geometry)
        properties |= {name: integers(getattr(found, name)) for name in ("stride", "padding", "dilation")}
        properties["groups"] = integer(found.groups)
        result = TensorType(CURRENT, (*windows, outputs))
        return self.add(loihi.ConvOp.build(operands=[spikes], properties=properties, result_types=[result]), like)

    def _weight_properties(self, found: Connection) -> dict[str, Attribute]:
        import numpy as np

        lowest, highest = int(found.weight.min(initial=0)), int(found.weight.max(initial=0))
        mode = "excitatory" if lowest >= 0 else "inhibitory" if highest <= 0 else "mixed"
        kind = np.int8 if lowest >= -128 and highest <= 127 else np.int16
        return {"weight": self.weights.add(found.weight.astype(kind), "weight"), "sign_mode": StringAttr(mode)}

    def _flat(self, like: Operation, spikes: SSAValue, *, turned: bool) -> SSAValue:
        """A port as a vector; `turned`: in the order of the user's axes, else in Lava's."""
        shape = shape_of(spikes)
        if (spikes, turned) not in self._vectors:
            port = spikes
            if turned and len(shape) > 1:
                port = self.add(loihi.TransposeOp(port, tuple(reversed(range(len(shape))))), like)
            self._vectors[spikes, turned] = self._reshaped(like, port, (prod(shape),))
        return self._vectors[spikes, turned]

    def _reshaped(self, like: Operation, port: SSAValue, shape: Sequence[int]) -> SSAValue:
        return port if shape_of(port) == tuple(shape) else self.add(loihi.ReshapeOp(port, shape), like)

    # Constants that come in their time

    def pulsed(
        self, like: Operation, values: Array, shape: Sequence[int], pulses: Mapping[int, int]
    ) -> Iterator[SSAValue]:
        """Currents that bring a constant of a layer, times each payload, one step after each pulse.

        `values` are in units of the layer and broadcast onto the user's axes of `shape`, Lava's; they arrive doubled.
        """
        import numpy as np

        turned = values.reshape((1,) * (len(shape) - values.ndim) + values.shape).transpose()
        per_channel = len(shape) == 3 and turned.shape[:2] == (1, 1)
        full = np.broadcast_to(turned, (1, 1, shape[2]) if per_channel else tuple(shape))
        sign, rest, digit = np.sign(full), np.abs(full), 0
        while rest.any():
            part = sign * (rest % 2**DIGIT_BITS)
            rest = rest >> DIGIT_BITS
            if part.any():
                at = tuple((step, payload << (DIGIT_BITS * digit)) for step, payload in pulses.items())
                yield from self._brought(like, part, shape, at, per_channel=per_channel)
            digit += 1

    def _brought(
        self, like: Operation, part: Array, shape: Sequence[int], at: tuple[tuple[int, int], ...], *, per_channel: bool
    ) -> Iterator[SSAValue]:
        """The current of one digit of a constant: the same kernel of one neuron everywhere, or a weight for each."""
        places = (*shape[:2], 1) if per_channel else (1,)
        if (places, at) not in self._clocks:
            self._clocks[places, at] = self.add(loihi.PulsesOp(dict(at), places), like)
        clock = self._clocks[places, at]
        bits = message_bits(min(payload for _, payload in at), max(payload for _, payload in at))
        found = Convolution(part.reshape(-1, 1, 1, 1)) if per_channel else Matrix(part.reshape(-1, 1))
        return self.synapses(like, found, clock, shape, factor=EVEN, bits=bits)


def within_eight_bits(found: Connection) -> list[Connection]:
    """Connections whose weights the chip holds, and which add up to the one that is given."""
    import numpy as np

    parts: list[Connection] = []
    rest = found
    while rest.weight.any() or not parts:
        mixed = (rest.weight < 0).any() and (rest.weight > 0).any()
        most = LARGEST_WEIGHT - mixed
        part = replace(rest, weight=np.clip(rest.weight, -most, most))
        parts.append(without_zeros(part) if isinstance(part, Pairs) else part)
        rest = replace(rest, weight=rest.weight - part.weight)
    return parts


def message_bits(lowest: int, highest: int) -> int:
    """The width of the integer of graded spikes in this range."""
    return next(bits for bits in MESSAGE_BITS if -(2 ** (bits - 1)) <= lowest and highest < 2 ** (bits - 1))
