// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1x!ann.count<0, 3>>) {
  %y = snn.input %x code "rate" : tensor<1x!ann.count<0, 3>> -> tensor<1x!snn.graded<0, 3>>
  func.return
}
// CHECK: "rate" is none of payload, current, spikes
