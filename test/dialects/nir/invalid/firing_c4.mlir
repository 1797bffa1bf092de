// RUN: not nc-opt %s 2>&1 | filecheck %s

// Neurons send spikes.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %y = nir.graph "network" dt 1.0 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x4x4xf32>):
    %0 = nir.input "input"(%a) "once" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    %1 = nir.if "fire"(%0) r(dense<1.0> : tensor<1xf32>) v_threshold(dense<1.0> : tensor<1xf32>) v_reset(dense<0.0> : tensor<1xf32>) : (tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
    nir.output %0 "last" : tensor<2x4x4xf32>
  } : (tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>)
  func.return %y : tensor<2x4x4xf32>
}
// CHECK: expected spikes, found f32
