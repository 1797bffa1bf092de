// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xi32>) {
  %y = snn.integrate_and_fire %x threshold(dense<1> : tensor<1xi32>) reset "soft" : (tensor<1xi32>) -> tensor<1x!snn.spikes<0, 1>>
  func.return
}
// CHECK: reset "soft" is neither "subtract" nor "zero"
