// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2x!snn.graded<0, 3>>, %z: tensor<3x!snn.graded<0, 3>>) {
  %y = snn.product %x, %z : (tensor<2x!snn.graded<0, 3>>, tensor<3x!snn.graded<0, 3>>) -> tensor<2xi32>
  func.return
}
// CHECK: (2,) and (3,) do not broadcast
