// RUN: not nc-opt %s 2>&1 | filecheck %s

// A window fits into the padded image.

func.func @main(%x: tensor<1x2x2xf32>) -> tensor<1x1x2xf32> {
  %r = ann.conv2d %x weight(dense<1.0> : tensor<1x1x5x1xf32>) padding [1, 1, 0, 0] : tensor<1x2x2xf32> -> tensor<1x1x2xf32>
  func.return %r : tensor<1x1x2xf32>
}

// CHECK: a window of 5 does not fit into 2 with padding 1 and 1
