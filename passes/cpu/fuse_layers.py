"""Makes one operation of every layer of neurons that computes counts, so that nothing is stored between its loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.dialects.builtin import ArrayAttr, ModuleOp, i32
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.bases import SynapseOp, Windowed, buffer_element, buffer_shape, element_bytes, is_float
from neurocuda.ir.activity import keep_activity
from neurocuda.ir.attributes import Dense, integer, values_of
from neurocuda.ir.origin import inherit
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

Speaking: TypeAlias = cpu.FireOp | cpu.LookupOp
"""What says the counts of a layer."""

Source: TypeAlias = tuple[SSAValue, cpu.SynapseAttr, Dense]
"""What a synapse reads, how, and its weight."""


@dataclass(frozen=True)
class FuseLayersPass(NeuroPass):
    """
    Replaces the loop nests around one membrane by `cpu.count_layer`, in programs of mode "counts".

    These are the fill that sets the membrane, synapses of integers, constant charges, and a fire, or a lookup without a
    table, that says floor(membrane / threshold), from 0 to some level. The membrane has to be proven to stay in 32
    bits. Everything else stays as it is: sums of several spikes in another type, table layers, products, outputs.

    A copy that hands all elements to a `linear` synapse in another order goes: the rows of the weight are put into that
    order instead.

    Before:
        func.func @main(%x: tensor<4xui8>) -> tensor<3xui8> {
          %y = cpu.program "network" mode "counts" steps 1 inputs(%x) {
          ^bb0(%0: memref<4xui8>):
            %1 = cpu.buffer range [-40, 99] : memref<3xi32>
            cpu.fill %1 value(dense<5> : tensor<1xi32>) steps [0, 1] : memref<3xi32>
            cpu.linear %0 -> %1 weight(dense<2> : tensor<4x3xi8>) steps [0, 1] : memref<4xui8> -> memref<3xi32>
            cpu.charge %1 value(dense<7> : tensor<1xi32>) steps [0, 1] : memref<3xi32>
            %2 = cpu.buffer : memref<3xui8>
            cpu.fire %1 -> %2 threshold(dense<9> : tensor<1xi32>) spikes_per_step 15 layout [0] steps [0, 1]
              : memref<3xi32> -> memref<3xui8>
            cpu.output %2 : memref<3xui8>
          } : (tensor<4xui8>) -> (tensor<3xui8>)
          func.return %y : tensor<3xui8>
        }

    After:
        func.func @main(%x: tensor<4xui8>) -> tensor<3xui8> {
          %y = cpu.program "network" mode "counts" steps 1 inputs(%x) {
          ^bb0(%0: memref<4xui8>):
            %2 = cpu.buffer : memref<3xui8>
            cpu.count_layer(%0) -> %2 synapses [#cpu.synapse<linear>] weights [dense<2> : tensor<4x3xi8>]
              threshold(dense<9> : tensor<1xi32>) bias(dense<7> : tensor<1xi32>) initial(dense<5> : tensor<1xi32>)
              levels 15 layout [0] steps [0, 1] : (memref<4xui8>) -> memref<3xui8>
            cpu.output %2 : memref<3xui8>
          } : (tensor<4xui8>) -> (tensor<3xui8>)
          func.return %y : tensor<3xui8>
        }
    """

    name = "fuse-layers"
    promise = Equal()

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        for program in list(module.walk()):
            if isinstance(program, cpu.ProgramOp) and program.mode.data == cpu.COUNTS:
                _Fusion(program, weights).run()


class _Fusion:
    """One program whose layers are being fused. Where an operation stands does not change on the way."""

    def __init__(self, program: cpu.ProgramOp, weights: WeightStore) -> None:
        self.program = program
        self.weights = weights
        self.places: dict[Operation, int] = {op: index for index, op in enumerate(program.body.block.ops)}

    def run(self) -> None:
        """Fuses what can be fused, and leaves out copies that nothing reads any more."""
        for op in list(self.program.body.block.ops):
            parts = self._parts(op) if isinstance(op, Speaking) else None
            if isinstance(op, Speaking) and parts is not None:
                self._fuse(op, parts)
        for op in reversed(list(self.program.body.block.ops)):
            if isinstance(op, cpu.CopyOp) and not _is_read(op.target):
                op.detach()
                op.erase()

    def _parts(self, op: Speaking) -> Sequence[cpu.LoopOp] | None:
        """The loop nests that make the membrane, in order; None where they are not a layer of counts."""
        if _levels(op) is None or not (self.weights.array(op.threshold) > 0).all() or not _is_proven(op.membrane):
            return None
        users = sorted({use.operation for use in op.membrane.uses}, key=self.places.__getitem__)
        if users[-1] is not op or not isinstance(users[0], cpu.FillOp):
            return None
        parts = [user for user in users[:-1] if isinstance(user, cpu.FillOp | SynapseOp | cpu.ChargeOp)]
        synapses = [part for part in parts if isinstance(part, SynapseOp)]
        fills = [part for part in parts if isinstance(part, cpu.FillOp)]
        whole = len(parts) == len(users) - 1 and len(fills) == 1 and synapses
        return parts if whole and all(self._can_wait(synapse, op) for synapse in synapses) else None

    def _can_wait(self, synapse: SynapseOp, op: Speaking) -> bool:
        """Whether a synapse of integers finds the same in its source where the layer speaks."""
        if synapse.source is synapse.membrane or is_float(buffer_element(synapse.source)):
            return False
        if isinstance(synapse, cpu.LinearOp) and len(buffer_shape(synapse.source)) != 1:
            return False
        return not self._changes(synapse.source, synapse, op)

    def _changes(self, buffer: SSAValue, after: Operation, before: Operation) -> bool:
        """Whether something writes a buffer between two operations."""
        span = range(self.places[after] + 1, self.places[before])
        return any(self.places[writer] in span for writer in _writers(buffer))

    def _fuse(self, op: Speaking, parts: Sequence[cpu.LoopOp]) -> None:
        sources = [self._source(part, op) for part in parts if isinstance(part, SynapseOp)]
        charges = [part.value for part in parts if isinstance(part, cpu.ChargeOp)]
        fill = parts[0]
        assert isinstance(fill, cpu.FillOp)
        layer = cpu.CountLayerOp.build(
            operands=[[source for source, _, _ in sources], op.spikes],
            properties={
                "synapses": ArrayAttr([how for _, how, _ in sources]),
                "weights": ArrayAttr([weight for _, _, weight in sources]),
                "threshold": op.threshold,
                "bias": self._sum(charges),
                "initial": fill.value,
                "levels": integer(_levels(op) or 0),
                "scale": op.scale,
                "layout": op.layout,
                "steps": op.steps,
            },
        )
        layer.location = op.location
        inherit(op, layer)
        keep_activity(op, layer)
        block, membrane = self.program.body.block, op.membrane.owner
        block.insert_op_before(layer, op)
        self.places[layer] = self.places[op]
        for part in (op, *parts):
            block.erase_op(part)
        assert isinstance(membrane, Operation)
        block.erase_op(membrane)

    def _sum(self, constants: Sequence[Dense]) -> Dense | None:
        """Constants that broadcast from the last axis, added up."""
        if len(constants) < 2:
            return next(iter(constants), None)
        import numpy as np

        total: Array = sum((self.weights.array(each).astype(np.int64) for each in constants), np.zeros(1, np.int64))
        return self.weights.add(total.astype(np.int32), "bias")

    def _source(self, part: SynapseOp, op: Speaking) -> Source:
        if isinstance(part, cpu.LinearOp):
            source, weight = self._before_copy(part, op)
            return source, cpu.SynapseAttr.of("linear"), weight
        if not isinstance(part, cpu.Conv2dOp | cpu.DepthwiseConv2dOp):
            return part.source, cpu.SynapseAttr.of("diagonal"), part.weight
        kind = part.name.removeprefix("cpu.")
        return part.source, cpu.SynapseAttr.of(kind, *_geometry(part)), part.weight

    def _before_copy(self, part: cpu.LinearOp, op: Speaking) -> tuple[SSAValue, Dense]:
        """What a copy that only changes the order reads, and the weight with its rows in that order."""
        writers = list(_writers(part.source))
        copy = writers[0] if len(writers) == 1 else None
        if not isinstance(copy, cpu.CopyOp) or self._changes(copy.source, copy, op):
            return part.source, part.weight
        import numpy as np

        order = _order(copy)
        if order is None or not _is_owned(copy.source):
            return part.source, part.weight
        weight = self.weights.array(part.weight)
        moved = np.empty_like(weight)
        moved[order[0]] = weight[order[1]]
        return copy.source, self.weights.add(moved, "weight")


def _geometry(op: Windowed) -> tuple[tuple[int, ...], ...]:
    return values_of(op.stride), values_of(op.padding), values_of(op.dilation)


def _levels(op: Speaking) -> int | None:
    """T, where neurons say clip(floor(membrane / threshold), 0, T) and nothing else, and the target holds it."""
    if isinstance(op, cpu.LookupOp):
        lowest, levels = op.clip
        plain = op.table is None and lowest == 0
    else:
        plain = op.fired is None and op.ready is None and op.values is None
        plain = plain and not op.strict.value.data and not op.signed.value.data
        levels = op.spikes_per_step.value.data
    room = 2 ** (8 * element_bytes(buffer_element(op.spikes)))
    return levels if plain and 0 < levels < room else None


def _is_proven(membrane: SSAValue) -> bool:
    """Whether interval analysis has shown that a membrane stays within 32 bits."""
    buffer = membrane.owner
    if not isinstance(buffer, cpu.BufferOp) or buffer.bounds is None or buffer_element(membrane) != i32:
        return False
    return buffer.bounds[0] >= -(2**31) and buffer.bounds[1] < 2**31


def _is_owned(buffer: SSAValue) -> bool:
    """Whether a buffer is the program's own, not the caller's array."""
    return isinstance(buffer.owner, cpu.BufferOp)


def _writers(buffer: SSAValue) -> Iterator[Operation]:
    for use in buffer.uses:
        if isinstance(use.operation, cpu.LoopOp) and buffer in use.operation.written():
            yield use.operation


def _is_read(buffer: SSAValue) -> bool:
    """Whether anything but the loops that write a buffer has to do with it."""
    writers = set(_writers(buffer))
    return any(use.operation not in writers for use in buffer.uses)


def _order(copy: cpu.CopyOp) -> tuple[Array, Array] | None:
    """(places read, places written) of a copy of all elements of its source to all of its target; None for others."""
    import numpy as np

    sizes = values_of(copy.sizes)
    indices = np.indices(sizes).reshape(len(sizes), -1)
    read = copy.from_offset.value.data + np.asarray(values_of(copy.from_strides)) @ indices
    written = copy.to_offset.value.data + np.asarray(values_of(copy.to_strides)) @ indices
    for places, buffer in ((read, copy.source), (written, copy.target)):
        if not np.array_equal(np.sort(places), np.arange(np.prod(buffer_shape(buffer)))):
            return None
    return read, written
