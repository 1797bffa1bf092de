// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xi32>, %z: tensor<3xi32>) {
  %y = snn.lookup %x, %z threshold(dense<1> : tensor<1xi32>) clip 0 to 3 : (tensor<2xi32>, tensor<3xi32>) -> tensor<2x!snn.graded<0, 3>>
  func.return
}
// CHECK: currents of shapes (2,) and (3,) meet
