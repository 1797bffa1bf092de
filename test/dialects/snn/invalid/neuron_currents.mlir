// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xi32>, %y: tensor<2xi32>) {
  %z = snn.integrate_and_fire %x, %y threshold(dense<1> : tensor<1xi32>) : (tensor<1xi32>, tensor<2xi32>) -> tensor<1x!snn.spikes<0, 1>>
  func.return
}
// CHECK: currents of shapes (1,) and (2,) meet
