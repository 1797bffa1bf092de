// RUN: not nc-opt %s 2>&1 | filecheck %s

// Rows meet columns.

func.func @main(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %r = ann.matmul %x, %y : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %r : tensor<2x3xf32>
}

// CHECK: (2, 3) and (2, 3) have no matrix product
