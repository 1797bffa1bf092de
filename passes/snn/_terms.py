"""What values of a spiking network of floats become in integers: signals with a scale, and currents without a unit yet.

Between neurons everything is linear. A signal is an integer, and what 1 of it stands for; a scale or a divisor on its
way changes that number and nothing else. A synapse makes a current of it, whose integers are chosen when the neurons
that read it are known, since all their synapses share one unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from xdsl.dialects.builtin import TensorType, i32
from xdsl.ir import Attribute, Operation, SSAValue

from neurocuda.dialects.shared.bases import Conv2dBase, DiagonalBase, LinearBase, SynapseOp
from neurocuda.dialects.shared.ranges import RangeType
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import element_type, shape_of
from neurocuda.ir.weights import WeightStore, constants_named
from neurocuda.passes.snn._encoding import carried_element

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Field: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Signal:
    """An integer value, and what 1 of it stands for: one number per element, NaN where padding was added."""

    value: SSAValue
    scale: Field


@dataclass(frozen=True)
class Current:
    """A synapse that reads an integer signal.

    `weight` are its weights in floats per integer read, `bias` what it brings at every step by itself; both have the
    shapes of the synapse's own. `after` is what happens to the current on its way: delays, index maps, poolings.
    """

    synapse: SynapseOp
    source: SSAValue
    weight: Field
    bias: Field
    after: tuple[Operation, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether neurons read it in other places than the synapse's."""
        return any(not isinstance(op, snn.DelayOp) for op in self.after)

    def largest(self) -> Field:
        """The largest weight per output channel, broadcasting onto what the neurons read."""
        import numpy as np

        magnitude = np.abs(self.weight)
        if self.moved:
            return magnitude.max(initial=0).reshape(1)
        return per_channel(self.synapse, magnitude)

    def vanishes_in(self, unit: Field) -> bool:
        """Whether no weight is left of what had some."""
        largest = float(abs(self.weight).max(initial=0))
        return 0 < largest < float(unit.min()) / 2

    def in_units(self, weights: WeightStore, unit: Field, largest: int, *, with_bias: bool) -> SSAValue:
        """The current in integers, of a unit that broadcasts as `largest` does; the synapse is inserted anew.

        It keeps its bias where something happens to the current on its way, or where that is asked for.
        """
        import numpy as np

        from neurocuda.passes.ann._fields import per_output

        synapse, kind = self.synapse, np.int8 if largest < 2**7 else np.int16
        divisor = unit.ravel() if unit.size == 1 else unit
        if unit.size > 1 and isinstance(synapse, Conv2dBase | LinearBase):
            divisor = per_output(synapse, unit.ravel())
        whole = np.rint(self.weight / divisor).astype(kind)
        properties = {name: value for name, value in synapse.properties.items() if name not in ("bias", "scale")}
        properties["weight"] = weights.add(whole, "weight")
        if (self.after or with_bias) and self.bias.any():
            properties["bias"] = weights.add(np.rint(self.bias / unit.ravel()).astype(np.int32), "bias")
        made = _insert(synapse, [self.source], properties, i32)
        for op in self.after:
            made = _insert(op, [made], op.properties, i32)
        return made


Term: TypeAlias = Signal | Current


def per_channel(op: SynapseOp, magnitude: Field) -> Field:
    """The largest of a synapse's weights per output channel, broadcasting onto its result."""
    rank = len(shape_of(op.result))
    if isinstance(op, Conv2dBase | LinearBase):
        rows = magnitude.reshape(len(magnitude), -1).max(axis=1, initial=0)
        return rows.reshape(-1, *(1,) * (rank - 1)) if isinstance(op, Conv2dBase) else rows
    full = magnitude.reshape((1,) * (rank - magnitude.ndim) + magnitude.shape)
    return full.max(axis=tuple(range(1, rank)), keepdims=True) if rank == 3 else full


def through_synapse(op: SynapseOp, term: Term, weights: WeightStore) -> Term | str:
    """What a synapse makes of a term, or why it makes nothing of it."""
    import numpy as np

    from neurocuda.passes.ann._fields import columns

    weight = weights.array(op.weight).astype(np.float64)
    if isinstance(term, Current):
        return _scaled(op, term, weight) if isinstance(op, DiagonalBase) else "two synapses follow each other"
    if isinstance(op, DiagonalBase):
        return Signal(term.value, np.broadcast_to(term.scale * weight, shape_of(op.result)))
    found = columns(op, weight, term.scale)
    if found is None:
        return "what its inputs stand for differs inside a channel"
    bias = constants_named(op.properties, ["bias"]).get("bias")
    own = np.zeros(len(weight)) if bias is None else weights.array(bias).astype(np.float64)
    return Current(op, term.value, found, own)


def _scaled(op: SynapseOp, term: Current, factor: Field) -> Term | str:
    """A current times a factor: one per output channel of its synapse."""
    import numpy as np

    from neurocuda.passes.ann._fields import per_output

    shape = shape_of(op.result)
    full = np.broadcast_to(factor, shape)
    if full.size and np.ptp(full) == 0:
        rows = np.full(len(term.weight), full.flat[0])
    elif term.moved:
        return "its factors differ, and the current does not come straight from a synapse"
    else:
        axis = 0 if isinstance(term.synapse, Conv2dBase) else len(shape) - 1
        others = tuple(other for other in range(len(shape)) if other != axis)
        if np.ptp(full, axis=others).any():
            return "its factors differ inside a channel"
        rows = full.max(axis=others)
    return replace(term, weight=term.weight * per_output(term.synapse, rows), bias=term.bias * rows)


def through_map(op: Operation, terms: Sequence[Term], weights: WeightStore) -> Term | str:
    """What a delay, an index map or a pooling makes of terms, or why it makes nothing of them."""
    import numpy as np

    from neurocuda.passes.ann._fields import carried, carries

    first = terms[0]
    if len(terms) == 1 and isinstance(first, Current):
        return replace(first, after=(*first.after, op))
    signals = [term for term in terms if isinstance(term, Signal)]
    if len(signals) < len(terms):
        return "it joins currents, which have no unit in common"
    scale: Field | None = signals[0].scale
    if isinstance(op, snn.AddOp):
        scale = scale if all(np.array_equal(scale, other.scale) for other in signals) else None
    elif not isinstance(op, snn.DelayOp):
        scale = carried(op, weights, [signal.scale for signal in signals]) if carries(op) else None
    if scale is None:
        return "what it joins stands for different things"
    if isinstance(element_type(op.results[0]), RangeType):
        return Signal(op.results[0], scale)
    operands = [signal.value for signal in signals]
    made = _insert(op, operands, op.properties, None)
    return Signal(made, scale)


def _insert(
    op: Operation, operands: Sequence[SSAValue], properties: dict[str, Attribute], element: Attribute | None
) -> SSAValue:
    """The same operation on other operands, ahead of it; without an element type, that of the operands is carried."""
    kind = TensorType(i32 if element is None else element, shape_of(op.results[0]))
    new = type(op).create(operands=operands, properties=properties, result_types=[kind], location=op.location)
    ranged = all(isinstance(element_type(operand), RangeType) for operand in operands)
    if element is None and ranged and not isinstance(op, snn.AddOp):
        kind = TensorType(carried_element(new), shape_of(op.results[0]))
        new = type(op).create(operands=operands, properties=properties, result_types=[kind], location=op.location)
    assert op.parent is not None
    op.parent.insert_op_before(new, op)
    new.results[0].name_hint = op.results[0].name_hint
    return new.results[0]
