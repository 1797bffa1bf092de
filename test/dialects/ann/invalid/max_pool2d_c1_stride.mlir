// RUN: not nc-opt %s 2>&1 | filecheck %s

// Strides are positive.

func.func @main(%x: tensor<1x4x4xf32>) -> tensor<1x3x3xf32> {
  %r = ann.max_pool2d %x kernel [2, 2] stride [0, 1] : tensor<1x4x4xf32> -> tensor<1x3x3xf32>
  func.return %r : tensor<1x3x3xf32>
}

// CHECK: kernel, stride and dilation must be positive
