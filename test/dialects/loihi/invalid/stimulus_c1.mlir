// RUN: not nc-opt %s 2>&1 | filecheck %s

// Rows have the value's shape, reversed.

func.func @main(%x: tensor<2x3xi8>) {
  %0 = loihi.stimulus %x factors [1, -1] : tensor<2x3xi8> -> tensor<2x2x3xi32>
  func.return
}

// CHECK: expected a result of shape (2, 3, 2)
