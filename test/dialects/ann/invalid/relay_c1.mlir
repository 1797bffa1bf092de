// RUN: not nc-opt %s 2>&1 | filecheck %s

// Currents have one shape.

func.func @main(%x: tensor<2xf32>, %y: tensor<1xf32>) {
  %r = ann.relay %x, %y : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  func.return
}

// CHECK: currents of shapes (2,) and (1,) meet
