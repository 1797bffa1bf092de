// RUN: not nc-opt %s 2>&1 | filecheck %s

// The mask broadcasts onto queries and keys.

func.func @main(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) -> tensor<2x3xf32> {
  %r = ann.attention %x, %y, %y scale 1.0 : f64 mask(dense<0.0> : tensor<3x4xf32>) : (tensor<2x3xf32>, tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK: a mask of shape (3, 4) does not broadcast onto (2, 4)
