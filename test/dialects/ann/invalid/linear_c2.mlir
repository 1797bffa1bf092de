// RUN: not nc-opt %s 2>&1 | filecheck %s

// One bias per output feature.

func.func @main(%x: tensor<2xf32>) -> tensor<4xf32> {
  %r = ann.linear %x weight(dense<1.0> : tensor<4x2xf32>) bias(dense<1.0> : tensor<2xf32>) : tensor<2xf32> -> tensor<4xf32>
  func.return %r : tensor<4xf32>
}

// CHECK: expected one bias per output feature
