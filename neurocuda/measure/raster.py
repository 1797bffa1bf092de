"""The spikes of one image, step by step, as the reference interpreter sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from neurocuda.dialects.snn import ops as snn
from neurocuda.dialects.snn.semantics import Clock
from neurocuda.images import Array
from neurocuda.ir.origin import origin_of
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.snn.analysis.activity import NEURONS, activities
from neurocuda.reference.interpreter import Run, execute

SAMPLED = 12
"""Neurons of a layer whose spikes are kept one by one."""


@dataclass(frozen=True)
class Window:
    """The steps [start, stop) in which a layer may fire."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class Train:
    """The spikes of one layer.

    `neurons` are the sampled ones, evenly spaced in row-major order; `spikes` pairs of (step, position among them);
    `population` how many neurons of the whole layer fired at every step.
    """

    name: str
    size: int
    neurons: tuple[int, ...]
    spikes: tuple[tuple[int, int], ...]
    population: tuple[int, ...]


@dataclass(frozen=True)
class Raster:
    """The spikes of one image: how many steps it took, and every layer."""

    steps: int
    trains: tuple[Train, ...]


def network_of(module: ModuleOp) -> snn.NetworkOp | None:
    """The spiking network of a module of level `snn-integer`; None where no neurons are left."""
    return next((op for op in module.walk() if isinstance(op, snn.NetworkOp)), None)


def schedule_of(module: ModuleOp) -> tuple[int, tuple[Window, ...]]:
    """(steps in all, when each layer may fire) of level `snn-integer`."""
    network = network_of(module)
    if network is None:
        return 0, ()
    active = activities(network)
    layers = ((origin_of(op) or op.name, active[op.result]) for op in _layers(network))
    return network.duration, tuple(Window(name, found.start, found.stop) for name, found in layers)


def raster_of(module: ModuleOp, weights: WeightStore, image: Sequence[Array]) -> Raster:
    """The spikes of one image (arrays with a batch axis of one) at level `snn-integer`."""
    recorder = _Recorder(weights)
    execute(recorder, module, image)
    network = network_of(module)
    trains = () if network is None else tuple(_train(op, recorder.signals[op]) for op in _layers(network))
    return Raster(recorder.steps, trains)


def _layers(network: snn.NetworkOp) -> list[NEURONS]:
    return [op for op in network.body.block.ops if isinstance(op, NEURONS)]


class _Recorder(Run):
    """Keeps what every layer sent at every step."""

    def __init__(self, weights: WeightStore) -> None:
        super().__init__(weights)
        self.steps = 0
        self.signals: dict[Operation, list[Array | None]] = {}

    def evaluate(self, op: Operation, operands: Sequence[Array]) -> tuple[Array, ...]:
        if not isinstance(op, snn.NetworkOp):
            return super().evaluate(op, operands)
        self.reset()
        self.steps = op.duration
        clock = Clock(self, op.body.block, operands)
        for step in range(self.steps):
            self.step = step
            clock.tick()
            for layer in _layers(op):
                self.signals.setdefault(layer, []).append(clock.values[layer.result])
        return clock.outputs()


def _train(op: NEURONS, signals: Sequence[Array | None]) -> Train:
    size = int(np.prod(op.inferred_shape()))
    chosen = np.unique(np.linspace(0, size - 1, min(SAMPLED, size)).astype(int))
    spikes: list[tuple[int, int]] = []
    for step, signal in enumerate(signals):
        if signal is not None:
            spikes += [(step, int(row)) for row in np.flatnonzero(signal.ravel()[chosen])]
    population = tuple(0 if signal is None else int(np.count_nonzero(signal)) for signal in signals)
    return Train(origin_of(op) or op.name, size, tuple(map(int, chosen)), tuple(spikes), population)
