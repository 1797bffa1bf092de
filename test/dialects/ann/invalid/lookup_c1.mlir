// RUN: not nc-opt %s 2>&1 | filecheck %s

// Currents have one shape.

func.func @main(%x: tensor<2xi32>, %y: tensor<1xi32>) {
  %r = ann.lookup %x, %y threshold(dense<1> : tensor<1xi32>) clip 0 to 3 : (tensor<2xi32>, tensor<1xi32>) -> tensor<2x!ann.count<0, 3>>
  func.return
}

// CHECK: currents of shapes (2,) and (1,) meet
