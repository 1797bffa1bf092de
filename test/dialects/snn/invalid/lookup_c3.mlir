// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xi32>) {
  %y = snn.lookup %x threshold(dense<1> : tensor<1xi32>) clip 3 to 0 : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 3>>
  func.return
}
// CHECK: the range 3 ... 0 is empty
