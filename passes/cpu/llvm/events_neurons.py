"""Integrate-and-fire neurons of a tile of channels at one position: membranes in registers, spikes as bits."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from xdsl.ir import SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.ir.attributes import dense_shape
from neurocuda.passes.cpu.llvm.builder import i1, i16, i32, vector
from neurocuda.passes.cpu.llvm.events_plan import LANES, LINE, Plan
from neurocuda.passes.cpu.llvm.kernels import Kernel, tensors_of


class Neurons:
    """The neurons of one tile of channels at one position, sixteen at a time."""

    def __init__(
        self,
        op: cpu.SpikeLayerOp | cpu.CurrentLayerOp,
        k: Kernel,
        plan: Plan,
        row: SSAValue,
        column: SSAValue,
        tile: SSAValue,
    ) -> None:
        self.op, self.k, self.plan, self.tile = op, k, plan, tile
        self.steps = op.timesteps
        self._factor = op.times if isinstance(op, cpu.SpikeLayerOp) else 1
        self.chunks = plan.tile // LANES
        self.at = k.sum_of((row, plan.columns), column)
        self._tensors = {name: prod(dense_shape(value)) for name, value in tensors_of(op).items()}
        self._masks = self._channel_masks()

    def start(self) -> list[SSAValue]:
        """The membranes before the first step."""
        return [self._constant("initial", chunk) for chunk in range(self.chunks)]

    def _constant(self, name: str, chunk: int) -> SSAValue:
        """Sixteen numbers of a constant; zeros where there is none."""
        k, kind = self.k, vector(i32, LANES)
        if name not in self._tensors:
            return k.constant(kind, 0)
        pointer, size = k.tensor(name), self._tensors[name]
        if size == 1:
            return k.splat(k.load(i32, pointer), LANES)
        every = self.plan.tiles * self.plan.tile
        neuron = (self.at, every if size > self.plan.channels else 0)
        place = k.sum_of(neuron, (self.tile, self.plan.tile), LANES * chunk)
        return k.load(kind, k.at(pointer, place, i32), align=LINE)

    def charged(
        self, step: SSAValue, membranes: Sequence[SSAValue], sums: Sequence[Sequence[SSAValue]]
    ) -> list[SSAValue]:
        """The membranes with what arrives at a step: sums of weights, shortcuts, the bias."""
        k = self.k
        result = list(membranes)
        for each in sums:
            scaled = [part if self._factor == 1 else k.mul(part, self._factor) for part in each]
            result = [k.add(one, other) for one, other in zip(result, scaled, strict=True)]
        for index in self.plan.diagonals:
            assert isinstance(self.op, cpu.SpikeLayerOp)
            spikes = self._spikes(k.buffer(self.op.sources[index]), step)
            for chunk in range(self.chunks):
                fired = k.bitcast(k.load(i16, k.at(spikes, chunk, i16)), vector(i1, LANES))
                weight = self._constant(f"weights.{index}", chunk)
                result[chunk] = k.add(result[chunk], k.select(fired, weight, 0))
        if self.op.bias is not None:
            result = [k.add(each, self._constant("bias", chunk)) for chunk, each in enumerate(result)]
        return result

    def _spikes(self, train: SSAValue, step: SSAValue) -> SSAValue:
        """Where the spikes of the tile at a step lie in a train of the target's shape."""
        word = self.k.sum_of((self.at, self.steps * self.plan.words), (step, self.plan.words))
        return self.k.at(train, self.k.sum_of((word, 4), (self.tile, self.chunks)), i16)

    def fired(self, step: SSAValue, membranes: Sequence[SSAValue]) -> list[SSAValue]:
        """Compares, writes sixteen spikes at a time, resets."""
        k, how = self.k, "sgt" if self.op.strict.value.data else "sge"
        spikes = self._spikes(k.buffer(self.op.spikes), step)
        result: list[SSAValue] = []
        for chunk, membrane in enumerate(membranes):
            threshold = self._constant("threshold", chunk)
            over = k.compare(how, membrane, threshold)
            bits, mask = k.bitcast(over, i16), self._masks[chunk]
            k.store(bits if mask is None else k.both(bits, mask), k.at(spikes, chunk, i16))
            if self.op.reset_value is None:
                result.append(k.sub(membrane, k.select(over, threshold, 0)))
            else:
                result.append(k.select(over, self._constant("reset_value", chunk), membrane))
        for chunk in range(self.chunks, 4 * self.plan.words if self.plan.tiles == 1 else 0):
            k.store(k.constant(i16, 0), k.at(spikes, chunk, i16))
        return result

    def _channel_masks(self) -> list[SSAValue | None]:
        """The bits of channels that there are, where a tile has more; of sixteen channels each."""
        k, plan = self.k, self.plan
        if plan.tiles * plan.tile == plan.channels:
            return [None] * self.chunks
        masks: list[SSAValue | None] = []
        for chunk in range(self.chunks):
            left = k.sub(plan.channels - LANES * chunk, k.sum_of((self.tile, plan.tile)))
            left = k.largest(k.least(left, LANES), 0)
            masks.append(k.truncate(k.sub(k.shift_left(k.constant(i32, 1), k.truncate(left, i32)), 1), i16))
        return masks
