// RUN: not nc-opt %s 2>&1 | filecheck %s

func.func @main(%x: tensor<2x3x!snn.graded<0, 3>>) {
  %y = snn.matrix_product %x, %x : (tensor<2x3x!snn.graded<0, 3>>, tensor<2x3x!snn.graded<0, 3>>) -> tensor<2x2xi32>
  func.return
}
// CHECK: (2, 3) and (2, 3) have no matrix product
