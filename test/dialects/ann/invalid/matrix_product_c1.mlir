// RUN: not nc-opt %s 2>&1 | filecheck %s

// Rows meet columns.

func.func @main(%x: tensor<2x3x!ann.count<0, 3>>) {
  %r = ann.matrix_product %x, %x : (tensor<2x3x!ann.count<0, 3>>, tensor<2x3x!ann.count<0, 3>>) -> tensor<2x3xi32>
  func.return
}

// CHECK: (2, 3) and (2, 3) have no matrix product
