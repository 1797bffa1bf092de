"""Walks a spiking network in order and writes the graph that does the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.nir import ops as nir
from neurocuda.dialects.snn import ops as snn
from neurocuda.ir.attributes import shape_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.nir.lowering import maps, neurons
from neurocuda.passes.nir.lowering.builder import SECONDS_PER_STEP, Builder, Signal
from neurocuda.passes.snn.analysis.activity import activities
from neurocuda.passes.snn.analysis.bounds import BoundsAnalysis, is_float

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]


class NetworkLowering:
    """One network on its way into a builder's graph. `signals` says which nodes a value is the sum of."""

    def __init__(self, network: snn.NetworkOp, weights: WeightStore, build: Builder) -> None:
        self.network = network
        self.weights = weights
        self.build = build
        self.steps = 0 if network.steps is None else network.duration
        self.signals: dict[SSAValue, Signal] = {}
        self.folded = dict(self._folded())

    def run(self) -> list[Signal]:
        """Lowers the body; returns the signals that the network's outputs read."""
        last = self.network.body.block.last_op
        assert isinstance(last, snn.OutputOp)
        delays = [op for op in self.network.body.block.ops if isinstance(op, snn.DelayOp) and op.steps.value.data]
        for op in delays:  # they may read what stands further down
            self.signals[op.result] = self._delay(op, ())
        for op in self.network.body.block.ops:
            if op is not last and op not in delays:
                self.signals[op.results[0]] = self._visit(op)
        for op in delays:
            (delayed,) = self.signals[op.result]
            assert isinstance(delayed.owner, nir.DelayOp)
            delayed.owner.operands = self.signals[op.input]
        self._check_bounds()
        return [self.signals[value] for value in last.values]

    def _visit(self, op: Operation) -> Signal:
        build = self.build
        if isinstance(op, snn.InputOp):
            return self._input(op)
        sources = [self.signals[operand] for operand in op.operands]
        rows = any(_is_row(value, found) for value, found in zip(op.operands, sources, strict=True))
        if rows and not isinstance(op, snn.Conv2dOp | snn.ReshapeOp):
            build.refuse(op, "NIR has convolutions of single rows, and nothing else", "Give the rows a height.")
            return sources[0]
        if isinstance(op, snn.IntegrateAndFireOp):
            return neurons.lower_neurons(build, op, _sum(sources), self._own_bias(op), self.steps)
        if isinstance(op, snn.AccumulateOp):
            bias = self._own_bias(op)
            return neurons.lower_accumulator(build, op, _sum(sources), bias, every_step=self.network.steps is None)
        if isinstance(op, snn.Conv2dOp):
            lower = maps.lower_conv1d if rows else maps.lower_conv2d
            return lower(build, op, sources[0], self._bias_of(op))
        if isinstance(op, snn.LinearOp):
            return maps.lower_linear(build, op, sources[0], self._bias_of(op))
        if isinstance(op, snn.ConcatOp):
            return maps.lower_concat(build, op, sources)
        if isinstance(op, snn.AddOp):
            return _sum(sources)
        if isinstance(op, snn.DelayOp):
            return self._delay(op, sources[0])
        return self._map(op, sources[0])

    def _map(self, op: Operation, source: Signal) -> Signal:
        build = self.build
        if isinstance(op, snn.ThresholdOp):
            return neurons.lower_threshold(build, op, source)
        if isinstance(op, snn.DiagonalOp):
            return maps.lower_diagonal(build, op, source)
        if isinstance(op, snn.SumPool2dOp):
            return maps.lower_sum_pool2d(build, op, source)
        if isinstance(op, snn.MaxPool2dOp):
            return maps.lower_max_pool2d(build, op, source)
        if isinstance(op, snn.ReshapeOp):
            return maps.lower_reshape(build, op, source)
        if isinstance(op, snn.SliceOp):
            return maps.lower_slice(build, op, source)
        if isinstance(op, snn.PadOp):
            return maps.lower_pad(build, op, source)
        counts = isinstance(op, snn.RunningMaxPool2dOp)
        remedy = 'Use average pooling, or code="unary" with layers side by side of one depth.' if counts else ""
        build.refuse(op, "NIR has nothing like it", remedy)
        return source

    def _input(self, op: snn.InputOp) -> Signal:
        present = {"payload": "once", "current": "always", "spikes": "train"}[op.code.data]
        inputs = [each for each in self.network.body.block.ops if isinstance(each, snn.InputOp)]
        name = "input" if len(inputs) == 1 else f"input_{inputs.index(op)}"
        index = list(self.network.body.block.args).index(op.input)  # pyright: ignore[reportArgumentType]
        new = nir.InputOp(name, self.build.block.args[index], present)
        new.location = op.location
        self.build.block.add_op(new)
        return (new.result,)

    def _delay(self, op: snn.DelayOp, source: Signal) -> Signal:
        import numpy as np

        if not self.build.exact:
            self.build.refuse(op, "readers of the compatible file have no delays", neurons.USE_EXACT)
        steps = op.steps.value.data + (np.zeros(1) if op.extra is None else self.weights.array(op.extra))
        seconds = self.build.floats(steps * SECONDS_PER_STEP, "delay")
        return (self.build.node(nir.DelayOp, op, source, shape_of(op.result), delay=seconds),)

    # Biases: those of integer neurons go into the synapse before them where it has one per channel

    def _folded(self) -> Iterator[tuple[Operation, tuple[Operation, Array]]]:
        """(synapse, (layer, its bias per output channel)) for every layer whose bias a synapse can take."""
        for layer in self.network.body.block.ops:
            bias = layer.bias if isinstance(layer, snn.IntegrateAndFireOp | snn.AccumulateOp) else None
            if bias is None:
                continue
            values = self.weights.array(bias)
            takers = [owner for current in layer.operands if (owner := _taker(current)) is not None]
            channels = _per_channel(values, shape_of(layer.results[0]))
            if takers and channels is not None and values.dtype.kind != "f":
                yield takers[0], (layer, channels)

    def _own_bias(self, op: snn.IntegrateAndFireOp | snn.AccumulateOp) -> Array | None:
        """A layer's bias where no synapse has taken it."""
        taken = any(layer is op for layer, _ in self.folded.values())
        return None if taken or op.bias is None else self.weights.array(op.bias)

    def _bias_of(self, op: snn.Conv2dOp | snn.LinearOp) -> Array | None:
        """A synapse's own bias and that of the layer behind it."""
        own = None if op.bias is None else self.weights.array(op.bias)
        if op not in self.folded:
            return own
        taken = self.folded[op][1]
        return taken if own is None else own + taken

    # float32 holds every integer that can occur

    def _check_bounds(self) -> None:
        """Refuses what integers could lose their last digit in."""
        if self.network.steps is None:
            self._check_endless()
            return
        bounds = BoundsAnalysis(self.network, self.weights, activities(self.network))
        intervals: Mapping[Operation, tuple[int, int]] = {
            op: interval.integers for op, interval in bounds.membranes.items()
        }
        for op, (lowest, highest) in intervals.items():
            largest = neurons.LARGEST * (2 if isinstance(op, snn.AccumulateOp) else 1)
            if max(-lowest, highest) >= largest:
                why = f"its membrane potential may lie anywhere in {lowest} ... {highest}, and float32 is exact to 2^23"
                self.build.refuse(op, why, "Use fewer timesteps or narrower weights.")

    def _check_endless(self) -> None:
        """Nothing bounds integers where nothing says how long they are added up."""
        for op in self.network.body.block.ops:
            counts = isinstance(op, snn.AccumulateOp) and not is_float(op.result)
            fires = isinstance(op, snn.IntegrateAndFireOp) and self.weights.array(op.threshold).dtype.kind != "f"
            if counts or fires:
                why = "it adds up integers for any number of steps, and float32 does not hold any number"
                self.build.refuse(op, why, "Write the network before `quantize-neurons`.")


def _is_row(value: SSAValue, signal: Signal) -> bool:
    """Whether a value has a unit axis for the height of a row, which the graph does without."""
    channels, *length = shape_of(signal[0])
    return shape_of(value) == (channels, 1, *length)


def _sum(sources: list[Signal]) -> Signal:
    return tuple(value for source in sources for value in source)


def _taker(current: SSAValue) -> Operation | None:
    """The synapse with a bias per channel that a current comes from, where it goes nowhere else."""
    owner = current.owner
    return owner if isinstance(owner, snn.Conv2dOp | snn.LinearOp) and len(list(current.uses)) == 1 else None


def _per_channel(values: Array, shape: tuple[int, ...]) -> Array | None:
    """A constant of a layer as one number per channel, or None where it differs within one."""
    import numpy as np

    full = np.broadcast_to(values, shape)
    first = full.reshape(shape[0], -1)[:, 0]
    return first if (full == first.reshape(-1, *(1,) * (len(shape) - 1))).all() else None
