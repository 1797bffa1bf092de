// RUN: not nc-opt %s 2>&1 | filecheck %s

// There is at least one level.

func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = ann.rounded_relu %x clip(dense<1.0> : tensor<1xf32>) levels 0 : tensor<2xf32> -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// CHECK: 0 levels and clip ranges of shape (1,) on shape (2,)
