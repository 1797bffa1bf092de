// RUN: not nc-opt %s 2>&1 | filecheck %s

// Windows fit, channels agree.

func.func @main(%x: tensor<2x4x4xf32>) -> tensor<1x4x4xf32> {
  %r = ann.conv2d %x weight(dense<1.0> : tensor<1x3x1x1xf32>) : tensor<2x4x4xf32> -> tensor<1x4x4xf32>
  func.return %r : tensor<1x4x4xf32>
}

// CHECK: the weight reads 3 x 1 channels, the input has 2
