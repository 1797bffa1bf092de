// RUN: not nc-opt %s 2>&1 | filecheck %s

// All edges bring one shape.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %y = nir.graph "network" dt 1.0 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x4x4xf32>):
    %0 = nir.input "input"(%a) "once" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    %1 = nir.flatten "flat"(%0) 0 to -1 : (tensor<2x4x4xf32>) -> tensor<32xf32>
    %2 = nir.scale "sum"(%0, %1) scale(dense<1.0> : tensor<1xf32>) : (tensor<2x4x4xf32>, tensor<32xf32>) -> tensor<2x4x4xf32>
    nir.output %0 "last" : tensor<2x4x4xf32>
  } : (tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>)
  func.return %y : tensor<2x4x4xf32>
}
// CHECK: currents of shapes
