"""What is counted of table layers and products: neurons, spikes of either sign, and pairs of spikes that meet."""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from neurocuda.ir.context import create_context, weights_of
from neurocuda.ir.parsing import parse_module
from neurocuda.ir.weights import WeightStore
from neurocuda.measure.evaluation import Activity
from neurocuda.measure.exactness import counts_of
from neurocuda.measure.layers import Layer, layers_of, operations_of, readout_layers_of
from neurocuda.measure.raster import raster_of, schedule_of

GRADED = """
func.func @main(%x: tensor<2x2x!ann.count<-8, 7>>) -> tensor<2x2xi32> {
  %y = snn.network code "graded" steps 2 inputs(%x) {
  ^bb0(%i: tensor<2x2x!ann.count<-8, 7>>):
    %0 = snn.input %i : tensor<2x2x!ann.count<-8, 7>> -> tensor<2x2x!snn.graded<-8, 7>>
    %1 = snn.matrix_product %0, %0
      : (tensor<2x2x!snn.graded<-8, 7>>, tensor<2x2x!snn.graded<-8, 7>>) -> tensor<2x2xi32>
    %2 = snn.softmax %1 divisor(dense<1> : tensor<1xi32>) table(dense<[1, 0]> : tensor<2xi8>) levels 3 fire [1, 2]
      {nc.origin = "softmax"} : (tensor<2x2xi32>) -> tensor<2x2x!snn.graded<0, 3>>
    %3 = snn.product %2, %2 : (tensor<2x2x!snn.graded<0, 3>>, tensor<2x2x!snn.graded<0, 3>>) -> tensor<2x2xi32>
    %4 = snn.accumulate %3 : (tensor<2x2xi32>) -> tensor<2x2xi32>
    snn.output %4 : tensor<2x2xi32>
  } : (tensor<2x2x!ann.count<-8, 7>>) -> (tensor<2x2xi32>)
  func.return %y : tensor<2x2xi32>
}
"""

QUANTISED = """
func.func @main(%x: tensor<2x2x!ann.count<-8, 7>>) -> tensor<2x2xi32> {
  %1 = ann.matrix_product %x, %x : (tensor<2x2x!ann.count<-8, 7>>, tensor<2x2x!ann.count<-8, 7>>) -> tensor<2x2xi32>
  %2 = ann.lookup %1 threshold(dense<1> : tensor<1xi32>) clip -9 to 3 {nc.origin = "lookup"}
    : (tensor<2x2xi32>) -> tensor<2x2x!ann.count<-9, 3>>
  %3 = ann.product %2, %2 : (tensor<2x2x!ann.count<-9, 3>>, tensor<2x2x!ann.count<-9, 3>>) -> tensor<2x2xi32>
  func.return %3 : tensor<2x2xi32>
}
"""

IMAGES = np.array([[[2, 0], [0, 3]], [[1, 1], [0, 0]]])


def parsed(text: str) -> tuple[ModuleOp, WeightStore]:
    context = create_context()
    return parse_module(context, text), weights_of(context)


def test_pairs_of_spikes_that_meet_are_operations() -> None:
    """[[2, 0], [0, 3]] meets itself in 2 pairs, [[1, 1], [0, 0]] in 2; then 2 and 3 shares are squared."""
    module, weights = parsed(GRADED)
    found = operations_of(module, weights, [IMAGES])
    assert (found.dense, found.accumulations, found.input_products) == (8 + 4, (2 + 2 + 2 + 4) / 2, 0)
    assert (found.spikes, found.settled) == (3, 2)


def test_table_layers_have_counts_windows_and_trains() -> None:
    module, weights = parsed(GRADED)
    counts = counts_of(module, weights, [IMAGES])
    np.testing.assert_array_equal(counts["softmax"], [[[3, 0], [0, 3]], [[2, 2], [2, 2]]])
    assert [(window.name, window.start, window.stop) for window in schedule_of(module)[1]] == [("softmax", 1, 2)]
    (train,) = raster_of(module, weights, [IMAGES[:1]]).trains
    assert train.spikes == ((1, 0), (1, 3))


def test_table_layers_have_synapses_and_outputs_may_be_products() -> None:
    module, _ = parsed(QUANTISED)
    (layer,) = layers_of(module)
    assert (layer.name, layer.neurons, layer.levels, layer.synapses, layer.operations) == ("lookup", 4, 9, 1, 8)
    (output,) = readout_layers_of(module)
    assert output.operations == 4


def test_counts_of_either_sign_are_one_graded_spike() -> None:
    activity = Activity("graded", [Layer("lookup", "", (4,), 9, 1, 8)])
    activity.add({"lookup": np.array([[-9, 0, 3, -1]])})
    assert (activity.spikes_per_neuron, activity.sparsity) == (0.75, 0.25)
