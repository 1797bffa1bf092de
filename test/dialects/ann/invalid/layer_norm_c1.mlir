// RUN: not nc-opt %s 2>&1 | filecheck %s

// What is normalised are the last axes.

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %r = ann.layer_norm %x normalized [2] epsilon 0.0 : f64 : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK: (2, 3) does not end in the normalised shape (2,)
