// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2xi32>, %z: tensor<2x!snn.graded<0, 3>>) {
  %y = snn.product %x, %z : (tensor<2xi32>, tensor<2x!snn.graded<0, 3>>) -> tensor<2xi32>
  func.return
}
// CHECK: expected integers in a range, multiplied into i32
