// RUN: not nc-opt %s 2>&1 | filecheck %s

// One bias per output channel.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<2x4x4xf32> {
  %y = nir.graph "network" dt 1.0 steps 3 inputs(%x) {
  ^bb0(%a: tensor<2x4x4xf32>):
    %0 = nir.input "input"(%a) "once" : tensor<2x4x4xf32> -> tensor<2x4x4xf32>
    %1 = nir.flatten "flat"(%0) 1 to 2 : (tensor<2x4x4xf32>) -> tensor<2x16xf32>
    %2 = nir.conv1d "conv"(%1) weight(dense<1.0> : tensor<3x2x1xf32>) bias(dense<1.0> : tensor<2xf32>) : (tensor<2x16xf32>) -> tensor<3x16xf32>
    nir.output %0 "last" : tensor<2x4x4xf32>
  } : (tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>)
  func.return %y : tensor<2x4x4xf32>
}
// CHECK: expected one bias per output channel
