// RUN: not nc-opt %s 2>&1 | filecheck %s

// One bias per output.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %y = nir.graph "network" dt 1.0 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x4x4xf32>):
    %0 = nir.input "input"(%a) "once" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    %1 = nir.flatten "flat"(%0) 0 to -1 : (tensor<2x4x4xf32>) -> tensor<32xf32>
    %2 = nir.affine "fc"(%1) weight(dense<1.0> : tensor<3x32xf32>) bias(dense<1.0> : tensor<2xf32>) : (tensor<32xf32>) -> tensor<3xf32>
    nir.output %0 "last" : tensor<2x4x4xf32>
  } : (tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>)
  func.return %y : tensor<2x4x4xf32>
}
// CHECK: expected one bias per output
