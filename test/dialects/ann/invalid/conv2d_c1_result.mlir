// RUN: not nc-opt %s 2>&1 | filecheck %s

// The result has the shape that follows.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x3x2xf32> {
  %r = ann.conv2d %x weight(dense<1.0> : tensor<1x1x1x1xf32>) : tensor<1x2x2xf32> -> tensor<1x3x2xf32>
  func.return %r : tensor<1x3x2xf32>
}

// CHECK: expected a result of shape (1, 2, 2), found (1, 3, 2)
