// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<1xi32>) {
  %y = snn.integrate_and_fire %x threshold(dense<1> : tensor<1xi32>) spikes_per_step 2 fire [0, 1] values [3] : (tensor<1xi32>) -> tensor<1x!snn.graded<0, 3>>
  func.return
}
// CHECK: `values` go with one spike per step
