// RUN: not nc-opt %s 2>&1 | filecheck %s

// Factors broadcast against each other.

func.func @main(%x: tensor<2x!ann.count<0, 3>>, %y: tensor<3x!ann.count<0, 3>>) {
  %r = ann.product %x, %y : (tensor<2x!ann.count<0, 3>>, tensor<3x!ann.count<0, 3>>) -> tensor<2xi32>
  func.return
}

// CHECK: (2,) and (3,) do not broadcast
