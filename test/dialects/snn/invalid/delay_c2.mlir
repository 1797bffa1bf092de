// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1x!snn.spikes<0, 3>>) {
  %y = snn.delay %x steps 0 : tensor<1x!snn.spikes<0, 3>> -> tensor<1x!snn.spikes<0, 3>>
  func.return
}
// CHECK: a delay is at least one step
