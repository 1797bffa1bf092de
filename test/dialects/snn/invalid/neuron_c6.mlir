// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xi32>) {
  %y = snn.integrate_and_fire %x threshold(dense<1> : tensor<1xi32>) signed true : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 3>>
  func.return
}
// CHECK: a signed neuron has levels, resets by subtraction, needs no rest and sends one plain spike per step at most
