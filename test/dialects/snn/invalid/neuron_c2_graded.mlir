// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xi32>) {
  %y = snn.integrate_and_fire %x threshold(dense<1> : tensor<1xi32>) fire [0, 2] values [2, 1] : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 3>>
  func.return
}
// CHECK: expected graded spikes, found !snn.spikes<0, 3>
