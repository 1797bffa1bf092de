// RUN: not nc-opt %s 2>&1 | filecheck %s

// The clip range broadcasts onto the tensor.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = ann.rounded_relu %x clip(dense<1.0> : tensor<3xf32>) levels 4 : tensor<2xf32> -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// CHECK: 4 levels and clip ranges of shape (3,) on shape (2,)
