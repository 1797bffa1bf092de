// RUN: not nc-opt %s 2>&1 | filecheck %s

// Padding is not negative.

func.func @main(%x: tensor<4xf32>) -> tensor<3xf32> {
  %r = ann.pad %x low [-1] high [0] : tensor<4xf32> -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// CHECK: padding cannot be negative
