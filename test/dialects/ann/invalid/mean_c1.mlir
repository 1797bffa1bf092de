// RUN: not nc-opt %s 2>&1 | filecheck %s

// Axes are the tensor's.

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %r = ann.mean %x axes [2] : tensor<2x3xf32> -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK: axes (2,) are not axes of (2, 3)
