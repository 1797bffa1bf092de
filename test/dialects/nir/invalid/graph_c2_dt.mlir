// RUN: not nc-opt %s 2>&1 | filecheck %s

// So is dt.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %y = nir.graph "network" dt 0.0 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x4x4xf32>):
    %0 = nir.input "input"(%a) "once" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    nir.output %0 "last" : tensor<2x4x4xf32>
  } : (tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>)
  func.return %y : tensor<2x4x4xf32>
}
// CHECK: 3 steps of 0.0 seconds
