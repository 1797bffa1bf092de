"""Chooses how every layer is computed, by what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import DictionaryAttr, FloatAttr, ModuleOp, StringAttr, f64
from xdsl.ir import Operation, SSAValue

from neurocuda.dialects.cpu import ops as cpu
from neurocuda.dialects.cpu.layers import Synapse
from neurocuda.errors import OptionError
from neurocuda.ir.activity import activity_of
from neurocuda.ir.attributes import dense_shape, values_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

COST = "nc.cost"
"""The discardable attribute with the estimated microseconds of every kernel that a layer could have."""

# Nanoseconds on one core with 512-bit vectors, fitted to layers of ResNet-18 with 2 to 20 % of their neurons firing
# (AMD EPYC, Zen 5, 4.1 GHz): rows of 8-bit weights are added at 150e9 weights a second, end to end, and 8-bit products
# summed at 500e9 a second. What a neuron does at a step, lists of events included, is the rest.
ROW_OF_32 = 0.21
STEP_OF_64 = 11.0
PRODUCT = 0.002
DENSE_STEP_OF_64 = 4.0
LANES = 16
"""Channels that are computed together, needed or not, by products of dense kernels."""


@dataclass(frozen=True)
class ChooseKernelsPass(NeuroPass):
    """
    Writes on every layer of spikes which kernel computes it, and what each would cost.

    `gather` adds rows of weights for the spikes there are: its cost follows the firing rate. `dense` multiplies
    everything with everything: it wins where many neurons fire, and where layers are narrow. The rate is that on the
    calibration images (`nc.activity`), or `density` where nobody has counted. Layers that have a kernel keep it.

    Before:
        func.func @main(%x: tensor<4x4x8x1xi64>) -> tensor<4x4x8x1xi64> {
          %y = cpu.program "network" steps 1 inputs(%x) {
          ^bb0(%0: memref<4x4x8x1xi64>):
            %1 = cpu.buffer : memref<4x4x8x1xi64>
            cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>]
              weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64]
              layout [1, 2, 0] steps [0, 1] : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
            cpu.output %1 : memref<4x4x8x1xi64>
          } : (tensor<4x4x8x1xi64>) -> (tensor<4x4x8x1xi64>)
          func.return %y : tensor<4x4x8x1xi64>
        }

    Options: density=0.02

    After:
        ...
            cpu.spike_layer(%0) -> %1 synapses [#cpu.synapse<conv2d padding [1, 1, 1, 1]>]
              weights [dense<1> : tensor<1x3x3x64x64xi8>] threshold(dense<9> : tensor<1xi32>) channels 64 of [64]
              kernel "gather" layout [1, 2, 0] steps [0, 1]
              {nc.cost = {dense = 9.950000e+00 : f64, gather = 2.030000e+00 : f64}}
              : (memref<4x4x8x1xi64>) -> memref<4x4x8x1xi64>
        ...
    """

    name = "choose-kernels"
    promise = Equal()

    density: float = 0.1

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        if not 0 <= self.density <= 1:
            raise OptionError(f"{self.name}: density {self.density} is no share of neurons, from 0 to 1")
        for op in list(module.walk()):
            if isinstance(op, cpu.SpikeLayerOp):
                self._choose(op)

    def _choose(self, op: cpu.SpikeLayerOp) -> None:
        costs = {name: cost(op, self._density) / 1000 for name, cost in KERNELS.items()}
        op.attributes[COST] = DictionaryAttr(
            {name: FloatAttr(round(cost, 2), f64) for name, cost in sorted(costs.items())}
        )
        if op.kernel is None:
            op.properties["kernel"] = StringAttr(min(costs, key=costs.__getitem__))

    def _density(self, train: SSAValue, timesteps: int) -> float:
        """The share of a train's neurons that fire at a step."""
        known = [spikes for use in train.uses if (spikes := _spikes_of(use.operation, train)) is not None]
        return known[0] / timesteps if known else self.density


def _spikes_of(op: Operation, train: SSAValue) -> float | None:
    """How often the neurons fire per image whose spikes the operation writes into a train."""
    writes = isinstance(op, cpu.NeuronsOp) and op.spikes is train
    return activity_of(op) if writes else None


Density = Callable[[SSAValue, int], float]


def gather_cost(op: cpu.SpikeLayerOp, density: Density) -> float:
    """Nanoseconds to add a row of weights for every spike, and to fire, for one image."""
    rows = sum(_rows(op, synapse) * density(synapse.source, op.timesteps) for synapse in op.connections())
    *_, channels = op.neurons
    return rows * -(-channels // 32) * ROW_OF_32 + _steps(op) * STEP_OF_64


def dense_cost(op: cpu.SpikeLayerOp, density: Density) -> float:
    """Nanoseconds to multiply everything with everything, and to fire, for one image."""
    del density
    *_, channels = op.neurons
    padded = -(-channels // LANES) * LANES
    return sum(_rows(op, synapse) for synapse in op.connections()) * padded * PRODUCT + _steps(op) * DENSE_STEP_OF_64


KERNELS: Mapping[str, Callable[[cpu.SpikeLayerOp, Density], float]] = {"gather": gather_cost, "dense": dense_cost}


def _steps(op: cpu.SpikeLayerOp) -> int:
    """How often 64 neurons, at most, take a step."""
    *positions, channels = op.neurons
    return prod(positions) * op.timesteps * -(-channels // 64)


def _rows(op: cpu.SpikeLayerOp, synapse: Synapse) -> int:
    """The rows of weights that would be added if every source neuron fired at every step, borders included."""
    *positions, _ = op.neurons
    shape = dense_shape(synapse.weight)
    each = {"conv2d": prod(shape[1:4]), "depthwise_conv2d": prod(shape[:2]), "linear": prod(shape[:1]), "diagonal": 1}
    pool = prod(values_of(synapse.how.pool))
    return prod(positions) * op.timesteps * each[synapse.how.kind.data] * pool
