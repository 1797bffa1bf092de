"""Chooses clip ranges with which the channels of a layer can share one integer threshold."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.constraints import constraints_of
from neurocuda.ir.promise import Equal
from neurocuda.ir.rewriting import NeuroPass
from neurocuda.ir.weights import WeightStore
from neurocuda.passes.ann._weight_grid import weight_grid
from neurocuda.passes.ann.calibrate_layers import walk_layers


@dataclass(frozen=True)
class EqualizeLayersPass(NeuroPass):
    """
    Raises the clip ranges of channels with large weights where the target has one threshold per layer.

    A channel's integer weights are its weights over its threshold, times the layer's integer threshold; so one channel
    with large weights leaves all others little resolution. Its clip range is raised until rounding its activations
    costs more than rounding the weights of the others saves, on the calibration images that the module names. Where
    every channel has a threshold of its own, nothing is done. `calibrate-layers` does the same on its way.

    Before:
        builtin.module attributes {nc.constraints = {threshold_granularity = "channel"}} {
          func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
            %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
            %y = ann.neuron %0 {nc.clip = dense<3.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
            func.return %y : tensor<1xf32>
          }
        }

    After:
        builtin.module attributes {nc.constraints = {threshold_granularity = "channel"}} {
          func.func @main(%x: tensor<1xf32>) -> tensor<1xf32> {
            %0 = ann.diagonal %x weight(dense<1.0> : tensor<1xf32>) : tensor<1xf32> -> tensor<1xf32>
            %y = ann.neuron %0 {nc.clip = dense<3.0> : tensor<1xf32>} : (tensor<1xf32>) -> tensor<1xf32>
            func.return %y : tensor<1xf32>
          }
        }
    """

    name = "equalize-layers"
    promise = Equal()

    timesteps: int = 15
    weight_bits: int | None = None

    def rewrite(self, module: ModuleOp, weights: WeightStore) -> None:
        grid = weight_grid(constraints_of(module), self.weight_bits, self.name)
        if grid.one_threshold:
            walk_layers(self.name, module, weights, ["equalize"], self.timesteps, grid)
