// RUN: not nc-opt %s 2>&1 | filecheck %s

// Operands broadcast against each other.

func.func @main(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<3xf32> {
  %r = ann.add %x, %y : (tensor<2xf32>, tensor<3xf32>) -> tensor<3xf32>
  func.return %r : tensor<3xf32>
}

// CHECK: (2,) and (3,) do not broadcast
