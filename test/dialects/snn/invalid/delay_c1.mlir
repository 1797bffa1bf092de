// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1x!snn.spikes<0, 3>>) {
  %y = snn.delay %x steps 1 : tensor<1x!snn.spikes<0, 3>> -> tensor<1x!snn.spikes<0, 4>>
  func.return
}
// CHECK: error: 'snn.delay' the type changes
