// RUN: not nc-opt %s 2>&1 | filecheck %s

// The constants have the shape of what is normalised.

func.func @main(%x: tensor<2x3xf32>) {
  %0 = ann.layer_norm %x normalized [3] scale(dense<1.0> : tensor<2xf32>) epsilon 1.0 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return
}

// CHECK: 'ann.layer_norm' expected constants of shape (3,), found (2,)
