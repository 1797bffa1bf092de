// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xi32>) {
  %y = snn.integrate_and_fire %x threshold(dense<1> : tensor<1xi32>) fire [0, 2] values [3, 0] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 3>>
  func.return
}
// CHECK: expected a positive value for every step of a firing window
