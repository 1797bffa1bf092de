// RUN: not nc-opt %s 2>&1 | filecheck %s

// Every axis appears once.

func.func @main(%x: tensor<2x3xf32>) -> tensor<2x2xf32> {
  %r = ann.transpose %x permutation [0, 0] : tensor<2x3xf32> -> tensor<2x2xf32>
  func.return %r : tensor<2x2xf32>
}

// CHECK: [0, 0] is no permutation of 2 axes
