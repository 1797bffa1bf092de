// RUN: nc-opt %s -p replace-average-pooling --validate | filecheck %s

// Windows of different sizes are left alone, for the level to refuse.

func.func @main(%x: tensor<1x3x3xf32>) -> tensor<1x2x2xf32> {
  %0 = ann.adaptive_average_pool2d %x output [2, 2] : tensor<1x3x3xf32> -> tensor<1x2x2xf32>
  func.return %0 : tensor<1x2x2xf32>
}

// CHECK: ann.adaptive_average_pool2d %x output [2, 2]
