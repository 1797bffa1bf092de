// RUN: not nc-opt %s 2>&1 | filecheck %s

// Pooling is over channels, height and width.

func.func @main(%x: tensor<4x4xf32>) -> tensor<3x3xf32> {
  %r = ann.max_pool2d %x kernel [2, 2] : tensor<4x4xf32> -> tensor<3x3xf32>
  func.return %r : tensor<3x3xf32>
}

// CHECK: expected channels, height and width, found shape (4, 4)
