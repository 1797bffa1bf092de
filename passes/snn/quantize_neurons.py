"""Turns spiking networks of floats into integers: weights, thresholds, decays and state of declared widths."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from neurocuda.dialects.levels import constants_are_finite
from neurocuda.dialects.snn import ops as snn
from neurocuda.errors import LevelError, OptionError
from neurocuda.ir.constraints import constraints_of
from neurocuda.ir.promise import Approximates
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore

if TYPE_CHECKING:
    from neurocuda.ir.constraints import Constraints
    from neurocuda.passes.snn._integer_neurons import Widths


WIDEST_STATE = 30
"""Bits: the sum of two states, and what arrives at a step, stay within 32."""


@dataclass(frozen=True)
class QuantizeNeuronsPass(NeuroPass):
    """
    Turns the networks of code "train" into integers.

    All synapses of a layer of neurons share one unit per output channel, chosen so that the largest weight becomes
    2^(weight-bits - 1) - 1. Membranes and synaptic currents count in fractions of that unit, of 2^-fraction-bits, so
    that decays have something to round: what arrives is shifted left by as many bits. They saturate at `state-bits` in
    two's complement, where nothing is said at those of the target, at most 30. A decay becomes a fraction of
    2^decay-bits; what it leaves is rounded toward zero, as on Loihi. Factors between neurons (scales, averages, the
    resistance of a membrane) go into the weights that read them.

    The input is rounded to multiples of `input-step` in `input-lowest` ... `input-highest` of them: events are counts.
    Outputs come back as floats. `weight-bits` may ask for narrower weights than those of the target.

    Before:
        func.func @main(%x: tensor<?x1xf32>) -> tensor<?x1x!snn.spikes<0, 1>> {
          %y = snn.network code "train" inputs(%x) {
          ^bb0(%i: tensor<?x1xf32>):
            %0 = snn.input %i code "spikes" : tensor<?x1xf32> -> tensor<1xf32>
            %1 = snn.linear %0 weight(dense<[[1.27]]> : tensor<1x1xf32>) : tensor<1xf32> -> tensor<1xf32>
            %2 = snn.integrate_and_fire %1 threshold(dense<1.0> : tensor<1xf32>) strict true
                   membrane_decay(dense<0.5> : tensor<1xf32>) : (tensor<1xf32>) -> tensor<1x!snn.spikes<0, 1>>
            snn.output %2 : tensor<1x!snn.spikes<0, 1>>
          } : (tensor<?x1xf32>) -> (tensor<?x1x!snn.spikes<0, 1>>)
          func.return %y : tensor<?x1x!snn.spikes<0, 1>>
        }

    After:
        func.func @main(%x: tensor<?x1xf32>) -> tensor<?x1x!snn.spikes<0, 1>> {
          %0 = host.quantize %x step(dense<1.0> : tensor<1xf64>) shift(dense<0.0> : tensor<1xf64>)
                 scale(dense<1.0> : tensor<1xf64>) offset(dense<0.0> : tensor<1xf64>)
                 : tensor<?x1xf32> -> tensor<?x1x!ann.count<0, 255>>
          %y = snn.network code "train" inputs(%0) {
          ^bb0(%i: tensor<?x1x!ann.count<0, 255>>):
            %1 = snn.input %i code "spikes" : tensor<?x1x!ann.count<0, 255>> -> tensor<1x!snn.graded<0, 255>>
            %2 = snn.linear %1 weight(dense<127> : tensor<1x1xi8>) : tensor<1x!snn.graded<0, 255>> -> tensor<1xi32>
            %3 = snn.integrate_and_fire %2 threshold(dense<6400> : tensor<1xi32>) strict true
                   membrane_decay(dense<2048> : tensor<1xi32>) shift 6 decay_bits 12 state_bits 30
                   : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 1>>
            snn.output %3 : tensor<1x!snn.spikes<0, 1>>
          } : (tensor<?x1x!ann.count<0, 255>>) -> (tensor<?x1x!snn.spikes<0, 1>>)
          func.return %y : tensor<?x1x!snn.spikes<0, 1>>
        }
    """

    name = "quantize-neurons"
    promise = Approximates()

    weight_bits: int | None = None
    decay_bits: int = 12
    state_bits: int | None = None
    fraction_bits: int = 6
    input_lowest: int = 0
    input_highest: int = 255
    input_step: float = 1.0

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        from neurocuda.passes.snn._integer_neurons import NetworkQuantizer

        widths = self._widths(constraints_of(module))
        networks = [op for op in module.walk() if isinstance(op, snn.NetworkOp) and op.steps is None]
        problems = [p for network in networks for op in network.walk() for p in constants_are_finite(op, weights)]
        if not problems:
            problems = [p for network in networks for p in NetworkQuantizer(network, weights, widths).run()]
        if problems:
            raise LevelError("the neurons cannot be quantised:", problems)

    def _widths(self, constraints: Constraints) -> Widths:
        """
        Raises:
            OptionError: an option is out of range, or the target has fewer bits.
        """
        from neurocuda.passes.snn._integer_neurons import Widths

        bits = constraints.weight_bits if self.weight_bits is None else self.weight_bits
        widest = min(WIDEST_STATE, constraints.membrane_bits)
        state = widest if self.state_bits is None else self.state_bits
        limits = {
            "weight-bits": (bits, 2, 16),
            "decay-bits": (self.decay_bits, 1, 16),
            "state-bits": (state, 2, widest),
            "fraction-bits": (self.fraction_bits, 0, 16),
            "input-lowest": (self.input_lowest, -(2**15), self.input_highest),
            "input-highest": (self.input_highest, self.input_lowest, 2**15 - 1),
        }
        for name, (value, low, high) in limits.items():
            if not low <= value <= high:
                raise OptionError(f"{self.name}: {name} must be {low} ... {high}, not {value}")
        if not 0 < self.input_step < inf:
            raise OptionError(f"{self.name}: input-step must be a positive number, not {self.input_step}")
        inputs = (self.input_lowest, self.input_highest)
        return Widths(bits, self.decay_bits, state, self.fraction_bits, inputs, self.input_step)
