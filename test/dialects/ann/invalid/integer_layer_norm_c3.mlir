// RUN: not nc-opt %s 2>&1 | filecheck %s

// Gain and shift vary along a row only.

func.func @main(%x: tensor<3x2xi32>) {
  %r = ann.integer_layer_norm %x gain(dense<1> : tensor<3x1xi32>) shift(dense<1> : tensor<1xi32>) epsilon 1 : i64 : (tensor<3x2xi32>) -> tensor<3x2x!ann.count<0, 3>>
  func.return
}

// CHECK: gain and shift do not broadcast onto a row of (2,)
