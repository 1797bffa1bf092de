// RUN: not nc-opt %s 2>&1 | filecheck %s

// The last axis is what the weight reads.

func.func @main(%x: tensor<3x2xf32>) -> tensor<3x4xf32> {
  %r = ann.linear %x weight(dense<1.0> : tensor<4x3xf32>) : tensor<3x2xf32> -> tensor<3x4xf32>
  func.return %r : tensor<3x4xf32>
}

// CHECK: the weight reads 3 features, the input has shape (3, 2)
