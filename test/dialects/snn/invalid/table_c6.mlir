// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xi32>) {
  %y = snn.lookup %x threshold(dense<1> : tensor<1xi32>) clip 0 to 3 fire [1, 3] : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 3>>
  func.return
}
// CHECK: the firing window [1, 3] is not a single step
