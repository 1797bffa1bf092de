// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xi32>) {
  %y = snn.lookup %x threshold(dense<1> : tensor<1xi32>) clip 0 to 3 fire [1, 2] : (tensor<2xi32>) -> tensor<2x!snn.spikes<0, 3>>
  func.return
}
// CHECK: expected counts or graded spikes
