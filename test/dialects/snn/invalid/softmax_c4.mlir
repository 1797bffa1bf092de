// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xi32>) {
  %y = snn.softmax %x divisor(dense<1> : tensor<1xi32>) table(dense<1> : tensor<2x1xi8>) levels 3 : (tensor<2xi32>) -> tensor<2x!snn.graded<0, 3>>
  func.return
}
// CHECK: expected a table with at least one entry
