// RUN: not nc-opt %s -p 'verify-level{level=ann-convertible structure-only=true}' 2>&1 | filecheck %s

// Products read counts and are relayed; a softmax shares a row, a layer norm norms one.

func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %i = ann.input %x : tensor<1x4xf32> -> tensor<1x4xf32>
  %0 = ann.linear %i weight(dense<1.0> : tensor<4x4xf32>) : tensor<1x4xf32> -> tensor<1x4xf32> loc("gate")
  %1 = ann.mul %i, %0 : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("product")
  %2 = ann.linear %1 weight(dense<1.0> : tensor<4x4xf32>) : tensor<1x4xf32> -> tensor<1x4xf32> loc("next")
  %3 = ann.relay %2 : (tensor<1x4xf32>) -> tensor<1x4xf32>
  %4 = ann.layer_norm %3 normalized [1, 4] epsilon 1.0 : f64 : tensor<1x4xf32> -> tensor<1x4xf32> loc("norm")
  func.return %4 : tensor<1x4xf32>
}

// CHECK:      3 things stand between the model and level ann-convertible:
// CHECK-NEXT: `ann.mul` (product): it reads `ann.linear` (gate) with no activation between.
// CHECK-NEXT: `ann.linear` (next): it reads `ann.mul` (product) with no activation between.
// CHECK-NEXT: `ann.layer_norm` (norm): it norms several axes at once. Norm the last axis, or train with batch normalisation.
