// RUN: not nc-opt %s 2>&1 | filecheck %s

// Constants broadcast onto the input.

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %r = ann.affine %x shift(dense<1.0> : tensor<2xf32>) : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK: a constant of shape (2,) does not broadcast onto (2, 3)
