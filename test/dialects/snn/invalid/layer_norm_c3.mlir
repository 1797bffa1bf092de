// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<3x2xi32>) {
  %y = snn.layer_norm %x gain(dense<1> : tensor<3x1xi32>) shift(dense<1> : tensor<1xi32>) epsilon 1 : i64 : (tensor<3x2xi32>) -> tensor<3x2x!snn.graded<0, 3>>
  func.return
}
// CHECK: gain and shift do not broadcast onto a row of (2,)
