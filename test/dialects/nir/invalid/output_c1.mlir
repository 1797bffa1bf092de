// RUN: not nc-opt %s 2>&1 | filecheck %s

// An output is read in one of three ways.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %y = nir.graph "network" dt 1.0 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x4x4xf32>):
    %0 = nir.input "input"(%a) "once" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    nir.output %0 "first" : tensor<2x4x4xf32>
  } : (tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>)
  func.return %y : tensor<2x4x4xf32>
}
// CHECK: "first" is none of last, sum, train
